/*
 * filter_oracle.h - what Linux's own classic packet filter says of a program and of a frame: the second opinion for
 * capture/packet_filter.h.
 *
 * Two differences are known, and callers leave them out: shifts by X of more than 31 (0 here and in libpcap,
 * modulo 32 there), and indirect loads whose sum is beyond 2^31.
 */
#ifndef VHOSTKIT_TEST_FILTER_ORACLE_H
#define VHOSTKIT_TEST_FILTER_ORACLE_H

#include "capture/packet_filter.h"

enum oracle_verdict { ORACLE_REFUSES, ORACLE_DROPS, ORACLE_KEEPS };

/* Of a frame of 1 to 65535 bytes. */
enum oracle_verdict filter_oracle(const struct packet_filter *filter, const uint8_t *bytes, uint32_t length);

#endif
