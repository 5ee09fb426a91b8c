/*
 * random_frame.h - frames of every sort that a guest sends, and what a receiver must get of each.
 *
 * Independent of the switch: a piece of a frame that was to be cut is built anew from the same recipe, not cut out
 * of anything, and checksums are formed word by word (RFC 1071).
 */
#ifndef VHOSTKIT_TEST_RANDOM_FRAME_H
#define VHOSTKIT_TEST_RANDOM_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/virtio.h"

#define RANDOM_FRAME_MAX 65600u
#define RANDOM_PIECES_MAX 64u

/* What the frame is to be. */
struct recipe {
    uint32_t number;          /* of the frame; its payload depends on it */
    unsigned from, to;        /* machines */
    enum { RECIPE_PLAIN, RECIPE_UDP, RECIPE_TCP } kind;
    bool ipv6;
    unsigned tags;            /* in the frame as it is sent */
    uint16_t tag[2];          /* control words; the first is the outer one */
    unsigned ip_words;        /* IPv4: options; IPv6: extension headers of 8 bytes */
    unsigned tcp_words;       /* options */
    uint8_t flags;            /* of TCP */
    uint32_t payload;         /* bytes */
    bool checksum;            /* left to the device */
    uint16_t gso_size;        /* 0: no segmentation */
    bool ecn;                 /* ECN beside the gso_type */
};

/* What happens to tags on the way. */
enum { TAG_KEPT, TAG_PUSHED, TAG_POPPED };

/* One frame as it arrives. */
struct arrival {
    struct net_header net;    /* num_buffers apart */
    uint32_t length;
    uint32_t checksum_at;     /* where 0 and 0xffff say the same; 0: nowhere */
    uint8_t bytes[RANDOM_FRAME_MAX];
};

/* Bytes from the Ethernet header to the payload, as sent. */
uint32_t recipe_headers(const struct recipe *recipe);

/* The frame as the driver sends it, and its net header; returns its length. */
uint32_t recipe_send(const struct recipe *recipe, uint8_t *bytes, struct net_header *net);

/* What a receiver with these features gets of it: so many frames, at most RANDOM_PIECES_MAX. */
unsigned recipe_arrivals(const struct recipe *recipe, uint64_t features, int tag_change, uint16_t vlan,
                         struct arrival *arrivals);

/* NULL when it is as expected, else what differs. */
const char *arrival_differs(const struct arrival *expected, const struct net_header *net, const uint8_t *bytes,
                            int length);

#endif
