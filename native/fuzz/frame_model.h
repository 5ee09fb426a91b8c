/*
 * frame_model.h - what the switch owes a frame, worked out from its bytes one by one: is the header that came
 * with it right (R12), how does it look with another VLAN tag, and what may become of it for a receiver (R13).
 *
 * No code under test is in it: lengths, offsets and sums are all found anew, in the plainest way.
 */
#ifndef VHOSTKIT_FUZZ_FRAME_MODEL_H
#define VHOSTKIT_FUZZ_FRAME_MODEL_H

#include <stdbool.h>

#include "switch/frame.h"

/* A whole frame in one piece. */
struct whole {
    struct net_header net;
    uint32_t length;
    bool pushed; /* a tag was, before headers that were found in a head already: they may end a tag further on */
    uint8_t bytes[FRAME_LENGTH_MAX + VLAN_TAG_SIZE];
};

/* Where TCP's headers stand. */
struct headers {
    bool ipv6;
    uint32_t ip;      /* offset of the IP header */
    uint32_t tcp;     /* of the TCP header */
    uint32_t payload; /* behind it */
};

/* False: not TCP in an unfragmented IP packet without IPv6 extension headers, behind at most two tags, in the head. */
bool find_headers(const struct whole *frame, struct headers *found);

/* RFC 1071, one word after the other. */
uint16_t plain_sum(uint32_t sum, const uint8_t *data, uint32_t length);

/* The verdict that the header deserves, DROP_NONE or the reason. */
unsigned header_verdict(const struct whole *frame, uint64_t sender);

/* Puts a tag before the type, takes one away, or sets the VLAN of one that is there. 0: no tag is wanted. */
void set_tag(struct whole *frame, bool tagged, uint16_t control);

/* A view as one piece; its header, too. */
void make_whole(struct whole *to, const struct frame *frame);

/* What the receiver got for the frame as it should look: handed on, completed, or piece `index` at `offset` of the payload. */
void check_same(const struct whole *wanted, const struct whole *got, uint64_t receiver);
void check_completed(const struct whole *wanted, const struct whole *got);
void check_piece(const struct whole *wanted, const struct whole *got, uint64_t receiver, uint32_t index, uint32_t offset);

#endif
