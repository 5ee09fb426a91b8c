/*
 * switch_offload_test.c - the real program with play VMs of different
 * features: checksums completed, segments cut or passed through, and every
 * shape of queue against every other.
 */
#include <string.h>

#include "switch_rig.h"

#define SENDER                                                                       \
    (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_HOST_TSO6))
#define RECEIVER                                                                     \
    (FEATURE(VIRTIO_NET_F_GUEST_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_TSO4) |           \
     FEATURE(VIRTIO_NET_F_GUEST_TSO6))
#define BIG_SLOT 68000u
#define PAYLOAD 30000u
#define SEGMENT 1400u /* with the headers of IPv6, too, within the MTU */

static uint8_t frame[BIG_SLOT], found[BIG_SLOT];

/* A sender with all offloads and a receiver with these features. */
static struct switch_rig *sender_and(uint64_t features, uint32_t rx_buffer)
{
    struct switch_rig *rig = switch_open(NULL);

    switch_add_machine(rig, (struct machine_options){ .features = SENDER, .tx_buffer = BIG_SLOT,
                                                      .ring_size = 64 });
    switch_add_machine(rig, (struct machine_options){ .features = features, .rx_buffer = rx_buffer,
                                                      .ring_size = 256 });
    switch_learn_all(rig);
    return rig;
}

static uint32_t send_tcp(struct switch_rig *rig, bool ipv6, uint32_t payload, uint16_t gso_size)
{
    uint8_t to[6], from[6];
    struct net_header net;
    uint32_t length;

    packet_mac(to, 1);
    packet_mac(from, 0);
    length = packet_tcp(frame, to, from, ipv6, payload, gso_size, &net);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, length));
    return length;
}

static int receive(struct switch_rig *rig, struct net_header *net)
{
    int length = machine_receive(&rig->machines[1], 0, net, found, sizeof found, 2000);

    assert_int_equal(machine_rx(&rig->machines[1], 0)->errors, 0);
    return length;
}

static void checksum_completed(void **state)
{
    (void)state;
    for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
        struct switch_rig *rig = sender_and(0, 2048);

        for (uint32_t payload = 0; payload < 1400; payload = payload * 2 + 1) {
            struct net_header net;
            uint32_t length = send_tcp(rig, ipv6, payload, 0);

            assert_int_equal(receive(rig, &net), length);
            assert_int_equal(net.flags, 0);
            assert_true(packet_tcp_valid(found, length));
            assert_true(packet_tcp_payload_matches(found, length));
        }
        switch_close(rig);
    }
}

static void checksum_passed(void **state)
{
    struct switch_rig *rig = sender_and(FEATURE(VIRTIO_NET_F_GUEST_CSUM), 2048);
    struct net_header net;
    uint32_t length = send_tcp(rig, false, 1000, 0);

    (void)state;
    assert_int_equal(receive(rig, &net), length);
    assert_int_equal(net.flags, NET_HEADER_F_NEEDS_CSUM);
    assert_int_equal(net.csum_start, 34);
    assert_int_equal(net.csum_offset, 16);
    assert_memory_equal(found, frame, length);
    switch_close(rig);
}

static void segments_passed(void **state)
{
    (void)state;
    for (unsigned shape = 0; shape < 4; shape++) {
        bool mergeable = shape & 1, ipv6 = shape & 2;
        struct switch_rig *rig = sender_and(RECEIVER | (mergeable ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0),
                                            mergeable ? 2048 : BIG_SLOT);
        struct net_header net;
        uint32_t length = send_tcp(rig, ipv6, PAYLOAD, SEGMENT);

        assert_int_equal(receive(rig, &net), length);
        assert_int_equal(net.gso_type, ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4);
        assert_int_equal(net.gso_size, SEGMENT);
        assert_int_equal(net.num_buffers, mergeable ? (length + 12 + 2047) / 2048 : 1);
        assert_memory_equal(found, frame, length);
        switch_close(rig);
    }
}

static void segments_cut(void **state)
{
    static const uint64_t receivers[] = { 0, FEATURE(VIRTIO_NET_F_GUEST_CSUM),
                                          FEATURE(VIRTIO_NET_F_MRG_RXBUF) };

    (void)state;
    for (unsigned shape = 0; shape < 6; shape++) {
        bool ipv6 = shape & 1;
        struct switch_rig *rig = sender_and(receivers[shape / 2], 2048);
        uint32_t headers = ipv6 ? PACKET_TCP6 : PACKET_TCP4, next = 0;

        send_tcp(rig, ipv6, PAYLOAD, SEGMENT);
        while (next < PAYLOAD) {
            struct net_header net;
            int length = receive(rig, &net);
            uint32_t part = PAYLOAD - next < SEGMENT ? PAYLOAD - next : SEGMENT;

            assert_int_equal(length, headers + part);
            assert_int_equal(net.gso_type, 0);
            assert_int_equal(packet_tcp_sequence(found), next);
            assert_true(packet_tcp_payload_matches(found, (uint32_t)length));
            if (!(net.flags & NET_HEADER_F_NEEDS_CSUM))
                assert_true(packet_tcp_valid(found, (uint32_t)length));
            else
                assert_int_equal(receivers[shape / 2], FEATURE(VIRTIO_NET_F_GUEST_CSUM));
            next += part;
        }
        assert_int_equal(switch_receive(rig, 1, 20), SWITCH_NONE);
        switch_close(rig);
    }
}

/* A receiver whose buffers cannot hold what it said it can take: only it loses. */
static void too_big_for_buffers(void **state)
{
    struct switch_rig *rig = sender_and(RECEIVER, 2048);

    (void)state;
    send_tcp(rig, false, PAYLOAD, SEGMENT);
    switch_wait_counter(rig, "vm1", "drops", "rx_no_room", 1);
    switch_pass(rig, 0, 1, 5);
    switch_close(rig);
}

/* The MTU holds for what is made of a frame, too. */
static void pieces_beyond_the_mtu(void **state)
{
    struct switch_rig *rig = sender_and(RECEIVER, 2048);

    (void)state;
    send_tcp(rig, false, PAYLOAD, 4000);
    switch_wait_counter(rig, "vm0", "drops", "too_big", 1);
    switch_pass(rig, 0, 1, 5);
    switch_close(rig);
}

/* Frames of 9000 and 9216 bytes and their Ethernet header pass whole; beyond the MTU of either end they do not. */
static void jumbo_frames(void **state)
{
    static const uint32_t payloads[] = { 9000, 9216, 9220 }; /* the last one has room for a tag */
    uint8_t to[6], from[6];

    (void)state;
    packet_mac(to, 1);
    packet_mac(from, 0);
    for (unsigned mergeable = 0; mergeable < 2; mergeable++) {
        struct switch_rig *rig = switch_open(NULL);
        struct machine_options sender = { .tx_buffer = 16384, .ring_size = 64 };
        struct machine_options receiver = { .features = mergeable ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0,
                                            .rx_buffer = mergeable ? 1526 : 16384, .ring_size = 64 };
        struct net_header net = { 0 };

        switch_add_machine_as(rig, sender, json_pack("{s:i}", "mtu", 9216));
        switch_add_machine_as(rig, receiver, json_pack("{s:i}", "mtu", 9216));
        switch_add_machine_as(rig, receiver, json_pack("{s:i}", "mtu", 9000));
        for (unsigned i = 0; i < 3; i++) {
            uint32_t length = payloads[i] + PACKET_ETHERNET;

            packet_plain(frame, length, to, from, 0x88b5, i);
            assert_true(machine_send(&rig->machines[0], 0, &net, frame, length));
            assert_int_equal(receive(rig, &net), length);
            assert_int_equal(packet_number(found, length), i);
            assert_int_equal(net.num_buffers, mergeable ? (length + 12 + 1525) / 1526 : 1);
            net = (struct net_header){ 0 };
        }
        switch_wait_counter(rig, "vm2", "drops", "mtu", 2); /* flooded to it: only the first fits its MTU */
        assert_int_equal(switch_counter(rig, "vm2", "tx", "frames"), 1);
        packet_plain(frame, 9235, to, from, 0x88b5, 9);
        assert_true(machine_send(&rig->machines[0], 0, &net, frame, 9235));
        switch_wait_counter(rig, "vm0", "drops", "too_big", 1);
        switch_close(rig);
    }
}

static void refused_requests(void **state)
{
    struct switch_rig *rig = switch_with_machines(2, (struct machine_options){ .tx_buffer = BIG_SLOT,
                                                                               .ring_size = 64 });

    (void)state;
    switch_learn_all(rig);
    send_tcp(rig, false, 1000, 0); /* nothing was negotiated */
    send_tcp(rig, false, PAYLOAD, SEGMENT);
    switch_wait_counter(rig, "vm0", "drops", "csum_header", 2);
    switch_pass(rig, 0, 1, 5);
    switch_close(rig);

    rig = switch_with_machines(2, (struct machine_options){ .features = FEATURE(VIRTIO_NET_F_CSUM),
                                                            .tx_buffer = BIG_SLOT, .ring_size = 64 });
    switch_learn_all(rig);
    send_tcp(rig, false, PAYLOAD, SEGMENT);
    switch_wait_counter(rig, "vm0", "drops", "gso_header", 1);
    switch_pass(rig, 0, 1, 5);
    switch_close(rig);
}

static void pass_shape(struct switch_rig *rig, unsigned from, unsigned to, uint32_t number)
{
    switch_send(rig, from, to, number);
    for (unsigned at = 0; at < 8; at++) {
        bool expected = at == to || (to == SWITCH_EVERYBODY && at != from);
        struct net_header net;
        int length = machine_receive(&rig->machines[at], 0, &net, found, sizeof found, expected ? 2000 : 0);

        assert_int_equal(machine_rx(&rig->machines[at], 0)->errors, 0);
        assert_int_equal(length, expected ? 200 : DRIVER_NOTHING);
        if (!expected)
            continue;
        assert_int_equal(packet_number(found, 200), number);
        assert_int_equal(net.num_buffers, at & 1 ? 3 : 1);
    }
}

static void every_shape(void **state)
{
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    /* Mergeable, indirect and event index in all combinations, pieces, legacy: each talks to each. */
    for (unsigned shape = 0; shape < 8; shape++)
        switch_add_machine(rig, (struct machine_options){
            .features = (shape & 1 ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0) |
                        (shape & 2 ? FEATURE(VIRTIO_F_RING_INDIRECT_DESC) : 0) |
                        (shape & 4 ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0),
            .tx_pieces = (uint16_t)(1 + shape % 5), .tx_indirect = shape & 2,
            .rx_pieces = (uint16_t)(shape & 1 ? 1 : 1 + shape % 3),
            .rx_buffer = shape & 1 ? 100 : 2048, /* a frame takes three mergeable buffers */
            .legacy = shape == 4 || shape == 5, .without_protocol = shape == 6,
        });
    for (unsigned from = 0; from < 8; from++) /* all addresses are learnt with this */
        pass_shape(rig, from, SWITCH_EVERYBODY, from);
    for (uint32_t number = 64; number < 3 * 64; number++)
        if (number / 8 % 8 != number % 8)
            pass_shape(rig, number / 8 % 8, number % 8, number);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("H42 TSO pieces longer than the MTU", pieces_beyond_the_mtu),
        ROW("R13 checksum completed for a receiver without GUEST_CSUM", checksum_completed),
        ROW("R13 checksum request passed on", checksum_passed),
        ROW("R13 TSO passed through, mergeable and big buffers", segments_passed),
        ROW("R13 TSO cut for a receiver without it", segments_cut),
        ROW("H44 TSO does not fit the receiver's buffers", too_big_for_buffers),
        ROW("jumbo frames, mergeable and big buffers", jumbo_frames),
        ROW("H34 checksum and TSO requests without negotiation", refused_requests),
        ROW("every shape of queue to every other", every_shape),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: offloads", tests, NULL, NULL);
}
