/*
 * packet.h - frames for tests: built and checked with code of our own, so that
 * the switch's checksum code is not the judge of itself.
 */
#ifndef VHOSTKIT_TEST_PACKET_H
#define VHOSTKIT_TEST_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/virtio.h"

#define PACKET_ETHERNET 14u
#define PACKET_TCP4 54u /* Ethernet, IPv4 and TCP header */
#define PACKET_TCP6 74u

/* The test's address of a machine: locally administered, last byte `number`. */
void packet_mac(uint8_t mac[6], unsigned number);

/* Ethernet header, then a pattern up to `length`. */
void packet_plain(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint16_t ethertype,
                  uint32_t number);
/* The number that packet_plain put in; UINT32_MAX when the pattern is damaged. */
uint32_t packet_number(const uint8_t *frame, uint32_t length);

/*
 * TCP over IPv4 or IPv6 with `payload` pattern bytes; returns the length. The TCP checksum holds the
 * pseudo header only, and *net asks for the rest, as Linux sends it; gso_size 0: no segmentation.
 */
uint32_t packet_tcp(uint8_t *frame, const uint8_t *to, const uint8_t *from, bool ipv6, uint32_t payload,
                    uint16_t gso_size, struct net_header *net);
/* Whether IP header and TCP checksum are right and lengths agree. */
bool packet_tcp_valid(const uint8_t *frame, uint32_t length);
/* TCP sequence number and payload of such a frame. */
uint32_t packet_tcp_sequence(const uint8_t *frame);
bool packet_tcp_payload_matches(const uint8_t *frame, uint32_t length);

#endif
