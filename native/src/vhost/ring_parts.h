/*
 * ring_parts.h - what the files of the ring share among themselves: ring.c (life,
 * publishing, notification), ring_window.c (the avail ring), ring_take.c
 * (transmit) and ring_deliver.c (receive). Nobody else includes it.
 */
#ifndef VHOSTKIT_RING_PARTS_H
#define VHOSTKIT_RING_PARTS_H

#include "vhost/ring.h"

/* Marks the ring broken at avail index `index`; the first reason stays. */
void ring_break_at(struct ring *ring, enum ring_fault fault, uint16_t index);
/* Breaks the ring when its memory's file was truncated. */
bool ring_memory_gone(struct ring *ring);

/* Writes the pending used entries into the ring. */
void ring_used_flush(struct ring *ring);
/* Makes used entry used_idx; not visible before ring_publish(). */
static inline void ring_use(struct ring *ring, uint32_t head, uint32_t length)
{
    if (ring->pending_count == RING_USED_PENDING)
        ring_used_flush(ring);
    ring->pending[ring->pending_count++] = (struct vring_used_elem){ head, length };
    ring->used_idx++;
}
/* Marks the first `bytes` of the segments in the dirty log (R19). */
void ring_log_segments(struct ring *ring, const struct segment *segments, unsigned count, uint32_t bytes);

/* Entries available from `ahead` entries past last_avail; loads avail->idx only when none is known (R4). */
unsigned ring_available(struct ring *ring, unsigned ahead);
/*
 * Fills the window up to `wanted` entries from last_avail on, `available` of which are
 * there, and fetches the memory of their first descriptors into the cache. `write`: it is a receive ring.
 */
void ring_window_fill(struct ring *ring, unsigned wanted, unsigned available, bool write);
/* Head and first descriptor of avail entry last_avail + ahead. False: it is not there, or the ring is broken. */
bool ring_next(struct ring *ring, unsigned ahead, uint16_t *head, struct vring_desc *first);

/* Where avail entry last_avail + ahead stands in the window, if it is in it. */
static inline unsigned ring_window_at(const struct ring *ring, unsigned ahead)
{
    return (uint16_t)(ring->last_avail - ring->window.first) + ahead;
}

#endif
