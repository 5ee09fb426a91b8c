/*
 * frame.h - a frame on its way through the switch is a view.
 *
 * Ingress fills it: a private copy of the virtio net header and of the first
 * bytes, on which every decision is taken and which is what gets delivered
 * (R2, R3), and segments that still point into the sender's memory for the
 * rest. Only the egress copies, once, to the final place. A frame lives for
 * one burst of one worker.
 */
#ifndef VHOSTKIT_FRAME_H
#define VHOSTKIT_FRAME_H

#include <stdint.h>

#include "vhost/virtio.h"

/* Frames in one burst (R28). */
#define BURST_MAX 32u

/* Ethernet header; the shortest thing that can be switched. */
#define FRAME_LENGTH_MIN 14u

/* Longest frame with GSO: a 65535-byte IP packet and its Ethernet header with a VLAN tag (R11). */
#define FRAME_LENGTH_MAX (65535u + 14u + 4u)

/* What a frame may have beyond the MTU: Ethernet header and one VLAN tag (R11). */
#define FRAME_OVERHEAD 18u

/* Bytes of a frame that are copied to private memory before any decision (R2). */
#define FRAME_HEAD_MAX 128u

/* What the switch may add to that: a VLAN tag. */
#define VLAN_TAG_SIZE 4u

/* A piece of memory that is contiguous in our address space. */
struct segment {
    uint8_t *data;
    uint32_t length;
};

struct frame {
    struct net_header net;            /* private, checked; num_buffers is the egress's */
    uint8_t head[FRAME_HEAD_MAX + VLAN_TAG_SIZE]; /* private copy of the frame's beginning; follows net without a gap */
    uint32_t length;                  /* whole frame in bytes, without net header */
    uint16_t head_length;             /* bytes of it in head: min(length, FRAME_HEAD_MAX) as it comes in */
    uint16_t drop;                    /* enum drop_reason; 0 = forward it */
    uint16_t vlan;                    /* in a network with VLANs: id and VLAN_TAGGED (vlan_tag.h) */
    uint32_t segment_count;           /* segments of the rest: length - head_length bytes */
    const struct segment *segments;   /* in the sender's memory, or in the worker's */
};

_Static_assert(__builtin_offsetof(struct frame, head) == NET_HEADER_SIZE, "header and head are copied as one");

static inline uint16_t frame_load_be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline void frame_store_be16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

#endif
