/*
 * chain.c - see the header. No state; called by ring.c on the worker that owns
 * the ring. What stops a hostile chain: each step is counted against the queue
 * size, so a loop ends; each descriptor is a private copy, so it cannot change
 * between check and use; each address goes through the memory map.
 */
#include "vhost/chain.h"

#include "vhost/guest_memory.h"

/* The table that is being walked: the ring's own, or an indirect one. */
struct table {
    const struct vring_desc *own; /* the ring's table; NULL: indirect */
    uint64_t guest;               /* indirect: guest address, of any alignment (H18) */
    uint32_t entries;
};

/* Bytes that are worth keeping: the largest frame with its header, and one more to see that it is too long. */
#define KEEP_BYTES (NET_HEADER_SIZE + FRAME_LENGTH_MAX + 1u)

/* Copies 16 bytes that may lie over a region border. False: not in guest memory. */
static bool guest_descriptor(const struct memory_map *memory, uint64_t guest, struct vring_desc *desc)
{
    uint8_t *to = (uint8_t *)desc;
    uint32_t left = sizeof *desc;

    while (left > 0) {
        uint32_t part;
        const uint8_t *from = memory_map_translate(memory, guest, left, &part);

        if (from == NULL)
            return false;
        guest_copy_in(to, from, part);
        to += part;
        guest += part;
        left -= part;
    }
    return true;
}

static bool table_read(const struct ring *ring, const struct table *table, uint32_t index,
                       struct vring_desc *desc)
{
    if (table->own == NULL)
        return guest_descriptor(ring->memory, table->guest + (uint64_t)index * sizeof *desc, desc);
    guest_copy_in(desc, &table->own[index], sizeof *desc);
    return true;
}

/* Adds the memory of one descriptor, cut at region borders. */
static inline enum ring_fault chain_add(const struct ring *ring, const struct vring_desc *desc, unsigned room,
                                 struct chain *chain)
{
    uint64_t guest = desc->addr;
    uint32_t left = desc->len;

    if (left == 0)
        return RING_FAULT_NONE; /* legal, and its address means nothing (R9) */
    if (guest + left < guest)
        return RING_FAULT_ADDRESS;
    chain->bytes += left;
    if (chain->bytes > UINT32_MAX)
        return RING_FAULT_CHAIN_BYTES;
    while (left > 0) {
        uint32_t part;
        uint8_t *data = memory_map_translate(ring->memory, guest, left, &part);

        if (data == NULL)
            return RING_FAULT_ADDRESS;
        if (chain->kept_bytes >= KEEP_BYTES || chain->segment_count == room) {
            chain->overflow = true;
        } else {
            chain->segments[chain->segment_count++] = (struct segment){ data, part };
            chain->kept_bytes += part;
        }
        guest += part;
        left -= part;
    }
    return RING_FAULT_NONE;
}

/* Goes over to an indirect table (2.7.5.3; R8). */
static enum ring_fault table_enter(const struct ring *ring, const struct vring_desc *desc, struct table *table)
{
    if (!ring->indirect)
        return RING_FAULT_INDIRECT_FEATURE;
    if (table->own == NULL)
        return RING_FAULT_INDIRECT_NESTED;
    if (desc->flags & VRING_DESC_F_NEXT)
        return RING_FAULT_INDIRECT_NEXT;
    if (desc->len == 0 || desc->len % sizeof(struct vring_desc) != 0 ||
        desc->len / sizeof(struct vring_desc) > ring->size)
        return RING_FAULT_INDIRECT_SIZE;
    if (desc->addr + desc->len < desc->addr)
        return RING_FAULT_ADDRESS;
    *table = (struct table){ .guest = desc->addr, .entries = desc->len / (uint32_t)sizeof(struct vring_desc) };
    return RING_FAULT_NONE;
}

enum ring_fault chain_walk(const struct ring *ring, uint16_t head, const struct vring_desc *first,
                           enum chain_direction direction, struct segment *segments, unsigned room,
                           struct chain *chain)
{
    struct table table = { .own = ring->desc, .entries = ring->size };
    struct vring_desc desc = *first;
    bool writable = direction == CHAIN_WRITABLE;
    enum ring_fault fault;

    *chain = (struct chain){ .segments = segments };
    if (head >= ring->size)
        return RING_FAULT_HEAD;
    for (;;) {
        uint32_t next = 0; /* of an indirect table: its beginning */

        if (desc.flags & VRING_DESC_F_INDIRECT) {
            fault = table_enter(ring, &desc, &table);
            if (fault != RING_FAULT_NONE)
                return fault;
        } else {
            if (chain->descriptors == ring->size)
                return RING_FAULT_CHAIN_LENGTH;
            chain->descriptors++;
            if (((desc.flags & VRING_DESC_F_WRITE) != 0) != writable)
                return RING_FAULT_DIRECTION;
            fault = chain_add(ring, &desc, room, chain);
            if (fault != RING_FAULT_NONE)
                return fault;
            if ((desc.flags & VRING_DESC_F_NEXT) == 0)
                return RING_FAULT_NONE;
            next = desc.next;
            if (next >= table.entries)
                return RING_FAULT_NEXT;
        }
        if (!table_read(ring, &table, next, &desc))
            return RING_FAULT_ADDRESS;
    }
}
