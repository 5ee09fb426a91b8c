/*
 * driver.c - the guest's side of a split virtqueue.
 *
 * One thread calls it; the device works on the same memory at the same time,
 * so used->idx is loaded with acquire, avail->idx stored with release, and a full
 * fence stands before each look at the other side's wish for notifications.
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_THREAD__)
/* ThreadSanitizer knows no fences. Ours order us against another process, which it does not watch anyway. */
#pragma GCC diagnostic ignored "-Wtsan"
#endif

static const uint64_t NOWHERE = UINT64_MAX;

static bool lay_out_rings(struct driver_queue *queue)
{
    uint16_t size = queue->options.size;
    uint64_t desc_bytes = 16u * (uint64_t)size;
    uint64_t avail_bytes = 6 + 2u * (uint64_t)size;
    uint64_t used_bytes = 6 + 8u * (uint64_t)size;

    queue->desc_guest = guest_ram_reserve(queue->ram, desc_bytes, 16);
    queue->avail_guest = guest_ram_reserve(queue->ram, avail_bytes, 2);
    queue->used_guest = guest_ram_reserve(queue->ram, used_bytes, 64);
    if (queue->desc_guest == NOWHERE || queue->avail_guest == NOWHERE || queue->used_guest == NOWHERE)
        return false;
    queue->desc = guest_ram_at(queue->ram, queue->desc_guest, desc_bytes);
    queue->avail = guest_ram_at(queue->ram, queue->avail_guest, avail_bytes);
    queue->used = guest_ram_at(queue->ram, queue->used_guest, used_bytes);
    return true;
}

/* The first piece holds the header alone; the others share the rest evenly. */
static void piece_of(const struct driver_queue *queue, uint32_t total, uint16_t piece, uint32_t *offset,
                     uint32_t *length)
{
    uint16_t pieces = queue->options.pieces;
    uint32_t rest = total - queue->header_size;
    uint32_t each;

    if (pieces == 1) {
        *offset = 0;
        *length = total;
        return;
    }
    if (piece == 0) {
        *offset = 0;
        *length = queue->header_size;
        return;
    }
    each = rest / (pieces - 1u);
    *offset = queue->header_size + (piece - 1u) * each;
    *length = piece == pieces - 1 ? total - *offset : each;
}

static void write_chain(struct driver_queue *queue, uint16_t slot, uint32_t total)
{
    uint64_t buffer = guest_ram_address(queue->ram, queue->buffers[slot]);
    uint16_t first = queue->options.indirect ? 0 : (uint16_t)(slot * queue->options.pieces);
    uint16_t pieces = queue->options.pieces;

    for (uint16_t piece = 0; piece < pieces; piece++) {
        struct vring_desc *desc = &queue->tables[slot][piece];
        bool last = piece == pieces - 1;
        uint32_t offset, length;

        piece_of(queue, total, piece, &offset, &length);
        desc->addr = buffer + offset;
        desc->len = length;
        desc->flags = (uint16_t)((last ? 0 : VRING_DESC_F_NEXT) |
                                 (queue->options.receives ? VRING_DESC_F_WRITE : 0));
        desc->next = last ? 0 : (uint16_t)(first + piece + 1);
    }
}

static bool create_slot(struct driver_queue *queue, uint16_t slot)
{
    const struct driver_options *options = &queue->options;
    uint64_t buffer = guest_ram_reserve(queue->ram, options->buffer_bytes, 64);
    uint32_t table_bytes = 16u * options->pieces;

    if (buffer == NOWHERE)
        return false;
    queue->buffers[slot] = guest_ram_at(queue->ram, buffer, options->buffer_bytes);
    if (options->indirect) {
        uint64_t table = guest_ram_reserve(queue->ram, table_bytes, 16);

        if (table == NOWHERE)
            return false;
        queue->tables[slot] = guest_ram_at(queue->ram, table, table_bytes);
        driver_describe(queue, slot, table, table_bytes, VRING_DESC_F_INDIRECT, 0);
    } else {
        queue->tables[slot] = &queue->desc[(uint32_t)slot * options->pieces];
    }
    write_chain(queue, slot, options->buffer_bytes);
    return true;
}

bool driver_create(struct driver_queue *queue, struct guest_ram *ram, const struct driver_options *options)
{
    uint64_t long_header = FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_NET_F_MRG_RXBUF);
    uint16_t fitting;

    *queue = (struct driver_queue){ .ram = ram, .options = *options };
    if (queue->options.pieces == 0)
        queue->options.pieces = 1;
    queue->header_size = options->features & long_header ? NET_HEADER_SIZE : NET_HEADER_LEGACY_SIZE;
    if (options->size == 0 || options->buffer_bytes <= queue->header_size)
        return false;
    fitting = options->indirect ? options->size : (uint16_t)(options->size / queue->options.pieces);
    queue->slots = options->slots && options->slots < fitting ? options->slots : fitting;
    queue->buffers = calloc(queue->slots, sizeof *queue->buffers);
    queue->tables = calloc(queue->slots, sizeof *queue->tables);
    queue->free_slots = calloc(queue->slots, sizeof *queue->free_slots);
    queue->in_flight = calloc(options->size, sizeof *queue->in_flight);
    if (!queue->buffers || !queue->tables || !queue->free_slots || !queue->in_flight ||
        !lay_out_rings(queue)) {
        driver_destroy(queue);
        return false;
    }
    for (uint16_t slot = 0; slot < queue->slots; slot++) {
        if (!create_slot(queue, slot)) {
            driver_destroy(queue);
            return false;
        }
    }
    driver_reset(queue);
    return true;
}

void driver_destroy(struct driver_queue *queue)
{
    free(queue->buffers);
    free(queue->tables);
    free(queue->free_slots);
    free(queue->in_flight);
    *queue = (struct driver_queue){ 0 };
}

void driver_reset(struct driver_queue *queue)
{
    memset(queue->avail, 0, 6 + 2u * (size_t)queue->options.size);
    memset(queue->used, 0, 6 + 8u * (size_t)queue->options.size);
    queue->avail_idx = queue->published = queue->used_seen = 0;
    queue->errors = 0;
    queue->free_count = 0;
    while (queue->free_count < queue->slots) {
        queue->free_slots[queue->free_count] = (uint16_t)(queue->slots - 1 - queue->free_count);
        queue->free_count++;
    }
}

void driver_describe(struct driver_queue *queue, uint16_t index, uint64_t addr, uint32_t length,
                     uint16_t flags, uint16_t next)
{
    queue->desc[index] = (struct vring_desc){ .addr = addr, .len = length, .flags = flags, .next = next };
}

void driver_offer(struct driver_queue *queue, uint16_t head)
{
    uint16_t at = queue->avail_idx++ & (queue->options.size - 1);

    queue->avail->ring[at] = head;
    queue->in_flight[at] = head;
}

static void offer_slot(struct driver_queue *queue, uint16_t slot)
{
    driver_offer(queue, queue->options.indirect ? slot : (uint16_t)(slot * queue->options.pieces));
}

bool driver_send(struct driver_queue *queue, const struct net_header *header, const void *frame,
                 uint32_t length)
{
    uint16_t slot;

    if (queue->free_count == 0 || length > queue->options.buffer_bytes - queue->header_size)
        return false;
    slot = queue->free_slots[--queue->free_count];
    memcpy(queue->buffers[slot], header, queue->header_size);
    memcpy(queue->buffers[slot] + queue->header_size, frame, length);
    if (queue->options.pieces == 1)
        queue->tables[slot]->len = queue->header_size + length;
    else
        write_chain(queue, slot, queue->header_size + length);
    offer_slot(queue, slot);
    return true;
}

uint16_t driver_used_waiting(const struct driver_queue *queue)
{
    return (uint16_t)(__atomic_load_n(&queue->used->idx, __ATOMIC_ACQUIRE) - queue->used_seen);
}

/* Takes the next used entry and frees its slot. False: it is not what was offered. */
static bool take_used(struct driver_queue *queue, uint16_t *slot, uint32_t *length)
{
    uint16_t at = queue->used_seen++ & (queue->options.size - 1);
    struct vring_used_elem elem = queue->used->ring[at];
    uint32_t found = queue->options.indirect ? elem.id : elem.id / queue->options.pieces;

    *length = elem.len;
    if (elem.id != queue->in_flight[at] || found >= queue->slots || queue->free_count == queue->slots) {
        queue->errors++;
        return false;
    }
    *slot = (uint16_t)found;
    queue->free_slots[queue->free_count++] = *slot;
    return true;
}

unsigned driver_reap(struct driver_queue *queue)
{
    unsigned count = driver_used_waiting(queue);
    uint16_t slot;
    uint32_t length;

    for (unsigned i = 0; i < count; i++)
        if (take_used(queue, &slot, &length) && length != 0)
            queue->errors++;
    return count;
}

unsigned driver_refill(struct driver_queue *queue)
{
    unsigned count = queue->free_count;

    while (queue->free_count)
        offer_slot(queue, queue->free_slots[--queue->free_count]);
    return count;
}

int driver_receive(struct driver_queue *queue, struct net_header *header, void *frame, uint32_t room)
{
    uint16_t waiting = driver_used_waiting(queue);
    uint16_t buffers = 1;
    uint32_t taken = 0;

    if (waiting == 0)
        return DRIVER_NOTHING;
    for (uint16_t i = 0; i < buffers; i++) {
        uint32_t skip = i == 0 ? queue->header_size : 0;
        uint32_t length;
        uint16_t slot;

        if (!take_used(queue, &slot, &length))
            return DRIVER_BAD;
        if (length < skip || length > queue->options.buffer_bytes || length - skip > room - taken) {
            queue->errors++;
            return DRIVER_BAD;
        }
        if (i == 0) {
            header->num_buffers = 1;
            memcpy(header, queue->buffers[slot], queue->header_size);
            buffers = header->num_buffers;
            if (buffers == 0 || buffers > waiting) { /* all of a frame come with one store (R14) */
                queue->errors++;
                return DRIVER_BAD;
            }
        }
        if (i + 1 < buffers && length != queue->options.buffer_bytes)
            queue->errors++; /* every buffer but the last is filled (R14) */
        memcpy((uint8_t *)frame + taken, queue->buffers[slot] + skip, length - skip);
        taken += length - skip;
    }
    return (int)taken;
}

bool driver_publish(struct driver_queue *queue)
{
    uint16_t old = queue->published;
    uint16_t fresh = queue->avail_idx;

    if (old == fresh)
        return false;
    __atomic_store_n(&queue->avail->idx, fresh, __ATOMIC_RELEASE);
    queue->published = fresh;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (queue->options.features & FEATURE(VIRTIO_F_RING_EVENT_IDX)) {
        uint16_t event = __atomic_load_n(driver_avail_event(queue), __ATOMIC_RELAXED);
        return (uint16_t)(fresh - event - 1) < (uint16_t)(fresh - old);
    }
    return !(__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY);
}

bool driver_want_calls(struct driver_queue *queue, bool wanted)
{
    if (queue->options.features & FEATURE(VIRTIO_F_RING_EVENT_IDX)) {
        uint16_t event = wanted ? queue->used_seen : (uint16_t)(queue->used_seen - 1);
        __atomic_store_n(driver_used_event(queue), event, __ATOMIC_RELAXED);
    } else {
        uint16_t flags = wanted ? 0 : VRING_AVAIL_F_NO_INTERRUPT;
        __atomic_store_n(&queue->avail->flags, flags, __ATOMIC_RELAXED);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return driver_used_waiting(queue) != 0;
}
