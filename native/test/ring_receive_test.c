/*
 * ring_receive_test.c - rows H43, H44 and H47 and the rules R11, R14 and R15:
 * what lands in a guest's receive buffers, and that a refused frame leaves no
 * trace.
 */
#include <string.h>

#include "load_watch.h"
#include "ring_rig.h"

#define MERGEABLE (RIG_FEATURES | FEATURE(VIRTIO_NET_F_MRG_RXBUF))

/* Posts `count` chains of one buffer each, of `length` bytes, 4096 apart; allows the device to write them. */
static void post(struct ring_rig *rig, uint16_t count, uint32_t length)
{
    for (uint16_t i = 0; i < count; i++) {
        driver_describe(&rig->driver, i, RIG_BUFFERS + 4096ull * i, length, VRING_DESC_F_WRITE, 0);
        driver_offer(&rig->driver, i);
    }
    driver_publish(&rig->driver);
    rig_save(rig);
    for (uint16_t i = 0; i < count; i++)
        guest_ram_allow(&rig->ram, RIG_BUFFERS + 4096ull * i, length);
}

static const struct net_header *header_at(struct ring_rig *rig, uint64_t guest)
{
    return guest_ram_at(&rig->ram, guest, NET_HEADER_SIZE);
}

static void runt_buffers(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < NET_HEADER_SIZE; length++) {
        for (unsigned mergeable = 0; mergeable < 2; mergeable++) {
            struct ring_rig *rig = rig_open(true, 16, mergeable ? MERGEABLE : RIG_FEATURES);

            post(rig, 16, length);
            guest_ram_save(&rig->ram);
            assert_int_equal(rig_deliver(rig, 60, 1), DROP_RX_BROKEN);
            assert_int_equal(rig->ring.fault, RING_FAULT_RUNT_BUFFER);
            assert_int_equal(rig->driver.used->idx, 0);
            assert_int_equal(rig_deliver(rig, 60, 1), DROP_RX_BROKEN);
        }
    }
}

/* One chain of `pieces` descriptors, single bytes first. */
static void split_buffers(void **state)
{
    (void)state;
    for (uint16_t pieces = 1; pieces <= 256; pieces = (uint16_t)(pieces < 16 ? pieces + 1 : pieces * 2)) {
        struct ring_rig *rig = rig_open(true, 256, RIG_FEATURES);
        uint32_t total = 112;
        uint32_t capacity = pieces > 112 ? pieces : total;

        for (uint16_t i = 0; i < pieces; i++) {
            bool last = i + 1 == pieces;

            driver_describe(&rig->driver, i, RIG_BUFFERS + i, last ? capacity - i : 1,
                            last ? VRING_DESC_F_WRITE : VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
                            (uint16_t)(i + 1));
        }
        driver_offer(&rig->driver, 0);
        driver_publish(&rig->driver);
        memset(guest_ram_at(&rig->ram, RIG_BUFFERS, 4096), 0xaa, 4096);
        rig_save(rig);
        guest_ram_allow(&rig->ram, RIG_BUFFERS, total);
        assert_int_equal(rig_deliver(rig, 100, 3), DROP_NONE);
        assert_int_equal(rig->driver.used->idx, 1);
        assert_int_equal(rig->driver.used->ring[0].len, total);
        assert_int_equal(header_at(rig, RIG_BUFFERS)->num_buffers, 1);
        for (uint32_t i = 0; i < 100; i++)
            assert_int_equal(*(uint8_t *)guest_ram_at(&rig->ram, RIG_BUFFERS + 12 + i, 1), rig_pattern(i, 3));
    }
}

static void single_bytes_to_the_limit(void **state)
{
    struct ring_rig *rig = rig_open(true, 32768, RIG_FEATURES);

    (void)state;
    for (uint32_t i = 0; i < 32768; i++)
        driver_describe(&rig->driver, (uint16_t)i, RIG_BUFFERS + i, 1,
                        i < 32767 ? VRING_DESC_F_WRITE | VRING_DESC_F_NEXT : VRING_DESC_F_WRITE,
                        (uint16_t)(i + 1));
    driver_offer(&rig->driver, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
    guest_ram_allow(&rig->ram, RIG_BUFFERS, 32768);
    assert_int_equal(rig_deliver(rig, 32769 - NET_HEADER_SIZE, 3), DROP_RX_NO_ROOM);
    assert_int_equal(rig->driver.used->idx, 0);
    assert_int_equal(rig_deliver(rig, 32768 - NET_HEADER_SIZE, 3), DROP_NONE);
    assert_int_equal(rig->driver.used->ring[0].len, 32768);
}

static void too_few_buffers(void **state)
{
    struct ring_rig *rig = rig_open(true, 16, MERGEABLE);

    (void)state;
    post(rig, 3, 1024);
    guest_ram_save(&rig->ram); /* nothing at all may change */
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(rig_deliver(rig, 3 * 1024 - NET_HEADER_SIZE + 1, 2), DROP_RX_NO_ROOM);
        assert_int_equal(rig->ring.last_avail, 0);
        assert_int_equal(rig->driver.used->idx, 0);
    }
    rig_save(rig);
    for (uint16_t i = 0; i < 3; i++)
        guest_ram_allow(&rig->ram, RIG_BUFFERS + 4096ull * i, 1024);
    /* The same buffers still serve. */
    assert_int_equal(rig_deliver(rig, 3 * 1024 - NET_HEADER_SIZE, 2), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, 3);
    assert_int_equal(rig_deliver(rig, 60, 2), DROP_RX_NO_ROOM);

    rig = rig_open(true, 16, RIG_FEATURES); /* not mergeable: one chain or none */
    post(rig, 16, 1024);
    assert_int_equal(rig_deliver(rig, 1024 - NET_HEADER_SIZE + 1, 2), DROP_RX_NO_ROOM);
    assert_int_equal(rig_deliver(rig, 1024 - NET_HEADER_SIZE, 2), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, 1);
}

static void many_buffers(void **state)
{
    struct ring_rig *rig = rig_open(true, 128, MERGEABLE);

    (void)state;
    post(rig, 128, 100);
    guest_ram_save(&rig->ram);
    assert_int_equal(rig_deliver(rig, RING_DELIVER_CHAINS * 100 - NET_HEADER_SIZE + 1, 2), DROP_RX_NO_ROOM);
    post(rig, 0, 0);
    for (uint16_t i = 0; i < RING_DELIVER_CHAINS; i++)
        guest_ram_allow(&rig->ram, RIG_BUFFERS + 4096ull * i, 100);
    assert_int_equal(rig_deliver(rig, RING_DELIVER_CHAINS * 100 - NET_HEADER_SIZE, 2), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, RING_DELIVER_CHAINS);
}

/* R14: every buffer but the last is full, the count is right, one store publishes all. */
static void merged_lengths(void **state)
{
    (void)state;
    for (uint32_t length = 14; length < 4000; length += 331) {
        struct ring_rig *rig = rig_open(true, 16, MERGEABLE);
        uint32_t total = length + NET_HEADER_SIZE;
        uint16_t buffers = (uint16_t)((total + 299) / 300);

        post(rig, 16, 300);
        assert_int_equal(rig_deliver(rig, length, 6), DROP_NONE);
        assert_int_equal(rig->driver.used->idx, buffers);
        assert_int_equal(header_at(rig, RIG_BUFFERS)->num_buffers, buffers);
        for (uint16_t i = 0; i < buffers; i++) {
            uint32_t expected = i + 1 < buffers ? 300 : total - 300u * i;

            assert_int_equal(rig->driver.used->ring[i].id, i);
            assert_int_equal(rig->driver.used->ring[i].len, expected);
        }
        for (uint32_t i = 0; i < length; i++) {
            uint32_t at = i + NET_HEADER_SIZE;
            uint64_t guest = RIG_BUFFERS + 4096ull * (at / 300) + at % 300;

            assert_int_equal(*(uint8_t *)guest_ram_at(&rig->ram, guest, 1), rig_pattern(i, 6));
        }
    }
}

static void not_published_before(void **state)
{
    struct ring_rig *rig = rig_open(true, 16, MERGEABLE);
    uint8_t bytes[100] = { 0 };
    struct frame frame = { .length = 100, .head_length = 100, .segments = NULL };

    (void)state;
    memcpy(frame.head, bytes, sizeof bytes);
    post(rig, 16, 300);
    assert_int_equal(ring_deliver(&rig->ring, &frame, rig->scratch), DROP_NONE);
    assert_int_equal(ring_deliver(&rig->ring, &frame, rig->scratch), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, 0);
    ring_publish(&rig->ring);
    assert_int_equal(rig->driver.used->idx, 2);
    assert_true(ring_notify(&rig->ring));
}

static void shared_buffers(void **state)
{
    struct ring_rig *rig = rig_open(true, 16, MERGEABLE);

    (void)state;
    for (uint16_t i = 0; i < 16; i++) { /* all the same buffer; the last one is the ring's own tables */
        driver_describe(&rig->driver, i, RIG_BUFFERS, 300, VRING_DESC_F_WRITE, 0);
        driver_offer(&rig->driver, i);
    }
    driver_describe(&rig->driver, 15, rig->driver.desc_guest, 256, VRING_DESC_F_WRITE, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
    guest_ram_allow(&rig->ram, RIG_BUFFERS, 300);
    guest_ram_allow(&rig->ram, rig->driver.desc_guest, 256);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rig_deliver(rig, 1400, 6), DROP_NONE);
    assert_int_equal(rig_deliver(rig, 230, 6), DROP_NONE);
    rig_check_untouched(rig);
}

static void one_load_each(void **state)
{
    static const struct vring_desc evil = { 0xdead0000, UINT32_MAX, VRING_DESC_F_NEXT, 9999 };
    struct ring_rig *rig = rig_open(true, 16, MERGEABLE);

    (void)state;
    post(rig, 16, 300);
    load_watch_start();
    for (unsigned i = 0; i < 5; i++)
        load_watch_flip(&rig->driver.desc[i], &evil, sizeof evil);
    guest_ram_allow(&rig->ram, rig->driver.desc_guest, 256); /* changed by the guest itself */
    assert_int_equal(rig_deliver(rig, 1400, 6), DROP_NONE);
    load_watch_stop();
    assert_int_equal(load_watch_flipped(), 5);
    load_watch_check_once();
    assert_int_equal(rig->driver.used->idx, 5);
    assert_int_equal(rig->driver.used->ring[4].len, 1412 - 4 * 300);
}

/* A header in 12 pieces, then empty descriptors over the whole ring: legal, endless work if walked 64 times a frame. */
static void post_empty_chains(struct ring_rig *rig)
{
    uint16_t size = rig->driver.options.size;

    for (uint16_t i = 0; i < size; i++)
        driver_describe(&rig->driver, i, RIG_BUFFERS + i, i < NET_HEADER_SIZE ? 1 : 0,
                        (uint16_t)(VRING_DESC_F_WRITE | (i + 1 < size ? VRING_DESC_F_NEXT : 0)), (uint16_t)(i + 1));
    for (uint16_t i = 0; i < size; i++)
        driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
}

static void bounded_descriptors(void **state)
{
    struct ring_rig *rig = rig_open(true, 256, MERGEABLE);

    (void)state;
    post_empty_chains(rig);
    load_watch_start();
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_RX_NO_ROOM);
    load_watch_stop();
    assert_true(load_watch_count(rig->driver.desc, 16u * 256) <= RING_DELIVER_DESCRIPTORS + 256 + BURST_MAX);
    assert_int_equal(rig->ring.last_avail, 0);
}

static void not_tried_in_vain(void **state)
{
    struct ring_rig *rig = rig_open(true, 256, MERGEABLE);

    (void)state;
    post_empty_chains(rig);
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_RX_NO_ROOM);
    load_watch_start();
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_RX_NO_ROOM);
    assert_int_equal(rig_deliver(rig, 2000, 1), DROP_RX_NO_ROOM);
    load_watch_stop();
    assert_int_equal(load_watch_count(rig->driver.desc, 16u * 256), 0);

    rig = rig_open(true, 256, MERGEABLE); /* too few buffers: a new one makes it fit */
    post(rig, 1, 512);
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_RX_NO_ROOM);
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_RX_NO_ROOM);
    assert_int_equal(rig_deliver(rig, 100, 1), DROP_NONE); /* a smaller one fits meanwhile */
    post(rig, 2, 1024);
    assert_int_equal(rig_deliver(rig, 1000, 1), DROP_NONE);
}

/* A frame may need more chains than are read ahead: what comes behind those is checked alike. */
static void beyond_the_window(void **state)
{
    struct ring_rig *rig = rig_open(true, 128, MERGEABLE);

    (void)state;
    post(rig, 40, 100);
    guest_ram_save(&rig->ram);
    assert_int_equal(rig_deliver(rig, 40 * 100 - NET_HEADER_SIZE + 1, 2), DROP_RX_NO_ROOM); /* the 41st is not there */
    post(rig, 0, 0);
    for (uint16_t i = 0; i < 40; i++)
        guest_ram_allow(&rig->ram, RIG_BUFFERS + 4096ull * i, 100);
    assert_int_equal(rig_deliver(rig, 40 * 100 - NET_HEADER_SIZE, 2), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, 40);

    for (unsigned bad = BURST_MAX - 1; bad <= BURST_MAX + 1; bad++) { /* the last one read ahead, and the two behind it */
        rig = rig_open(true, 128, MERGEABLE);
        post(rig, 40, 100);
        rig->driver.avail->ring[bad] = 128;
        guest_ram_save(&rig->ram);
        assert_int_equal(rig_deliver(rig, 3900, 2), DROP_RX_BROKEN);
        assert_int_equal(rig->ring.fault, RING_FAULT_HEAD);
        assert_int_equal(rig->driver.used->idx, 0);
    }
}

/* Each descriptor lies over a border and makes two segments: more than there is room for. */
static void cut_at_a_border(void **state)
{
    struct ring_rig *rig = rig_open(true, 32768, RIG_FEATURES);

    (void)state;
    for (uint32_t i = 0; i < 32768; i++)
        driver_describe(&rig->driver, (uint16_t)i, RIG_B - 1, 2,
                        i < 32767 ? VRING_DESC_F_WRITE | VRING_DESC_F_NEXT : VRING_DESC_F_WRITE, (uint16_t)(i + 1));
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
    assert_int_equal(rig_deliver(rig, 60000, 3), DROP_RX_NO_ROOM); /* 65536 bytes are there, in 65536 segments */
    guest_ram_allow(&rig->ram, RIG_B - 1, 2);
    assert_int_equal(rig_deliver(rig, 30000, 3), DROP_NONE);

    rig = rig_open(false, 32768, RIG_FEATURES); /* sent: dropped, not cut short */
    for (uint32_t i = 0; i < 32768; i++)
        driver_describe(&rig->driver, (uint16_t)i, RIG_B - 1, 2, i < 32767 ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1));
    driver_offer(&rig->driver, 0);
    assert_int_equal(rig_take(rig), 1);
    assert_int_equal(rig->burst.frames[0].drop, DROP_TOO_BIG);
    rig_complete(rig);
}

/* A frame without room, and what the guest does then. avail idx is looked at once for each frame (R1). */
static void short_of_buffers(void **state)
{
    for (unsigned kind = 0; kind < 3; kind++) {
        struct ring_rig *rig = rig_open(true, 16, MERGEABLE);

        (void)state;
        post(rig, 2, 100);
        assert_int_equal(rig_deliver(rig, 500, 1), DROP_RX_NO_ROOM);
        assert_int_equal(rig_deliver(rig, 500, 1), DROP_RX_NO_ROOM);
        load_watch_start();
        if (kind == 0) { /* one more, which is not enough */
            driver_describe(&rig->driver, 2, RIG_BUFFERS + 0x8000, 100, VRING_DESC_F_WRITE, 0);
            driver_offer(&rig->driver, 2);
            driver_publish(&rig->driver);
            rig_save(rig);
            assert_int_equal(rig_deliver(rig, 500, 1), DROP_RX_NO_ROOM);
        } else if (kind == 1) { /* one more, which is */
            driver_describe(&rig->driver, 2, RIG_BUFFERS + 0x8000, 400, VRING_DESC_F_WRITE, 0);
            driver_offer(&rig->driver, 2);
            driver_publish(&rig->driver);
            rig_save(rig);
            for (unsigned i = 0; i < 3; i++)
                guest_ram_allow(&rig->ram, RIG_BUFFERS + (i < 2 ? 4096ull * i : 0x8000), 400);
            assert_int_equal(rig_deliver(rig, 500, 1), DROP_NONE);
            assert_int_equal(rig->driver.used->idx, 3);
        } else { /* an index out of this world */
            rig->driver.avail->idx = 40000;
            guest_ram_save(&rig->ram);
            assert_int_equal(rig_deliver(rig, 500, 1), DROP_RX_BROKEN);
            assert_int_equal(rig->ring.fault, RING_FAULT_AVAIL_INDEX);
        }
        load_watch_stop();
        assert_int_equal(load_watch_count(&rig->driver.avail->idx, 2), 1);
    }
}

/* VIRTIO_F_IN_ORDER (VIRTIO 1.2, 2.7.9) is offered: also around frames of several buffers and refused ones. */
static void used_in_the_order_of_avail(void **state)
{
    static const uint16_t order[] = { 5, 2, 7, 0, 3, 6, 1, 4 };
    static const uint32_t lengths[] = { 60, 300, 5000, 60, 200 }; /* 1, 3, refused, 1 and 2 buffers of 128 */
    struct ring_rig *rig = rig_open(true, 8, MERGEABLE);
    unsigned landed = 0;

    (void)state;
    for (uint16_t i = 0; i < 8; i++) {
        driver_describe(&rig->driver, i, RIG_BUFFERS + 4096ull * i, 128, VRING_DESC_F_WRITE, 0);
        driver_offer(&rig->driver, order[i]);
    }
    driver_publish(&rig->driver);
    rig_save(rig);
    for (uint16_t i = 0; i < 8; i++)
        guest_ram_allow(&rig->ram, RIG_BUFFERS + 4096ull * i, 128);
    for (uint8_t i = 0; i < 5; i++)
        landed += rig_deliver(rig, lengths[i], i) == DROP_NONE;
    assert_int_equal(landed, 4);
    assert_int_equal(rig->driver.used->idx, 7);
    for (uint16_t i = 0; i < 7; i++)
        assert_int_equal(rig->driver.used->ring[i].id, order[i]);
}

/* What a frame asks of its receiver goes to one that negotiated it only; the rest is for others to complete first. */
static void asked_of_who_takes_it(void **state)
{
    (void)state;
    static const struct {
        uint64_t features;
        uint8_t flags, gso_type;
        unsigned plain; /* frames of the one that are delivered */
    } cases[] = {
        { 0, 0, 0, 1 },
        { 0, NET_HEADER_F_NEEDS_CSUM, 0, 0 },
        { FEATURE(VIRTIO_NET_F_GUEST_CSUM), NET_HEADER_F_NEEDS_CSUM, 0, 1 },
        { FEATURE(VIRTIO_NET_F_GUEST_CSUM), NET_HEADER_F_NEEDS_CSUM | 2, 0, 0 },
        { FEATURE(VIRTIO_NET_F_GUEST_CSUM), NET_HEADER_F_NEEDS_CSUM, NET_HEADER_GSO_TCPV4, 0 },
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ring_rig *rig = rig_open(true, 16, MERGEABLE | cases[i].features);
        struct frame frame = { .length = 60, .head_length = 60 }, *frames[] = { &frame };
        uint64_t bytes = 0;

        frame.net = (struct net_header){ .flags = cases[i].flags, .gso_type = cases[i].gso_type,
                                         .csum_start = cases[i].flags != 0 ? 34 : 0 };
        post(rig, 16, 2048);
        ring_expect(&rig->ring, 1);
        assert_int_equal(ring_deliver_plain(&rig->ring, frames, 1, 1518, &bytes), cases[i].plain);
        ring_publish(&rig->ring);
        assert_int_equal(rig->driver.used->idx, cases[i].plain);
        if (cases[i].plain == 0)
            continue;
        const struct net_header *net = header_at(rig, RIG_BUFFERS);

        assert_int_equal(net->flags, cases[i].flags);
        assert_int_equal(net->csum_start, cases[i].flags != 0 ? 34 : 0);
        assert_int_equal(net->num_buffers, 1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("H43 receive chain shorter than a net header", runt_buffers),
        ROW("H43 header split over descriptors", split_buffers),
        ROW("H43 single-byte descriptors up to the queue size", single_bytes_to_the_limit),
        ROW("H44 too few buffers: dropped, none consumed", too_few_buffers),
        ROW("H44 no more than 64 buffers for a frame", many_buffers),
        ROW("H47 the same buffer many times, and the ring itself", shared_buffers),
        ROW("R12 what a frame asks goes to who takes it", asked_of_who_takes_it),
        ROW("R14 merged buffers are filled in order", merged_lengths),
        ROW("R14 buffers are used in the order of the avail ring", used_in_the_order_of_avail),
        ROW("R14 nothing is visible before it is published", not_published_before),
        ROW("R1 each descriptor is loaded once to receive", one_load_each),
        ROW("R28 the descriptors walked for one frame are limited", bounded_descriptors),
        ROW("H44 H4 buffers beyond those that are read ahead", beyond_the_window),
        ROW("H44 R1 short of buffers, and then more, or a wrong index", short_of_buffers),
        ROW("H43 R15 a chain cut at borders into more pieces than fit", cut_at_a_border),
        ROW("R28 a frame that found no room is not tried in vain again", not_tried_in_vain),
    };
    int failed = cmocka_run_group_tests_name("ring receive", tests, NULL, NULL);

    rig_close();
    return failed;
}
