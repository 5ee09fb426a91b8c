/*
 * latency.c - the time of a frame from one play VM to the other.
 *
 * One thread plays both ends, so one clock times both: the stamp is taken right
 * before the frame is made visible and compared when the used entry is seen. VMs
 * take turns in sending, each at its share of the rate; a turn that is missed
 * (this thread was not running) is not made up for, as a burst would measure the
 * generator. Frames that do not come back count as lost.
 */
#include "latency.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/cycles.h"

#define STAMP_OFFSET 16u       /* behind the Ethernet header, aligned with it */
#define SAMPLES_MAX (4u << 20)
#define GRACE_NS 20000000u     /* for the last frames to come */
#define PAUSE_NS 10000u        /* one look at all rings takes a few hundred nanoseconds */

struct samples {
    uint32_t *cycles;   /* of each frame, UINT32_MAX for longer */
    unsigned count;
    unsigned unseen;    /* frames during whose time this thread was held up */
    uint64_t pause_end; /* the end of the last such time, in cycles */
};

static void add_sample(struct samples *samples, uint64_t stamp, uint64_t now)
{
    if (stamp < samples->pause_end)
        samples->unseen++;
    else if (samples->count < SAMPLES_MAX)
        samples->cycles[samples->count++] = now - stamp < UINT32_MAX ? (uint32_t)(now - stamp) : UINT32_MAX;
}

/* Takes what VM `vm` received, and its stamps. */
static void take_stamps(struct play_vm *vm, struct samples *samples, uint64_t now)
{
    struct driver_queue *queue = machine_rx(&vm->machine, 0);
    unsigned count = driver_used_waiting(queue);

    for (unsigned i = 0; i < count; i++) {
        uint32_t head = queue->used->ring[queue->used_seen++ & (queue->options.size - 1)].id;
        uint64_t stamp;

        memcpy(&stamp, queue->buffers[head] + queue->header_size + STAMP_OFFSET, sizeof stamp);
        add_sample(samples, stamp, now);
        driver_offer(queue, (uint16_t)head);
    }
    if (driver_publish(queue))
        machine_kick(&vm->machine, 0);
}

/* Sends one frame from the next slot; false when that slot is still on its way. */
static bool send_stamp(struct play_vm *vm)
{
    struct driver_queue *queue = machine_tx(&vm->machine, 0);
    uint16_t slot = queue->avail_idx & (queue->options.size - 1);

    queue->used_seen = (uint16_t)(queue->used_seen + driver_used_waiting(queue));
    if ((uint16_t)(queue->avail_idx - queue->used_seen) >= queue->slots)
        return false;
    uint64_t stamp = cycles_now();

    memcpy(queue->buffers[slot] + queue->header_size + STAMP_OFFSET, &stamp, sizeof stamp);
    driver_offer(queue, slot);
    if (driver_publish(queue))
        machine_kick(&vm->machine, 1);
    return true;
}

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static double share_us(const struct samples *samples, double share, double cycles_a_us)
{
    unsigned at = (unsigned)((double)(samples->count - 1) * share);

    return samples->cycles[at] / cycles_a_us;
}

static void say(const struct samples *samples, uint64_t sent, double cycles_a_us)
{
    static const double shares[] = { 0.5, 0.99, 0.999, 1 };
    static const char *names[] = { "p50_us", "p99_us", "p999_us", "max_us" };

    printf("{\"frames\": %" PRIu64 ", \"received\": %u, \"unseen\": %u", sent, samples->count + samples->unseen,
           samples->unseen);
    for (unsigned i = 0; i < 4; i++)
        printf(", \"%s\": %.3f", names[i], share_us(samples, shares[i], cycles_a_us));
    puts("}");
}

/* Cycles and nanoseconds at one instant, to turn one into the other. */
struct instant {
    uint64_t cycles;
    uint64_t ns;
};

static struct instant instant_now(void)
{
    return (struct instant){ cycles_now(), monotonic_ns() };
}

static double cycles_a_ns(struct instant begin, struct instant end)
{
    return (double)(end.cycles - begin.cycles) / (double)(end.ns - begin.ns);
}

static struct instant pass_ms(unsigned ms)
{
    uint64_t end = monotonic_ns() + (uint64_t)ms * 1000000;

    while (monotonic_ns() < end)
        cpu_relax();
    return instant_now();
}

static uint64_t count_kicks(const struct load *load)
{
    uint64_t kicks = 0;

    for (unsigned i = 0; i < load->count; i++)
        kicks += load->vms[i].machine.kicks;
    return kicks;
}

bool latency_run(struct load *load, uint32_t bytes, unsigned rate, unsigned ms)
{
    struct samples samples = { .cycles = malloc(SAMPLES_MAX * sizeof(uint32_t)) };
    struct instant begin = instant_now();
    double per_ns = cycles_a_ns(begin, pass_ms(10));
    uint64_t gap = (uint64_t)(per_ns * 1e9 / rate), end = (uint64_t)(per_ns * 1e6 * ms), sent = 0;

    if (samples.cycles == NULL)
        return false;
    memset(samples.cycles, 0, SAMPLES_MAX * sizeof(uint32_t)); /* no page fault in the middle */
    for (unsigned i = 0; i < load->count; i++) {
        play_vm_fill(&load->vms[i], bytes, 1, false);
        load->vms[i].sends = false;
    }
    unsigned turn = 0;
    uint64_t start = cycles_now(), next = start, now = start, stop = start + end;

    uint64_t pause = (uint64_t)(per_ns * PAUSE_NS), kicks = 0;

    while (now < stop + (uint64_t)(per_ns * GRACE_NS)) {
        uint64_t last = now, kicks_now = count_kicks(load);

        now = cycles_now();
        if (now - last > pause && kicks_now == kicks)
            samples.pause_end = now;
        kicks = kicks_now;
        if (now >= next && now < stop) {
            sent += send_stamp(&load->vms[turn]);
            turn = turn + 1 < load->count ? turn + 1 : 0;
            next = next + gap > now ? next + gap : now + gap;
        }
        for (unsigned i = 0; i < load->count; i++)
            take_stamps(&load->vms[i], &samples, cycles_now());
    }
    qsort(samples.cycles, samples.count, sizeof *samples.cycles, compare);
    if (samples.count > 0)
        say(&samples, sent, per_ns * 1e3);
    free(samples.cycles);
    if (samples.count > 0)
        load_end(load);
    return samples.count > 0;
}
