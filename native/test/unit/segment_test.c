/*
 * segment_test.c - what offload_apply makes of a frame, judged by putting it
 * together again and by checksums formed the slow way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_packet.h"
#include "switch/offload.h"

#define F(name) FEATURE(VIRTIO_NET_F_##name)
#define SENDER_ALL (F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6) | F(HOST_ECN))

enum { FIN = 0x01, PSH = 0x08, ACK = 0x10, URG = 0x20, CWR = 0x80 };

#define RECEIVED_MAX 1100u

/* A frame as the receiver has it, in one piece. */
struct received {
    struct net_header net; /* its header */
    uint8_t *bytes;        /* malloc'ed to its very length, so that ASan sees each overrun */
    uint32_t length;       /* of bytes */
};

/* What came out of one call. */
struct catch {
    unsigned stop_after;                  /* say "no more" after so many; 0: never */
    unsigned count;                       /* frames */
    struct received frames[RECEIVED_MAX]; /* in order */
};

static struct packet packet;
static struct packet before; /* the packet as built: offload_apply changes nothing of its source */
static struct catch caught;
static struct offload_work *work;
static uint64_t random_state;

static bool catch_frame(void *context, const struct frame *frame)
{
    struct catch *catch = context;
    assert_true(catch->count < RECEIVED_MAX);
    assert_int_equal(frame->head_length, frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);
    assert_int_equal(frame->drop, DROP_NONE);
    struct received *received = &catch->frames[catch->count++];
    received->net = frame->net;
    received->length = frame->length;
    received->bytes = malloc(frame->length);
    assert_non_null(received->bytes);
    memcpy(received->bytes, frame->head, frame->head_length);
    uint32_t at = frame->head_length;
    for (uint32_t i = 0; i < frame->segment_count; i++) {
        assert_true(frame->segments[i].length != 0 && frame->segments[i].length <= frame->length - at);
        memcpy(received->bytes + at, frame->segments[i].data, frame->segments[i].length);
        at += frame->segments[i].length;
    }
    assert_int_equal(at, frame->length);
    return catch->count != catch->stop_after;
}

static void release(void)
{
    for (unsigned i = 0; i < caught.count; i++)
        free(caught.frames[i].bytes);
    caught.count = 0;
}

static enum drop_reason apply(uint64_t receiver_features)
{
    release();
    before = packet;
    enum drop_reason verdict = offload_apply(work, &packet.frame, receiver_features, catch_frame, &caught);
    assert_memory_equal(&before, &packet, sizeof packet);
    return verdict;
}

static unsigned load16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

/* Builds a packet with a segmentation request; it passes offload_check. */
static void build_gso(const struct tcp_packet *wanted, uint16_t size, bool ecn, uint32_t piece_max)
{
    packet_build(&packet, wanted, &random_state);
    packet_view(&packet, piece_max, &random_state);
    struct net_header *net = &packet.frame.net;
    net->flags = NET_HEADER_F_NEEDS_CSUM;
    net->gso_type = wanted->ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4;
    if (ecn)
        net->gso_type |= NET_HEADER_GSO_ECN;
    net->gso_size = size;
    net->csum_start = (uint16_t)packet.tcp_offset;
    net->csum_offset = 16;
    assert_int_equal(offload_check(&packet.frame, SENDER_ALL), DROP_NONE);
}

static void assert_ip_header(const struct received *received, const struct tcp_packet *wanted,
                             unsigned index)
{
    const uint8_t *ip = received->bytes + packet.ip_offset;
    uint32_t header_length = packet.tcp_offset - packet.ip_offset;
    uint8_t expected[60];
    memcpy(expected, packet.bytes + packet.ip_offset, header_length);
    if (wanted->ipv6) {
        assert_int_equal(load16(ip + 4), received->length - packet.tcp_offset);
        memcpy(expected + 4, ip + 4, 2);
    } else {
        assert_int_equal(load16(ip + 2), received->length - packet.ip_offset);
        assert_int_equal(load16(ip + 4), (wanted->identification + index) & 0xffff);
        assert_int_equal(naive_sum(0, ip, header_length), 0xffff);
        memcpy(expected + 2, ip + 2, 4);
        memcpy(expected + 10, ip + 10, 2);
    }
    assert_memory_equal(ip, expected, header_length); /* nothing else has changed */
}

static void assert_tcp_header(const struct received *received, const struct tcp_packet *wanted,
                              uint32_t offset, bool last)
{
    const uint8_t *tcp = received->bytes + packet.tcp_offset;
    uint32_t header_length = packet.payload_offset - packet.tcp_offset;
    uint8_t flags = wanted->flags;
    if (!last)
        flags &= (uint8_t)~(FIN | PSH);
    if (offset != 0)
        flags &= (uint8_t)~CWR;
    assert_int_equal(load32(tcp + 4), (uint32_t)(wanted->sequence + offset));
    assert_int_equal(tcp[13], flags);

    uint8_t expected[60];
    memcpy(expected, packet.bytes + packet.tcp_offset, header_length);
    memcpy(expected + 4, tcp + 4, 4);
    expected[13] = flags;
    memcpy(expected + 16, tcp + 16, 2);
    assert_memory_equal(tcp, expected, header_length);
}

static void assert_checksum(const struct received *received, bool ipv6, bool partial)
{
    const uint8_t *tcp = received->bytes + packet.tcp_offset;
    uint32_t tcp_length = received->length - packet.tcp_offset;
    uint16_t pseudo = naive_pseudo_sum(received->bytes + packet.ip_offset, ipv6, tcp_length);
    struct net_header expected = {0};
    if (partial) {
        expected.flags = NET_HEADER_F_NEEDS_CSUM;
        expected.csum_start = (uint16_t)packet.tcp_offset;
        expected.csum_offset = 16;
        assert_int_equal(load16(tcp + 16), pseudo);
    } else {
        assert_int_equal(naive_sum(pseudo, tcp, tcp_length), 0xffff);
    }
    assert_memory_equal(&received->net, &expected, sizeof expected);
}

/* The caught frames are the packet, cut into pieces of `size`. */
static void assert_cut(const struct tcp_packet *wanted, uint32_t size, bool partial)
{
    uint32_t offset = 0;
    unsigned count = wanted->payload_length == 0 ? 1 : (wanted->payload_length + size - 1) / size;
    assert_int_equal(caught.count, count);
    for (unsigned i = 0; i < caught.count; i++) {
        const struct received *received = &caught.frames[i];
        uint32_t part = received->length - packet.payload_offset;
        bool last = i + 1 == caught.count;
        assert_int_equal(part, last ? wanted->payload_length - offset : size);
        assert_memory_equal(received->bytes, packet.bytes, packet.ip_offset);
        assert_ip_header(received, wanted, i);
        assert_tcp_header(received, wanted, offset, last);
        assert_checksum(received, wanted->ipv6, partial);
        assert_memory_equal(received->bytes + packet.payload_offset,
                            packet.bytes + packet.payload_offset + offset, part);
        offset += part;
    }
    assert_int_equal(offset, wanted->payload_length);
}

static void test_cuts_for_each_receiver(void **state)
{
    (void)state;
    static const struct {
        uint64_t features; /* of the receiver */
        bool partial;      /* checksums left to it */
    } receivers[] = {{0, false}, {F(GUEST_CSUM), true}, {F(GUEST_CSUM) | F(GUEST_ECN), true}};
    for (unsigned r = 0; r < 3; r++) {
        for (unsigned kind = 0; kind < 12; kind++) {
            struct tcp_packet wanted = {
                .ipv6 = kind % 2, .vlan_tags = kind / 2 % 3, .tcp_option_words = kind / 6 * 3,
                .flags = ACK | PSH | FIN | CWR | URG, .sequence = 0xfffffc00, /* wraps within */
                .identification = 0xfffe, .payload_length = 10000,
            };
            build_gso(&wanted, 1448, true, FRAME_LENGTH_MAX);
            assert_false(offload_passes(&packet.frame, receivers[r].features));
            assert_int_equal(apply(receivers[r].features), DROP_NONE);
            assert_cut(&wanted, 1448, receivers[r].partial);
        }
    }
}

static void test_flags_of_the_pieces(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.flags = ACK | PSH | FIN | CWR, .payload_length = 3000};
    build_gso(&wanted, 1000, true, FRAME_LENGTH_MAX);
    assert_int_equal(apply(F(GUEST_CSUM) | F(GUEST_TSO4)), DROP_NONE); /* takes TSO, but not with ECN */
    assert_int_equal(caught.count, 3);
    assert_int_equal(caught.frames[0].bytes[47], ACK | CWR);
    assert_int_equal(caught.frames[1].bytes[47], ACK);
    assert_int_equal(caught.frames[2].bytes[47], ACK | PSH | FIN);
}

static void test_sizes_around_the_edges(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 1, 7, 8, 73, 74, 75, 99, 100, 101, 199, 200, 201, 299, 300, 301};
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned ipv6 = 0; ipv6 < 2; ipv6++) {
            struct tcp_packet wanted = {.ipv6 = ipv6, .flags = ACK | PSH, .payload_length = lengths[i]};
            build_gso(&wanted, 100, false, 7);
            assert_int_equal(apply(0), DROP_NONE);
            assert_cut(&wanted, 100, false);
        }
    }
}

static void test_longest_frame(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 65535 - 40, .flags = ACK};
    build_gso(&wanted, 536, false, 2048);
    assert_int_equal(apply(0), DROP_NONE);
    assert_cut(&wanted, 536, false);
    build_gso(&wanted, 65495, false, 2048);
    assert_int_equal(apply(F(GUEST_CSUM)), DROP_NONE);
    assert_cut(&wanted, 65495, true);
}

static void test_count_of_pieces_is_bounded(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 8 * 1024, .flags = ACK};
    build_gso(&wanted, 8, false, FRAME_LENGTH_MAX);
    assert_int_equal(apply(0), DROP_NONE);
    assert_cut(&wanted, 8, false);
    wanted.payload_length++;
    build_gso(&wanted, 8, false, FRAME_LENGTH_MAX);
    assert_int_equal(apply(0), DROP_RX_OFFLOAD);
    assert_int_equal(caught.count, 0);
}

static void test_stops_when_the_receiver_has_enough(void **state)
{
    const struct tcp_packet wanted = {.payload_length = 9000, .flags = ACK};
    (void)state;
    build_gso(&wanted, 1000, false, FRAME_LENGTH_MAX);
    caught.stop_after = 3;
    assert_int_equal(apply(0), DROP_NONE);
    assert_int_equal(caught.count, 3);
    caught.stop_after = 0;
}

static void test_segments_that_do_not_make_up_the_length(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 5000, .flags = ACK};
    build_gso(&wanted, 1448, false, FRAME_LENGTH_MAX);
    packet.pieces[0].length--;
    assert_int_equal(apply(0), DROP_RX_OFFLOAD);
    packet.pieces[0].length += 2; /* more than the frame: the surplus is not looked at */
    assert_int_equal(apply(0), DROP_NONE);
    assert_cut(&wanted, 1448, false);
    packet.frame.length = FRAME_LENGTH_MAX + 1;
    assert_int_equal(apply(0), DROP_RX_OFFLOAD);
    assert_int_equal(caught.count, 0);
}

static void test_random_packets_are_cut(void **state)
{
    (void)state;
    static const uint32_t length_bounds[] = {200, 3000, 20000, 65000};
    random_state = 5;
    for (unsigned round = 0; round < 1500; round++) {
        struct tcp_packet wanted = {0};
        wanted.ipv6 = random_next(&random_state) % 2;
        wanted.vlan_tags = random_next(&random_state) % 3;
        wanted.ip_option_words = wanted.ipv6 ? 0 : random_next(&random_state) % 5;
        wanted.tcp_option_words = random_next(&random_state) % 6;
        wanted.flags = (uint8_t)random_next(&random_state);
        wanted.sequence = random_next(&random_state) << 1;
        wanted.identification = (uint16_t)random_next(&random_state);
        wanted.payload_length = random_next(&random_state) % length_bounds[round % 4];
        uint32_t size_min = wanted.payload_length / 1024 + 8;
        uint32_t size = size_min + random_next(&random_state) % (round % 2 ? 100 : 9000);
        bool ecn = random_next(&random_state) % 2;
        bool partial = random_next(&random_state) % 2;
        build_gso(&wanted, (uint16_t)size, ecn, 1 + random_next(&random_state) % 5000);
        assert_int_equal(apply(partial ? F(GUEST_CSUM) : 0), DROP_NONE);
        assert_cut(&wanted, size, partial);
    }
}

/* Completes the checksum at the place and compares with the sum formed the slow way. */
static void assert_completed(uint16_t start, uint16_t offset)
{
    struct net_header *net = &packet.frame.net;
    *net = (struct net_header){.flags = NET_HEADER_F_NEEDS_CSUM, .csum_start = start, .csum_offset = offset};
    assert_int_equal(offload_check(&packet.frame, F(CSUM)), DROP_NONE);
    assert_false(offload_passes(&packet.frame, 0));
    assert_int_equal(apply(0), DROP_NONE);
    assert_int_equal(caught.count, 1);
    const struct received *received = &caught.frames[0];
    assert_int_equal(received->length, packet.length);

    uint16_t sum = (uint16_t)~naive_sum(0, packet.bytes + start, packet.length - start);
    assert_int_equal(load16(received->bytes + start + offset), sum != 0 ? sum : 0xffff);
    assert_memory_equal(received->bytes, packet.bytes, start + offset);
    assert_memory_equal(received->bytes + start + offset + 2, packet.bytes + start + offset + 2,
                        packet.length - start - offset - 2);
    static const struct net_header none = {0};
    assert_memory_equal(&received->net, &none, sizeof none);
}

static void test_checksum_is_completed(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 400; length++) {
        struct tcp_packet wanted = {.ipv6 = length % 2, .vlan_tags = length % 3, .payload_length = length};
        packet_build(&packet, &wanted, &random_state);
        packet_view(&packet, 1 + length % 50, &random_state);
        assert_completed((uint16_t)packet.tcp_offset, 16);
        uint16_t pseudo = naive_pseudo_sum(packet.bytes + packet.ip_offset, wanted.ipv6,
                                           packet.length - packet.tcp_offset);
        assert_int_equal(naive_sum(pseudo, caught.frames[0].bytes + packet.tcp_offset,
                                   packet.length - packet.tcp_offset), 0xffff);
    }
}

static void test_checksum_at_odd_places(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 3000};
    packet_build(&packet, &wanted, &random_state);
    packet_view(&packet, 500, &random_state);
    assert_completed(14, 20);   /* over the IP header, too */
    assert_completed(35, 17);
    assert_completed(34, 93);   /* across the end of the head */
    assert_completed(34, 3018); /* the last two bytes */
    assert_completed((uint16_t)(packet.length - 2), 0);
}

static void test_checksum_of_zero_is_sent_as_ones(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 200};
    packet_build(&packet, &wanted, &random_state);
    memset(packet.bytes + 34, 0, packet.length - 34);
    packet.bytes[40] = packet.bytes[41] = 0xff; /* sum 0xffff, so its complement is 0: UDP's "none" */
    packet_view(&packet, FRAME_LENGTH_MAX, &random_state);
    assert_completed(34, 6);
    assert_int_equal(load16(caught.frames[0].bytes + 40), 0xffff);
}

static void test_nothing_to_do_is_refused(void **state)
{
    (void)state;
    struct tcp_packet wanted = {.payload_length = 200};
    packet_build(&packet, &wanted, &random_state);
    assert_int_equal(apply(0), DROP_RX_OFFLOAD); /* such a frame passes; it never comes here */
    assert_int_equal(caught.count, 0);
}

static int set_up(void **state)
{
    (void)state;
    random_state = 4;
    work = offload_work_create();
    return work == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    release();
    offload_work_destroy(work);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts_for_each_receiver),
        cmocka_unit_test(test_flags_of_the_pieces),
        cmocka_unit_test(test_sizes_around_the_edges),
        cmocka_unit_test(test_longest_frame),
        cmocka_unit_test(test_count_of_pieces_is_bounded),
        cmocka_unit_test(test_stops_when_the_receiver_has_enough),
        cmocka_unit_test(test_segments_that_do_not_make_up_the_length),
        cmocka_unit_test(test_random_packets_are_cut),
        cmocka_unit_test(test_checksum_is_completed),
        cmocka_unit_test(test_checksum_at_odd_places),
        cmocka_unit_test(test_checksum_of_zero_is_sent_as_ones),
        cmocka_unit_test(test_nothing_to_do_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
