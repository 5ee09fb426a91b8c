/*
 * deliver_shares_test.c - two senders of a slow receiver, in process and step by step: whenever in a round the driver posts its few
 * buffers, each sender gets its share of them.
 *
 * A phase is the load from guest memory behind which the driver posts; with fixed phases nothing is left to chance, and each
 * one is played, then others that change from round to round. A switch that looks at the ring twice in one delivery fails here.
 * And a receiver that takes nothing makes nobody wait for the memory of what it does not get, nor does one whose own is not there.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "port/vhost_port.h"
#include "ring_rig.h"
#include "switch/forward.h"
#include "vhost/guest_memory.h"
#include "worker/cycles.h"
#include "worker/worker.h"

#define RING 64u
#define POSTED 6u
#define ROUNDS 400u
#define ATTEMPTS 3u
#define NO_PHASE UINT32_MAX

/* The receiver. */
static struct {
    struct ring_rig *rig;
    struct vhost_port port;
    struct queue_stats stats;
    uint16_t posted, taken; /* buffers so far */
    uint32_t loads, phase;  /* of this round; the driver posts behind load `phase` */
} to;

static struct worker worker;
static struct frame frames[BURST_MAX];
static struct frame *batch[BURST_MAX];

/* What the driver does once a round; it has no more buffers than the ring has entries. */
static void post(void)
{
    for (unsigned i = 0; i < POSTED && (uint16_t)(to.posted - to.taken) < RING; i++)
        driver_offer(&to.rig->driver, to.posted++ % RING);
    driver_publish(&to.rig->driver);
}

static void on_load(const volatile void *address, size_t size)
{
    (void)address;
    (void)size;
    if (to.loads++ == to.phase)
        post();
}

static void open_receiver(void)
{
    char why[160];
    struct vring *vring = &to.port.session.vrings[0];

    memset(&to, 0, sizeof to);
    to.rig = rig_open(true, RING, RIG_FEATURES);
    for (uint16_t i = 0; i < RING; i++)
        driver_describe(&to.rig->driver, i, RIG_BUFFERS + 2048u * i, 2048, VRING_DESC_F_WRITE, 0);
    assert_true(ring_start(&vring->ring, &to.rig->map, &to.rig->where, RIG_FEATURES, why, sizeof why));
    vring->call_fd = vring->err_fd = -1;
    vring->enabled = true;
    to.port.session.features = RIG_FEATURES;
    to.port.port.config.mtu = 1500;
    to.port.port.tx = &to.stats;
    to.port.live = true;
}

/* A burst of `count` frames as forward.c and retry.c hand it on. Returns how many arrived. */
static unsigned burst(unsigned sender, unsigned count)
{
    uint64_t before = to.stats.frames;
    unsigned done = 0;

    worker.sender = sender;
    for (unsigned i = 0; i < ATTEMPTS && done < count; i++)
        done += vhost_frames_deliver(&to.port.port, 0, &worker, batch, count - done,
                                     i == 0 ? ATTEMPT_FIRST : i + 1 < ATTEMPTS ? ATTEMPT_AGAIN : ATTEMPT_LAST);
    assert_int_equal(done, count);
    to.taken = to.rig->driver.used->idx;
    return (unsigned)(to.stats.frames - before);
}

/* Sender 0 has `often` bursts of 32 in a round, sender 1 has one of 8, before them or behind. Returns the loads. */
static uint32_t play_round(unsigned often, bool first, uint32_t phase, uint64_t got[2])
{
    to.loads = 0;
    to.phase = phase;
    if (first)
        got[1] += burst(1, 8);
    for (unsigned i = 0; i < often; i++)
        got[0] += burst(0, 32);
    if (!first)
        got[1] += burst(1, 8);
    if (to.loads <= phase)
        post(); /* behind everything */
    return to.loads;
}

/* `phase`: the same in each round, or NO_PHASE: any, by `luck`. Returns the most loads of a round. */
static uint32_t play(unsigned often, bool first, uint32_t phase, uint32_t luck)
{
    uint64_t got[2] = { 0 };
    uint32_t most = 0;

    open_receiver();
    guest_load_hook = on_load;
    for (unsigned round = 0; round < ROUNDS; round++) {
        luck = luck * 1664525 + 1013904223;
        uint32_t loads = play_round(often, first, phase == NO_PHASE ? (luck >> 8) % 40 : phase, got);

        most = loads > most ? loads : most;
    }
    guest_load_hook = NULL;

    uint64_t half = (got[0] + got[1]) / 2;

    assert_in_range(2 * half, ROUNDS * POSTED * 9 / 10, ROUNDS * POSTED); /* and nobody waits for nothing */
    if (got[0] < half * 9 / 10 || got[0] > half * 11 / 10)
        fail_msg("phase %d, %u bursts of 32 %s one of 8: %llu and %llu", (int)phase, often, first ? "behind" : "before",
                 (unsigned long long)got[0], (unsigned long long)got[1]);
    return most;
}

static void every_phase(void **state)
{
    (void)state;
    for (unsigned often = 1; often <= 7; often += 3)
        for (unsigned first = 0; first < 2; first++)
            for (uint32_t phase = 0, most = 1; phase <= most; phase++)
                most = play(often, first, phase, 0);
}

static void changing_phases(void **state)
{
    (void)state;
    for (uint32_t luck = 1; luck <= 200; luck++)
        play(1 + luck % 7, luck & 8, NO_PHASE, luck);
}

#define LOST 28u /* frames of a burst */
#define LONG_FRAME 9014u

/* What a burst takes at the least, of frames of that length that fit none of the receiver's buffers, or may not go there. */
static uint64_t lost_burst_ns(uint32_t length, uint32_t mtu)
{
    static uint8_t payload[LOST][LONG_FRAME];
    struct segment rests[LOST];
    uint64_t least = UINT64_MAX;

    open_receiver();
    to.port.port.config.mtu = mtu;
    for (uint16_t i = 0; i < RING; i++) {
        driver_describe(&to.rig->driver, i, RIG_BUFFERS + 2048u * i, NET_HEADER_SIZE + 4, VRING_DESC_F_WRITE, 0);
        driver_offer(&to.rig->driver, i);
    }
    driver_publish(&to.rig->driver);
    for (unsigned i = 0; i < LOST; i++) {
        uint16_t head = (uint16_t)(length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX);

        rests[i] = (struct segment){ payload[i], length - head };
        frames[i] = (struct frame){ .length = length, .head_length = head, .segments = &rests[i], .segment_count = length > head };
    }
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t begin = monotonic_ns();

        assert_int_equal(burst(0, LOST), 0);
        uint64_t took = monotonic_ns() - begin;

        least = took < least ? took : least;
    }
    for (unsigned i = 0; i < LOST; i++)
        frames[i] = (struct frame){ .length = 60, .head_length = 60 };
    return least;
}

static void lost_frames(void **state)
{
    uint64_t quick = lost_burst_ns(60, 9000), no_room = lost_burst_ns(LONG_FRAME, 9000), too_long = lost_burst_ns(LONG_FRAME, 1500);

    (void)state;
    print_message("# bursts of %u that are lost: %llu ns; of long ones for want of room %llu, beyond the MTU %llu\n", LOST,
                  (unsigned long long)quick, (unsigned long long)no_room, (unsigned long long)too_long);
    assert_in_range(no_room, 0, 2 * quick);
    assert_in_range(too_long, 0, 2 * quick);
}

#define WAIT_US 20000u
#define GIVE_UP_US 2000000u

/* Another worker, in the middle of a burst: the pages that it makes use up the port's credit; much later it is through. */
static void *spend(void *through)
{
    usleep(WAIT_US);
    atomic_store(&to.port.page_credit.spent_ns, INT64_C(10000000000));
    atomic_store(&to.port.page_credit.as_of_ns, monotonic_ns());
    for (unsigned i = 0; i < GIVE_UP_US / WAIT_US && !atomic_load((atomic_bool *)through); i++)
        usleep(WAIT_US);
    atomic_flag_clear(&to.port.session.vrings[0].lock);
    return NULL;
}

static void pages_are_not_waited_for(void **state)
{
    atomic_bool through = false;
    pthread_t other;

    (void)state;
    open_receiver();
    post();
    atomic_flag_test_and_set(&to.port.session.vrings[0].lock);
    assert_int_equal(pthread_create(&other, NULL, spend, &through), 0);
    uint64_t arrived = burst(0, POSTED);

    atomic_store(&through, true);
    pthread_join(other, NULL);
    assert_int_equal(arrived, 0);
    assert_int_equal(to.stats.drops[DROP_RX_PAGES], POSTED);
}

static int prepare(void **state)
{
    (void)state;
    worker.scratch = calloc(RING_SEGMENTS_MAX, sizeof *worker.scratch);
    for (unsigned i = 0; i < BURST_MAX; i++) {
        frames[i] = (struct frame){ .length = 60, .head_length = 60 };
        batch[i] = &frames[i];
    }
    return worker.scratch == NULL;
}

static int clear(void **state)
{
    (void)state;
    free(worker.scratch);
    rig_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase),
        cmocka_unit_test(changing_phases),
        ROW("H45 long frames that are lost cost no more than short ones", lost_frames),
        ROW("F9 pages that another worker makes are not waited for", pages_are_not_waited_for),
    };
    return cmocka_run_group_tests_name("shares of a slow receiver", tests, prepare, clear);
}
