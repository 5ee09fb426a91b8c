/*
 * tcp_packet.h - packets for the offload tests: built and judged byte by byte,
 * without a line of the code under test.
 */
#ifndef VHOSTKIT_TEST_TCP_PACKET_H
#define VHOSTKIT_TEST_TCP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"

#define PIECES_MAX 64u

/* What a TCP packet shall look like. */
struct tcp_packet {
    bool ipv6;                 /* else IPv4 */
    unsigned vlan_tags;        /* 0 to 2 */
    unsigned ip_option_words;  /* IPv4 only */
    unsigned tcp_option_words; /* 4 bytes each */
    uint8_t flags;             /* of TCP */
    uint32_t sequence;         /* of its first byte */
    uint16_t identification;   /* IPv4 only */
    uint32_t payload_length;   /* bytes behind the TCP header */
};

/* A packet in memory as a sender has it, and the frame that ingress would make of it. */
struct packet {
    uint8_t bytes[FRAME_LENGTH_MAX];   /* all of it */
    uint32_t length;                   /* of bytes */
    uint32_t ip_offset;                /* IP header */
    uint32_t tcp_offset;               /* TCP header */
    uint32_t payload_offset;           /* behind the TCP header */
    struct segment pieces[PIECES_MAX]; /* what the frame's segments point to */
    struct frame frame;                /* view of the bytes; net is all zero at first */
};

/* Fixed sequence of numbers, so that a failure comes again. */
uint32_t random_next(uint64_t *state);

/* Builds the packet with random payload, the pseudo-header sum in the checksum field; one segment. */
void packet_build(struct packet *packet, const struct tcp_packet *wanted, uint64_t *random);

/* Makes the frame anew from the bytes, the part behind the head in pieces of at most `piece_max` bytes. */
void packet_view(struct packet *packet, uint32_t piece_max, uint64_t *random);

/* RFC 1071 as its text says: one 16-bit word after the other. */
uint16_t naive_sum(uint32_t sum, const uint8_t *data, uint32_t length);

/* Pseudo header of the TCP packet in the bytes, for so many bytes of TCP. */
uint16_t naive_pseudo_sum(const uint8_t *ip, bool ipv6, uint32_t tcp_length);

#endif
