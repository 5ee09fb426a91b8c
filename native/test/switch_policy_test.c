/*
 * switch_policy_test.c - the real program with play VMs on ports with a policy: isolation and
 * source addresses. The unit tests have the details of what is judged how.
 */
#include <stdio.h>
#include <string.h>

#include "switch_rig.h"

/* The next machine, on a port with that policy (NULL: none). */
static void add_machine(struct switch_rig *rig, json_t *policy)
{
    switch_add_machine_as(rig, (struct machine_options){ 0 },
                          policy ? json_pack("{s:o}", "policy", policy) : json_object());
}

/* Machines 0 and 1 are isolated, 2 is not. */
static void isolation(void **state)
{
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    add_machine(rig, json_pack("{s:b}", "isolated", 1));
    add_machine(rig, json_pack("{s:b}", "isolated", 1));
    switch_send(rig, 0, SWITCH_EVERYBODY, 1); /* nobody it may reach */
    switch_wait_counter(rig, "vm0", "drops", "isolated", 1);
    add_machine(rig, NULL);
    switch_send(rig, 0, SWITCH_EVERYBODY, 2);
    assert_int_equal(switch_receive(rig, 2, 2000), 2);
    switch_send(rig, 1, SWITCH_EVERYBODY, 3);
    assert_int_equal(switch_receive(rig, 2, 2000), 3);
    switch_pass(rig, 2, SWITCH_EVERYBODY, 4); /* also: neither 0 nor 1 had got anything before */
    switch_pass(rig, 2, 0, 5);
    switch_pass(rig, 0, 2, 6);
    switch_send(rig, 0, 1, 7); /* its address is known */
    switch_wait_counter(rig, "vm0", "drops", "isolated", 2);
    assert_int_equal(switch_receive(rig, 1, 20), SWITCH_NONE);
    assert_int_equal(switch_receive(rig, 2, 0), SWITCH_NONE);
    assert_int_equal(switch_counter(rig, "vm0", "rx", "frames"), 2);
    switch_close(rig);
}

/* Machine 0 may only be itself; what it says in the name of machine 1 is neither delivered nor learnt. */
static void source_addresses(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    uint8_t frame[200], one[6], two[6];
    struct net_header net = { 0 };
    json_t *mine;
    char text[18];

    (void)state;
    packet_mac(one, 0);
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", one[0], one[1], one[2], one[3], one[4], one[5]);
    mine = json_pack("{s:[s], s:[s]}", "macs", text, "ipv4", "10.0.0.1");
    add_machine(rig, mine);
    add_machine(rig, NULL);
    add_machine(rig, NULL);
    switch_learn_all(rig);
    packet_mac(one, 1);
    packet_mac(two, 2);
    packet_plain(frame, sizeof frame, two, one, 0x88b5, 1);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, sizeof frame));
    switch_wait_counter(rig, "vm0", "drops", "spoof", 1);
    switch_pass(rig, 2, 1, 2); /* its address is still where it was */
    packet_mac(one, 0);
    packet_plain(frame, sizeof frame, two, one, 0x0800, 3); /* an IPv4 source of the pattern's */
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, sizeof frame));
    switch_wait_counter(rig, "vm0", "drops", "spoof", 2);
    switch_pass(rig, 0, 2, 4);
    switch_close(rig);
}

/* A checksum is written behind the check of the source: not into the source (the receiver leaves it to the switch). */
static void source_by_checksum(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    static const uint8_t mine[4] = { 10, 0, 0, 1 };
    uint8_t frame[200], found[2048], from[6], to[6];
    struct net_header net = { .flags = NET_HEADER_F_NEEDS_CSUM, .csum_start = 14, .csum_offset = 12 };

    (void)state;
    switch_add_machine_as(rig, (struct machine_options){ .features = FEATURE(VIRTIO_NET_F_CSUM) },
                          json_pack("{s:{s:[s]}}", "policy", "ipv4", "10.0.0.1"));
    add_machine(rig, NULL);
    packet_mac(from, 0);
    packet_mac(to, 1);
    packet_plain(frame, sizeof frame, to, from, 0x0800, 1);
    frame[14] = 0x45;
    memcpy(frame + 26, mine, sizeof mine);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, sizeof frame));
    switch_wait_counter(rig, "vm0", "drops", "csum_header", 1);
    net.csum_offset = 26; /* behind the IP header */
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, sizeof frame));
    assert_int_equal(machine_receive(&rig->machines[1], 0, &net, found, sizeof found, 2000), sizeof frame);
    assert_memory_equal(found + 26, mine, sizeof mine);
    assert_int_equal(machine_receive(&rig->machines[1], 0, &net, found, sizeof found, 20), DRIVER_NOTHING);
    switch_close(rig);
}

/* Of what is flooded some passes and some does not; what has a known destination always passes. */
static void storm(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    uint64_t dropped, received = 0;

    (void)state;
    add_machine(rig, json_pack("{s:i}", "storm", 1));
    add_machine(rig, NULL);
    switch_pass(rig, 1, SWITCH_EVERYBODY, 1);
    for (uint32_t i = 0; i < 10; i++)
        switch_send(rig, 0, i & 1 ? SWITCH_EVERYBODY : 5, 2); /* nobody has address 5 */
    for (uint32_t number; (number = switch_receive(rig, 1, 1000)) != SWITCH_NONE; received++)
        assert_int_equal(number, 2);
    dropped = switch_counter(rig, "vm0", "drops", "storm");
    assert_true(received >= 1 && dropped >= 1);
    assert_int_equal(received + dropped, 10);
    for (uint32_t i = 0; i < 20; i++)
        switch_pass(rig, 0, 1, i);
    assert_int_equal(switch_counter(rig, "vm0", "drops", "storm"), dropped);
    switch_close(rig);
}

/* At most so many bytes come from a port, and go to one; each direction has its own counter. */
static void rates(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    uint64_t received = 0;

    (void)state;
    add_machine(rig, json_pack("{s:{s:{s:i, s:i}}}", "rate", "rx", "bytes", 1000, "burst", 1000));
    add_machine(rig, json_pack("{s:{s:{s:i}}}", "rate", "tx", "frames", 1));
    add_machine(rig, NULL);
    switch_send(rig, 2, SWITCH_EVERYBODY, 1);
    assert_int_equal(switch_receive(rig, 0, 2000), 1);
    assert_int_equal(switch_receive(rig, 1, 2000), 1);
    for (uint32_t i = 0; i < 40; i++)
        switch_send(rig, 0, 2, 2); /* 8000 bytes: the burst, and 1000 for each second that this takes */
    while (switch_receive(rig, 2, 200) != SWITCH_NONE)
        received++;
    assert_in_range(received, 5, 39);
    switch_wait_counter(rig, "vm0", "drops", "rate_rx", 40 - received);
    assert_int_equal(switch_counter(rig, "vm0", "drops", "rate_rx"), 40 - received);
    assert_int_equal(switch_counter(rig, "vm0", "rx", "frames"), received);
    switch_send(rig, 1, SWITCH_EVERYBODY, 5); /* its address is known from here on */
    assert_int_equal(switch_receive(rig, 2, 2000), 5);
    while (switch_receive(rig, 1, 0) != SWITCH_NONE)
        continue;
    uint64_t before = switch_counter(rig, "vm1", "tx", "frames"), dropped = switch_counter(rig, "vm1", "drops", "rate_tx");
    for (uint32_t i = 0; i < 40; i++)
        switch_send(rig, 2, 1, 3);
    switch_wait_counter(rig, "vm2", "rx", "frames", 41);
    uint64_t passed = switch_counter(rig, "vm1", "tx", "frames") - before;
    assert_true(passed < 40);
    assert_int_equal(switch_counter(rig, "vm1", "drops", "rate_tx") - dropped + passed, 40);
    switch_send(rig, 2, 0, 4); /* the other direction of a limited port is free */
    while ((received = switch_receive(rig, 0, 2000)) != 4)
        assert_int_equal(received, 5);
    switch_close(rig);
}

/* Two ports as on one wire: whatever the addresses, nothing is learnt, and TSO is cut for who cannot take it. */
static void link_of_two(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    static uint8_t frame[4000], found[4000];
    uint8_t to[6], from[6];
    struct net_header net;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t features = i == 0 ? FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) : 0;

        switch_add_machine_as(rig, (struct machine_options){ .features = features, .tx_buffer = 4096 },
                              json_pack("{s:{s:b}}", "policy", "link", 1));
        if (i == 0) {
            switch_send(rig, 0, 1, 1);
            switch_wait_counter(rig, "vm0", "drops", "no_destination", 1);
        }
    }
    switch_send(rig, 0, 0, 2); /* to itself, were this not a wire */
    assert_int_equal(switch_receive(rig, 1, 2000), 2);
    switch_send(rig, 1, 5, 3);
    assert_int_equal(switch_receive(rig, 0, 2000), 3);
    switch_pass(rig, 0, SWITCH_EVERYBODY, 4);
    json_t *macs = switch_call(rig, "mac.list", json_object());
    assert_int_equal(json_array_size(json_object_get(macs, "macs")), 0);
    json_decref(macs);
    packet_mac(to, 7);
    packet_mac(from, 0);
    uint32_t length = packet_tcp(frame, to, from, false, 2000, 1000, &net);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, length));
    for (unsigned piece = 0; piece < 2; piece++) {
        assert_int_equal(machine_receive(&rig->machines[1], 0, &net, found, sizeof found, 2000), PACKET_TCP4 + 1000);
        assert_true(packet_tcp_valid(found, PACKET_TCP4 + 1000));
    }
    switch_close(rig);
}

static void set_policy(struct switch_rig *rig, const char *name, json_t *policy)
{
    json_decref(switch_call(rig, "port.set", json_pack("{s:s, s:o}", "name", name, "policy", policy)));
}

static void assert_never_left(struct switch_rig *rig, const char *name)
{
    json_t *port = switch_port(rig, name);

    assert_int_equal(json_integer_value(json_object_get(port, "connects")), 1);
    assert_string_equal(json_string_value(json_object_get(port, "state")), "up");
    json_decref(port);
}

/* Every part of a policy comes and goes under a guest that stays attached. */
static void another_policy(void **state)
{
    struct switch_rig *rig = switch_with_machines(3, (struct machine_options){ 0 });
    static const char *const names[] = { "vm0", "vm1", "vm2" };

    (void)state;
    switch_learn_all(rig);
    set_policy(rig, "vm0", json_pack("{s:b}", "isolated", 1));
    switch_pass(rig, 0, 1, 1); /* only one of the two is */
    set_policy(rig, "vm1", json_pack("{s:b}", "isolated", 1));
    switch_send(rig, 0, 1, 2);
    switch_wait_counter(rig, "vm0", "drops", "isolated", 1);
    set_policy(rig, "vm0", json_object());
    switch_pass(rig, 0, 1, 3);
    set_policy(rig, "vm1", json_object());

    set_policy(rig, "vm0", json_pack("{s:[s]}", "macs", "02:00:00:00:00:99"));
    switch_send(rig, 0, 1, 4);
    switch_wait_counter(rig, "vm0", "drops", "spoof", 1);
    set_policy(rig, "vm0", json_object());
    switch_send(rig, 1, 0, 5); /* its address was forgotten with the rule */
    assert_int_equal(switch_receive(rig, 2, 2000), 5);
    assert_int_equal(switch_receive(rig, 0, 2000), 5);
    switch_pass(rig, 0, 1, 6);

    for (unsigned i = 0; i < 3; i++)
        set_policy(rig, names[i], json_pack("{s:{s:i}}", "vlan", "tag", i == 0 ? 10 : 20));
    switch_send(rig, 0, 1, 7); /* nobody else is in its VLAN */
    switch_wait_counter(rig, "vm0", "drops", "no_destination", 1);
    switch_pass(rig, 1, 2, 8);
    set_policy(rig, "vm1", json_pack("{s:{s:i}}", "vlan", "tag", 10));
    switch_send(rig, 0, SWITCH_EVERYBODY, 9);
    assert_int_equal(switch_receive(rig, 1, 2000), 9);
    assert_int_equal(switch_receive(rig, 2, 20), SWITCH_NONE);
    for (unsigned i = 0; i < 3; i++)
        set_policy(rig, names[i], json_object());
    switch_learn_all(rig);
    switch_pass(rig, 1, 2, 10);

    /* What was used up under the old limit is not owed under the new one. */
    set_policy(rig, "vm0", json_pack("{s:{s:{s:i, s:i}}}", "rate", "rx", "bytes", 1000, "burst", 1));
    switch_send(rig, 0, 1, 11);
    switch_send(rig, 0, 1, 12);
    switch_wait_counter(rig, "vm0", "drops", "rate_rx", 1);
    assert_int_equal(switch_receive(rig, 1, 2000), 11);
    set_policy(rig, "vm0", json_pack("{s:{s:{s:i}}}", "rate", "rx", "bytes", 1000000));
    switch_pass(rig, 0, 1, 13);

    set_policy(rig, "vm0", json_pack("{s:{s:s}}", "mirror", "to", "vm2"));
    switch_send(rig, 0, 1, 14);
    assert_int_equal(switch_receive(rig, 1, 2000), 14);
    assert_int_equal(switch_receive(rig, 2, 2000), 14);
    set_policy(rig, "vm0", json_object());
    switch_pass(rig, 0, 1, 15);
    switch_pass(rig, 2, 1, 16);

    json_t *answer = switch_answer(rig, "port.set", json_pack("{s:s, s:{s:b}}", "name", "vm0", "policy", "link", 1), 5000);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(answer, "error"), "data"), "reason")),
                        "link");
    json_decref(answer);
    for (unsigned i = 0; i < 3; i++)
        assert_never_left(rig, names[i]);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("isolated ports do not reach each other", isolation),
        ROW("flooding has a limit", storm),
        ROW("two ports on one link", link_of_two),
        ROW("rates from and to a port have limits", rates),
        ROW("a checksum is no way to another source", source_by_checksum),
        ROW("another policy while the guest is attached", another_policy),
        ROW("only the allowed source addresses pass", source_addresses),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: policy", tests, NULL, NULL);
}
