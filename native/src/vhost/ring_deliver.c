/*
 * ring_deliver.c - receive: one frame is written into as many of the guest's
 * buffers as it takes, or nothing is touched. Called by the worker that holds
 * the ring's lock (R7, R14, R15, R28).
 */
#include "switch/copy.h"
#include "vhost/chain.h"
#include "vhost/guest_memory.h"
#include "vhost/ring_parts.h"

/* The chains that will hold one frame; nothing is written or consumed while they are collected (R15). */
struct landing {
    unsigned chains;                        /* collected so far */
    unsigned segments;                      /* of all chains, in the scratch array */
    uint64_t bytes;                         /* they can hold */
    uint16_t heads[RING_DELIVER_CHAINS];
    uint32_t room[RING_DELIVER_CHAINS];     /* bytes of each chain */
    bool limit;                             /* no room because of a limit, not for want of buffers */
};

/*
 * Collects until `need` bytes fit. DROP_NONE, DROP_RX_NO_ROOM or DROP_RX_BROKEN. A chain may have as
 * many descriptors as the ring, also empty ones, and nothing is consumed when the frame does not
 * fit: so the descriptors of all chains of a frame are limited.
 */
static enum drop_reason landing_collect(struct ring *ring, struct landing *landing, uint64_t need,
                                        struct segment *scratch)
{
    unsigned limit = !ring->mergeable ? 1 : ring->size < RING_DELIVER_CHAINS ? ring->size : RING_DELIVER_CHAINS;

    landing->chains = 0;
    landing->segments = 0;
    landing->bytes = 0;
    landing->limit = false;
    unsigned descriptors = 0;
    while (landing->bytes < need) {
        struct chain chain;
        enum ring_fault fault;

        landing->limit = landing->chains == limit || descriptors >= RING_DELIVER_DESCRIPTORS;
        if (landing->limit)
            return DROP_RX_NO_ROOM;
        uint16_t head;
        struct vring_desc first;

        if (!ring_next(ring, landing->chains, &head, &first))
            return ring_usable(ring) ? DROP_RX_NO_ROOM : DROP_RX_BROKEN;
        fault = chain_walk(ring, head, &first, CHAIN_WRITABLE, &scratch[landing->segments],
                           RING_SEGMENTS_MAX - landing->segments, &chain);
        if (fault == RING_FAULT_NONE && chain.bytes < ring->header_size)
            fault = RING_FAULT_RUNT_BUFFER;
        if (fault != RING_FAULT_NONE) {
            ring_break(ring, fault);
            return DROP_RX_BROKEN;
        }
        landing->limit = chain.overflow && landing->bytes + chain.kept_bytes < need;
        if (landing->limit)
            return DROP_RX_NO_ROOM;
        descriptors += chain.descriptors;
        landing->heads[landing->chains] = head;
        landing->room[landing->chains] = (uint32_t)chain.bytes;
        landing->chains++;
        landing->segments += chain.segment_count;
        landing->bytes += chain.bytes;
    }
    return DROP_NONE;
}

/* Whether a frame of that size was tried in vain and nothing changed since. */
static bool ring_short_of(struct ring *ring, uint32_t need)
{
    if (ring->short_need == 0 || need < ring->short_need)
        return false;
    if (ring->short_limit)
        return true;
    return ring->avail_seen == ring->short_avail &&
           ring_available(ring, (uint16_t)(ring->avail_seen - ring->last_avail)) == 0;
}

enum drop_reason ring_deliver(struct ring *ring, const struct frame *frame, struct segment *scratch)
{
    struct landing landing;
    uint32_t need = ring->header_size + frame->length;

    if (ring_memory_gone(ring) || !ring_usable(ring))
        return DROP_RX_BROKEN;
    ring->avail_polled = false;
    if (ring_short_of(ring, need))
        return ring_usable(ring) ? DROP_RX_NO_ROOM : DROP_RX_BROKEN;
    enum drop_reason reason = landing_collect(ring, &landing, need, scratch);
    if (reason == DROP_RX_NO_ROOM) {
        ring->short_need = need;
        ring->short_avail = ring->avail_seen;
        ring->short_limit = landing.limit;
    }
    if (reason != DROP_NONE)
        return reason;

    struct net_header net = frame->net;
    net.num_buffers = (uint16_t)landing.chains;
    copy_frame(scratch, landing.segments, &net, ring->header_size, frame);
    if (ring->log != NULL)
        ring_log_segments(ring, scratch, landing.segments, need);

    uint32_t rest = need;
    for (unsigned i = 0; i < landing.chains; i++) {
        uint32_t written = landing.room[i] < rest ? landing.room[i] : rest;

        ring_use(ring, landing.heads[i], written);
        rest -= written;
    }
    ring->last_avail = (uint16_t)(ring->last_avail + landing.chains);
    ring->short_need = 0; /* other chains stand first now */
    return DROP_NONE;
}

/* Frames ahead of the one being copied whose memory is fetched (bench/NOTES.md). */
#define COPY_AHEAD 2u

static inline void prefetch_copy(const struct ring_window *window, unsigned at, const struct frame *frame)
{
    uint32_t need = NET_HEADER_SIZE + frame->length;

    for (uint32_t line = 64; line < need; line += 64)
        __builtin_prefetch(window->data[at] + line, 1);
}

unsigned ring_deliver_plain(struct ring *ring, struct frame *const *frames, unsigned count, uint32_t longest,
                            uint64_t *bytes)
{
    const struct ring_window *window = &ring->window;
    unsigned first = ring_window_at(ring, 0), done = 0;

    if (ring->log != NULL || ring->header_size != NET_HEADER_SIZE || !ring_usable(ring) || ring_memory_gone(ring))
        return 0;
    if (first >= window->count)
        return 0;
    count = count < window->count - first ? count : window->count - first;
    for (; done < count; done++) {
        const struct frame *frame = frames[done];
        unsigned at = first + done;
        uint32_t need = NET_HEADER_SIZE + frame->length;

        if (window->data[at] == NULL || window->descs[at].len < need || frame->length > longest ||
            ((frame->net.flags & ~ring->net_flags) | frame->net.gso_type) != 0)
            break;
        if (done + COPY_AHEAD < count && window->data[at + COPY_AHEAD] != NULL)
            prefetch_copy(window, at + COPY_AHEAD, frames[done + COPY_AHEAD]);
        copy_plain(window->data[at], frame);
        ring_use(ring, window->heads[at], need);
        *bytes += frame->length;
    }
    ring->last_avail = (uint16_t)(ring->last_avail + done);
    if (done > 0)
        ring->short_need = 0; /* other chains stand first now */
    return done;
}
