/*
 * ring_window.c - reads what a driver has made available, ahead of its use: each
 * head and first descriptor once, into private memory, for a whole burst
 * (R1, R4, R5). Same owners as the ring.
 */
#include <string.h>

#include "vhost/guest_memory.h"
#include "vhost/ring_parts.h"

unsigned ring_available(struct ring *ring, unsigned ahead)
{
    uint16_t next = (uint16_t)(ring->last_avail + ahead);

    if (ring->avail_seen == next && !ring->avail_polled) {
        uint16_t idx = guest_load16_acquire(&ring->avail->idx);

        if ((uint16_t)(idx - ring->last_avail) > ring->size || (uint16_t)(idx - ring->last_avail) < ahead) {
            ring_break(ring, RING_FAULT_AVAIL_INDEX);
            return 0;
        }
        ring->avail_seen = idx;
        ring->avail_polled = true;
    }
    return (uint16_t)(ring->avail_seen - next);
}

/* Cache lines of a buffer that are fetched ahead: net header and the private head of a frame. */
#define PREFETCH_BYTES (NET_HEADER_SIZE + FRAME_HEAD_MAX)
#define CACHE_LINE 64u

/* How many heads further on a descriptor is fetched into the cache. */
#define DESCRIPTORS_AHEAD 8u

static inline void prefetch_buffer(const uint8_t *data, uint32_t length, bool write)
{
    uint32_t end = length < PREFETCH_BYTES ? length : PREFETCH_BYTES;

    if (write) {
        __builtin_prefetch(data, 1);
        return;
    }
    for (uint32_t at = 0; at < end; at += CACHE_LINE)
        __builtin_prefetch(data + at);
}

/* Reads descriptor `head`, and finds its memory if the chain is that one descriptor; wrong ones are chain_walk()'s. */
static inline void window_load(struct ring *ring, unsigned at, bool write)
{
    struct ring_window *window = &ring->window;
    struct vring_desc *desc = &window->descs[at];
    const uint16_t kind = VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE;
    uint32_t contiguous = 0;

    window->data[at] = NULL;
    if (window->heads[at] >= ring->size)
        return;
    guest_copy_in(desc, &ring->desc[window->heads[at]], sizeof *desc);
    uint8_t *data = memory_map_translate(ring->memory, desc->addr, desc->len, &contiguous);

    if (data == NULL)
        return;
    if ((desc->flags & kind) == (write ? VRING_DESC_F_WRITE : 0) && contiguous == desc->len)
        window->data[at] = data;
    prefetch_buffer(data, desc->len, write);
}

void ring_window_fill(struct ring *ring, unsigned wanted, unsigned available, bool write)
{
    struct ring_window *window = &ring->window;
    unsigned used = (uint16_t)(ring->last_avail - window->first);
    unsigned have = window->count > used ? window->count - used : 0;
    unsigned until = wanted < available ? wanted : available;

    if (have >= until)
        return;
    if (have > 0 && used > 0) { /* else `used` may be far beyond the window: after a start, say */
        memmove(window->heads, &window->heads[used], have * sizeof window->heads[0]);
        memmove(window->descs, &window->descs[used], have * sizeof window->descs[0]);
        memmove(window->data, &window->data[used], have * sizeof window->data[0]);
    }
    window->first = ring->last_avail;
    window->count = (uint16_t)until;
    for (unsigned i = have; i < until; i++)
        window->heads[i] = guest_load16(&ring->avail->ring[(uint16_t)(ring->last_avail + i) & (ring->size - 1)]);
    for (unsigned i = have; i < until && i < have + DESCRIPTORS_AHEAD; i++)
        __builtin_prefetch(&ring->desc[window->heads[i] & (ring->size - 1)]);
    for (unsigned i = have; i < until; i++) {
        if (i + DESCRIPTORS_AHEAD < until)
            __builtin_prefetch(&ring->desc[window->heads[i + DESCRIPTORS_AHEAD] & (ring->size - 1)]);
        window_load(ring, i, write);
    }
}

bool ring_next(struct ring *ring, unsigned ahead, uint16_t *head, struct vring_desc *first)
{
    unsigned at = ring_window_at(ring, ahead);

    if (at >= ring->window.count && ahead < BURST_MAX) {
        unsigned available = ring_available(ring, ahead);

        if (available == 0)
            return false;
        ring_window_fill(ring, ahead + 1, ahead + available, true);
        at = ring_window_at(ring, ahead);
    }
    if (at < ring->window.count) {
        *head = ring->window.heads[at];
        *first = ring->window.descs[at];
        return true;
    }
    /* A frame over more chains than the window is long. */
    if (ring_available(ring, ahead) == 0)
        return false;
    *head = guest_load16(&ring->avail->ring[(uint16_t)(ring->last_avail + ahead) & (ring->size - 1)]);
    if (*head < ring->size)
        guest_copy_in(first, &ring->desc[*head], sizeof *first);
    return true;
}

unsigned ring_room(struct ring *ring)
{
    if (ring_memory_gone(ring) || !ring_usable(ring))
        return 0;
    unsigned seen = (uint16_t)(ring->avail_seen - ring->last_avail);

    ring->avail_polled = false;
    return seen + ring_available(ring, seen);
}

void ring_expect(struct ring *ring, unsigned frames)
{
    unsigned wanted = frames < BURST_MAX ? frames : BURST_MAX;

    if (!ring_usable(ring))
        return;
    ring->avail_polled = false;
    ring_window_fill(ring, wanted, ring_available(ring, 0), true);
}
