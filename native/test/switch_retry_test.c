/*
 * switch_retry_test.c - the real program with receivers that are too slow: frames are tried again, senders get
 * their shares, and the neighbours of a receiver that gives nothing do not pay for it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "switch_rig.h"

static const struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) };

/* A reader that is busy for a while. */
static void spin_ns(long ns)
{
    struct timespec begin, now;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000000L + now.tv_nsec - begin.tv_nsec < ns);
}

/* Frames are staged until that many are on their way; false when nothing was sent. */
static bool keep_sending(struct switch_rig *rig, unsigned from, unsigned to, unsigned in_flight, uint32_t *number)
{
    struct driver_queue *queue = machine_tx(&rig->machines[from], 0);
    struct net_header net = { 0 };
    uint8_t frame[200], to_mac[6], from_mac[6];
    bool sent = false;

    packet_mac(to_mac, to);
    packet_mac(from_mac, from);
    driver_reap(queue);
    while (queue->slots - queue->free_count < (int)in_flight) {
        packet_plain(frame, sizeof frame, to_mac, from_mac, 0x88b5, *number);
        assert_true(driver_send(queue, &net, frame, sizeof frame));
        (*number)++;
        sent = true;
    }
    if (sent)
        machine_publish(&rig->machines[from], 1);
    return sent;
}

static void late_frames(void **state)
{
    struct machine_options small = usual;
    struct switch_rig *rig = switch_with_machines(1, usual);
    uint64_t limit = machine_clock_ms() + 60000, got = 0, lost;
    uint32_t sent = 0, next = 0, number;

    (void)state;
    small.ring_size = 16;
    switch_add_machine(rig, small);
    switch_learn_all(rig);
    uint64_t before = switch_counter(rig, "vm1", "tx", "frames");

    while (switch_counter(rig, "vm1", "retry", "delivered") < 300) {
        if (machine_clock_ms() > limit)
            fail_msg("of %llu frames that were tried again %llu came late, not 300",
                     (unsigned long long)switch_counter(rig, "vm1", "retry", "tried"),
                     (unsigned long long)switch_counter(rig, "vm1", "retry", "delivered"));
        for (unsigned i = 0; i < 4000; i++) {
            keep_sending(rig, 0, 1, 64, &sent);
            spin_ns(1500);
            number = switch_receive(rig, 1, 0);
            if (number == SWITCH_NONE)
                continue;
            assert_in_range(number, next, sent); /* in order, also those that were tried again */
            next = number + 1;
            got++;
        }
    }
    while ((number = switch_receive(rig, 1, 200)) != SWITCH_NONE) {
        assert_in_range(number, next, sent);
        next = number + 1;
        got++;
    }
    lost = switch_counter(rig, "vm1", "drops", "rx_no_room");
    assert_int_equal(got + lost, sent);
    assert_int_equal(switch_counter(rig, "vm1", "tx", "frames") - before, got);
    assert_true(switch_counter(rig, "vm1", "retry", "tried") >= switch_counter(rig, "vm1", "retry", "delivered"));
    assert_true(switch_counter(rig, "vm1", "retry", "tried") - switch_counter(rig, "vm1", "retry", "delivered") <= lost);
    switch_close(rig);
}

/* Frames of machine 0 and of machine 1 that machine 2 got, and how many machine 1 sent; it gives `posted` buffers at a time. */
static void contest(unsigned small_burst, unsigned posted, uint64_t got[2], uint64_t *wanted)
{
    struct machine_options tiny = usual;
    struct switch_rig *rig = switch_with_machines(2, usual);
    uint32_t numbers[2] = { 0 };
    uint64_t limit = machine_clock_ms() + 60000;
    struct net_header net;
    uint8_t frame[2048];

    tiny.ring_size = 64;
    switch_add_machine(rig, tiny);
    switch_learn_all(rig);
    struct driver_queue *rx = machine_rx(&rig->machines[2], 0);

    /* Fill what it has posted, so that from now on it only has what it posts. */
    while (driver_used_waiting(rx) < 64) {
        keep_sending(rig, 0, 2, 64, &numbers[0]);
        assert_true(machine_clock_ms() < limit);
    }
    got[0] = got[1] = 0;
    for (unsigned turn = 0; turn < 3000; turn++) {
        if (turn == 100)
            *wanted = numbers[1];
        /* Machine 1 is through with its last burst and has the next one ready; machine 0 always has more. */
        while (!keep_sending(rig, 1, 2, small_burst, &numbers[1]) ||
               machine_tx(&rig->machines[1], 0)->slots - machine_tx(&rig->machines[1], 0)->free_count <
                   (int)small_burst) {
            keep_sending(rig, 0, 2, 200, &numbers[0]);
            assert_true(machine_clock_ms() < limit);
        }
        keep_sending(rig, 0, 2, 200, &numbers[0]);
        for (unsigned i = 0; i < posted && driver_used_waiting(rx) > 0; i++) {
            int length = driver_receive(rx, &net, frame, sizeof frame);

            assert_int_equal(length, 200);
            got[frame[11] & 1] += turn >= 100;
        }
        driver_refill(rx);
        machine_publish(&rig->machines[2], 0);
    }
    *wanted = numbers[1] - *wanted;
    switch_close(rig);
}

static void two_senders(void **state)
{
    uint64_t got[2], wanted, all;
    const char *text = getenv("CONTESTS");
    unsigned contests = text ? (unsigned)atoi(text) : 5, uneven = 0;

    (void)state;
    for (unsigned i = 0; i < contests; i++) { /* both want more than half: half each, every time */
        contest(8, 6, got, &wanted);
        all = got[0] + got[1];
        print_message("# bursts of 32 and of 8 frames for 6 buffers: %llu and %llu\n", (unsigned long long)got[0],
                      (unsigned long long)got[1]);
        uneven += got[1] < all / 2 * 9 / 10 || got[1] > all / 2 * 11 / 10;
    }
    print_message("# %u of %u uneven\n", uneven, contests);
    assert_int_equal(uneven, 0);
    contest(2, 12, got, &wanted); /* one wants little: all of it */
    print_message("# bursts of 32 and of 2 frames for 12 buffers: %llu, and %llu of %llu\n",
                  (unsigned long long)got[0], (unsigned long long)got[1], (unsigned long long)wanted);
    assert_in_range(got[1], wanted * 9 / 10, wanted + 64);
}

/* Machine 2 floods machine 3, which gives no buffer, or one now and then; machines 0 and 1 notice nothing. */
static void neighbours(unsigned every)
{
    struct switch_rig *rig = switch_with_machines(4, usual);
    uint32_t flood = 0, refused;

    switch_learn_all(rig);
    for (uint32_t i = 0; i < 3000; i++) {
        keep_sending(rig, 2, 3, 200, &flood);
        switch_send(rig, i & 1, !(i & 1), i);
        assert_int_equal(switch_receive(rig, !(i & 1), 2000), i);
        if (every > 0 && i % every == 0)
            switch_receive(rig, 3, 0);
    }
    assert_int_equal(switch_counter(rig, "vm0", "drops", "rx_no_room"), 0);
    assert_int_equal(switch_counter(rig, "vm1", "drops", "rx_no_room"), 0);
    assert_int_equal(switch_counter(rig, "vm0", "retry", "tried"), 0);
    switch_wait_counter(rig, "vm3", "drops", "rx_no_room", 1);
    refused = (uint32_t)switch_counter(rig, "vm3", "drops", "rx_no_room");
    if (every == 0) /* nobody waits for it, but once in 64 bursts */
        assert_in_range(switch_counter(rig, "vm3", "retry", "tried"), 1, 5 * 32 + refused / 16);
    switch_close(rig);
}

static void never_posted(void **state)
{
    (void)state;
    neighbours(0);
}

static void slow_reader(void **state)
{
    (void)state;
    neighbours(10);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("a slow receiver gets frames late instead of never", late_frames),
        ROW("two senders get their shares of a slow receiver", two_senders),
        ROW("H45 a receiver that posts nothing costs its neighbours nothing", never_posted),
        ROW("H45 a slow reader costs its neighbours nothing", slow_reader),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: retry", tests, NULL, NULL);
}
