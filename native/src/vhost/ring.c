/*
 * ring.c - the life of a split virtqueue's device side, what it publishes and
 * whom it notifies. Its other parts: ring_window.c reads the avail ring, chain.c
 * walks descriptors, ring_take.c and ring_deliver.c move frames.
 *
 * Owned by one worker (transmit) or by the holder of its lock (receive);
 * started, stopped and re-pointed by the control thread while the port is
 * paused. Relies on memory_map for every address.
 */
#include "vhost/ring.h"

#include <stdio.h>
#include <string.h>

#include "vhost/dirty_log.h"
#include "vhost/guest_memory.h"
#include "vhost/ring_parts.h"

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
    ring->net_flags = feature(features, VIRTIO_NET_F_GUEST_CSUM) ? NET_HEADER_F_NEEDS_CSUM : 0;
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
    ring->avail_seen = ring->last_avail;
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

void ring_break_at(struct ring *ring, enum ring_fault fault, uint16_t index)
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

bool ring_memory_gone(struct ring *ring)
{
    if (!atomic_load_explicit((atomic_bool *)&ring->memory->faulted, memory_order_relaxed))
        return false;
    ring_break(ring, RING_FAULT_MEMORY);
    return true;
}

/* --- the dirty log (R19): every mark comes after its write, see dirty_log.c --- */

#ifdef VHOSTKIT_LOG_HOOK
unsigned log_sites_skipped;
void (*log_marked_hook)(enum log_site site);
#endif

static void log_guest_range(struct ring *ring, enum log_site site, uint64_t guest, uint64_t length)
{
#ifdef VHOSTKIT_LOG_HOOK
    bool skipped = log_sites_skipped >> site & 1;
#else
    const bool skipped = false;
    (void)site;
#endif
    if (!skipped && !dirty_log_mark(ring->log, guest, length))
        ring_break(ring, RING_FAULT_LOG);
#ifdef VHOSTKIT_LOG_HOOK
    if (log_marked_hook != NULL)
        log_marked_hook(site);
#endif
}

static inline void log_used_range(struct ring *ring, enum log_site site, size_t offset, size_t length)
{
    if (ring->log != NULL && ring->log_used)
        log_guest_range(ring, site, ring->used_log_addr + offset, length);
}

void ring_log_segments(struct ring *ring, const struct segment *segments, unsigned count, uint32_t bytes)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < count && at < bytes; i++) {
        uint32_t length = segments[i].length < bytes - at ? segments[i].length : bytes - at;
        uint64_t guest;

        if (memory_map_guest_addr(ring->memory, segments[i].data, &guest))
            log_guest_range(ring, at < ring->header_size ? LOG_HEADER : LOG_DATA, guest, length);
        at += length;
    }
}

/* --- publishing and notification --- */

void ring_used_flush(struct ring *ring)
{
    uint16_t first = (uint16_t)(ring->used_idx - ring->pending_count);

    for (unsigned i = 0; i < ring->pending_count; i++) {
        unsigned slot = (uint16_t)(first + i) & (ring->size - 1u);

        *(volatile struct vring_used_elem *)&ring->used->ring[slot] = ring->pending[i];
        log_used_range(ring, LOG_USED_ENTRY, offsetof(struct vring_used, ring) + slot * sizeof(struct vring_used_elem),
                       sizeof(struct vring_used_elem));
    }
    ring->pending_count = 0;
}

void ring_publish(struct ring *ring)
{
    if (ring->used_published == ring->used_idx)
        return;
    ring_used_flush(ring);
    guest_store16_release(&ring->used->idx, ring->used_idx);
    log_used_range(ring, LOG_USED_INDEX, offsetof(struct vring_used, idx), sizeof ring->used->idx);
    ring->used_published = ring->used_idx;
}

bool ring_notify(struct ring *ring)
{
    uint16_t before = ring->signalled, now = ring->used_published;
    bool valid = ring->signalled_valid;

    if (before == now && valid)
        return false;
    guest_full_fence(GUEST_FENCE_NOTIFY);
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
        log_used_range(ring, LOG_AVAIL_EVENT,
                       offsetof(struct vring_used, ring) + ring->size * sizeof(struct vring_used_elem),
                       sizeof(uint16_t));
    } else {
        guest_store16(&ring->used->flags, 0);
        log_used_range(ring, LOG_USED_FLAGS, 0, sizeof ring->used->flags);
    }
    guest_full_fence(GUEST_FENCE_ARM);
    return ring_has_work(ring);
}

void ring_disarm(struct ring *ring)
{
    /* With EVENT_IDX the flags stay 0 and avail_event is simply not moved (VIRTIO 1.2, 2.7.10). */
    guest_store16(&ring->used->flags, ring->event_idx ? 0 : VRING_USED_F_NO_NOTIFY);
    log_used_range(ring, LOG_USED_FLAGS, 0, sizeof ring->used->flags);
}
