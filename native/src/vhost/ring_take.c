/*
 * ring_take.c - transmit: chains of a guest become frames, and are given back.
 * Called by the worker that owns the ring (R2, R3, R11, R28).
 */
#include "switch/copy.h"
#include "vhost/chain.h"
#include "vhost/guest_memory.h"
#include "vhost/ring_parts.h"

/* Moves `length` bytes from the front of the segments into private memory; the caller knows that they are there. */
static void segments_gather(struct segment **segments, unsigned *count, uint8_t *to, uint32_t length)
{
    while (length > 0) {
        struct segment *first = *segments;
        uint32_t part = first->length < length ? first->length : length;

        guest_copy_in(to, first->data, part);
        to += part;
        length -= part;
        first->data += part;
        first->length -= part;
        if (first->length == 0) {
            (*segments)++;
            (*count)--;
        }
    }
}

/* Makes a frame of a walked chain: header and first bytes become private, the rest stays where it is (R2, R3, R11). */
static void frame_load(struct frame *frame, const struct chain *chain, uint32_t header_size)
{
    struct segment *segments = chain->segments;
    unsigned count = chain->segment_count;

    frame->drop = DROP_NONE;
    frame->segment_count = 0;
    frame->length = 0;
    frame->head_length = 0;
    if (chain->bytes < header_size + FRAME_LENGTH_MIN) {
        frame->drop = DROP_RUNT;
        return;
    }
    if (chain->bytes > header_size + FRAME_LENGTH_MAX || chain->overflow) {
        frame->drop = DROP_TOO_BIG;
        return;
    }
    frame->length = (uint32_t)chain->bytes - header_size;
    frame->head_length = (uint16_t)(frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);

    if (header_size == NET_HEADER_SIZE) {
        segments_gather(&segments, &count, (uint8_t *)&frame->net, NET_HEADER_SIZE + frame->head_length);
    } else {
        frame->net.num_buffers = 0;
        segments_gather(&segments, &count, (uint8_t *)&frame->net, header_size);
        segments_gather(&segments, &count, frame->head, frame->head_length);
    }
    frame->segments = segments;
    frame->segment_count = count;
}

/* A frame in one plain buffer, which is nearly every one. `bytes` is at least a header and FRAME_LENGTH_MIN. */
static inline void frame_load_plain(struct frame *frame, uint8_t *data, uint32_t bytes, struct segment *rest)
{
    uint32_t private = bytes < NET_HEADER_SIZE + FRAME_HEAD_MAX ? bytes : NET_HEADER_SIZE + FRAME_HEAD_MAX;

    copy_short((uint8_t *)&frame->net, data, private);
    GUEST_LOADED(data, private);
    frame->drop = DROP_NONE;
    frame->length = bytes - NET_HEADER_SIZE;
    frame->head_length = (uint16_t)(private - NET_HEADER_SIZE);
    frame->segments = rest;
    frame->segment_count = bytes > private;
    *rest = (struct segment){ data + private, bytes - private };
}

static inline bool is_plain(const struct ring *ring, unsigned at)
{
    uint32_t bytes = ring->window.descs[at].len;

    return ring->window.data[at] != NULL && ring->header_size == NET_HEADER_SIZE &&
           bytes >= NET_HEADER_SIZE + FRAME_LENGTH_MIN && bytes <= NET_HEADER_SIZE + FRAME_LENGTH_MAX;
}

unsigned ring_take(struct ring *ring, struct burst *burst)
{
    unsigned taken = 0, descriptors = 0, segments = 0;
    uint64_t bytes = 0;

    burst->count = 0;
    if (!ring_usable(ring) || ring_memory_gone(ring))
        return 0;
    ring->avail_polled = false;
    unsigned available = ring_available(ring, 0);
    if (available > BURST_MAX)
        available = BURST_MAX;

    ring_window_fill(ring, available, available, false);
    unsigned first = ring_window_at(ring, 0);

    for (; taken < available && descriptors < RING_TAKE_DESCRIPTORS && bytes < RING_TAKE_BYTES; taken++) {
        unsigned at = first + taken;
        struct chain chain;

        burst->heads[taken] = ring->window.heads[at];
        if (is_plain(ring, at)) {
            frame_load_plain(&burst->frames[taken], ring->window.data[at], ring->window.descs[at].len,
                             &burst->segments[segments++]);
            descriptors++;
            bytes += ring->window.descs[at].len;
            continue;
        }
        enum ring_fault fault = chain_walk(ring, burst->heads[taken], &ring->window.descs[at], CHAIN_READABLE,
                                           &burst->segments[segments], RING_SEGMENTS_MAX - segments, &chain);

        if (fault != RING_FAULT_NONE) {
            ring_break_at(ring, fault, (uint16_t)(ring->last_avail + taken));
            break;
        }
        frame_load(&burst->frames[taken], &chain, ring->header_size);
        descriptors += chain.descriptors;
        bytes += chain.bytes;
        segments += chain.segment_count;
    }
    ring->last_avail = (uint16_t)(ring->last_avail + taken);
    burst->count = taken;
    return taken;
}

void ring_complete(struct ring *ring, const struct burst *burst)
{
    for (unsigned i = 0; i < burst->count; i++)
        ring_use(ring, burst->heads[i], 0);
    ring_publish(ring);
}
