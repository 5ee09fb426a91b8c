/*
 * flow_hash.h - a number that all frames of one conversation share, in both directions.
 */
#ifndef VHOSTKIT_FLOW_HASH_H
#define VHOSTKIT_FLOW_HASH_H

#include <stdint.h>

#include "switch/frame.h"

/* Makes the numbers differ from those of other runs. Before any worker starts. */
void flow_hash_seed(uint64_t seed);

/*
 * Of a frame: over protocol, addresses and ports of TCP, UDP, UDP-Lite, SCTP and DCCP; over protocol
 * and addresses of other IP; else over EtherType and MAC addresses. VLAN tags do not count. Source and
 * destination may be swapped. Reads the private head only (R2).
 */
uint32_t flow_hash(const struct frame *frame);

#endif
