/*
 * switch_life_test.c - the real program while things come and go: reset
 * drivers, queues switched on and off, several queue pairs, the
 * server role. Rows H9, H52, H53 and H54.
 */
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "switch_rig.h"

static const struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) };

/* Tells vring `index` of the machine to be on or off. */
static void enable(struct machine *machine, unsigned index, bool on)
{
    if (!vhost_peer_enable_ring(&machine->peer, index, on))
        fail_msg("enable: %s", machine->peer.why);
}

/* The switch is started again by hand, from its state file, while the machines stay. */
static void features_are_kept(void **state)
{
    struct switch_rig *rig = switch_open("--monitor");
    json_t *port, *features;
    char offered[32];

    (void)state;
    switch_add_machine(rig, usual);
    port = switch_port(rig, "vm0");
    features = json_object_get(port, "features");
    snprintf(offered, sizeof offered, "%s", json_string_value(json_object_get(features, "offered")));
    json_decref(port);
    kill(switch_serving_pid(rig), SIGKILL);
    assert_true(machine_reattach(&rig->machines[0]));
    switch_wait_state(rig, "vm0", "up");
    port = switch_port(rig, "vm0");
    assert_string_equal(json_string_value(json_object_get(json_object_get(port, "features"), "offered")),
                        offered);
    json_decref(port);
    switch_close(rig);
}

/* Sets feature `bit` in what the state file says was offered to its one port, as a newer switch would have written it. */
static void offer_in_state_file(const struct switch_rig *rig, unsigned bit)
{
    char path[96], text[32];
    uint64_t hash = 0xcbf29ce484222325ull, features;

    snprintf(path, sizeof path, "%s/state", rig->folder);
    json_t *state = json_load_file(path, 0, NULL), *ports = json_object_get(state, "ports");
    json_t *port = json_array_get(ports, 0);

    features = strtoull(json_string_value(json_object_get(port, "offered")), NULL, 16) | FEATURE(bit);
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)features);
    json_object_set_new(port, "offered", json_string(text));
    char *canonical = json_dumps(ports, JSON_COMPACT | JSON_SORT_KEYS);

    for (const char *at = canonical; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3ull;
    free(canonical);
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    json_object_set_new(state, "checksum", json_string(text));
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(json_dumpf(state, file, JSON_COMPACT), 0);
    fputc('\n', file);
    assert_int_equal(fclose(file), 0);
    json_decref(state);
}

/* After a newer switch: what it offered and this one does not have is not offered, and a driver that uses it is refused. */
static void features_of_a_newer_switch(void **state)
{
    enum { RING_PACKED = 34 };
    struct switch_rig *rig = switch_open("--monitor");
    struct machine *machine;

    (void)state;
    machine = switch_add_machine(rig, usual);
    uint64_t offered = machine->peer.offered;
    offer_in_state_file(rig, RING_PACKED);
    kill(switch_serving_pid(rig), SIGKILL);
    assert_true(machine_reattach(machine));
    switch_wait_state(rig, "vm0", "up");
    assert_int_equal(machine->peer.offered, offered);
    assert_false(vhost_peer_set_features(&machine->peer, machine->features | FEATURE(RING_PACKED)));
    switch_close(rig);
}

/* Queues on two workers: both serve, and frames for one ring may come from either. */
static void two_workers(void **state)
{
    struct switch_rig *rig = switch_open("--cores=0,1");
    json_t *answer, *workers;

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        switch_add_machine(rig, usual);
    switch_learn_all(rig);
    answer = switch_call(rig, "worker.list", json_object());
    workers = json_object_get(answer, "workers");
    assert_int_equal(json_array_size(workers), 2);
    for (unsigned i = 0; i < 2; i++) {
        json_t *worker = json_array_get(workers, i);

        assert_int_equal(json_integer_value(json_object_get(worker, "core")), i);
        assert_int_equal(json_integer_value(json_object_get(worker, "sources")), 2);
    }
    json_decref(answer);
    for (uint32_t number = 0; number < 300; number++)
        switch_pass(rig, number % 3, 3, number);
    /* All three at once, so that both workers deliver to the fourth. */
    for (uint32_t number = 0; number < 60; number++)
        switch_send(rig, number % 3, 3, number);
    for (uint32_t number = 0; number < 60; number++)
        assert_true(switch_receive(rig, 3, 1000) < 60);
    assert_int_equal(machine_rx(&rig->machines[3], 0)->errors, 0);
    switch_close(rig);
}

static void driver_resets(void **state)
{
    struct switch_rig *rig = switch_with_machines(3, usual);
    struct machine *machine = &rig->machines[0];
    struct net_header net = { 0 };
    uint8_t frame[200], to[6], from[6];
    uint64_t begin;
    unsigned resets = 0;
    uint32_t passed = 0;

    (void)state;
    switch_learn_all(rig);
    packet_mac(to, 1);
    packet_mac(from, 0);
    packet_plain(frame, sizeof frame, to, from, 0x88b5, 3);
    begin = machine_clock_ms();
    /* Two seconds of it, or longer where the machine is busy, until it is enough to mean something. */
    while (machine_clock_ms() - begin < 2000 || ((resets <= 100 || passed <= 25) && machine_clock_ms() - begin < 60000)) {
        uint16_t base;

        for (unsigned i = 0; i < 40; i++) /* full of frames at the moment of the reset */
            driver_send(machine_tx(machine, 0), &net, frame, sizeof frame);
        machine_publish(machine, 1);
        for (unsigned i = 0; i < 2; i++)
            assert_true(vhost_peer_stop_ring(&machine->peer, i, &base));
        for (unsigned i = 0; i < 2; i++)
            driver_reset(&machine->queues[i].driver);
        guest_ram_save(&machine->ram); /* the memory now has another use */
        usleep(resets % 8 * 50);
        uint64_t where;
        if (!guest_ram_untouched(&machine->ram, &where))
            fail_msg("the switch wrote %#llx of a stopped ring", (unsigned long long)where);
        driver_refill(machine_rx(machine, 0));
        driver_publish(machine_rx(machine, 0));
        for (unsigned i = 0; i < 2; i++)
            assert_true(machine_start_ring(machine, i, 0));
        resets++;
        if (resets % 4 == 0) {
            switch_send(rig, 1, 2, passed);
            for (uint32_t number; (number = switch_receive(rig, 2, 2000)) != passed;)
                assert_int_equal(number, SWITCH_NONE - 1); /* nothing else is for machine 2 */
            passed++;
        }
        while (switch_receive(rig, 1, 0) != SWITCH_NONE)
            continue;
    }
    assert_true(resets > 100 && passed > 25);
    while (switch_receive(rig, 1, 50) != SWITCH_NONE)
        continue;
    switch_pass(rig, 0, 1, 4);
    switch_close(rig);
}

static void queues_on_and_off(void **state)
{
    struct switch_rig *rig = switch_with_machines(3, usual);
    uint64_t dropped;

    (void)state;
    switch_learn_all(rig);
    enable(&rig->machines[0], 1, false);
    for (uint32_t i = 0; i < 400; i++) /* more than the ring holds: it must be emptied */
        switch_send(rig, 0, 1, i);
    switch_wait_counter(rig, "vm0", "drops", "tx_disabled", 400);
    assert_int_equal(switch_receive(rig, 1, 20), SWITCH_NONE);
    enable(&rig->machines[0], 1, true);
    switch_pass(rig, 0, 1, 1);

    enable(&rig->machines[1], 0, false); /* gets nothing while it is off */
    for (uint32_t i = 0; i < 50; i++)
        switch_send(rig, 0, 1, i);
    switch_wait_counter(rig, "vm1", "drops", "rx_not_ready", 50);
    assert_int_equal(driver_used_waiting(machine_rx(&rig->machines[1], 0)), 0);
    enable(&rig->machines[1], 0, true);
    switch_pass(rig, 0, 1, 2);

    for (unsigned i = 0; i < 200; i++) { /* while frames flow */
        enable(&rig->machines[1], i & 1, i >> 1 & 1);
        switch_send(rig, 0, 1, i);
        switch_send(rig, 0, 2, i);
        assert_int_equal(switch_receive(rig, 2, 2000), i);
    }
    enable(&rig->machines[1], 0, true);
    enable(&rig->machines[1], 1, true);
    while (switch_receive(rig, 1, 20) != SWITCH_NONE)
        continue;
    switch_pass(rig, 0, 1, 3);
    dropped = switch_counter(rig, "vm1", "drops", "rx_broken");
    assert_int_equal(dropped, 0);
    switch_close(rig);
}

/* Frame on queue pair `pair`; arrives on any pair of `to`. */
static void pass_pair(struct switch_rig *rig, unsigned from, unsigned pair, unsigned to, uint32_t number)
{
    struct net_header net = { 0 };
    uint8_t frame[200], to_mac[6], from_mac[6], found[200];
    uint64_t limit = machine_clock_ms() + 2000;

    packet_mac(to_mac, to);
    packet_mac(from_mac, from);
    packet_plain(frame, sizeof frame, to_mac, from_mac, 0x88b5, number);
    assert_true(machine_send(&rig->machines[from], pair, &net, frame, sizeof frame));
    while (machine_clock_ms() < limit) {
        for (unsigned p = 0; p < rig->machines[to].options.pairs; p++) {
            if (machine_receive(&rig->machines[to], p, &net, found, sizeof found, 0) != 200)
                continue;
            assert_int_equal(packet_number(found, 200), number);
            return;
        }
    }
    fail_msg("frame %u on pair %u of machine %u did not arrive", number, pair, from);
}

static void queue_pairs(void **state)
{
    struct machine_options three = usual, one = usual;
    struct switch_rig *rig = switch_open(NULL);
    uint32_t number = 0;

    (void)state;
    three.pairs = 3;
    three.ring_size = 64;
    switch_add_machine(rig, three);
    switch_add_machine(rig, three);
    switch_add_machine(rig, one);
    for (unsigned round = 0; round < 100; round++)
        for (unsigned pair = 0; pair < 3; pair++) {
            pass_pair(rig, 0, pair, round ? 1 : 2, number++);
            pass_pair(rig, 1, pair, round ? 0 : 2, number++);
            for (unsigned i = 0; i < 3 && round == 0; i++) /* flooded copies */
                for (unsigned p = 0; p < rig->machines[i].options.pairs; p++)
                    while (machine_receive(&rig->machines[i], p, &(struct net_header){ 0 },
                                           (uint8_t[200]){ 0 },
                                           200, 5) > 0)
                        continue;
        }
    pass_pair(rig, 2, 0, 0, number);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(rig->machines[0].queues[i].driver.errors, 0);
    switch_close(rig);
}

static void only_some_queues(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    struct machine_options options = usual;
    struct machine *machine;
    uint16_t base;

    (void)state;
    options.pairs = 2;
    options.ring_size = 64;
    machine = switch_add_machine(rig, options);
    switch_add_machine(rig, usual);
    for (unsigned i = 0; i < 3; i++) /* only vring 3 is left */
        assert_true(vhost_peer_stop_ring(&machine->peer, i, &base));
    pass_pair(rig, 0, 1, 1, 1); /* transmit without any receive queue */
    switch_send(rig, 1, 0, 2);
    switch_wait_counter(rig, "vm0", "drops", "rx_not_ready", 1);
    driver_reset(machine_rx(machine, 1)); /* and a receive queue of the other pair */
    driver_refill(machine_rx(machine, 1));
    driver_publish(machine_rx(machine, 1));
    assert_true(machine_start_ring(machine, 2, 0));
    pass_pair(rig, 1, 0, 0, 3);
    switch_close(rig);
}

static void server_role(void **state)
{
    struct machine_options options = usual;
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    options.connects = true;
    switch_add_machine(rig, options);
    switch_add_machine(rig, usual);
    switch_learn_all(rig);
    for (uint32_t i = 0; i < 10; i++) {
        switch_pass(rig, i & 1, !(i & 1), i);
        if (i == 5) { /* the machine goes and comes back */
            char path[96];

            snprintf(path, sizeof path, "%s/vm0", rig->folder);
            assert_true(machine_detach(&rig->machines[0]));
            switch_wait_state(rig, "vm0", "waiting");
            rig->machines[0].options.socket = path;
            assert_true(machine_attach(&rig->machines[0]));
            switch_wait_state(rig, "vm0", "up");
        }
    }
    switch_close(rig);
}

static void ports_come_and_go(void **state)
{
    struct switch_rig *rig = switch_with_machines(3, usual);

    (void)state;
    switch_learn_all(rig);
    for (uint32_t i = 0; i < 10; i++) {
        json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm2")));
        assert_true(vhost_peer_closed(&rig->machines[2].peer));
        switch_pass(rig, i & 1, !(i & 1), i);
        switch_add_port(rig, "vm2", json_object());
        assert_true(machine_attach(&rig->machines[2]));
        switch_wait_state(rig, "vm2", "up");
        switch_pass(rig, 2, SWITCH_EVERYBODY, 100 + i);
    }
    switch_close(rig);
}

/* The features that a guest was offered are in the state file although the disk was full when it came. */
static void a_disk_that_was_full(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    char block[96], path[96];
    uint64_t begin;
    bool there = false;

    (void)state;
    snprintf(block, sizeof block, "%s/.state.new", rig->folder);
    snprintf(path, sizeof path, "%s/state", rig->folder);
    switch_add_port(rig, "vm0", json_object());
    struct vhost_peer peer = { .listener = -1, .socket = -1, .timeout_ms = 5000 };
    char socket[96];
    snprintf(socket, sizeof socket, "%s/vm0", rig->folder);
    assert_int_equal(mkdir(block, 0700), 0);
    assert_true(vhost_peer_listen(&peer, socket));
    assert_true(vhost_peer_accept(&peer));
    switch_wait_state(rig, "vm0", "connected");
    assert_int_equal(rmdir(block), 0);
    begin = machine_clock_ms();
    while (!there && machine_clock_ms() - begin < 10000) {
        json_t *file = json_load_file(path, 0, NULL);

        there = json_is_string(json_object_get(json_array_get(json_object_get(file, "ports"), 0), "offered"));
        json_decref(file);
        usleep(10000);
    }
    assert_true(there);
    vhost_peer_disconnect(&peer);
    close(peer.listener);
    unlink(socket);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("R20 queues on two workers", two_workers),
        ROW("R26 features offered before are offered after a kill", features_are_kept),
        ROW("R26 features of a newer switch are not offered", features_of_a_newer_switch),
        ROW("H9 H52 driver resets as fast as they go, with full rings", driver_resets),
        ROW("H53 queues switched off and on under traffic", queues_on_and_off),
        ROW("H54 only some of the queues run", only_some_queues),
        ROW("three queue pairs", queue_pairs),
        ROW("the switch is the socket server", server_role),
        ROW("ports come and go", ports_come_and_go),
        ROW("R26 features offered while the disk was full", a_disk_that_was_full),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: life", tests, NULL, NULL);
}
