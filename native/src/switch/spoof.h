/*
 * spoof.h - does a frame's sender use only the addresses that its port's policy allows?
 */
#ifndef VHOSTKIT_SPOOF_H
#define VHOSTKIT_SPOOF_H

#include <stdbool.h>

#include "port/port_policy.h"
#include "switch/frame.h"

/*
 * Looks at the private head only; the frame is at least FRAME_LENGTH_MIN long. The Ethernet source
 * and ARP's sender hardware address must be in `macs`, IPv4's source and ARP's sender in `ipv4`, where
 * such a list is not empty, behind at most two VLAN tags or SNAP headers. What cannot be judged is not allowed:
 * more tags, or IPv4 and ARP headers cut short. Always allowed as an IPv4 address: 0.0.0.0 of an
 * ARP probe (RFC 5227) and of DHCP's request. IPv6 is not looked at.
 */
bool spoof_allowed(const struct port_policy *policy, const struct frame *frame);

#endif
