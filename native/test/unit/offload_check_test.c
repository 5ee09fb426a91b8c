/*
 * offload_check_test.c - what a sender may write into its net header (R12, H33
 * to H36), and which receivers take it as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_packet.h"
#include "switch/offload.h"

#define F(name) FEATURE(VIRTIO_NET_F_##name)
#define SENDER_ALL (F(CSUM) | F(HOST_TSO4) | F(HOST_TSO6) | F(HOST_ECN))
#define RECEIVER_ALL (F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_TSO6) | F(GUEST_ECN))

#define ECN NET_HEADER_GSO_ECN
#define TCPV4 NET_HEADER_GSO_TCPV4
#define TCPV6 NET_HEADER_GSO_TCPV6

/* Packets that the cases start from. */
enum kind {
    V4,
    V6,
    V4_VLAN,
    V6_QINQ,
    V4_OPTIONS,
    V4_THREE_TAGS,
    V4_LONG_HEADER, /* ends behind the head */
    V4_FIT_HEADER,
    V4_SMALL,
    RUNT,
};

/* In the comments: where TCP begins, where its payload begins. */
static const struct tcp_packet packets[] = {
    [V4] = {.payload_length = 3000},                                                       /* 34, 54 */
    [V6] = {.ipv6 = true, .payload_length = 3000},                                         /* 54, 74 */
    [V4_VLAN] = {.vlan_tags = 1, .payload_length = 3000},                                  /* 38, 58 */
    [V6_QINQ] = {.ipv6 = true, .vlan_tags = 2, .payload_length = 3000},                    /* 62, 82 */
    [V4_OPTIONS] = {.ip_option_words = 10, .tcp_option_words = 3, .payload_length = 3000}, /* 74, 106 */
    [V4_THREE_TAGS] = {.vlan_tags = 3, .payload_length = 3000},                            /* 46, 66 */
    [V4_LONG_HEADER] = {.vlan_tags = 1, .ip_option_words = 10, .tcp_option_words = 8},     /* 78, 130 */
    [V4_FIT_HEADER] = {.vlan_tags = 2, .ip_option_words = 10, .tcp_option_words = 6},      /* 82, 126 */
    [V4_SMALL] = {.payload_length = 6},                                                    /* 34, 54 */
    [RUNT] = {.payload_length = 0},                                                        /* 34, 54 */
};

/* A byte of the packet changed before the check. */
struct patch {
    uint16_t at;   /* where; 0: no change */
    uint8_t value; /* to what */
};

struct header_case {
    const char *name;         /* printed when it fails */
    enum kind kind;           /* packet */
    struct net_header net;    /* as the sender wrote it */
    uint64_t without;         /* features the sender has not negotiated */
    struct patch patch;       /* what is wrong with the packet */
    enum drop_reason verdict; /* of offload_check */
    struct net_header clean;  /* header afterwards, if the verdict is DROP_NONE */
};

#define NET(f, t, h, s, start, offset, n) {f, t, h, s, start, offset, n}
#define CLEAN NET(0, 0, 0, 0, 0, 0, 0)
#define GSO4(size) NET(1, TCPV4, 54, size, 34, 16, 0)
#define GSO6(size) NET(1, TCPV6, 74, size, 54, 16, 0)
#define KEEP(name, kind, net, without, clean) {name, kind, net, without, {0, 0}, DROP_NONE, clean}
#define DROP(name, kind, net, without, reason) {name, kind, net, without, {0, 0}, reason, CLEAN}
#define DROP_PATCHED(name, kind, net, at, value) \
    {name, kind, net, 0, {at, value}, DROP_GSO_HEADER, CLEAN}

static const struct header_case cases[] = {
    KEEP("nothing asked for", V4, CLEAN, 0, CLEAN),
    KEEP("nothing asked for, nothing negotiated", V4, CLEAN, SENDER_ALL, CLEAN),
    KEEP("every field stray but flags and gso_type", V4, NET(0, 0, 1, 2, 60000, 60000, 5), 0, CLEAN),
    KEEP("unknown flags", V4, NET(0xfe, 0, 0, 0, 0, 0, 0), SENDER_ALL, CLEAN),
    KEEP("unknown flags and a checksum", V4, NET(0xff, 0, 0, 0, 34, 16, 0), 0, NET(1, 0, 0, 0, 34, 16, 0)),
    KEEP("num_buffers on transmit", V4, NET(1, 0, 0, 0, 34, 16, 9), 0, NET(1, 0, 0, 0, 34, 16, 0)),
    KEEP("checksum, hdr_len and gso_size stray", V4, NET(1, 0, 9999, 77, 34, 16, 0), 0,
         NET(1, 0, 0, 0, 34, 16, 0)),

    KEEP("csum_start right behind Ethernet", V4, NET(1, 0, 0, 0, 14, 20, 0), 0, NET(1, 0, 0, 0, 14, 20, 0)),
    KEEP("checksum right behind IPv4", V4, NET(1, 0, 0, 0, 34, 0, 0), 0, NET(1, 0, 0, 0, 34, 0, 0)),
    KEEP("checksum right behind IPv4 options", V4_OPTIONS, NET(1, 0, 0, 0, 74, 0, 0), 0, NET(1, 0, 0, 0, 74, 0, 0)),
    KEEP("checksum right behind IPv6 and two tags", V6_QINQ, NET(1, 0, 0, 0, 62, 0, 0), 0, NET(1, 0, 0, 0, 62, 0, 0)),
    DROP("checksum in IPv4's source", V4, NET(1, 0, 0, 0, 14, 12, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in the last byte of IPv4", V4, NET(1, 0, 0, 0, 33, 0, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in IPv4's options", V4_OPTIONS, NET(1, 0, 0, 0, 14, 59, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in a VLAN tag", V4_VLAN, NET(1, 0, 0, 0, 14, 0, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in the type behind a tag", V4_VLAN, NET(1, 0, 0, 0, 14, 2, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in IPv4's source behind a tag", V4_VLAN, NET(1, 0, 0, 0, 18, 12, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in the second tag", V6_QINQ, NET(1, 0, 0, 0, 14, 4, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in IPv6's source", V6, NET(1, 0, 0, 0, 14, 8, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum in the last byte of IPv6", V6_QINQ, NET(1, 0, 0, 0, 61, 0, 0), 0, DROP_CSUM_HEADER),
    KEEP("checksum in the last two bytes", V4_SMALL, NET(1, 0, 0, 0, 34, 24, 0), 0,
         NET(1, 0, 0, 0, 34, 24, 0)),
    KEEP("checksum behind the head", V4, NET(1, 0, 0, 0, 34, 3018, 0), 0, NET(1, 0, 0, 0, 34, 3018, 0)),
    DROP("checksum not negotiated", V4, NET(1, 0, 0, 0, 34, 16, 0), F(CSUM), DROP_CSUM_HEADER),
    DROP("csum_start 0", V4, NET(1, 0, 0, 0, 0, 16, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_start 13", V4, NET(1, 0, 0, 0, 13, 16, 0), 0, DROP_CSUM_HEADER),
    DROP("checksum one byte over the end", V4_SMALL, NET(1, 0, 0, 0, 34, 25, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_start at the end", V4_SMALL, NET(1, 0, 0, 0, 60, 0, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_start behind the end", V4_SMALL, NET(1, 0, 0, 0, 61, 0, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_start 65535", V4, NET(1, 0, 0, 0, 65535, 0, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_offset behind the end", V4, NET(1, 0, 0, 0, 34, 3020, 0), 0, DROP_CSUM_HEADER),
    DROP("csum_offset 65535", V4, NET(1, 0, 0, 0, 14, 65535, 0), 0, DROP_CSUM_HEADER),
    DROP("start + offset is 0 in 16 bits", V4, NET(1, 0, 0, 0, 34, 65502, 0), 0, DROP_CSUM_HEADER),
    DROP("start + offset + 2 is 0 in 16 bits", V4, NET(1, 0, 0, 0, 34, 65500, 0), 0, DROP_CSUM_HEADER),

    KEEP("TCPv4", V4, GSO4(1448), 0, GSO4(1448)),
    KEEP("TCPv6", V6, GSO6(1428), 0, GSO6(1428)),
    KEEP("TCPv4 needs no HOST_TSO6, HOST_ECN", V4, GSO4(1448), F(HOST_TSO6) | F(HOST_ECN), GSO4(1448)),
    KEEP("TCPv6 needs no HOST_TSO4, HOST_ECN", V6, GSO6(1428), F(HOST_TSO4) | F(HOST_ECN), GSO6(1428)),
    KEEP("TCPv4 with ECN", V4, NET(1, TCPV4 | ECN, 54, 1448, 34, 16, 0), 0,
         NET(1, TCPV4 | ECN, 54, 1448, 34, 16, 0)),
    KEEP("TCPv6 with ECN", V6, NET(1, TCPV6 | ECN, 74, 1428, 54, 16, 0), 0,
         NET(1, TCPV6 | ECN, 74, 1428, 54, 16, 0)),
    KEEP("behind a VLAN tag", V4_VLAN, NET(1, TCPV4, 0, 1448, 38, 16, 0), 0,
         NET(1, TCPV4, 58, 1448, 38, 16, 0)),
    KEEP("behind two tags", V6_QINQ, NET(1, TCPV6, 0, 1428, 62, 16, 0), 0,
         NET(1, TCPV6, 82, 1428, 62, 16, 0)),
    KEEP("IPv4 and TCP options", V4_OPTIONS, NET(1, TCPV4, 0, 1400, 74, 16, 0), 0,
         NET(1, TCPV4, 106, 1400, 74, 16, 0)),
    KEEP("headers just within the head", V4_FIT_HEADER, NET(1, TCPV4, 0, 8, 82, 16, 0), 0,
         NET(1, TCPV4, 126, 8, 82, 16, 0)),
    KEEP("hdr_len 0", V4, NET(1, TCPV4, 0, 1448, 34, 16, 0), 0, GSO4(1448)),
    KEEP("hdr_len behind the end", V4, NET(1, TCPV4, 65535, 1448, 34, 16, 0), 0, GSO4(1448)),
    KEEP("payload fits one segment", V4_SMALL, GSO4(1448), 0, GSO4(1448)),
    KEEP("no payload", RUNT, GSO4(1448), 0, GSO4(1448)),
    KEEP("smallest gso_size", V4, GSO4(8), 0, GSO4(8)),
    KEEP("greatest gso_size", V4, GSO4(65495), 0, GSO4(65495)),
    KEEP("greatest gso_size behind a tag", V4_VLAN, NET(1, TCPV4, 58, 65495, 38, 16, 0), 0,
         NET(1, TCPV4, 58, 65495, 38, 16, 0)),

    DROP("TCPv4 not negotiated", V4, GSO4(1448), F(HOST_TSO4), DROP_GSO_HEADER),
    DROP("TCPv6 not negotiated", V6, GSO6(1428), F(HOST_TSO6), DROP_GSO_HEADER),
    DROP("ECN not negotiated", V4, NET(1, TCPV4 | ECN, 54, 1448, 34, 16, 0), F(HOST_ECN), DROP_GSO_HEADER),
    DROP("checksum not negotiated with GSO", V4, GSO4(1448), F(CSUM), DROP_CSUM_HEADER),
    DROP("nothing but ECN", V4, NET(1, ECN, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("type 2, unknown", V4, NET(1, 2, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("type 3, UDP, never offered", V4, NET(1, 3, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("type 5, USO, never offered", V4, NET(1, 5, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("type 0x7f, unknown", V4, NET(1, 0x7f, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("type 0x41, unknown bit beside TCPv4", V4, NET(1, 0x41, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("no NEEDS_CSUM", V4, NET(0, TCPV4, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("DATA_VALID instead of NEEDS_CSUM", V4, NET(2, TCPV4, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("gso_size 0", V4, GSO4(0), 0, DROP_GSO_HEADER),
    DROP("gso_size 1", V4, GSO4(1), 0, DROP_GSO_HEADER),
    DROP("gso_size 7", V4, GSO4(7), 0, DROP_GSO_HEADER),
    DROP("gso_size one more than an IP packet holds", V4, GSO4(65496), 0, DROP_GSO_HEADER),
    DROP("gso_size 65535", V6, GSO6(65535), 0, DROP_GSO_HEADER),
    DROP("csum_start before TCP", V4, NET(1, TCPV4, 54, 1448, 33, 16, 0), 0, DROP_GSO_HEADER),
    DROP("csum_start behind TCP", V4, NET(1, TCPV4, 54, 1448, 35, 16, 0), 0, DROP_GSO_HEADER),
    DROP("csum_offset of UDP", V4, NET(1, TCPV4, 54, 1448, 34, 6, 0), 0, DROP_GSO_HEADER),
    DROP("start and offset sum up, but are others", V4,
         NET(1, TCPV4, 54, 1448, 30, 20, 0), 0, DROP_GSO_HEADER),
    DROP("TCPv4 on an IPv6 packet", V6, NET(1, TCPV4, 74, 1428, 54, 16, 0), 0, DROP_GSO_HEADER),
    DROP("TCPv6 on an IPv4 packet", V4, NET(1, TCPV6, 54, 1448, 34, 16, 0), 0, DROP_GSO_HEADER),
    DROP("three tags", V4_THREE_TAGS, NET(1, TCPV4, 66, 1448, 46, 16, 0), 0, DROP_GSO_HEADER),
    DROP("headers behind the head", V4_LONG_HEADER, NET(1, TCPV4, 130, 1448, 78, 16, 0), 0, DROP_GSO_HEADER),

    DROP_PATCHED("ARP", V4, GSO4(1448), 13, 0x06),
    DROP_PATCHED("IPv4 ethertype on IPv6", V6, NET(1, TCPV4, 74, 1428, 54, 16, 0), 12, 0x08),
    DROP_PATCHED("IP version 6 under the IPv4 ethertype", V4, GSO4(1448), 14, 0x65),
    DROP_PATCHED("IP version 4 under the IPv6 ethertype", V6, GSO6(1428), 14, 0x40),
    DROP_PATCHED("IPv4 header of 16 bytes", V4, NET(1, TCPV4, 54, 1448, 30, 16, 0), 14, 0x44),
    DROP_PATCHED("IPv4 header longer than csum_start says", V4, GSO4(1448), 14, 0x46),
    DROP_PATCHED("IPv4, UDP", V4, GSO4(1448), 23, 17),
    DROP_PATCHED("IPv6, UDP", V6, GSO6(1428), 20, 17),
    DROP_PATCHED("IPv6, extension header", V6, GSO6(1428), 20, 0),
    DROP_PATCHED("first fragment", V4, GSO4(1448), 20, 0x20),
    DROP_PATCHED("later fragment, low bits", V4, GSO4(1448), 21, 0x01),
    DROP_PATCHED("later fragment, high bits", V4, GSO4(1448), 20, 0x10),
    DROP_PATCHED("TCP header of 16 bytes", V4, GSO4(1448), 46, 0x40),
    DROP_PATCHED("TCP header of 0 bytes", V4, GSO4(1448), 46, 0x00),
    DROP_PATCHED("TCP header over the end of the frame", RUNT, GSO4(1448), 46, 0x60),
    DROP_PATCHED("TCP header over the end of a short frame", V4_SMALL, GSO4(1448), 46, 0xf0),
};

static struct packet packet;

static void test_each_header(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct header_case *one = &cases[i];
        packet_build(&packet, &packets[one->kind], &random);
        if (one->patch.at != 0)
            packet.bytes[one->patch.at] = one->patch.value;
        packet_view(&packet, FRAME_LENGTH_MAX, &random);
        struct frame *frame = &packet.frame;
        frame->net = one->net;
        enum drop_reason verdict = offload_check(frame, SENDER_ALL & ~one->without);
        if (verdict != one->verdict)
            fail_msg("%s: %s instead of %s", one->name, drop_reason_name[verdict],
                     drop_reason_name[one->verdict]);
        if (verdict == DROP_NONE && memcmp(&frame->net, &one->clean, sizeof one->clean) != 0)
            fail_msg("%s: header not as expected", one->name);
        assert_memory_equal(frame->head, packet.bytes, frame->head_length); /* the packet is left alone */
    }
}

static void test_headers_cut_off_anywhere(void **state)
{
    (void)state;
    uint64_t random = 2;
    static const enum kind kinds[] = {V4, V6, V4_VLAN, V6_QINQ, V4_OPTIONS};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (uint32_t length = FRAME_LENGTH_MIN; length < 128; length++) {
            packet_build(&packet, &packets[kinds[i]], &random);
            packet.length = length;
            memset(packet.bytes + length, 0xee, sizeof packet.bytes - length);
            packet_view(&packet, FRAME_LENGTH_MAX, &random);
            packet.frame.net = (struct net_header)NET(1, packets[kinds[i]].ipv6 ? TCPV6 : TCPV4, 0, 1400,
                                                      (uint16_t)packet.tcp_offset, 16, 0);
            enum drop_reason verdict = offload_check(&packet.frame, SENDER_ALL);
            if (length >= packet.payload_offset)
                assert_int_equal(verdict, DROP_NONE);
            else
                assert_int_equal(verdict, length < packet.tcp_offset + 18 ? DROP_CSUM_HEADER
                                                                          : DROP_GSO_HEADER);
        }
    }
}

/* Header `next` of so many bytes in front of TCP. */
static void insert_extension(uint8_t next, const uint8_t *header, uint32_t length)
{
    memmove(packet.bytes + packet.tcp_offset + length, packet.bytes + packet.tcp_offset, packet.length - packet.tcp_offset);
    memcpy(packet.bytes + packet.tcp_offset, header, length);
    packet.bytes[packet.ip_offset + 6] = next;
    packet.length += length;
    packet.tcp_offset += length;
    packet.payload_offset += length;
}

static void test_extension_headers(void **state)
{
    static const struct {
        const char *name;
        uint8_t next;          /* what it is */
        uint8_t header[24];
        uint32_t length;
        enum drop_reason verdict;
    } rows[] = {
        {"hop-by-hop, padded", 0, {6, 0, 1, 4}, 8, DROP_NONE},
        {"hop-by-hop, pads of one byte", 0, {6, 0, 0, 0, 0, 0, 0, 0}, 8, DROP_NONE},
        {"destination options", 60, {6, 1, 1, 12}, 16, DROP_NONE},
        {"a router alert", 0, {6, 0, 5, 2, 0, 0, 1, 0}, 8, DROP_NONE},
        {"routing, at its end", 43, {6, 2, 0, 0}, 24, DROP_NONE},
        {"two of them", 0, {60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, 16, DROP_NONE},
        {"routing, not at its end", 43, {6, 2, 0, 1}, 24, DROP_GSO_HEADER},
        {"fragment", 44, {6, 0, 0, 1}, 8, DROP_GSO_HEADER},
        {"authentication", 51, {6, 0}, 8, DROP_GSO_HEADER},
        {"nothing follows", 59, {6, 0}, 8, DROP_GSO_HEADER},
        {"UDP behind it", 0, {17, 0, 1, 4}, 8, DROP_GSO_HEADER},
        {"fragment behind it", 0, {44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 1}, 16, DROP_GSO_HEADER},
        {"jumbo payload", 0, {6, 0, 0xc2, 4}, 8, DROP_GSO_HEADER},
        {"home address", 60, {6, 2, 1, 2, 0, 0, 0xc9, 16}, 24, DROP_GSO_HEADER},
        {"option longer than its header", 0, {6, 0, 1, 5}, 8, DROP_GSO_HEADER},
        {"option without its length", 0, {6, 0, 1, 3, 0, 0, 0, 1}, 8, DROP_GSO_HEADER},
        {"header longer than the head", 0, {6, 255, 1, 4}, 8, DROP_GSO_HEADER},
    };
    (void)state;
    uint64_t random = 4;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        packet_build(&packet, &packets[V6], &random);
        insert_extension(rows[i].next, rows[i].header, rows[i].length);
        packet_view(&packet, FRAME_LENGTH_MAX, &random);
        packet.frame.net = (struct net_header)NET(1, TCPV6, 0, 1400, (uint16_t)packet.tcp_offset, 16, 0);
        enum drop_reason verdict = offload_check(&packet.frame, SENDER_ALL);
        if (verdict != rows[i].verdict)
            fail_msg("%s: %s instead of %s", rows[i].name, drop_reason_name[verdict], drop_reason_name[rows[i].verdict]);
        if (verdict == DROP_NONE)
            assert_int_equal(packet.frame.net.hdr_len, packet.payload_offset);
    }
}

/* Whatever bytes come, a frame that is kept satisfies what a receiver's kernel relies on. */
static void test_random_headers(void **state)
{
    (void)state;
    uint64_t random = 3;
    unsigned kept = 0;
    for (unsigned round = 0; round < 200000; round++) {
        if (round % 64 == 0)
            packet_build(&packet, &packets[round / 64 % 6], &random);
        struct frame *frame = &packet.frame;
        uint16_t tcp = (uint16_t)packet.tcp_offset;
        struct net_header *net = &frame->net;
        net->flags = (uint8_t)random_next(&random);
        net->gso_type = (uint8_t)(random_next(&random) & 0x87);
        net->hdr_len = (uint16_t)random_next(&random);
        net->gso_size = (uint16_t)random_next(&random);
        net->csum_start = tcp;
        net->csum_offset = 16;
        if (random_next(&random) % 2 == 0) {
            net->csum_start = (uint16_t)random_next(&random);
            net->csum_offset = (uint16_t)random_next(&random);
        }
        uint64_t features = SENDER_ALL;
        if (random_next(&random) % 4 == 0)
            features &= random_next(&random);
        if (offload_check(frame, features) != DROP_NONE)
            continue;
        kept++;
        assert_int_equal(net->flags & ~NET_HEADER_F_NEEDS_CSUM, 0);
        if (net->flags == 0)
            assert_int_equal(net->csum_start | net->csum_offset | net->gso_type, 0);
        else
            assert_true(net->csum_start >= 14u && net->csum_start + net->csum_offset + 2u <= frame->length);
        if (net->gso_type == 0)
            assert_int_equal(net->gso_size | net->hdr_len, 0);
        else
            assert_true(net->gso_size >= 8 && net->hdr_len == packet.payload_offset &&
                        net->csum_start == tcp);
    }
    assert_true(kept > 1000);
}

/* Frames of other types, and cut off: the type says where a checksum may stand. */
static void test_checksums_behind_other_types(void **state)
{
    static const struct {
        uint16_t type, first; /* place that is allowed */
    } rows[] = { { 0x88b5, 14 }, { 0x0806, 42 }, { 0x8035, 42 }, { 0x0800, 34 }, { 0x86dd, 54 }, { 0x05ff, 99 } };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned length = FRAME_LENGTH_MIN; length <= 70; length++)
            for (unsigned tags = 0; tags <= 2; tags++)
                for (uint16_t place = 14; place <= length; place++) {
                    struct frame frame = { .length = length, .head_length = (uint16_t)length };
                    struct net_header net = NET(1, 0, 0, 0, 14, (uint16_t)(place - 14), 0);
                    unsigned first = rows[i].first + 4 * tags;

                    for (unsigned tag = 0; tag < tags; tag++)
                        frame_store_be16(frame.head + 12 + 4 * tag, 0x8100);
                    if (12 + 4 * tags + 2 <= length)
                        frame_store_be16(frame.head + 12 + 4 * tags, rows[i].type);
                    frame.net = net;
                    if ((offload_check(&frame, SENDER_ALL) == DROP_NONE) != (place >= first && place + 2u <= length))
                        fail_msg("type 0x%04x, %u tags, %u bytes, checksum at %u", rows[i].type, tags, length, place);
                }
}

static void assert_passes_exactly_with(struct net_header net, uint64_t needed)
{
    struct frame frame = {.net = net};
    static const uint64_t bits[] = {F(GUEST_CSUM), F(GUEST_TSO4), F(GUEST_TSO6), F(GUEST_ECN)};
    assert_true(offload_passes(&frame, RECEIVER_ALL));
    assert_true(offload_passes(&frame, needed));
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(offload_passes(&frame, RECEIVER_ALL & ~bits[i]), !(needed & bits[i]));
}

static void test_what_a_receiver_takes(void **state)
{
    (void)state;
    assert_passes_exactly_with((struct net_header)CLEAN, 0);
    assert_passes_exactly_with((struct net_header)NET(1, 0, 0, 0, 34, 16, 0), F(GUEST_CSUM));
    assert_passes_exactly_with((struct net_header)GSO4(1448), F(GUEST_CSUM) | F(GUEST_TSO4));
    assert_passes_exactly_with((struct net_header)GSO6(1428), F(GUEST_CSUM) | F(GUEST_TSO6));
    assert_passes_exactly_with((struct net_header)NET(1, TCPV4 | ECN, 54, 1448, 34, 16, 0),
                               F(GUEST_CSUM) | F(GUEST_TSO4) | F(GUEST_ECN));
    assert_passes_exactly_with((struct net_header)NET(1, TCPV6 | ECN, 74, 1428, 54, 16, 0),
                               F(GUEST_CSUM) | F(GUEST_TSO6) | F(GUEST_ECN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_header),
        cmocka_unit_test(test_headers_cut_off_anywhere),
        cmocka_unit_test(test_extension_headers),
        cmocka_unit_test(test_random_headers),
        cmocka_unit_test(test_checksums_behind_other_types),
        cmocka_unit_test(test_what_a_receiver_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
