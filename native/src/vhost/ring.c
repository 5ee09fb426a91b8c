/*
 * ring.c - the device side of a split virtqueue: control, indexes and
 * notification. Walking chains is in chain.c, so that what a guest can make us
 * read stands in one small place.
 *
 * Owned by one worker (transmit) or by the holder of its lock (receive);
 * started, stopped and re-pointed by the control thread while the port is
 * paused. Relies on memory_map for every address.
 */
#include "vhost/ring.h"

#include <stdio.h>
#include <string.h>

#include "switch/copy.h"
#include "vhost/chain.h"
#include "vhost/dirty_log.h"
#include "vhost/guest_memory.h"

#ifdef VHOSTKIT_LOAD_HOOK
void (*guest_load_hook)(const volatile void *address, size_t size);
#endif

const char *const ring_fault_name[RING_FAULT_COUNT] = {
#define X(id, name, sentence) [id] = name,
    RING_FAULTS(X)
#undef X
};

const char *const ring_fault_sentence[RING_FAULT_COUNT] = {
#define X(id, name, sentence) [id] = sentence,
    RING_FAULTS(X)
#undef X
};

static inline bool feature(uint64_t features, unsigned bit)
{
    return features >> bit & 1;
}

/* --- start and stop: control thread, port paused --- */

/* Finds the three areas (H8). With EVENT_IDX the avail and used rings have a word more; it is always asked for. */
static bool ring_locate(struct ring *ring, const struct memory_map *memory, const struct ring_address *where,
                        char *why, size_t why_size)
{
    uint64_t size = where->size;

    if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)) != 0) {
        snprintf(why, why_size, "ring size: wanted a power of two up to %u, found %u", VRING_SIZE_MAX,
                 where->size);
        return false;
    }
    const void *desc = memory_map_user_range(memory, where->desc_user, size * sizeof(struct vring_desc));
    void *avail = memory_map_user_range(memory, where->avail_user,
                                        sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t));
    void *used = memory_map_user_range(memory, where->used_user,
                                       sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) +
                                           sizeof(uint16_t));
    const char *area = desc == NULL ? "descriptor table" : avail == NULL ? "avail ring" : used == NULL ? "used ring" : NULL;

    if (area != NULL) {
        snprintf(why, why_size, "%s of %u entries is not inside one memory region", area, where->size);
        return false;
    }
    if ((uintptr_t)desc % 16 != 0 || (uintptr_t)avail % 2 != 0 || (uintptr_t)used % 4 != 0) {
        snprintf(why, why_size, "ring areas: wanted addresses aligned to 16, 2 and 4 bytes");
        return false;
    }
    ring->desc = desc;
    ring->avail = avail;
    ring->used = used;
    ring->memory = memory;
    ring->size = (uint16_t)size;
    ring->used_log_addr = where->used_log_guest;
    ring->log_used = where->log_used;
    return true;
}

static void ring_derive(struct ring *ring, uint64_t features)
{
    ring->event_idx = feature(features, VIRTIO_F_RING_EVENT_IDX);
    ring->indirect = feature(features, VIRTIO_F_RING_INDIRECT_DESC);
    ring->mergeable = feature(features, VIRTIO_NET_F_MRG_RXBUF);
    ring->header_size = ring->mergeable || feature(features, VIRTIO_F_VERSION_1) ? NET_HEADER_SIZE
                                                                                  : NET_HEADER_LEGACY_SIZE;
}

bool ring_start(struct ring *ring, const struct memory_map *memory, const struct ring_address *where,
                uint64_t features, char *why, size_t why_size)
{
    struct dirty_log *log = ring->log;

    *ring = (struct ring){ .log = log };
    if (!ring_locate(ring, memory, where, why, why_size))
        return false;
    ring_derive(ring, features);

    ring->used_idx = guest_load16(&ring->used->idx);
    ring->used_published = ring->used_idx;
    ring->signalled = ring->used_idx;
    ring->last_avail = ring->used_idx;
    ring->avail_seen = ring->used_idx;
    ring->running = true;
    ring_disarm(ring);
    return true;
}

bool ring_rebase(struct ring *ring, const struct memory_map *memory, const struct ring_address *where,
                 uint64_t features, char *why, size_t why_size)
{
    if (!ring_locate(ring, memory, where, why, why_size))
        return false;
    ring_derive(ring, features);
    ring->signalled_valid = false;
    ring->window.count = 0; /* read through the old addresses */
    ring->short_need = 0;
    ring_disarm(ring);
    return true;
}

uint16_t ring_stop(struct ring *ring)
{
    uint16_t base = ring->last_avail;
    struct dirty_log *log = ring->log;

    *ring = (struct ring){ .log = log };
    return base;
}

static void ring_break_at(struct ring *ring, enum ring_fault fault, uint16_t index)
{
    if (atomic_load_explicit(&ring->fault, memory_order_relaxed) != RING_FAULT_NONE)
        return;
    ring->fault_index = index;
    atomic_store_explicit(&ring->fault, (uint8_t)fault, memory_order_release);
}

void ring_break(struct ring *ring, enum ring_fault fault)
{
    ring_break_at(ring, fault, ring->last_avail);
}

/* --- the dirty log (R19) --- */

static void log_guest_range(struct ring *ring, uint64_t guest, uint64_t length)
{
    if (!dirty_log_mark(ring->log, guest, length))
        ring_break(ring, RING_FAULT_LOG);
}

static inline void log_used_range(struct ring *ring, size_t offset, size_t length)
{
    if (ring->log != NULL && ring->log_used)
        log_guest_range(ring, ring->used_log_addr + offset, length);
}

static void log_segments(struct ring *ring, const struct segment *segments, unsigned count, uint32_t bytes)
{
    for (unsigned i = 0; i < count && bytes > 0; i++) {
        uint32_t length = segments[i].length < bytes ? segments[i].length : bytes;
        uint64_t guest;

        bytes -= length;
        if (memory_map_guest_addr(ring->memory, segments[i].data, &guest))
            log_guest_range(ring, guest, length);
    }
}

/* --- the avail ring --- */

/* Entries available from `ahead` entries past last_avail; loads avail->idx only when none is known (R4). */
static unsigned ring_available(struct ring *ring, unsigned ahead)
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
static void window_fill(struct ring *ring, unsigned wanted, unsigned available)
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

/* Where avail entry last_avail + ahead stands in the window, which holds it. */
static inline unsigned window_at(const struct ring *ring, unsigned ahead)
{
    return (uint16_t)(ring->last_avail - ring->window.first) + ahead;
}

/* Fetches the memory of the first descriptors into the cache; a wrong address is not an error here. */
static void window_prefetch(const struct ring *ring, unsigned count, bool write)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = window_at(ring, i);
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

static bool ring_memory_gone(struct ring *ring)
{
    if (!atomic_load_explicit((atomic_bool *)&ring->memory->faulted, memory_order_relaxed))
        return false;
    ring_break(ring, RING_FAULT_MEMORY);
    return true;
}

/* --- transmit: guest to switch --- */

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

unsigned ring_take(struct ring *ring, struct burst *burst)
{
    struct chain chains[BURST_MAX];
    unsigned taken = 0, descriptors = 0, segments = 0;
    uint64_t bytes = 0;

    burst->count = 0;
    if (!ring_usable(ring) || ring_memory_gone(ring))
        return 0;
    unsigned available = ring_available(ring, 0);
    if (available > BURST_MAX)
        available = BURST_MAX;

    window_fill(ring, available, available);
    window_prefetch(ring, available, false);

    for (; taken < available && descriptors < RING_TAKE_DESCRIPTORS && bytes < RING_TAKE_BYTES; taken++) {
        struct chain *chain = &chains[taken];
        unsigned at = window_at(ring, taken);

        burst->heads[taken] = ring->window.heads[at];
        enum ring_fault fault =
            chain_walk(ring, burst->heads[taken], &ring->window.descs[at], CHAIN_READABLE,
                       &burst->segments[segments], RING_SEGMENTS_MAX - segments, chain);

        if (fault != RING_FAULT_NONE) {
            ring_break_at(ring, fault, (uint16_t)(ring->last_avail + taken));
            break;
        }
        descriptors += chain->descriptors;
        bytes += chain->bytes;
        segments += chain->segment_count;
    }
    for (unsigned i = 0; i < taken; i++)
        frame_load(&burst->frames[i], &chains[i], ring->header_size);

    ring->last_avail = (uint16_t)(ring->last_avail + taken);
    burst->count = taken;
    return taken;
}

/* Writes used entry used_idx; not visible before ring_publish(). */
static void ring_use(struct ring *ring, uint32_t head, uint32_t length)
{
    unsigned slot = ring->used_idx & (ring->size - 1u);

    *(volatile struct vring_used_elem *)&ring->used->ring[slot] = (struct vring_used_elem){ head, length };
    log_used_range(ring, offsetof(struct vring_used, ring) + slot * sizeof(struct vring_used_elem),
                   sizeof(struct vring_used_elem));
    ring->used_idx++;
}

void ring_complete(struct ring *ring, const struct burst *burst)
{
    for (unsigned i = 0; i < burst->count; i++)
        ring_use(ring, burst->heads[i], 0);
    ring_publish(ring);
}

/* --- receive: switch to guest --- */

/* The chains that will hold one frame; nothing is written or consumed while they are collected (R15). */
struct landing {
    unsigned chains;                        /* collected so far */
    unsigned segments;                      /* of all chains, in the scratch array */
    uint64_t bytes;                         /* they can hold */
    uint16_t heads[RING_DELIVER_CHAINS];
    uint32_t room[RING_DELIVER_CHAINS];     /* bytes of each chain */
    bool limit;                             /* no room because of a limit, not for want of buffers */
};

/* Head and first descriptor of avail entry last_avail + ahead. False: it is not there, or the ring is broken. */
static bool ring_next(struct ring *ring, unsigned ahead, uint16_t *head, struct vring_desc *first)
{
    unsigned at = window_at(ring, ahead);

    if (at >= ring->window.count && ahead < BURST_MAX) {
        unsigned available = ring_available(ring, ahead);

        if (available == 0)
            return false;
        window_fill(ring, ahead + 1, ahead + available);
        at = window_at(ring, ahead);
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

    window_fill(ring, wanted, available);
    window_prefetch(ring, wanted < available ? wanted : available, true);
}

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
    if (ring->short_limit || guest_load16(&ring->avail->idx) == ring->short_avail)
        return true;
    ring->short_need = 0;
    return false;
}

enum drop_reason ring_deliver(struct ring *ring, const struct frame *frame, struct segment *scratch)
{
    struct landing landing;
    uint32_t need = ring->header_size + frame->length;

    if (ring_memory_gone(ring) || !ring_usable(ring))
        return DROP_RX_BROKEN;
    if (ring_short_of(ring, need))
        return DROP_RX_NO_ROOM;
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
        log_segments(ring, scratch, landing.segments, need);

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

/* --- publishing and notification --- */

void ring_publish(struct ring *ring)
{
    if (ring->used_published == ring->used_idx)
        return;
    log_used_range(ring, offsetof(struct vring_used, idx), sizeof ring->used->idx);
    guest_store16_release(&ring->used->idx, ring->used_idx);
    ring->used_published = ring->used_idx;
}

bool ring_notify(struct ring *ring)
{
    uint16_t before = ring->signalled, now = ring->used_published;
    bool valid = ring->signalled_valid;

    if (before == now && valid)
        return false;
    guest_full_fence();
    ring->signalled = now;
    ring->signalled_valid = true;
    if (!valid)
        return true;
    if (!ring->event_idx)
        return (guest_load16(&ring->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT) == 0;
    uint16_t event = guest_load16(&ring->avail->ring[ring->size]); /* used_event */
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

bool ring_has_work(const struct ring *ring)
{
    return ring->avail_seen != ring->last_avail || guest_load16(&ring->avail->idx) != ring->last_avail;
}

/* The word after the used entries: avail_event. */
static volatile uint16_t *ring_avail_event(struct ring *ring)
{
    return (volatile uint16_t *)&ring->used->ring[ring->size];
}

bool ring_arm(struct ring *ring)
{
    if (ring->event_idx) {
        guest_store16(ring_avail_event(ring), ring->last_avail);
        log_used_range(ring, offsetof(struct vring_used, ring) + ring->size * sizeof(struct vring_used_elem),
                       sizeof(uint16_t));
    } else {
        guest_store16(&ring->used->flags, 0);
        log_used_range(ring, 0, sizeof ring->used->flags);
    }
    guest_full_fence();
    return ring_has_work(ring);
}

void ring_disarm(struct ring *ring)
{
    /* With EVENT_IDX the flags stay 0 and avail_event is simply not moved (VIRTIO 1.2, 2.7.10). */
    guest_store16(&ring->used->flags, ring->event_idx ? 0 : VRING_USED_F_NO_NOTIFY);
    log_used_range(ring, 0, sizeof ring->used->flags);
}
