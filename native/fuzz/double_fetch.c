/*
 * double_fetch.c - see the header. One thread.
 *
 * In a call, a byte is loaded at most once, and a 16-bit field of the rings in any case. A guest may make
 * chains share bytes (one head twice, a loop, two buffers in one place): then the device has to come to them again, once for
 * each chain. Whether it may is found before the call, by walking all that is available as the standard
 * says, with plain reads: a call whose chains are disjoint is judged strictly, and its results must be the same in all
 * three passes. What follows in the input after one that is not may differ, and is watched for its memory accesses only.
 */
#include "double_fetch.h"

#include "double_fetch_run.h"
#include "input.h"
#include "load_flip.h"
#include "vhost/guest_memory.h"

#define MARKS (1u << 16)
#define RESULTS_MAX (1u << 16)
#define CHAIN_LIMIT 1024u /* descriptors that are followed; more is for a loop */

enum double_fetch_pass double_fetch_pass = DOUBLE_FETCH_OFF;
struct double_fetch_sum double_fetch_sum;

static const uint8_t masks[] = { 0, 0, 0xff, 0x01 };
static struct { const uint8_t *from, *to; } marks[MARKS]; /* what the call may load */
static unsigned mark_count;
static struct { uint64_t guest; uint32_t size; } buffers[MARKS]; /* and what it may write */
static unsigned buffer_count;
static bool hooked;             /* the load hook is ours in this call */
static bool strict;             /* this call */
static bool comparable;         /* results so far must be equal in all passes */
static uint64_t results[RESULTS_MAX], result;
static unsigned result_count, results_known; /* of this pass, of the first one */

void double_fetch_start(enum double_fetch_pass pass)
{
    double_fetch_pass = pass;
    comparable = true;
    result_count = 0;
    result = 0;
    if (pass == DOUBLE_FETCH_COUNTED)
        results_known = 0;
}

/* ---- what may be loaded ---- */

/* False: another one has some of these bytes. */
static bool mark(const uint8_t *from, size_t size)
{
    for (unsigned i = 0; i < mark_count; i++)
        if (from < marks[i].to && marks[i].from < from + size)
            return false;
    if (mark_count == MARKS)
        return false;
    marks[mark_count].from = from;
    marks[mark_count++].to = from + size;
    return true;
}

/* Guest memory, maybe over a border. False: not there, or marked already. */
static bool mark_guest(const struct memory_map *map, uint64_t guest, uint32_t size, uint8_t *copy)
{
    while (size > 0) {
        uint32_t part;
        const uint8_t *at = memory_map_translate(map, guest, size, &part);

        if (at == NULL || !mark(at, part))
            return false;
        if (copy) {
            memcpy(copy, at, part);
            copy += part;
        }
        guest += part;
        size -= part;
    }
    return true;
}

static bool memory_gap(const struct memory_map *map, uint64_t guest)
{
    uint32_t part;

    return memory_map_translate(map, guest, 1, &part) == NULL;
}

/* One chain: its descriptors, and of what is sent the header and the frame's head. False: bytes are shared. */
static bool mark_chain(const struct ring *ring, uint16_t head, bool writable)
{
    uint64_t table = 0; /* of an indirect one */
    uint32_t entries = ring->size, index = head, kept = 0;
    bool indirect = false;

    for (unsigned i = 0; i < CHAIN_LIMIT; i++) {
        struct vring_desc desc;

        if (index >= entries)
            return true; /* wrong: the device stops here, too */
        if (indirect ? !mark_guest(ring->memory, table + 16ull * index, 16, (uint8_t *)&desc)
                     : !mark((const uint8_t *)&ring->desc[index], 16))
            return false;
        if (!indirect)
            memcpy(&desc, &ring->desc[index], sizeof desc);
        if (desc.flags & VRING_DESC_F_INDIRECT) {
            if (indirect || !ring->indirect)
                return true;
            indirect = true;
            table = desc.addr;
            entries = desc.len / 16;
            index = 0;
            continue;
        }
        if (!writable && kept < NET_HEADER_SIZE + FRAME_HEAD_MAX && desc.len > 0) {
            uint32_t part = NET_HEADER_SIZE + FRAME_HEAD_MAX - kept;

            part = desc.len < part ? desc.len : part;
            if (!mark_guest(ring->memory, desc.addr, part, NULL))
                return false;
            kept += part;
        }
        if (writable && buffer_count < MARKS) {
            buffers[buffer_count].guest = desc.addr;
            buffers[buffer_count++].size = desc.len;
        }
        if (!(desc.flags & VRING_DESC_F_NEXT))
            return true;
        index = desc.next;
    }
    return false;
}

/* What is written lies nowhere in what is loaded: else it would not be known what to put back. */
static bool buffers_are_apart(const struct memory_map *map)
{
    unsigned loads = mark_count;
    bool apart = true;

    for (unsigned i = 0; i < buffer_count && apart; i++) {
        apart = mark_guest(map, buffers[i].guest, buffers[i].size, NULL) || memory_gap(map, buffers[i].guest);
        mark_count = loads; /* they may well share bytes among themselves */
    }
    return apart;
}

/* Nothing that is available now shares a byte with anything else. */
static bool chains_are_disjoint(const struct ring *ring, bool writable)
{
    uint16_t available = (uint16_t)(ring->avail->idx - ring->last_avail);
    uint16_t seen = (uint16_t)(ring->avail_seen - ring->last_avail); /* before the guest changed the index, maybe */

    mark_count = buffer_count = 0;
    if (available > ring->size) /* the index is wrong, and nothing behind it is looked at */
        available = 0;
    available = available > seen ? available : seen;
    if (!mark((const uint8_t *)ring->avail, 6 + 2u * ring->size) || !mark((const uint8_t *)ring->used, 6 + 8u * ring->size))
        return false;
    for (uint16_t i = 0; i < available; i++)
        if (!mark_chain(ring, ring->avail->ring[(uint16_t)(ring->last_avail + i) & (ring->size - 1)], writable))
            return false;
    return buffers_are_apart(ring->memory);
}

/* ---- around a call ---- */

void double_fetch_begin(const struct ring *ring, bool writable, bool alone)
{
    if (double_fetch_pass == DOUBLE_FETCH_OFF)
        return;
    strict = alone && (!ring_usable(ring) || chains_are_disjoint(ring, writable));
    load_flip_begin(masks[double_fetch_pass]);
    hooked = guest_load_hook == NULL;
    if (hooked)
        guest_load_hook = double_fetch_saw;
}

void double_fetch_end(void)
{
    if (double_fetch_pass == DOUBLE_FETCH_OFF)
        return;
    struct load_flip_count count = load_flip_end();

    if (hooked)
        guest_load_hook = NULL;

    double_fetch_sum.calls++;
    double_fetch_sum.loading += count.bytes > 0;
    double_fetch_sum.strict += strict && count.bytes > 0;
    FUZZ_CHECK(!strict || count.most <= 1, "a byte of guest memory was loaded %u times in one call", count.most);
    comparable &= strict;
}

void double_fetch_saw(const volatile void *address, size_t size)
{
    if (double_fetch_pass != DOUBLE_FETCH_OFF)
        load_flip_saw(address, size);
}

void double_fetch_result(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    if (double_fetch_pass == DOUBLE_FETCH_OFF || !comparable || result_count == RESULTS_MAX)
        return;
    for (size_t i = 0; i < size; i++)
        result = (result ^ at[i]) * UINT64_C(0x100000001b3);
    if (double_fetch_pass == DOUBLE_FETCH_COUNTED) {
        results[results_known++] = result;
    } else {
        FUZZ_CHECK(result_count < results_known && results[result_count] == result,
                   "result %u is another one when what was loaded changes behind the first load", result_count);
        double_fetch_sum.compared++;
    }
    result_count++;
}

void double_fetch_frame(const struct frame *frame)
{
    double_fetch_result(&frame->drop, sizeof frame->drop);
    if (frame->drop != DROP_NONE)
        return;
    double_fetch_result(&frame->net, sizeof frame->net);
    double_fetch_result(&frame->length, sizeof frame->length);
    double_fetch_result(frame->head, frame->head_length);
}
