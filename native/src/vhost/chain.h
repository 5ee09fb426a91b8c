/*
 * chain.h - follows one descriptor chain of a guest and turns it into segments
 * of our own address space (VIRTIO 1.2, 2.7.5; rules R2, R5 to R10).
 */
#ifndef VHOSTKIT_CHAIN_H
#define VHOSTKIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/ring.h"

enum chain_direction { CHAIN_READABLE, CHAIN_WRITABLE };

/* What a chain turned out to be. */
struct chain {
    struct segment *segments; /* kept ones, in order; zero-length descriptors leave none (R9) */
    unsigned segment_count;
    unsigned descriptors;     /* walked, at least 1 */
    uint64_t bytes;           /* of all descriptors, below 2^32 */
    uint64_t kept_bytes;      /* of the kept segments */
    bool overflow;            /* bytes beyond a frame, or beyond the room for segments, were checked but not kept */
};

/*
 * Walks the chain whose head is `first`, a private copy of descriptor `head`; keeps at most `room` segments in `segments`. Every
 * descriptor is copied once and every address checked, kept or not.
 */
enum ring_fault chain_walk(const struct ring *ring, uint16_t head, const struct vring_desc *first,
                           enum chain_direction direction, struct segment *segments, unsigned room,
                           struct chain *chain);

#endif
