/*
 * layout_run.c - see the header.
 *
 * Each layout is run four times, from the same memory. Once loads are counted: no
 * byte may be loaded twice in one call. Twice each byte is changed behind its first
 * load (load_flip.h): nothing may come out differently. And once with a dirty log,
 * where frames go the slow way: the log must name the written pages and no other.
 *
 * An innocent chain is posted before and after, so that it is seen what a
 * verdict does to the neighbours: one before is served in any case; one behind
 * is served too, or, when the ring broke, not looked at.
 *
 * A layout that makes one call come to the same bytes again (a loop, one buffer
 * posted twice) is free to see the changed ones then: there only the memory is checked.
 */
#include "layout_run.h"

#include <stdio.h>
#include <string.h>

#include "load_flip.h"
#include "rows.h"
#include "switch/copy.h"
#include "switch/offload.h"
#include "vhost/guest_memory.h"

enum pass { COUNTED, INVERTED, LOW_BIT, LOGGED, PASSES };

static const char *const pass_name[] = { "counted", "inverted", "low bit", "logged" };
static const uint8_t pass_mask[] = { 0, 0xff, 0x01, 0 };

#define SENDER_OFFLOADS                                                                        \
    (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_HOST_TSO6))
#define FRAMES_MAX 33u

static struct placed placed;
static struct ring ring;
static struct burst burst;
static struct segment scratch[RING_SEGMENTS_MAX];
static struct guest_ram_range ranges[PLACED_RANGES_MAX];

static struct {
    const struct layout_case *which;
    enum pass pass;
    const char *step;            /* for messages */
    struct outcome expected;     /* of the layout's own chains */
    uint16_t consumed;           /* chains that should have been consumed */
    uint16_t given_back;         /* of those, shown in the used ring */
    uint16_t signalled;          /* given_back at the last notification */
    bool signalled_once;
    uint32_t written[PLACED_POSTS_MAX]; /* used length of each consumed chain */
} run;

#define RUN_CHECK(condition, ...)                                                      \
    do {                                                                               \
        if (!(condition)) {                                                            \
            char text_[256];                                                           \
            guest_load_hook = NULL;                                                    \
            snprintf(text_, sizeof text_, __VA_ARGS__);                                \
            fail_msg("%s, %s: %s", pass_name[run.pass], run.step, text_);              \
        }                                                                              \
    } while (0)

/* The outcome may differ, because the layout itself comes back to what was changed. */
static bool loose(void)
{
    return run.which->layout->revisits && pass_mask[run.pass] != 0;
}

/* --- one call of the device --- */

static void call_begin(const char *step)
{
    run.step = step;
    load_flip_begin(pass_mask[run.pass]);
    guest_load_hook = load_flip_saw;
}

static void call_end(void)
{
    guest_load_hook = NULL;
    struct load_flip_count count = load_flip_end();

    RUN_CHECK(count.most_fields <= 1, "a field of the rings was loaded %u times", count.most_fields);
    RUN_CHECK(count.most <= 1 || run.which->layout->revisits, "a byte was loaded %u times", count.most);
}

/* All of guest memory is what the model says. */
static void check_memory(void)
{
    uint64_t where = 0;
    bool holds;

    if (loose()) {
        unsigned count = 0;

        for (unsigned c = 0; run.which->receives && c < placed.posted; c++) {
            count += placed_ranges(&placed, placed.copies[c], &ranges[count]);
            if (count > PLACED_RANGES_MAX / 2)
                break; /* no layout with so many descriptors is posted more than once */
        }
        ranges[count++] = (struct guest_ram_range){ placed.used, 6 + 8ull * placed.size };
        holds = nothing_else_changed(ranges, count, &where);
    } else {
        holds = model_holds(&where);
    }
    RUN_CHECK(holds, "guest address %#llx is not what a right device leaves there", (unsigned long long)where);
}

/* --- the model of the used ring --- */

static void model_give_back(void)
{
    uint16_t start = run.which->layout->start;

    if (run.given_back == run.consumed)
        return;
    for (; run.given_back < run.consumed; run.given_back++) {
        uint32_t slot = (uint16_t)(start + run.given_back) & (placed.size - 1u);
        struct vring_used_elem elem = { placed.heads[run.given_back], run.written[run.given_back] };

        model_put(placed.used + 4 + 8ull * slot, &elem, sizeof elem);
    }
    model_put16(placed.used + 2, (uint16_t)(start + run.given_back));
}

/* R17, as the standard says it. */
static bool model_notifies(void)
{
    uint16_t start = run.which->layout->start, event = 0;
    uint16_t before = (uint16_t)(start + run.signalled), now = (uint16_t)(start + run.given_back);
    bool first = !run.signalled_once;

    if (before == now && !first)
        return false;
    run.signalled = run.given_back;
    run.signalled_once = true;
    if (first)
        return true;
    model_get(placed.avail + (run.which->event_idx ? 4 + 2ull * placed.size : 0), &event, sizeof event);
    if (!run.which->event_idx)
        return (event & VRING_AVAIL_F_NO_INTERRUPT) == 0;
    for (uint16_t passed = before; passed != now; passed++)
        if (passed == event)
            return true;
    return false;
}

static void device_notifies(void)
{
    bool expected = model_notifies(), notifies;

    call_begin("notify");
    notifies = ring_notify(&ring);
    call_end();
    RUN_CHECK(loose() || notifies == expected, "notified: %d", notifies);
}

/* --- transmit --- */

static void check_frame(struct frame *frame, uint16_t copy)
{
    static uint8_t got[FRAME_LENGTH_MAX], wanted[FRAME_LENGTH_MAX + NET_HEADER_SIZE];
    struct outcome expected = copy == GOOD_COPY ? (struct outcome)WORKS : run.expected;
    enum drop_reason drop = frame->drop;
    unsigned count;
    uint32_t at = 0;

    if (drop == DROP_NONE)
        drop = offload_check(frame, SENDER_OFFLOADS & ~run.which->layout->sender_without);
    RUN_CHECK(drop == expected.drop, "the frame's verdict is %s, not %s", drop_reason_name[drop],
              drop_reason_name[expected.drop]);
    if (drop != DROP_NONE)
        return;
    count = placed_ranges(&placed, copy, ranges);
    for (unsigned i = 0; i < count; at += (uint32_t)ranges[i++].length)
        RUN_CHECK(at + ranges[i].length <= sizeof wanted && model_get(ranges[i].guest, wanted + at, ranges[i].length),
                  "the layout cannot work: buffer %u is no memory", i);
    RUN_CHECK(frame->length == at - placed.header_size, "the frame has %u bytes", frame->length);
    copy_frame_linear(got, frame);
    RUN_CHECK(memcmp(got, wanted + placed.header_size, frame->length) == 0, "the frame is damaged");
    RUN_CHECK(frame->net.num_buffers == 0, "the sender's num_buffers came through");
}

/* Takes and gives back until there is nothing more. */
static void transmit(void)
{
    for (unsigned rounds = 0; rounds < 2 * PLACED_POSTS_MAX; rounds++) {
        call_begin("take");
        unsigned taken = ring_take(&ring, &burst);

        call_end();
        check_memory();
        if (taken == 0)
            return;
        for (unsigned i = 0; i < taken && !loose(); i++) {
            RUN_CHECK(run.consumed < placed.posted, "more chains than were posted");
            RUN_CHECK(burst.heads[i] == placed.heads[run.consumed], "head %u", burst.heads[i]);
            check_frame(&burst.frames[i], placed.copies[run.consumed]);
            run.written[run.consumed++] = 0;
        }
        call_begin("complete");
        ring_complete(&ring, &burst);
        call_end();
        model_give_back();
        check_memory();
        device_notifies();
    }
    RUN_CHECK(false, "it never ends");
}

/* --- receive --- */

/* What a right device does with a frame that has room. */
static void model_deliver(const uint8_t *frame, uint32_t length)
{
    static uint8_t stream[NET_HEADER_SIZE + FRAME_LENGTH_MAX];
    uint32_t need = placed.header_size + length, at = 0, room = 0;
    uint16_t first = run.consumed, chains = 0;

    do {
        RUN_CHECK(run.consumed < placed.posted, "the layout cannot work: too few chains");
        uint64_t bytes = placed_bytes(&placed, placed.copies[run.consumed]);
        uint32_t part = bytes < need - room ? (uint32_t)bytes : need - room;

        run.written[run.consumed++] = part;
        room += part;
        chains++;
    } while (room < need);
    memset(stream, 0, NET_HEADER_SIZE);
    if (placed.header_size == NET_HEADER_SIZE)
        memcpy(stream + 10, &chains, sizeof chains);
    memcpy(stream + placed.header_size, frame, length);
    for (uint16_t c = first; c < run.consumed; c++) {
        uint32_t left = run.written[c];
        unsigned count = placed_ranges(&placed, placed.copies[c], ranges);

        for (unsigned i = 0; i < count && left > 0; i++) {
            uint32_t part = ranges[i].length < left ? (uint32_t)ranges[i].length : left;

            model_put(ranges[i].guest, stream + at, part);
            at += part;
            left -= part;
        }
    }
}

static void delivered(unsigned number, enum drop_reason reason, struct outcome expected, const uint8_t *bytes,
                      uint32_t length)
{
    enum drop_reason wanted = expected.fault != RING_FAULT_NONE ? DROP_RX_BROKEN : expected.drop;

    if (loose())
        return;
    RUN_CHECK(reason == wanted, "frame %u: %s, not %s", number, drop_reason_name[reason], drop_reason_name[wanted]);
    if (reason == DROP_NONE)
        model_deliver(bytes, length);
}

/* Delivers the frames as a worker does, and publishes. */
static void receive(const uint32_t *lengths, const struct outcome *expected, unsigned count)
{
    static struct frame frames[FRAMES_MAX];
    static uint8_t bytes[FRAME_LENGTH_MAX];
    struct segment rests[FRAMES_MAX];
    struct frame *list[FRAMES_MAX];
    uint64_t sum = 0;

    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + 99);
    for (unsigned i = 0; i < count; i++) {
        uint16_t head = (uint16_t)(lengths[i] < FRAME_HEAD_MAX ? lengths[i] : FRAME_HEAD_MAX);

        rests[i] = (struct segment){ bytes + head, lengths[i] - head };
        frames[i] = (struct frame){ .length = lengths[i], .head_length = head, .segments = &rests[i],
                                    .segment_count = rests[i].length > 0 };
        memcpy(frames[i].head, bytes, head);
        list[i] = &frames[i];
    }
    if (run.pass != LOGGED) {
        call_begin("expect");
        ring_expect(&ring, count);
        call_end();
    }
    for (unsigned i = 0; i < count;) {
        call_begin("deliver plain");
        unsigned plain = run.pass == LOGGED ? 0 : ring_deliver_plain(&ring, list + i, count - i, FRAME_LENGTH_MAX, &sum);

        call_end();
        for (; plain > 0; plain--, i++)
            delivered(i, DROP_NONE, expected[i], bytes, lengths[i]);
        if (i == count)
            break;
        call_begin("deliver");
        enum drop_reason reason = ring_deliver(&ring, list[i], scratch);

        call_end();
        delivered(i, reason, expected[i], bytes, lengths[i]);
        i++;
    }
    call_begin("publish");
    ring_publish(&ring);
    call_end();
    model_give_back();
    check_memory();
    device_notifies();
}

/* --- the whole --- */

static void start(void)
{
    struct ring_address where = {
        .size = placed.size,
        .desc_user = (uintptr_t)layout_memory_at(placed.desc, 16ull * placed.size),
        .avail_user = (uintptr_t)layout_memory_at(placed.avail, 6 + 2ull * placed.size),
        .used_user = (uintptr_t)layout_memory_at(placed.used, 6 + 8ull * placed.size),
        .used_log_guest = placed.used,
        .log_used = true,
    };
    char why[96] = "";

    ring = (struct ring){ .log = run.pass == LOGGED ? layout_memory_log() : NULL };
    call_begin("start");
    bool started = ring_start(&ring, layout_memory_map(), &where, placed.features, why, sizeof why);

    call_end();
    RUN_CHECK(started, "%s", why);
    model_put16(placed.used, run.which->event_idx ? 0 : VRING_USED_F_NO_NOTIFY);
    check_memory();
}

/* Posts the layout, with the innocent chain before it, and lets the device work. */
static void serve_layout(void)
{
    const struct layout *layout = run.which->layout;
    uint16_t copies = layout->copies ? layout->copies : 1, frames = layout->frames ? layout->frames : copies;
    uint32_t lengths[FRAMES_MAX];
    struct outcome expected[FRAMES_MAX];
    unsigned count = 0;

    if (layout->scribble)
        for (unsigned i = 0; i < 6u + 8u * placed.size; i++)
            guest_put(placed.used + i, &(uint8_t){ (uint8_t)(0xa5 + i) }, 1);
    if (!layout->alone) {
        placed_post(&placed, GOOD_COPY);
        lengths[count] = 60;
        /* A wrong index is wrong for all that is behind it. */
        expected[count++] = run.expected.fault == RING_FAULT_AVAIL_INDEX ? run.expected : (struct outcome)WORKS;
    }
    for (uint16_t i = 0; i < copies; i++)
        placed_post(&placed, i);
    for (uint16_t i = 0; i < frames; i++) {
        lengths[count] = layout->frame ? layout->frame : 60;
        expected[count++] = run.expected;
    }
    placed_publish(&placed, layout->jump);
    if (run.which->receives)
        receive(lengths, expected, count);
    else
        transmit();
}

/* After the verdict: a broken ring is dead, any other goes on as if nothing had been. */
static void serve_another(void)
{
    static const struct outcome works = WORKS, dead = DROPPED(RX_BROKEN);
    bool broken = run.expected.fault != RING_FAULT_NONE;
    uint32_t length = 60;

    if (run.which->layout->alone || run.which->layout->last || loose() ||
        (!broken && run.consumed != placed.posted))
        return;
    placed_post(&placed, GOOD_COPY);
    placed_publish(&placed, 0);
    if (run.which->receives)
        receive(&length, broken ? &dead : &works, 1);
    else
        transmit();
}

static void check_verdict(void)
{
    uint16_t start = run.which->layout->start;

    run.step = "verdict";
    if (loose())
        return;
    RUN_CHECK(ring.fault == run.expected.fault, "the ring's fault is %s, not %s", ring_fault_name[ring.fault],
              ring_fault_name[run.expected.fault]);
    RUN_CHECK(ring_usable(&ring) == (run.expected.fault == RING_FAULT_NONE), "usable");
    if (run.expected.fault != RING_FAULT_NONE)
        RUN_CHECK(ring.fault_index == (uint16_t)(start + run.consumed), "it broke at %u", ring.fault_index);
}

/* Asks for kicks, as before sleeping, and ends. */
static void stop(void)
{
    uint16_t start = run.which->layout->start, next = (uint16_t)(start + run.consumed);
    uint64_t page = 0;

    if (ring_usable(&ring) && !loose()) {
        call_begin("arm");
        ring_arm(&ring);
        call_end();
        if (run.which->event_idx)
            model_put16(placed.used + 4 + 8ull * placed.size, next);
        else
            model_put16(placed.used, 0);
        check_memory();
    }
    if (run.pass == LOGGED)
        RUN_CHECK(model_log_holds(&page), "page %#llx is wrong in the dirty log", (unsigned long long)page);
    uint16_t base = ring_stop(&ring);

    RUN_CHECK(loose() || base == next, "the first chain not done is %u, not %u", base, next);
}

void layout_run(const struct layout_case *which)
{
    const struct layout *layout = which->layout;

    for (enum pass pass = COUNTED; pass < PASSES; pass++) {
        memset(&run, 0, sizeof run);
        run.which = which;
        run.pass = pass;
        run.expected = !which->receives ? layout->tx : which->mergeable ? layout->merged : layout->rx;
        layout_place(&placed, which);
        start();
        serve_layout();
        check_verdict();
        serve_another();
        check_verdict();
        stop();
    }
}
