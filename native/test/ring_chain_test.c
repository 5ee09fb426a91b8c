/*
 * ring_chain_test.c - rows H10 to H25: descriptor chains, direct and indirect.
 */
#include <string.h>

#include "load_watch.h"
#include "ring_rig.h"

#define TABLE (RIG_BUFFERS + 0x80000) /* indirect tables */

static struct vring_desc *table_at(struct ring_rig *rig, uint64_t guest, uint32_t entries)
{
    struct vring_desc *table = guest_ram_at(&rig->ram, guest, 16ull * entries);

    assert_non_null(table);
    return table;
}

/* Writes one descriptor, however the table is aligned. */
static void entry(struct vring_desc *table, uint16_t index, uint64_t addr, uint32_t length, uint16_t flags,
                  uint16_t next)
{
    struct vring_desc desc = { addr, length, flags, next };

    memcpy((char *)table + 16u * index, &desc, sizeof desc);
}

/* A frame over an indirect table: a byte for each descriptor, the last takes the rest. */
static void fill_table(struct ring_rig *rig, uint64_t guest, uint32_t entries, uint32_t length, uint8_t seed)
{
    uint32_t total = NET_HEADER_SIZE + length;

    rig_put_frame(rig, RIG_BUFFERS, length, seed);
    for (uint32_t i = 0; i < entries; i++) {
        struct vring_desc desc = { RIG_BUFFERS + i, i + 1 < entries ? 1 : total - i,
                                   i + 1 < entries ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1) };
        for (unsigned b = 0; b < 16; b++)
            *(uint8_t *)guest_ram_at(&rig->ram, guest + 16 * i + b, 1) = ((uint8_t *)&desc)[b];
    }
}

static void take_one(struct ring_rig *rig, uint32_t length, uint8_t seed)
{
    assert_int_equal(rig_take(rig), 1);
    rig_check_frame(&rig->burst.frames[0], length, seed);
    rig_complete(rig);
    assert_true(ring_usable(&rig->ring));
}

static void loops(void **state)
{
    struct ring_rig *rig;

    (void)state;
    rig = rig_open(false, 16, RIG_FEATURES);
    driver_describe(&rig->driver, 4, RIG_BUFFERS, 100, VRING_DESC_F_NEXT, 4);
    driver_offer(&rig->driver, 4);
    load_watch_start();
    rig_expect_broken(rig, RING_FAULT_CHAIN_LENGTH);
    load_watch_stop();
    assert_in_range(load_watch_count(&rig->driver.desc[4], 16), 1, 17); /* size steps, not more */

    rig = rig_open(false, 16, RIG_FEATURES);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 100, VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_BUFFERS, 0, VRING_DESC_F_NEXT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_CHAIN_LENGTH);

    rig = rig_open(false, 16, RIG_FEATURES);
    entry(table_at(rig, TABLE, 4), 0, RIG_BUFFERS, 10, VRING_DESC_F_NEXT, 1);
    entry(table_at(rig, TABLE, 4), 1, RIG_BUFFERS, 10, VRING_DESC_F_NEXT, 0);
    driver_describe(&rig->driver, 0, TABLE, 64, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_CHAIN_LENGTH);
}

static void next_out_of_range(void **state)
{
    static const uint16_t nexts[] = { 16, 17, 32768, 65535 };
    struct ring_rig *rig;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        rig = rig_open(false, 16, RIG_FEATURES);
        driver_describe(&rig->driver, 2, RIG_BUFFERS, 100, VRING_DESC_F_NEXT, nexts[i]);
        driver_offer(&rig->driver, 2);
        rig_expect_broken(rig, RING_FAULT_NEXT);

        rig = rig_open(false, 16, RIG_FEATURES); /* in range for the ring, not for the table */
        entry(table_at(rig, TABLE, 4), 0, RIG_BUFFERS, 10, VRING_DESC_F_NEXT, (uint16_t)(nexts[i] / 4));
        driver_describe(&rig->driver, 0, TABLE, 64, VRING_DESC_F_INDIRECT, 0);
        driver_offer(&rig->driver, 0);
        rig_expect_broken(rig, RING_FAULT_NEXT);
    }
}

static void full_chain(void **state)
{
    static const uint16_t sizes[] = { 1, 2, 16, 256, 32768 };

    (void)state;
    for (unsigned s = 0; s < 5; s++) {
        uint16_t size = sizes[s];
        struct ring_rig *rig = rig_open(false, size, RIG_FEATURES);
        uint32_t length = 60000;

        rig_put_frame(rig, RIG_BUFFERS, length, 9);
        for (uint32_t i = 0; i < size; i++) {
            bool last = i + 1u == size;

            driver_describe(&rig->driver, (uint16_t)i, RIG_BUFFERS + i,
                            last ? NET_HEADER_SIZE + length - i : 1, last ? 0 : VRING_DESC_F_NEXT,
                            last ? 0 : (uint16_t)(i + 1));
        }
        driver_offer(&rig->driver, 0);
        take_one(rig, length, 9);

        /* One more than the ring has: the last goes on into the first. */
        driver_describe(&rig->driver, (uint16_t)(size - 1), RIG_BUFFERS, 1, VRING_DESC_F_NEXT, 0);
        driver_offer(&rig->driver, 0);
        rig_expect_broken(rig, RING_FAULT_CHAIN_LENGTH);
    }
}

static void indirect_not_negotiated(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, FEATURE(VIRTIO_F_VERSION_1));

    (void)state;
    fill_table(rig, TABLE, 1, 60, 1);
    driver_describe(&rig->driver, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_INDIRECT_FEATURE);
}

static void indirect_lengths(void **state)
{
    static const uint32_t bad[] = { 0, 1, 15, 17, 16 * 17, UINT32_MAX - 15, UINT32_MAX };
    struct ring_rig *rig;

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig = rig_open(false, 16, RIG_FEATURES);
        fill_table(rig, TABLE, 16, 60, 1);
        driver_describe(&rig->driver, 0, TABLE, bad[i], VRING_DESC_F_INDIRECT, 0);
        driver_offer(&rig->driver, 0);
        rig_expect_broken(rig, RING_FAULT_INDIRECT_SIZE);
    }
    rig = rig_open(false, 16, RIG_FEATURES);
    fill_table(rig, TABLE, 16, 60, 1);
    driver_describe(&rig->driver, 0, TABLE, 16 * 16, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, 60, 1);
}

static void nested_and_next(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    entry(table_at(rig, TABLE, 2), 0, TABLE + 64, 16, VRING_DESC_F_INDIRECT, 0);
    fill_table(rig, TABLE + 64, 1, 60, 1);
    driver_describe(&rig->driver, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_INDIRECT_NESTED);

    rig = rig_open(false, 16, RIG_FEATURES);
    fill_table(rig, TABLE, 1, 60, 1);
    driver_describe(&rig->driver, 0, TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_BUFFERS, 60, 0, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_INDIRECT_NEXT);
}

static void write_on_indirect(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    fill_table(rig, TABLE, 3, 60, 1);
    driver_describe(&rig->driver, 0, TABLE, 48, VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, 60, 1);

    rig = rig_open(true, 16, RIG_FEATURES); /* and without it on a receive ring */
    entry(table_at(rig, TABLE, 1), 0, RIG_BUFFERS, 200, VRING_DESC_F_WRITE, 0);
    driver_describe(&rig->driver, 0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
    guest_ram_allow(&rig->ram, RIG_BUFFERS, NET_HEADER_SIZE + 60);
    assert_int_equal(rig_deliver(rig, 60, 5), DROP_NONE);
}

static void direct_then_indirect(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    rig_put_frame(rig, RIG_BUFFERS, 300, 3);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 12, VRING_DESC_F_NEXT, 5);
    driver_describe(&rig->driver, 5, RIG_BUFFERS + 12, 100, VRING_DESC_F_NEXT, 2);
    driver_describe(&rig->driver, 2, TABLE, 32, VRING_DESC_F_INDIRECT, 0);
    entry(table_at(rig, TABLE, 2), 0, RIG_BUFFERS + 112, 150, VRING_DESC_F_NEXT, 1);
    entry(table_at(rig, TABLE, 2), 1, RIG_BUFFERS + 262, 50, 0, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, 300, 3);
}

static void table_anywhere(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    for (uint64_t shift = 0; shift < 16; shift++) {
        fill_table(rig, TABLE + shift, 5, 60, (uint8_t)shift);
        driver_describe(&rig->driver, 0, TABLE + shift, 80, VRING_DESC_F_INDIRECT, 0);
        driver_offer(&rig->driver, 0);
        take_one(rig, 60, (uint8_t)shift);
    }
    for (uint64_t before = 1; before < 80; before++) { /* bytes of the table that are still in A */
        fill_table(rig, RIG_B - before, 5, 60, (uint8_t)before);
        driver_describe(&rig->driver, 0, RIG_B - before, 80, VRING_DESC_F_INDIRECT, 0);
        driver_offer(&rig->driver, 0);
        take_one(rig, 60, (uint8_t)before);
    }
    fill_table(rig, RIG_C_END - 80, 5, 60, 77); /* ends with the region */
    driver_describe(&rig->driver, 0, RIG_C_END - 80, 80, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, 60, 77);
    driver_describe(&rig->driver, 0, RIG_C_END - 8, 80, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_ADDRESS);
}

/* Tables in memory that the device itself writes. */
static void table_in_the_way(void **state)
{
    struct ring_rig *rig = rig_open(true, 16, RIG_FEATURES | FEATURE(VIRTIO_NET_F_MRG_RXBUF));

    (void)state;
    /* In the receive buffer just being written. */
    entry(table_at(rig, RIG_BUFFERS, 2), 0, RIG_BUFFERS, 40, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
    entry(table_at(rig, RIG_BUFFERS, 2), 1, RIG_BUFFERS + 40, 160, VRING_DESC_F_WRITE, 0);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 32, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    rig_save(rig);
    guest_ram_allow(&rig->ram, RIG_BUFFERS, 200);
    assert_int_equal(rig_deliver(rig, 180, 5), DROP_NONE);

    /* In the used ring, with the used ring as its target as well. */
    entry(table_at(rig, rig->driver.used_guest + 8, 1), 0, rig->driver.used_guest, 100, VRING_DESC_F_WRITE,
          0);
    driver_describe(&rig->driver, 1, rig->driver.used_guest + 8, 16, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 1);
    driver_publish(&rig->driver);
    rig_save(rig);
    assert_int_equal(rig_deliver(rig, 60, 6), DROP_NONE);
    assert_int_equal(rig->driver.used->idx, 2);

    rig = rig_open(false, 16, RIG_FEATURES); /* a table that describes itself as the frame */
    entry(table_at(rig, TABLE, 4), 0, TABLE, 64, 0, 0);
    driver_describe(&rig->driver, 0, TABLE, 64, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    assert_int_equal(rig_take(rig), 1);
    assert_int_equal(rig->burst.frames[0].length, 64 - NET_HEADER_SIZE);
    rig_complete(rig);
}

static void descriptors_change(void **state)
{
    static const struct vring_desc evil = {
        0xdead0000dead0000, UINT32_MAX, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 9999,
    };
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
    struct vring_desc *table = table_at(rig, TABLE, 5);

    (void)state;
    fill_table(rig, TABLE, 5, 60, 4);
    driver_describe(&rig->driver, 0, TABLE, 80, VRING_DESC_F_INDIRECT, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    load_watch_start();
    load_watch_flip(&rig->driver.desc[0], &evil, sizeof evil);
    for (unsigned i = 0; i < 5; i++)
        load_watch_flip(&table[i], &evil, sizeof evil);
    assert_int_equal(ring_take(&rig->ring, &rig->burst), 1);
    load_watch_stop();
    assert_int_equal(load_watch_flipped(), 6);
    assert_int_equal(load_watch_count(&rig->driver.desc[0].len, 4), 1);
    load_watch_check_once();
    rig_check_frame(&rig->burst.frames[0], 60, 4);
    rig_complete(rig);
}

static void zero_lengths(void **state)
{
    static const uint64_t bad = 0xfffffffffffff000; /* must never be looked at */

    (void)state;
    for (uint16_t where = 0; where < 4; where++) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
        uint64_t at = RIG_BUFFERS;

        rig_put_frame(rig, RIG_BUFFERS, 60, 8);
        for (uint16_t i = 0; i < 4; i++) {
            bool zero = i == where;
            uint32_t length = zero ? 0 : 24;

            driver_describe(&rig->driver, i, zero ? bad : at, length, i < 3 ? VRING_DESC_F_NEXT : 0,
                            (uint16_t)(i + 1));
            at += length;
        }
        driver_offer(&rig->driver, 0);
        take_one(rig, 60, 8);

        for (uint16_t i = 0; i < 4; i++)
            driver_describe(&rig->driver, i, bad, 0, i < 3 ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1));
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        assert_int_equal(rig->burst.frames[0].drop, DROP_RUNT);
        rig_complete(rig);
        assert_true(ring_usable(&rig->ring));
    }
}

static void zero_length_flood(void **state)
{
    struct ring_rig *rig = rig_open(false, 32768, RIG_FEATURES);

    (void)state;
    for (uint32_t i = 0; i < 32768; i++)
        driver_describe(&rig->driver, (uint16_t)i, 0xffff0000ffff0000, 0, i < 32767 ? VRING_DESC_F_NEXT : 0,
                        (uint16_t)(i + 1));
    for (unsigned i = 0; i < 64; i++)
        driver_offer(&rig->driver, 0);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(rig_take(rig), 1); /* one chain is over the budget already (R28) */
        assert_int_equal(rig->burst.frames[0].drop, DROP_RUNT);
        rig_complete(rig);
    }

    rig = rig_open(false, 256, RIG_FEATURES); /* many short chains: 256 descriptors a burst */
    for (uint16_t i = 0; i < 256; i++)
        driver_describe(&rig->driver, i, 0, 0, i % 16 < 15 ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1));
    for (uint16_t i = 0; i < 256; i++)
        driver_offer(&rig->driver, (uint16_t)(i % 16 * 16));
    assert_int_equal(rig_take(rig), RING_TAKE_DESCRIPTORS / 16);
    rig_complete(rig);

    rig = rig_open(false, 16, RIG_FEATURES); /* endless: broken */
    driver_describe(&rig->driver, 0, 0, 0, VRING_DESC_F_NEXT, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_CHAIN_LENGTH);
}

static void budget_of_bytes(void **state)
{
    struct ring_rig *rig = rig_open(false, 256, RIG_FEATURES);

    (void)state;
    rig_put_frame(rig, RIG_BUFFERS, 65000, 2);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, NET_HEADER_SIZE + 65000, 0, 0);
    for (unsigned i = 0; i < 256; i++)
        driver_offer(&rig->driver, 0);
    for (unsigned left = 256; left > 0; left -= rig->burst.count) {
        assert_in_range(rig_take(rig), 1, 5); /* one chain may go over */
        rig_check_frame(&rig->burst.frames[0], 65000, 2);
        rig_complete(rig);
    }
}

static void wrong_direction(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    rig_put_frame(rig, RIG_BUFFERS, 60, 1);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 72, VRING_DESC_F_WRITE, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_DIRECTION);

    rig = rig_open(false, 16, RIG_FEATURES); /* readable, then writable */
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 72, VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_BUFFERS + 100, 72, VRING_DESC_F_WRITE, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_DIRECTION);

    for (unsigned kind = 0; kind < 3; kind++) { /* to receive: readable; readable after, before writable */
        rig = rig_open(true, 16, RIG_FEATURES);
        driver_describe(&rig->driver, 0, RIG_BUFFERS, 30,
                        (uint16_t)(VRING_DESC_F_NEXT | (kind == 1 ? VRING_DESC_F_WRITE : 0)), 1);
        driver_describe(&rig->driver, 1, RIG_BUFFERS + 100, 200, kind == 2 ? VRING_DESC_F_WRITE : 0, 0);
        driver_offer(&rig->driver, 0);
        driver_publish(&rig->driver);
        guest_ram_save(&rig->ram); /* not even the used ring */
        assert_int_equal(rig_deliver(rig, 60, 5), DROP_RX_BROKEN);
        assert_int_equal(rig->ring.fault, RING_FAULT_DIRECTION);
    }
}

static void too_much(void **state)
{
    struct ring_rig *rig = rig_open(false, 32768, RIG_FEATURES);

    (void)state;
    /* 2^32 and more in one chain: A and B are 3 MiB in a row, so 1366 descriptors do. */
    for (uint32_t i = 0; i < 1366; i++)
        driver_describe(&rig->driver, (uint16_t)i, RIG_A, (uint32_t)(RIG_A_SIZE + RIG_B_SIZE),
                        i < 1365 ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1));
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_CHAIN_BYTES);

    rig = rig_open(false, 16, RIG_FEATURES);
    rig_put_frame(rig, RIG_BUFFERS, FRAME_LENGTH_MAX, 5);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, NET_HEADER_SIZE + FRAME_LENGTH_MAX, 0, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, FRAME_LENGTH_MAX, 5);
    for (uint32_t more = 1; more < 1u << 20; more = more * 3 + 1) {
        driver_describe(&rig->driver, 0, RIG_A, NET_HEADER_SIZE + FRAME_LENGTH_MAX + more, 0, 0);
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        assert_int_equal(rig->burst.frames[0].drop, DROP_TOO_BIG);
        rig_complete(rig);
        assert_true(ring_usable(&rig->ring));
    }
}

static void reserved_flags(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    rig_put_frame(rig, RIG_BUFFERS, 60, 1);
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 30, 0xfff8 | VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_BUFFERS + 30, 42, 0xfff8, 0);
    driver_offer(&rig->driver, 0);
    take_one(rig, 60, 1);
    rig->driver.avail->flags = 0xfffe;
    driver_offer(&rig->driver, 0);
    take_one(rig, 60, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("H10 self loop, two-loop, loop in indirect table", loops),
        ROW("H11 next is not a descriptor of the table", next_out_of_range),
        ROW("H12 chain of exactly size descriptors, and of one more", full_chain),
        ROW("H13 indirect descriptor without the feature", indirect_not_negotiated),
        ROW("H14 lengths of an indirect table", indirect_lengths),
        ROW("H15 nested indirect table, indirect with next", nested_and_next),
        ROW("H16 write flag on the indirect descriptor", write_on_indirect),
        ROW("H17 direct descriptors, then an indirect one", direct_then_indirect),
        ROW("H18 indirect table unaligned, over a region border", table_anywhere),
        ROW("H19 indirect table in the used ring, in the buffer being written", table_in_the_way),
        ROW("H20 indirect length and table change behind the first load", descriptors_change),
        ROW("H21 zero-length descriptors with bad addresses", zero_lengths),
        ROW("H22 floods of zero-length descriptors stay in the budget", zero_length_flood),
        ROW("H22 bytes of a burst stay in the budget", budget_of_bytes),
        ROW("H23 descriptors of the wrong direction", wrong_direction),
        ROW("H24 chains of 2^32 bytes, and longer than a frame", too_much),
        ROW("H25 reserved flags of descriptors and avail ring", reserved_flags),
    };
    int failed = cmocka_run_group_tests_name("ring chains", tests, NULL, NULL);

    rig_close();
    return failed;
}
