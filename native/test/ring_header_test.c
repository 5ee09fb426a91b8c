/*
 * ring_header_test.c - rows H31 to H38 and H56: the net header and the frame
 * behind it, as ring_take() and offload_check() see them.
 */
#include <string.h>

#include "load_watch.h"
#include "packet.h"
#include "ring_rig.h"
#include "switch/offload.h"

#define ALL_OFFLOADS                                                                           \
    (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_HOST_TSO6))

static void runts(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    for (uint32_t total = 0; total <= NET_HEADER_SIZE + FRAME_LENGTH_MIN + 2; total++) {
        bool runt = total < NET_HEADER_SIZE + FRAME_LENGTH_MIN;

        rig_put_frame(rig, RIG_BUFFERS, 60, 1);
        driver_describe(&rig->driver, 0, RIG_BUFFERS, total, 0, 0);
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        assert_int_equal(rig->burst.frames[0].drop, runt ? DROP_RUNT : DROP_NONE);
        if (!runt)
            rig_check_frame(&rig->burst.frames[0], total - NET_HEADER_SIZE, 1);
        rig_complete(rig);
        assert_true(ring_usable(&rig->ring));
    }
}

static void header_in_pieces(void **state)
{
    (void)state;
    for (uint16_t pieces = 1; pieces <= 13; pieces++) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

        rig_put_frame(rig, RIG_BUFFERS, 200, pieces);
        ((uint8_t *)guest_ram_at(&rig->ram, RIG_BUFFERS, 12))[6] = 0x22; /* csum_start */
        for (uint16_t i = 0; i < pieces; i++) { /* single bytes, the last takes the rest */
            bool last = i + 1 == pieces;

            driver_describe(&rig->driver, i, RIG_BUFFERS + i, last ? 212u - i : 1,
                            last ? 0 : VRING_DESC_F_NEXT, (uint16_t)(i + 1));
        }
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        rig_check_frame(&rig->burst.frames[0], 200, (uint8_t)pieces);
        assert_int_equal(rig->burst.frames[0].net.csum_start, 0x22);
        rig_complete(rig);
    }
}

static enum drop_reason check(const uint8_t *bytes, uint32_t length, struct net_header *net,
                              uint64_t features)
{
    struct frame frame = { .net = *net, .length = length };
    struct segment rest = { NULL, 0 };
    enum drop_reason reason;

    frame.head_length = (uint16_t)(length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX);
    memcpy(frame.head, bytes, frame.head_length);
    rest = (struct segment){ (uint8_t *)bytes + frame.head_length, length - frame.head_length };
    frame.segments = &rest;
    frame.segment_count = rest.length ? 1 : 0;
    reason = offload_check(&frame, features);
    *net = frame.net;
    return reason;
}

static void checksum_places(void **state)
{
    static const struct { uint16_t start, offset; bool good; } places[] = {
        { 34, 16, true },      { 0, 16, false },     { 13, 16, false },        { 14, 20, true },
        { 14, 12, false },     { 1012, 0, true },     { 1013, 0, false },   { 1012, 1, false },       { 34, 978, true },
        { 34, 979, false },    { 34, 2000, false },  { 1014, 0, false },       { 2000, 0, false },
        { 65535, 1, false },   { 34, 65535, false }, { 65535, 65535, false },  { 65534, 2, false },
        { 65520, 50, false },
    };
    uint8_t bytes[1014], to[6], from[6];

    (void)state;
    packet_mac(to, 1);
    packet_mac(from, 2);
    packet_plain(bytes, sizeof bytes, to, from, 0x0800, 1);
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct net_header net = { .flags = NET_HEADER_F_NEEDS_CSUM, .csum_start = places[i].start,
                                  .csum_offset = places[i].offset };
        enum drop_reason reason = check(bytes, sizeof bytes, &net, ALL_OFFLOADS);

        if ((reason == DROP_NONE) != places[i].good)
            fail_msg("start %u offset %u: %s", places[i].start, places[i].offset, drop_reason_name[reason]);
        if (!places[i].good)
            assert_int_equal(reason, DROP_CSUM_HEADER);
    }
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) { /* without the flag nobody looks */
        struct net_header net = { .csum_start = places[i].start, .csum_offset = places[i].offset };

        assert_int_equal(check(bytes, sizeof bytes, &net, ALL_OFFLOADS), DROP_NONE);
        assert_int_equal(net.flags, 0);
    }
}

static void checksum_not_negotiated(void **state)
{
    uint8_t bytes[2000], to[6], from[6];
    struct net_header net;
    uint32_t length;

    (void)state;
    packet_mac(to, 1);
    packet_mac(from, 2);
    length = packet_tcp(bytes, to, from, false, 500, 0, &net);
    assert_int_equal(check(bytes, length, &net, 0), DROP_CSUM_HEADER);
    assert_int_equal(check(bytes, length, &net, FEATURE(VIRTIO_NET_F_HOST_TSO4)), DROP_CSUM_HEADER);
    assert_int_equal(check(bytes, length, &net, FEATURE(VIRTIO_NET_F_CSUM)), DROP_NONE);
}

/* One TSO frame with one thing changed. */
static enum drop_reason segmented(bool ipv6, void (*change)(struct net_header *net, uint8_t *bytes),
                                  uint64_t features, struct net_header *result)
{
    static uint8_t bytes[FRAME_LENGTH_MAX];
    uint8_t to[6], from[6];
    enum drop_reason reason;
    uint32_t length;

    packet_mac(to, 1);
    packet_mac(from, 2);
    length = packet_tcp(bytes, to, from, ipv6, 9000, 1448, result);
    if (change)
        change(result, bytes);
    reason = check(bytes, length, result, features);
    return reason;
}

static void unknown_type(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_type = 2; }
static void udp_type(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_type = 3; }
static void both_types(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_type = 5; }
static void only_ecn(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_type = 0x80; }
static void with_ecn(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_type |= 0x80; }
static void size_0(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_size = 0; }
static void size_1(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_size = 1; }
static void size_max(struct net_header *net, uint8_t *bytes) { (void)bytes; net->gso_size = 65535; }
static void no_checksum(struct net_header *net, uint8_t *bytes) { (void)bytes; net->flags = 0; }
static void other_checksum(struct net_header *net, uint8_t *bytes) { (void)bytes; net->csum_offset = 6; }
static void header_0(struct net_header *net, uint8_t *bytes) { (void)bytes; net->hdr_len = 0; }
static void header_max(struct net_header *net, uint8_t *bytes) { (void)bytes; net->hdr_len = 65535; }
static void arp_frame(struct net_header *net, uint8_t *bytes) { (void)net; bytes[13] = 0x06; }
static void ipv6_frame(struct net_header *n, uint8_t *bytes) { (void)n; bytes[12] = 0x86; bytes[13] = 0xdd; }
static void udp_frame(struct net_header *net, uint8_t *bytes) { (void)net; bytes[23] = 17; }
static void fragment(struct net_header *net, uint8_t *bytes) { (void)net; bytes[20] = 0x20; }
static void tiny_ip(struct net_header *net, uint8_t *bytes) { (void)net; bytes[14] = 0x44; }
static void tiny_tcp(struct net_header *net, uint8_t *bytes) { (void)net; bytes[46] = 0x40; }

static void bad_segmentation(void **state)
{
    static void (*const bad[])(struct net_header *, uint8_t *) = {
        unknown_type, udp_type, both_types, only_ecn, with_ecn, size_0, size_1, size_max, no_checksum,
        other_checksum, arp_frame, ipv6_frame, udp_frame, fragment, tiny_ip, tiny_tcp,
    };
    struct net_header net;

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum drop_reason reason = segmented(false, bad[i], ALL_OFFLOADS, &net);

        if (reason != DROP_GSO_HEADER && reason != DROP_CSUM_HEADER)
            fail_msg("change %u: %s", i, drop_reason_name[reason]);
    }
    assert_int_equal(segmented(false, NULL, ALL_OFFLOADS, &net), DROP_NONE);
    assert_int_equal(net.gso_size, 1448);
    assert_int_equal(segmented(true, NULL, ALL_OFFLOADS, &net), DROP_NONE);
    assert_int_equal(segmented(false, NULL, FEATURE(VIRTIO_NET_F_CSUM), &net), DROP_GSO_HEADER);
    assert_int_equal(segmented(false, NULL, ALL_OFFLOADS & ~FEATURE(VIRTIO_NET_F_HOST_TSO4), &net),
                     DROP_GSO_HEADER);
    assert_int_equal(segmented(true, NULL, ALL_OFFLOADS & ~FEATURE(VIRTIO_NET_F_HOST_TSO6), &net),
                     DROP_GSO_HEADER);
    assert_int_equal(segmented(false, with_ecn, ALL_OFFLOADS | FEATURE(VIRTIO_NET_F_HOST_ECN), &net),
                     DROP_NONE);
    /* hdr_len is a hint that nobody believes. */
    assert_int_equal(segmented(false, header_0, ALL_OFFLOADS, &net), DROP_NONE);
    assert_int_equal(net.hdr_len, PACKET_TCP4);
    assert_int_equal(segmented(false, header_max, ALL_OFFLOADS, &net), DROP_NONE);
    assert_int_equal(net.hdr_len, PACKET_TCP4);
}

static void stray_fields(void **state)
{
    uint8_t bytes[100], to[6], from[6];
    struct net_header net = { .flags = 0xfe, .num_buffers = 777, .hdr_len = 999, .gso_size = 5 };

    (void)state;
    packet_mac(to, 1);
    packet_mac(from, 2);
    packet_plain(bytes, sizeof bytes, to, from, 0x0800, 1);
    assert_int_equal(check(bytes, sizeof bytes, &net, 0), DROP_NONE);
    assert_memory_equal(&net, &(struct net_header){ 0 }, sizeof net); /* nothing of it reaches a receiver */
    net = (struct net_header){ .flags = 0xff, .csum_start = 34, .csum_offset = 2, .num_buffers = 65535 };
    assert_int_equal(check(bytes, sizeof bytes, &net, ALL_OFFLOADS), DROP_NONE);
    assert_int_equal(net.flags, NET_HEADER_F_NEEDS_CSUM);
    assert_int_equal(net.num_buffers, 0);
}

/* Takes a frame of 300 bytes whose bytes [from, to) change right behind their first load. */
static struct frame *take_flipping(uint64_t from, uint32_t length)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
    uint8_t evil[64];

    memset(evil, 0xee, sizeof evil);
    rig_put_frame(rig, RIG_BUFFERS, 300, 5);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 30, VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_BUFFERS + 30, 282, 0, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    load_watch_start();
    load_watch_flip(guest_ram_at(&rig->ram, from, length), evil, length);
    assert_int_equal(ring_take(&rig->ring, &rig->burst), 1);
    assert_int_equal(offload_check(&rig->burst.frames[0], ALL_OFFLOADS), DROP_NONE);
    load_watch_stop();
    assert_int_equal(load_watch_flipped(), 1);
    load_watch_check_once();
    rig_check_frame(&rig->burst.frames[0], 300, 5);
    return &rig->burst.frames[0];
}

static void header_changes(void **state)
{
    struct frame *frame;

    (void)state;
    frame = take_flipping(RIG_BUFFERS, NET_HEADER_SIZE);
    assert_memory_equal(&frame->net, &(struct net_header){ 0 }, sizeof frame->net);
}

static void addresses_change(void **state)
{
    struct frame *frame;

    (void)state;
    frame = take_flipping(RIG_BUFFERS + NET_HEADER_SIZE, 18); /* both MACs, type and VLAN tag */
    assert_int_equal(frame->head[6], rig_pattern(6, 5));
    take_flipping(RIG_BUFFERS + NET_HEADER_SIZE + FRAME_HEAD_MAX - 30, 30); /* to the end of the head */
}

static void legacy_header(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, 0);

    (void)state;
    assert_int_equal(rig->ring.header_size, NET_HEADER_LEGACY_SIZE);
    rig_put_frame(rig, RIG_BUFFERS, 400, 5);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 410, 0, 0);
    driver_offer(&rig->driver, 0);
    assert_int_equal(rig_take(rig), 1);
    rig_check_frame(&rig->burst.frames[0], 400, 5);
    rig_complete(rig);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, NET_HEADER_LEGACY_SIZE + FRAME_LENGTH_MIN - 1, 0, 0);
    driver_offer(&rig->driver, 0);
    assert_int_equal(rig_take(rig), 1);
    assert_int_equal(rig->burst.frames[0].drop, DROP_RUNT);
    rig_complete(rig);

    rig = rig_open(true, 16, 0);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 110, VRING_DESC_F_WRITE, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    memset(guest_ram_at(&rig->ram, RIG_BUFFERS, 110), 0xaa, 110);
    rig_save(rig);
    guest_ram_allow(&rig->ram, RIG_BUFFERS, 110);
    assert_int_equal(rig_deliver(rig, 100, 5), DROP_NONE);
    assert_int_equal(*(uint8_t *)guest_ram_at(&rig->ram, RIG_BUFFERS + 10, 1), rig_pattern(0, 5));
    assert_int_equal(rig_open(true, 16, FEATURE(VIRTIO_NET_F_MRG_RXBUF))->ring.header_size, NET_HEADER_SIZE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("H31 shorter than a net header and an Ethernet header", runts),
        ROW("H32 header split over single bytes, header and data in one", header_in_pieces),
        ROW("H33 places of the checksum", checksum_places),
        ROW("H34 checksum request without negotiation", checksum_not_negotiated),
        ROW("H35 bad segmentation requests", bad_segmentation),
        ROW("H36 unknown flag bits and num_buffers when sent", stray_fields),
        ROW("H37 header changes behind the first load", header_changes),
        ROW("H38 addresses and VLAN tag change behind the first load", addresses_change),
        ROW("H56 legacy driver: header of 10 bytes", legacy_header),
    };
    int failed = cmocka_run_group_tests_name("ring headers", tests, NULL, NULL);

    rig_close();
    return failed;
}
