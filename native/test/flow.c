/*
 * flow.c - see the header. The thread owns the machines' queues; everything that the test's thread reads
 * meanwhile is atomic.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "packet.h"
#include "rows.h"
#include "worker/cycles.h"

#define LENGTH_MIN 64u
#define LENGTH_MAX 1514u
#define WAIT_LIMIT_MS 20000u
#define ETHERTYPE 0x88b5u /* of pair 0; for local experiments */

/* Known to both sides, so that a wrong length shows. */
static uint32_t length_of(uint32_t number)
{
    return LENGTH_MIN + number * 37u % (LENGTH_MAX - LENGTH_MIN + 1);
}

/* --- the thread --- */

static unsigned stream_send(struct flow *flow, struct flow_stream *stream)
{
    static const struct net_header net;
    struct driver_queue *queue = machine_tx(flow->machines[stream->from], stream->pair);
    uint8_t frame[LENGTH_MAX], to[6], from[6];
    unsigned count = 0;

    driver_reap(queue);
    bool paused = atomic_load(&stream->paused);

    atomic_store(&stream->drained, paused && stream->sent == stream->base);
    if (paused)
        return 0;
    packet_mac(to, flow->numbers[!stream->from]);
    packet_mac(from, flow->numbers[stream->from]);
    for (; stream->sent - stream->base < FLOW_WINDOW; stream->sent++, count++) {
        uint32_t length = length_of(stream->sent);

        packet_plain(frame, length, to, from, (uint16_t)(ETHERTYPE + stream->pair), stream->sent);
        if (!driver_send(queue, &net, frame, length))
            break;
    }
    if (count > 0)
        machine_publish(flow->machines[stream->from], 2 * stream->pair + 1);
    return count;
}

static void stream_take(struct flow *flow, struct flow_stream *stream, uint32_t number)
{
    if (number - stream->base >= FLOW_SEEN) {
        /* An old one again, if it is one at all. */
        atomic_fetch_add(stream->base - number <= UINT32_MAX / 2 ? &stream->repeated : &flow->corrupt, 1);
        return;
    }
    if (number - stream->base >= stream->sent - stream->base) {
        atomic_fetch_add(&flow->corrupt, 1); /* not sent yet */
        return;
    }
    if (stream->seen[number % FLOW_SEEN]) {
        atomic_fetch_add(&stream->repeated, 1);
        return;
    }
    stream->seen[number % FLOW_SEEN] = true;
    for (; stream->seen[stream->base % FLOW_SEEN]; stream->base++)
        stream->seen[stream->base % FLOW_SEEN] = false;
    atomic_fetch_add(&stream->received, 1);
}

static void gap_note(struct flow *flow)
{
    uint64_t now = monotonic_ns(), gap = flow->last_ns ? now - flow->last_ns : 0;

    flow->last_ns = now;
    if (gap > atomic_load(&flow->gap_ns))
        atomic_store(&flow->gap_ns, gap);
}

/* One frame that machine `at` got. */
static void frame_take(struct flow *flow, unsigned at, const uint8_t *frame, int length)
{
    uint8_t own[6], other[6];
    uint32_t number = length >= (int)LENGTH_MIN ? packet_number(frame, (uint32_t)length) : UINT32_MAX;
    unsigned pair = (unsigned)(frame[12] << 8 | frame[13]) - ETHERTYPE;

    packet_mac(own, flow->numbers[at]);
    packet_mac(other, flow->numbers[!at]);
    if (length >= (int)LENGTH_MIN && memcmp(frame, own, 6) != 0) {
        atomic_fetch_add(&flow->strays, 1);
        return;
    }
    if (number == UINT32_MAX || pair >= flow->pairs || memcmp(frame + 6, other, 6) != 0 ||
        (uint32_t)length != length_of(number)) {
        atomic_fetch_add(&flow->corrupt, 1);
        return;
    }
    stream_take(flow, &flow->streams[!at * flow->pairs + pair], number);
    gap_note(flow);
}

static unsigned machine_take(struct flow *flow, unsigned at, unsigned pair)
{
    struct machine *machine = flow->machines[at];
    struct driver_queue *queue = machine_rx(machine, pair);
    uint8_t frame[2048] = { 0 };
    struct net_header net;
    unsigned count = 0;

    for (int length; (length = driver_receive(queue, &net, frame, sizeof frame)) != DRIVER_NOTHING; count++)
        frame_take(flow, at, frame, length);
    if (count > 0) {
        driver_refill(queue);
        machine_publish(machine, 2 * pair);
    }
    return count;
}

static void *flow_main(void *argument)
{
    struct flow *flow = argument;

    while (!atomic_load(&flow->stop)) {
        unsigned moved = 0;

        for (unsigned i = 0; i < flow->stream_count; i++)
            moved += stream_send(flow, &flow->streams[i]);
        for (unsigned at = 0; at < 2; at++)
            for (unsigned pair = 0; pair < flow->pairs; pair++)
                moved += machine_take(flow, at, pair);
        for (unsigned i = 0; i < flow->stream_count; i++) {
            struct flow_stream *stream = &flow->streams[i];

            atomic_store(&stream->missing, stream->base);
            atomic_store(&stream->waiting, stream->sent - stream->base);
        }
        if (flow->round)
            flow->round(flow, flow->owner);
        if (moved == 0)
            nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
    }
    return NULL;
}

/* --- the test's thread --- */

void flow_start(struct flow *flow, struct machine *one, unsigned one_number, struct machine *two, unsigned two_number)
{
    unsigned pairs = one->options.pairs;

    assert_true(pairs <= FLOW_PAIRS_MAX && two->options.pairs == pairs);
    flow->machines[0] = one;
    flow->machines[1] = two;
    flow->numbers[0] = one_number;
    flow->numbers[1] = two_number;
    flow->pairs = pairs;
    flow->stream_count = 2 * pairs;
    for (unsigned i = 0; i < flow->stream_count; i++) {
        flow->streams[i].from = i / pairs;
        flow->streams[i].pair = i % pairs;
    }
    assert_int_equal(pthread_create(&flow->thread, NULL, flow_main, flow), 0);
    flow->running = true;
}

void flow_abandon(struct flow *flow)
{
    if (!flow->running)
        return;
    atomic_store(&flow->stop, true);
    pthread_join(flow->thread, NULL);
    flow->running = false;
}

static void stand_still(struct flow *flow, const struct flow_stream *stream)
{
    unsigned from = stream->from, pair = stream->pair;
    unsigned long missing = atomic_load(&stream->missing), waiting = atomic_load(&stream->waiting);

    flow_abandon(flow);
    fail_msg("from machine %u, pair %u: frame %lu is lost (%lu on their way for %u ms)", from, pair, missing, waiting, WAIT_LIMIT_MS);
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

void flow_wait(struct flow *flow, uint64_t frames)
{
    uint64_t limit = machine_clock_ms() + WAIT_LIMIT_MS, begin[FLOW_STREAMS];

    for (unsigned i = 0; i < flow->stream_count; i++)
        begin[i] = atomic_load(&flow->streams[i].received);
    for (unsigned i = 0; i < flow->stream_count; i++) {
        struct flow_stream *stream = &flow->streams[i];

        while (!atomic_load(&stream->paused) && atomic_load(&stream->received) - begin[i] < frames) {
            if (machine_clock_ms() > limit)
                stand_still(flow, stream);
            nap();
        }
    }
}

void flow_drain(struct flow *flow, struct flow_stream *stream)
{
    uint64_t limit = machine_clock_ms() + WAIT_LIMIT_MS;

    atomic_store(&stream->paused, true);
    while (!atomic_load(&stream->drained)) {
        if (machine_clock_ms() > limit)
            stand_still(flow, stream);
        nap();
    }
}

void flow_end(struct flow *flow)
{
    for (unsigned i = 0; i < flow->stream_count; i++)
        atomic_store(&flow->streams[i].paused, true);
    for (unsigned i = 0; i < flow->stream_count; i++)
        flow_drain(flow, &flow->streams[i]);
    flow_abandon(flow);
    assert_int_equal(atomic_load(&flow->corrupt), 0);
    for (unsigned at = 0; at < 2; at++)
        for (unsigned i = 0; i < flow->machines[at]->queue_count; i++)
            assert_int_equal(flow->machines[at]->queues[i].driver.errors, 0);
}

void flow_gap_begin(struct flow *flow)
{
    atomic_store(&flow->gap_ns, 0);
}

uint64_t flow_gap_ns(struct flow *flow)
{
    return atomic_load(&flow->gap_ns);
}

uint64_t flow_received(const struct flow *flow)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < flow->stream_count; i++)
        sum += atomic_load(&flow->streams[i].received);
    return sum;
}

uint64_t flow_repeated(const struct flow *flow)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < flow->stream_count; i++)
        sum += atomic_load(&flow->streams[i].repeated);
    return sum;
}

static int by_length(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

void flow_print_times(const char *what, uint64_t *times_ns, unsigned count)
{
    assert_true(count > 0);
    qsort(times_ns, count, sizeof *times_ns, by_length);
    print_message("# %u %s: %.2f ms (median), %.2f ms (99 %%), %.2f ms (longest)\n", count, what,
                  (double)times_ns[count / 2] / 1e6, (double)times_ns[(count * 99 + 99) / 100 - 1] / 1e6,
                  (double)times_ns[count - 1] / 1e6);
}
