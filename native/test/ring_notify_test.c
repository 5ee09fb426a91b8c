/*
 * ring_notify_test.c - rows H48 and the rules R17 and R18, in process: who is
 * woken, and that nobody is left asleep. Two tests run the device and the
 * driver in two threads: one lets them sleep whenever they may, the other
 * makes them decide at the same moment, over and over, so that a missing fence
 * on either side is found within a second.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ring_rig.h"

#define EVENT_IDX (RIG_FEATURES | FEATURE(VIRTIO_F_RING_EVENT_IDX))

static void post_frames(struct ring_rig *rig, unsigned count)
{
    rig_put_frame(rig, RIG_BUFFERS, 60, 1);
    for (uint16_t i = 0; i < rig->driver.options.size; i++)
        driver_describe(&rig->driver, i, RIG_BUFFERS, 72, 0, 0);
    for (unsigned i = 0; i < count; i++)
        driver_offer(&rig->driver, (uint16_t)(i % rig->driver.options.size));
}

static bool round_of(struct ring_rig *rig, unsigned count)
{
    post_frames(rig, count);
    assert_int_equal(rig_take(rig), count);
    return rig_complete(rig);
}

static void flags(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    rig->driver.avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
    assert_true(round_of(rig, 1)); /* the first after a start is unconditional */
    assert_false(round_of(rig, 1));
    assert_false(ring_notify(&rig->ring)); /* nothing new */
    rig->driver.avail->flags = 0;
    assert_false(ring_notify(&rig->ring));
    assert_true(round_of(rig, 3));
    rig->driver.avail->flags = 0xfffe; /* bits that mean nothing */
    assert_true(round_of(rig, 3));
}

static void event_index(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, EVENT_IDX);
    uint16_t used = 0;

    (void)state;
    *driver_used_event(&rig->driver) = 30000;
    assert_true(round_of(rig, 1));
    used++;
    /* Every place of used_event against every burst: a call exactly when the burst passes it. */
    for (unsigned i = 0; i < 70000; i++) {
        uint16_t burst = (uint16_t)(1 + i % 7);
        uint16_t ahead = (uint16_t)(i % 5 == 0 ? i : i % 9);
        uint16_t event = (uint16_t)(used + ahead);

        *driver_used_event(&rig->driver) = event;
        rig->driver.avail->flags = (uint16_t)(i & 1); /* to be ignored */
        post_frames(rig, burst);
        driver_publish(&rig->driver);
        assert_int_equal(ring_take(&rig->ring, &rig->burst), burst);
        ring_complete(&rig->ring, &rig->burst);
        if (ring_notify(&rig->ring) != (ahead < burst))
            fail_msg("used %u to %u, event %u", used, used + burst, event);
        used = (uint16_t)(used + burst);
    }
}

static void asking_for_kicks(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    assert_int_equal(rig->driver.used->flags, VRING_USED_F_NO_NOTIFY); /* polled from the start */
    assert_false(ring_arm(&rig->ring));
    assert_int_equal(rig->driver.used->flags, 0);
    post_frames(rig, 1);
    assert_true(driver_publish(&rig->driver)); /* the driver would kick */
    assert_true(ring_has_work(&rig->ring));
    assert_true(ring_arm(&rig->ring)); /* came in meanwhile: do not sleep */
    ring_disarm(&rig->ring);
    assert_int_equal(rig->driver.used->flags, VRING_USED_F_NO_NOTIFY);
    assert_int_equal(ring_take(&rig->ring, &rig->burst), 1);
    ring_complete(&rig->ring, &rig->burst);

    rig = rig_open(false, 16, EVENT_IDX);
    assert_false(ring_arm(&rig->ring));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(*driver_avail_event(&rig->driver), rig->ring.last_avail);
        post_frames(rig, 2);
        assert_true(driver_publish(&rig->driver));
        post_frames(rig, 2);
        assert_false(driver_publish(&rig->driver)); /* told already */
        assert_true(ring_arm(&rig->ring));
        ring_disarm(&rig->ring);
        assert_int_equal(ring_take(&rig->ring, &rig->burst), 4);
        ring_complete(&rig->ring, &rig->burst);
        assert_false(ring_arm(&rig->ring));
    }
}

static void random_wishes(void **state)
{
    (void)state;
    srand(1);
    for (unsigned features = 0; features < 2; features++) {
        struct ring_rig *rig = rig_open(false, 16, features ? EVENT_IDX : RIG_FEATURES);
        unsigned calls = 0;

        for (unsigned i = 0; i < 300; i++) {
            rig->driver.avail->flags = (uint16_t)rand();
            *driver_used_event(&rig->driver) = (uint16_t)rand();
            *driver_avail_event(&rig->driver) = (uint16_t)rand();
            rig->driver.used->flags = (uint16_t)rand();
            calls += round_of(rig, 1 + (unsigned)rand() % 16);
            assert_true(ring_usable(&rig->ring));
        }
        assert_in_range(calls, 1, 300); /* never more than one a burst */
    }
}

/* --- a device and a driver that sleep --- */

#define STRESS_FRAMES 20000u

struct stress {
    struct ring_rig *rig;
    int kick_fd;
    int call_fd;
    volatile unsigned done;
    volatile bool lost; /* the driver slept for a second although the device had finished, or the other way */
};

static void sleep_on(struct stress *stress, int fd)
{
    struct pollfd entry = { .fd = fd, .events = POLLIN };
    uint64_t count;

    if (poll(&entry, 1, 2000) <= 0)
        stress->lost = true;
    else if (read(fd, &count, sizeof count) < 0)
        stress->lost = true;
}

static void *device(void *context)
{
    struct stress *stress = context;
    struct ring *ring = &stress->rig->ring;
    uint64_t one = 1;

    while (stress->done < STRESS_FRAMES && !stress->lost) {
        if (ring_take(ring, &stress->rig->burst)) {
            ring_complete(ring, &stress->rig->burst);
            stress->done += stress->rig->burst.count;
            if (ring_notify(ring) && write(stress->call_fd, &one, sizeof one) < 0)
                stress->lost = true;
            continue;
        }
        if (ring_arm(ring))
            continue;
        sleep_on(stress, stress->kick_fd);
        ring_disarm(ring);
    }
    return NULL;
}

static void lost_wake_ups(void **state)
{
    (void)state;
    for (unsigned features = 0; features < 2; features++) {
        struct ring_rig *rig = rig_open(false, 16, features ? EVENT_IDX : RIG_FEATURES);
        struct stress stress = { .rig = rig, .kick_fd = eventfd(0, 0), .call_fd = eventfd(0, 0) };
        unsigned sent = 0;
        uint64_t one = 1;
        pthread_t thread;

        post_frames(rig, 0);
        assert_int_equal(pthread_create(&thread, NULL, device, &stress), 0);
        while (rig->driver.used_seen != (uint16_t)STRESS_FRAMES || sent < STRESS_FRAMES) {
            uint16_t room = (uint16_t)(16 - (uint16_t)(rig->driver.avail_idx - rig->driver.used_seen));
            uint16_t burst = (uint16_t)(1 + sent % 3);

            for (uint16_t i = 0; i < burst && i < room && sent < STRESS_FRAMES; i++, sent++)
                driver_offer(&rig->driver, (uint16_t)(sent & 15));
            if (driver_publish(&rig->driver) && write(stress.kick_fd, &one, sizeof one) < 0)
                break;
            if (!driver_used_waiting(&rig->driver) && !driver_want_calls(&rig->driver, true))
                sleep_on(&stress, stress.call_fd);
            if (stress.lost)
                break;
            driver_want_calls(&rig->driver, false);
            rig->driver.used_seen = (uint16_t)(rig->driver.used_seen + driver_used_waiting(&rig->driver));
        }
        if (write(stress.kick_fd, &one, sizeof one) < 0)
            stress.lost = true;
        pthread_join(thread, NULL);
        close(stress.kick_fd);
        close(stress.call_fd);
        assert_false(stress.lost);
        assert_int_equal(stress.done, STRESS_FRAMES);
    }
}

/* --- both decide at the same moment --- */

#define DUEL_ROUNDS 60000u

struct duel {
    struct ring_rig *rig;
    atomic_uint arrived;      /* threads at the barrier, of all rounds */
    bool (*device)(struct ring_rig *rig);
    bool device_knows;        /* the device will act: it calls, or it saw the work */
};

/* Lets both go on within a few cycles of each other, unless there is one core only. */
static void meet(struct duel *duel, unsigned round)
{
    atomic_fetch_add(&duel->arrived, 1);
    for (unsigned spins = 0; atomic_load(&duel->arrived) < 2 * round; spins++)
        if (spins > 2000)
            sched_yield();
}

static bool device_publishes(struct ring_rig *rig)
{
    ring_complete(&rig->ring, &rig->burst);
    return ring_notify(&rig->ring);
}

static bool driver_sleeps(struct ring_rig *rig)
{
    return driver_want_calls(&rig->driver, true);
}

static bool device_sleeps(struct ring_rig *rig)
{
    return ring_arm(&rig->ring);
}

static bool driver_publishes(struct ring_rig *rig)
{
    return driver_publish(&rig->driver);
}

static void *duel_device(void *context)
{
    struct duel *duel = context;

    for (unsigned i = 0; i < DUEL_ROUNDS; i++) {
        meet(duel, 3 * i + 1);
        duel->device_knows = duel->device(duel->rig);
        meet(duel, 3 * i + 2);
        meet(duel, 3 * i + 3); /* the other thread judges and prepares */
    }
    return NULL;
}

/* Brings the ring to where the next decision is open. */
static void prepare_duel(struct ring_rig *rig, bool device_publishing)
{
    if (ring_take(&rig->ring, &rig->burst)) {
        ring_complete(&rig->ring, &rig->burst);
        ring_notify(&rig->ring);
    }
    rig->driver.used_seen = (uint16_t)(rig->driver.used_seen + driver_used_waiting(&rig->driver));
    driver_want_calls(&rig->driver, false);
    ring_disarm(&rig->ring);
    driver_offer(&rig->driver, 0);
    if (device_publishing) {
        driver_publish(&rig->driver);
        ring_take(&rig->ring, &rig->burst);
    }
}

static void fences(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 4; kind++) {
        bool publishing = kind & 1;
        struct ring_rig *rig = rig_open(false, 16, kind & 2 ? EVENT_IDX : RIG_FEATURES);
        struct duel duel = { .rig = rig, .device = publishing ? device_publishes : device_sleeps };
        unsigned lost = 0;
        pthread_t thread;

        post_frames(rig, 1);
        prepare_duel(rig, publishing);
        assert_int_equal(pthread_create(&thread, NULL, duel_device, &duel), 0);
        for (unsigned i = 0; i < DUEL_ROUNDS; i++) {
            bool driver_knows;

            meet(&duel, 3 * i + 1);
            driver_knows = publishing ? driver_sleeps(rig) : driver_publishes(rig);
            meet(&duel, 3 * i + 2);
            lost += !driver_knows && !duel.device_knows;
            prepare_duel(rig, publishing);
            meet(&duel, 3 * i + 3);
        }
        pthread_join(thread, NULL);
        if (lost)
            fail_msg("kind %u: %u of %u wake-ups lost", kind, lost, DUEL_ROUNDS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("R17 notifications by flags", flags),
        ROW("R17 notifications by used_event", event_index),
        ROW("R18 asking for kicks and not", asking_for_kicks),
        ROW("H48 random wishes for notifications", random_wishes),
        ROW("H48 no wake-up is lost between two threads", lost_wake_ups),
        ROW("R17 R18 both sides decide at the same moment", fences),
    };
    int failed = cmocka_run_group_tests_name("ring notifications", tests, NULL, NULL);

    rig_close();
    return failed;
}
