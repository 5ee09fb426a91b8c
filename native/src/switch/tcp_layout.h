/*
 * tcp_layout.h - where the headers of an unfragmented TCP frame begin and end.
 * Read from the private head while checking a segmentation request, and again for carrying it out.
 */
#ifndef VHOSTKIT_TCP_LAYOUT_H
#define VHOSTKIT_TCP_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_SERVICE_VLAN 0x88a8u

#define IPV4_HEADER_MIN 20u
#define IPV6_HEADER_SIZE 40u
#define TCP_HEADER_MIN 20u
#define TCP_CHECKSUM_OFFSET 16u
#define IP_PROTOCOL_TCP 6u

struct tcp_layout {
    bool ipv6;           /* IPv6 rather than IPv4 */
    uint32_t ip_offset;  /* first byte of the IP header, behind at most two VLAN tags */
    uint32_t tcp_offset; /* first byte of the TCP header */
    uint32_t payload;    /* first byte behind the TCP header; within the head */
};

/*
 * False: not TCP over IP, a fragment, not wholly within the head, or IPv6 with extension headers that a piece
 * could not simply repeat. Hop-by-hop and destination options, and routing headers that have been followed to their
 * end, are passed over, as Linux does: its guests leave such packets to TSO, too.
 */
bool tcp_layout_read(struct tcp_layout *layout, const struct frame *frame);

#endif
