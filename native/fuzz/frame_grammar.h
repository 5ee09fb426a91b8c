/*
 * frame_grammar.h - frames made of an input's choices: right ones mostly, of every kind that the switch looks into.
 */
#ifndef VHOSTKIT_FUZZ_FRAME_GRAMMAR_H
#define VHOSTKIT_FUZZ_FRAME_GRAMMAR_H

#include "input.h"
#include "switch/frame.h"

#define SENT_HEADERS_MAX 512u
#define SENT_PIECES_MAX 16u

/* A frame of the burst as its sender made it. */
struct sent {
    uint8_t headers[SENT_HEADERS_MAX];      /* its beginning; the rest is of the payload */
    uint32_t header_length;
    uint32_t payload_length;
    struct net_header net;
    bool honest;                       /* nobody has a reason to drop it */
    struct segment pieces[SENT_PIECES_MAX];
    uint8_t cuts[3];                   /* how it lies in memory */
};

/*
 * Tags, IPv4 with options, IPv6 with extension headers, TCP, UDP, ARP, and what an honest driver asks the
 * device to do for it.
 */
void sent_make(struct sent *to, struct input *in);

/* Bytes of its headers, of its offload header, or its lengths. */
void sent_spoil(struct sent *to, struct input *in);

/*
 * As ingress makes it: a private head, and pieces of the sender's memory: `payload`, and `behind_head`, of
 * SENT_HEADERS_MAX bytes, for headers that are longer than the head.
 */
void sent_view(struct sent *from, struct frame *frame, uint8_t *payload, uint8_t *behind_head);

#endif
