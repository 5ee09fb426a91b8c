/*
 * switch_notify_test.c - the real program's sleep and its calls: rows H48 to
 * H51 and the rules R17 and R18.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch_rig.h"

static const struct machine_options with_events = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) };
static const struct machine_options with_flags = { .features = 0 };

static uint64_t sleeps(struct switch_rig *rig, bool *sleeping)
{
    json_t *result = switch_call(rig, "worker.list", json_object());
    json_t *worker = json_array_get(json_object_get(result, "workers"), 0);
    uint64_t count = (uint64_t)json_integer_value(json_object_get(worker, "sleeps"));

    *sleeping = strcmp(json_string_value(json_object_get(worker, "state")), "sleeping") == 0;
    json_decref(result);
    return count;
}

static void pause_ms(unsigned milliseconds)
{
    uint64_t until = machine_clock_ms() + milliseconds;

    while (machine_clock_ms() < until)
        usleep(1000);
}

static void wait_asleep(struct switch_rig *rig)
{
    uint64_t limit = machine_clock_ms() + 3000;
    bool sleeping = false;

    while (!sleeping && machine_clock_ms() < limit) {
        sleeps(rig, &sleeping);
        if (!sleeping)
            pause_ms(5);
    }
    assert_true(sleeping);
}

static void sleeps_and_wakes(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct switch_rig *rig = switch_with_machines(2, kind ? with_events : with_flags);
        uint64_t cpu, before, after;
        bool sleeping;
        pid_t pid = switch_serving_pid(rig);

        switch_learn_all(rig);
        wait_asleep(rig);
        before = sleeps(rig, &sleeping);
        cpu = switch_cpu_ms(pid);
        pause_ms(1000);
        assert_in_range(switch_cpu_ms(pid) - cpu, 0, 30); /* of a second: idle costs about nothing */
        for (uint32_t i = 0; i < 50; i++) { /* each frame finds it asleep, and its kick wakes it */
            if (i % 5 == 0)
                wait_asleep(rig);
            switch_pass(rig, i & 1, !(i & 1), i);
        }
        after = sleeps(rig, &sleeping);
        assert_true(after >= before + 10);
        switch_close(rig);
    }
}

static void woken_by_calls(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct switch_rig *rig = switch_with_machines(2, kind ? with_events : with_flags);
        struct driver_queue *rx = machine_rx(&rig->machines[1], 0);

        switch_learn_all(rig);
        for (uint32_t i = 0; i < 200; i++) { /* never looks without having been called */
            machine_take_calls(&rig->machines[1], 0, 0);
            assert_false(driver_want_calls(rx, true));
            switch_send(rig, 0, 1, i);
            assert_true(machine_take_calls(&rig->machines[1], 0, 2000) >= 1);
            assert_int_equal(switch_receive(rig, 1, 0), i);
            if (i % 3 == 0) { /* and is left alone when it asks for that */
                driver_want_calls(rx, false);
                switch_send(rig, 0, 1, i);
                assert_int_equal(switch_receive(rig, 1, 2000), i);
            }
        }
        switch_close(rig);
    }
}

static void random_wishes(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        struct switch_rig *rig = switch_with_machines(2, kind ? with_events : with_flags);
        struct driver_queue *rx = machine_rx(&rig->machines[1], 0);
        struct driver_queue *tx = machine_tx(&rig->machines[0], 0);
        uint64_t calls;

        switch_learn_all(rig);
        for (uint32_t i = 0; i < 3000; i++) {
            rx->avail->flags = tx->avail->flags = (uint16_t)(i * 7919);
            *driver_used_event(rx) = (uint16_t)(i * 31);
            *driver_used_event(tx) = (uint16_t)(i * 17);
            switch_send(rig, 0, 1, i);
            while (switch_receive(rig, 1, 0) != SWITCH_NONE)
                continue;
        }
        switch_wait_counter(rig, "vm0", "rx", "frames", 3001);
        calls = machine_take_calls(&rig->machines[1], 0, 10);
        assert_in_range(calls, 0, 3010); /* one a burst at the most */
        while (switch_receive(rig, 1, 100) != SWITCH_NONE)
            continue;
        switch_pass(rig, 0, 1, 9);
        switch_close(rig);
    }
}

static void kick_storm(void **state)
{
    struct switch_rig *rig = switch_with_machines(3, with_events);
    uint64_t limit;
    uint32_t i = 0;

    (void)state;
    switch_learn_all(rig);
    limit = machine_clock_ms() + 500;
    while (machine_clock_ms() < limit) {
        for (unsigned kick = 0; kick < 200; kick++) {
            machine_kick(&rig->machines[0], 0);
            machine_kick(&rig->machines[0], 1);
        }
        switch_pass(rig, 1, 2, i++);
    }
    assert_true(i > 20);
    wait_asleep(rig);
    switch_pass(rig, 0, 1, 9);
    switch_close(rig);
}

/* Starts vring `index` of the machine again with another call fd. */
static void use_call_fd(struct machine *machine, unsigned index, int fd)
{
    uint64_t vring = index;

    assert_true(vhost_peer_command(&machine->peer, VHOST_USER_SET_VRING_CALL, &vring, sizeof vring, &fd, 1));
}

static void full_call_fd(void **state)
{
    struct switch_rig *rig = switch_with_machines(2, with_flags);
    uint64_t full = UINT64_MAX - 1;
    int fd = eventfd(0, EFD_CLOEXEC); /* it blocks its writers, and the switch cannot change that for good */

    (void)state;
    switch_learn_all(rig);
    use_call_fd(&rig->machines[1], 0, fd);
    use_call_fd(&rig->machines[0], 1, fd);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    for (uint64_t step = full; step > 0; step /= 2) /* whatever the first calls left */
        while (write(fd, &step, sizeof step) == sizeof step)
            continue;
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    for (uint32_t i = 0; i < 500; i++)
        switch_pass(rig, 0, 1, i);
    close(fd);
    switch_close(rig);
}

/* Anything but an eventfd could block whoever signals it: that session ends, and nobody else notices. */
static void odd_call_fds(void **state)
{
    struct switch_rig *rig = switch_with_machines(2, with_flags);
    int pipe_fds[2], pair[2], fds[7];
    char path[96];

    (void)state;
    switch_learn_all(rig);
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    snprintf(path, sizeof path, "%s/file", rig->folder);
    fds[0] = pipe_fds[1];
    fds[1] = pair[0];
    fds[2] = pipe_fds[0];
    fds[3] = open("/dev/null", O_WRONLY);
    fds[4] = open("/dev/full", O_WRONLY);
    fds[5] = dup(rig->machines[1].peer.socket);
    fds[6] = open(path, O_RDWR | O_CREAT, 0600);
    for (unsigned i = 0; i < 7; i++) {
        uint64_t vring = 0;

        assert_false(vhost_peer_command(&rig->machines[1].peer, VHOST_USER_SET_VRING_CALL, &vring, 8, &fds[i], 1));
        assert_true(machine_attach(&rig->machines[1]));
        switch_wait_state(rig, "vm1", "up");
        switch_pass(rig, 0, 1, i);
        close(fds[i]);
    }
    close(pair[1]);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("R18 sleeps when idle, wakes on a kick", sleeps_and_wakes),
        ROW("R17 a receiver that sleeps is called for each frame", woken_by_calls),
        ROW("H48 random wishes for notifications", random_wishes),
        ROW("H49 kick storm", kick_storm),
        ROW("H50 the call eventfd is full and never read", full_call_fd),
        ROW("H51 call fds that are no eventfds", odd_call_fds),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: notifications", tests, NULL, NULL);
}
