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

    if (ring->avail_seen == next) {
        uint16_t idx = guest_load16_acquire(&ring->avail->idx);

        if ((uint16_t)(idx - ring->last_avail) > ring->size || (uint16_t)(idx - ring->last_avail) < ahead) {
            ring_break(ring, RING_FAULT_AVAIL_INDEX);
            return 0;
        }
        ring->avail_seen = idx;
    }
    return (uint16_t)(ring->avail_seen - next);
}

/*
 * Fills the window up to `wanted` entries from last_avail on; `available` of them are there. Two
 * passes: the descriptors are fetched into the cache while the heads are still being read.
 */
void ring_window_fill(struct ring *ring, unsigned wanted, unsigned available)
{
    struct ring_window *window = &ring->window;
    unsigned used = (uint16_t)(ring->last_avail - window->first);
    unsigned have = window->count > used ? window->count - used : 0;
    unsigned until = wanted < available ? wanted : available;

    if (have >= until)
        return;
    if (have > 0) { /* else `used` may be far beyond the window: after a start, say */
        memmove(window->heads, &window->heads[used], have * sizeof window->heads[0]);
        memmove(window->descs, &window->descs[used], have * sizeof window->descs[0]);
    }
    window->first = ring->last_avail;
    window->count = (uint16_t)until;
    for (unsigned i = have; i < until; i++) {
        uint16_t slot = (uint16_t)(ring->last_avail + i) & (ring->size - 1);

        window->heads[i] = guest_load16(&ring->avail->ring[slot]);
        if (window->heads[i] < ring->size)
            __builtin_prefetch(&ring->desc[window->heads[i]]);
    }
    for (unsigned i = have; i < until; i++)
        if (window->heads[i] < ring->size)
            guest_copy_in(&window->descs[i], &ring->desc[window->heads[i]], sizeof window->descs[i]);
}

/* Fetches the memory of the first descriptors into the cache; a wrong address is not an error here. */
void ring_window_prefetch(const struct ring *ring, unsigned count, bool write)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = ring_window_at(ring, i);
        uint32_t contiguous;

        if (ring->window.heads[at] >= ring->size)
            continue;
        const uint8_t *data = memory_map_translate(ring->memory, ring->window.descs[at].addr, 1, &contiguous);

        if (data == NULL)
            continue;
        if (write)
            __builtin_prefetch(data, 1);
        else
            __builtin_prefetch(data);
    }
}

bool ring_next(struct ring *ring, unsigned ahead, uint16_t *head, struct vring_desc *first)
{
    unsigned at = ring_window_at(ring, ahead);

    if (at >= ring->window.count && ahead < BURST_MAX) {
        unsigned available = ring_available(ring, ahead);

        if (available == 0)
            return false;
        ring_window_fill(ring, ahead + 1, ahead + available);
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

void ring_expect(struct ring *ring, unsigned frames)
{
    unsigned wanted = frames < BURST_MAX ? frames : BURST_MAX;

    if (!ring_usable(ring))
        return;
    unsigned available = ring_available(ring, 0);

    ring_window_fill(ring, wanted, available);
    ring_window_prefetch(ring, wanted < available ? wanted : available, true);
}
