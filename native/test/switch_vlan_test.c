/*
 * switch_vlan_test.c - the real program with play VMs on access, trunk and plain ports: who hears whom, with
 * which tag, and what the offload header says then. The unit tests have the details.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "switch_rig.h"

#define TAG_NONE 0u
#define SENDER (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4))
#define RECEIVER (FEATURE(VIRTIO_NET_F_GUEST_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_TSO4))

static uint8_t frame[68000], found[68000];

static json_t *access_port(int id)
{
    return json_pack("{s:{s:{s:i}}}", "policy", "vlan", "tag", id);
}

static json_t *trunk_port(int one, int two)
{
    return json_pack("{s:{s:{s:[i,i]}}}", "policy", "vlan", "trunk", one, two);
}

static json_t *native_port(int listed, int native)
{
    return json_pack("{s:{s:{s:[i], s:i}}}", "policy", "vlan", "trunk", listed, "native", native);
}

static const uint8_t *mac_of(unsigned machine)
{
    static uint8_t macs[2][6];
    static unsigned next;
    uint8_t *mac = macs[next++ % 2];

    memset(mac, 0xff, 6);
    if (machine != SWITCH_EVERYBODY)
        packet_mac(mac, machine);
    return mac;
}

/* Puts a tag before what stands behind the addresses; `control` TAG_NONE: nothing. */
static uint32_t tag(uint8_t *at, uint32_t length, uint32_t control)
{
    if (control == TAG_NONE)
        return length;
    memmove(at + 16, at + 12, length - 12);
    memcpy(at + 12, (uint8_t[]){ 0x81, 0, (uint8_t)(control >> 8), (uint8_t)control }, 4);
    return length + 4;
}

/* Frame `number` with the source address of machine `as`. */
static void send_as(struct switch_rig *rig, unsigned from, unsigned as, unsigned to, uint32_t control, uint32_t number)
{
    struct net_header net = { 0 };
    uint32_t length = 100;

    packet_plain(frame, length, mac_of(to), mac_of(as), 0x88b5, number);
    length = tag(frame, length, control);
    assert_true(machine_send(&rig->machines[from], 0, &net, frame, length));
}

static void send(struct switch_rig *rig, unsigned from, unsigned to, uint32_t control, uint32_t number)
{
    send_as(rig, from, from, to, control, number);
}

/* Machine `at` gets frame `number` next, with that tag. */
static void expect(struct switch_rig *rig, unsigned at, uint32_t control, uint32_t number)
{
    struct net_header net;
    int length = machine_receive(&rig->machines[at], 0, &net, found, sizeof found, 2000);

    if (length != (control == TAG_NONE ? 100 : 104))
        fail_msg("frame %u to machine %u: length %d", number, at, length);
    if (control != TAG_NONE) {
        assert_memory_equal(found + 12, ((uint8_t[]){ 0x81, 0, (uint8_t)(control >> 8), (uint8_t)control }), 4);
        memmove(found + 12, found + 16, 88);
    }
    assert_int_equal(packet_number(found, 100), number);
}

static void expect_silence(struct switch_rig *rig)
{
    for (unsigned i = 0; i < rig->machine_count; i++)
        assert_int_equal(switch_receive(rig, i, 20), SWITCH_NONE);
}

/* 0, 1: access 10; 2: access 20; 3: trunk of both; 4: trunk of 20 with native 10; 5: plain. */
static struct switch_rig *six(void)
{
    struct switch_rig *rig = switch_open(NULL);
    json_t *ports[] = { access_port(10), access_port(10), access_port(20), trunk_port(10, 20), native_port(20, 10),
                        json_object() };

    for (unsigned i = 0; i < 6; i++)
        switch_add_machine_as(rig, (struct machine_options){ 0 }, ports[i]);
    return rig;
}

static void flooding_stays_in_its_vlan(void **state)
{
    struct switch_rig *rig = six();

    (void)state;
    send(rig, 0, SWITCH_EVERYBODY, TAG_NONE, 1);
    expect(rig, 1, TAG_NONE, 1);
    expect(rig, 3, 10, 1);
    expect(rig, 4, TAG_NONE, 1);
    expect(rig, 5, 10, 1);
    send(rig, 3, SWITCH_EVERYBODY, 0x6000 | 20, 2); /* the priority stays where a tag does */
    expect(rig, 2, TAG_NONE, 2);
    expect(rig, 4, 0x6000 | 20, 2);
    expect(rig, 5, 0x6000 | 20, 2);
    send(rig, 0, SWITCH_EVERYBODY, 0xe000, 3); /* a priority tag: the access port's VLAN */
    expect(rig, 1, TAG_NONE, 3);
    expect(rig, 3, 0xe000 | 10, 3);
    expect(rig, 4, TAG_NONE, 3);
    expect(rig, 5, 0xe000 | 10, 3);
    send(rig, 5, SWITCH_EVERYBODY, 20, 4);
    expect(rig, 2, TAG_NONE, 4);
    expect(rig, 3, 20, 4);
    expect(rig, 4, 20, 4);
    expect_silence(rig);
    send(rig, 5, SWITCH_EVERYBODY, TAG_NONE, 5); /* of no VLAN, and there is no other plain port */
    switch_wait_counter(rig, "vm5", "drops", "no_destination", 1);
    send(rig, 5, SWITCH_EVERYBODY, 30, 6); /* a VLAN that nobody names */
    switch_wait_counter(rig, "vm5", "drops", "no_destination", 2);
    expect_silence(rig);
    switch_close(rig);
}

static void foreign_tags_are_dropped(void **state)
{
    struct switch_rig *rig = six();

    (void)state;
    send(rig, 0, SWITCH_EVERYBODY, 10, 1);
    send(rig, 0, SWITCH_EVERYBODY, 20, 2);
    switch_wait_counter(rig, "vm0", "drops", "vlan", 2);
    send(rig, 3, SWITCH_EVERYBODY, TAG_NONE, 3);
    send(rig, 3, SWITCH_EVERYBODY, 30, 4);
    switch_wait_counter(rig, "vm3", "drops", "vlan", 2);
    expect_silence(rig);

    /* The way out of a VLAN by a tag behind the tag. */
    packet_plain(frame, 100, mac_of(SWITCH_EVERYBODY), mac_of(3), 0x88b5, 5);
    uint32_t length = tag(frame, tag(frame, 100, 20), 10);
    struct net_header net = { 0 };
    assert_true(machine_send(&rig->machines[3], 0, &net, frame, length));
    switch_wait_counter(rig, "vm0", "drops", "vlan", 3);
    switch_wait_counter(rig, "vm1", "drops", "vlan", 1);
    switch_wait_counter(rig, "vm4", "drops", "vlan", 1);
    assert_int_equal(machine_receive(&rig->machines[5], 0, &net, found, sizeof found, 2000), 108);
    assert_memory_equal(found, frame, 108);
    expect_silence(rig);
    switch_close(rig);
}

static unsigned known_macs(struct switch_rig *rig, const char *port, int vlan)
{
    json_t *result = switch_call(rig, "mac.list", json_object()), *entry;
    size_t index;
    unsigned count = 0;

    json_array_foreach(json_object_get(result, "macs"), index, entry)
        count += strcmp(json_string_value(json_object_get(entry, "port")), port) == 0 &&
                 json_integer_value(json_object_get(entry, "vlan")) == vlan;
    json_decref(result);
    return count;
}

/* One address, in VLAN 10 on port 0 and in VLAN 20 on port 2. */
static void one_address_in_two_vlans(void **state)
{
    struct switch_rig *rig = six();

    (void)state;
    send_as(rig, 0, 7, SWITCH_EVERYBODY, TAG_NONE, 1);
    send_as(rig, 2, 7, SWITCH_EVERYBODY, TAG_NONE, 2);
    expect(rig, 1, TAG_NONE, 1);
    expect(rig, 3, 10, 1);
    expect(rig, 3, 20, 2);
    expect(rig, 4, TAG_NONE, 1);
    expect(rig, 4, 20, 2);
    expect(rig, 5, 10, 1);
    expect(rig, 5, 20, 2);
    for (uint32_t number = 10; number < 20; number += 2) {
        send(rig, 3, 7, 10, number);
        send(rig, 3, 7, 20, number + 1);
        expect(rig, 0, TAG_NONE, number);
        expect(rig, 2, TAG_NONE, number + 1);
    }
    expect_silence(rig);
    assert_int_equal(known_macs(rig, "vm0", 10), 1);
    assert_int_equal(known_macs(rig, "vm2", 20), 1);
    assert_int_equal(known_macs(rig, "vm3", 10) + known_macs(rig, "vm3", 20), 2);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm2")));
    assert_int_equal(known_macs(rig, "vm2", 20), 0);
    send(rig, 3, 7, 10, 30);
    expect(rig, 0, TAG_NONE, 30);
    switch_close(rig);
}

/* What asks for a checksum or for segments does so with a tag put before it or taken away, for each receiver. */
static void offloads_move_with_the_tag(void **state)
{
    (void)state;
    for (unsigned shape = 0; shape < 4; shape++) {
        struct switch_rig *rig = switch_open(NULL);
        bool gso = shape & 1, able = shape & 2;
        struct machine_options sender = { .features = SENDER, .tx_buffer = 68000, .ring_size = 64 };
        struct machine_options receiver = { .features = able ? RECEIVER : 0, .rx_buffer = 68000 };
        struct net_header net;

        switch_add_machine_as(rig, sender, access_port(10));
        switch_add_machine_as(rig, receiver, trunk_port(10, 20));
        switch_add_machine_as(rig, receiver, access_port(10));
        switch_add_machine_as(rig, sender, trunk_port(10, 20));
        for (unsigned from = 0; from < 4; from += 3) {
            uint32_t length = packet_tcp(frame, mac_of(SWITCH_EVERYBODY), mac_of(from), false, gso ? 3000 : 1000,
                                         gso ? 1000 : 0, &net);
            if (from == 3) {
                length = tag(frame, length, 10);
                net.csum_start += 4;
            }
            assert_true(machine_send(&rig->machines[from], 0, &net, frame, length));
            uint32_t bare = from == 3 ? length - 4 : length;
            for (unsigned at = 1; at < 3; at++) {
                uint32_t extra = at == 1 ? 4 : 0, payload = gso && able ? 3000 : 1000;

                for (unsigned piece = 0; piece < (gso && !able ? 3u : 1u); piece++) {
                    assert_int_equal(machine_receive(&rig->machines[at], 0, &net, found, sizeof found, 2000),
                                     PACKET_TCP4 + payload + extra);
                    assert_int_equal(net.flags, able ? NET_HEADER_F_NEEDS_CSUM : 0);
                    assert_int_equal(net.gso_type, gso && able ? NET_HEADER_GSO_TCPV4 : 0);
                    if (able)
                        assert_int_equal(net.csum_start, 34 + extra);
                    if (able && gso)
                        assert_int_equal(net.hdr_len, PACKET_TCP4 + extra);
                    if (extra) {
                        assert_memory_equal(found + 12, "\x81\0\0\x0a", 4);
                        memmove(found + 12, found + 16, PACKET_TCP4 + payload - 12);
                    }
                    assert_int_equal(packet_tcp_sequence(found), piece * 1000);
                    assert_true(packet_tcp_payload_matches(found, PACKET_TCP4 + payload));
                    if (!able)
                        assert_true(packet_tcp_valid(found, PACKET_TCP4 + payload));
                }
            }
            assert_int_equal(bare, PACKET_TCP4 + (gso ? 3000u : 1000u));
        }
        switch_close(rig);
    }
}

/* A whole MTU and a tag; isolation, storm control and source addresses as without VLANs. */
static void the_rest_of_the_policy_stays(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    struct net_header net = { 0 };
    char mac[18];
    const uint8_t *m = mac_of(0);

    (void)state;
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    switch_add_machine_as(rig, (struct machine_options){ 0 },
                          json_pack("{s:{s:b, s:i, s:[s], s:{s:i}}}", "policy", "isolated", 1, "storm", 1, "macs", mac,
                                    "vlan", "tag", 10));
    switch_add_machine_as(rig, (struct machine_options){ 0 },
                          json_pack("{s:{s:b, s:{s:i}}}", "policy", "isolated", 1, "vlan", "tag", 10));
    switch_add_machine_as(rig, (struct machine_options){ 0 }, trunk_port(10, 20));
    packet_plain(frame, 1514, mac_of(SWITCH_EVERYBODY), mac_of(0), 0x88b5, 1);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, 1514));
    assert_int_equal(machine_receive(&rig->machines[2], 0, &net, found, sizeof found, 2000), 1518);
    assert_int_equal(packet_number(memmove(found + 4, found, 12), 1514), 1);
    send_as(rig, 0, 5, SWITCH_EVERYBODY, TAG_NONE, 2);
    switch_wait_counter(rig, "vm0", "drops", "spoof", 1);
    send_as(rig, 0, 5, SWITCH_EVERYBODY, 0xe000, 3);
    switch_wait_counter(rig, "vm0", "drops", "spoof", 2);
    for (unsigned i = 0; i < 10; i++)
        send(rig, 0, SWITCH_EVERYBODY, TAG_NONE, 4);
    switch_wait_counter(rig, "vm0", "drops", "storm", 1);
    send(rig, 1, SWITCH_EVERYBODY, TAG_NONE, 5);
    assert_int_equal(machine_receive(&rig->machines[0], 0, &net, found, sizeof found, 20), DRIVER_NOTHING);
    assert_int_equal(machine_receive(&rig->machines[1], 0, &net, found, sizeof found, 20), DRIVER_NOTHING);
    switch_close(rig);
}

/* Without VLAN settings tags mean nothing; the first port that has some changes that, and the last one that leaves. */
static void a_network_without_vlans(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    json_t *answer;

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        switch_add_machine_as(rig, (struct machine_options){ 0 }, json_object());
    send(rig, 0, SWITCH_EVERYBODY, 4095, 1);
    expect(rig, 1, 4095, 1);
    send(rig, 1, 0, 7, 2);
    expect(rig, 0, 7, 2);
    assert_int_equal(known_macs(rig, "vm0", 0), 1);
    switch_add_machine_as(rig, (struct machine_options){ 0 }, access_port(7));
    send(rig, 0, 1, 4095, 3);
    switch_wait_counter(rig, "vm0", "drops", "vlan", 1);
    send(rig, 0, 1, 8, 4); /* learnt before, and a VLAN that no port names */
    expect(rig, 1, 8, 4);
    send(rig, 2, 0, TAG_NONE, 5);
    expect(rig, 0, 7, 5);
    expect(rig, 1, 7, 5);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm2")));
    send(rig, 0, 1, 4095, 6);
    expect(rig, 1, 4095, 6);
    answer = switch_answer(rig, "port.add",
                           json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:[], s:i}}}", "name", "x", "kind", "vhost-user",
                                     "network", "lan", "socket", "/tmp/vhostkit-none", "policy", "vlan", "trunk",
                                     "native", 5),
                           5000);
    assert_non_null(json_object_get(answer, "error")); /* a trunk of nothing */
    json_decref(answer);
    switch_close(rig);
}

/* It comes back from the state file. */
static void vlans_survive_a_crash(void **state)
{
    struct switch_rig *rig = switch_open("--monitor");

    (void)state;
    switch_add_machine_as(rig, (struct machine_options){ 0 }, access_port(10));
    switch_add_machine_as(rig, (struct machine_options){ 0 }, native_port(20, 10));
    switch_add_machine_as(rig, (struct machine_options){ 0 }, trunk_port(10, 20));
    kill(switch_serving_pid(rig), SIGKILL);
    for (unsigned i = 0; i < 3; i++)
        assert_true(machine_reattach(&rig->machines[i]));
    for (unsigned i = 0; i < 3; i++)
        switch_wait_state(rig, (const char *[]){ "vm0", "vm1", "vm2" }[i], "up");
    send(rig, 0, SWITCH_EVERYBODY, TAG_NONE, 1);
    expect(rig, 1, TAG_NONE, 1);
    expect(rig, 2, 10, 1);
    send(rig, 2, SWITCH_EVERYBODY, 20, 2);
    expect(rig, 1, 20, 2);
    expect_silence(rig);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("flooding stays in its VLAN", flooding_stays_in_its_vlan),
        ROW("frames of foreign VLANs are dropped", foreign_tags_are_dropped),
        ROW("one address in two VLANs", one_address_in_two_vlans),
        ROW("offload requests move with the tag", offloads_move_with_the_tag),
        ROW("isolation, storm control and source addresses behind VLANs", the_rest_of_the_policy_stays),
        ROW("tags mean nothing in a network without VLANs", a_network_without_vlans),
        ROW("VLANs survive a crash", vlans_survive_a_crash),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: VLANs", tests, NULL, NULL);
}
