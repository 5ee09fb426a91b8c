/*
 * ring_address_test.c - rows H26 to H30: where buffers may lie.
 */
#include <string.h>

#include "ring_rig.h"

static struct ring_rig *offer(bool receives, uint64_t address, uint32_t length)
{
    struct ring_rig *rig = rig_open(receives, 16, RIG_FEATURES);

    driver_describe(&rig->driver, 0, address, length, receives ? VRING_DESC_F_WRITE : 0, 0);
    driver_offer(&rig->driver, 0);
    driver_publish(&rig->driver);
    return rig;
}

static void expect_refused(uint64_t address, uint32_t length)
{
    struct ring_rig *rig = offer(false, address, length);

    rig_expect_broken(rig, RING_FAULT_ADDRESS);
    rig = offer(true, address, length);
    guest_ram_save(&rig->ram);
    assert_int_equal(rig_deliver(rig, 60, 1), DROP_RX_BROKEN);
    assert_int_equal(rig->ring.fault, RING_FAULT_ADDRESS);
}

static void bad_ranges(void **state)
{
    (void)state;
    expect_refused(RIG_C_END, 100);
    expect_refused(RIG_C - 1, 1);
    expect_refused(UINT64_C(1) << 63, 100);
    expect_refused(UINT64_MAX, 1);
    expect_refused(UINT64_MAX - 99, 100);
    expect_refused(UINT64_MAX - 99, 101); /* wraps to 1: region A is there */
    expect_refused(UINT64_MAX - 99, 0x2000);
    expect_refused(RIG_C_END - 100, 101); /* one byte too far, by 1 */
    expect_refused(RIG_B_END - 100, 101);
    expect_refused(RIG_BUFFERS, UINT32_MAX);
    expect_refused(RIG_A, UINT32_MAX);
}

static void over_adjacent_regions(void **state)
{
    (void)state;
    for (uint32_t before = 1; before < 200; before += before < 20 ? 1 : 11) {
        struct ring_rig *rig = offer(false, RIG_B - before, NET_HEADER_SIZE + 180);
        uint8_t bytes[NET_HEADER_SIZE + 180] = { 0 };

        for (uint32_t i = 0; i < sizeof bytes; i++) {
            if (i >= NET_HEADER_SIZE)
                bytes[i] = rig_pattern(i - NET_HEADER_SIZE, 3);
            *(uint8_t *)guest_ram_at(&rig->ram, RIG_B - before + i, 1) = bytes[i];
        }
        assert_int_equal(rig_take(rig), 1);
        rig_check_frame(&rig->burst.frames[0], 180, 3);
        rig_complete(rig);

        rig = offer(true, RIG_B - before, 250);
        rig_save(rig);
        guest_ram_allow(&rig->ram, RIG_B - before, NET_HEADER_SIZE + 180);
        assert_int_equal(rig_deliver(rig, 180, 3), DROP_NONE);
        assert_int_equal(rig->driver.used->ring[0].len, NET_HEADER_SIZE + 180);
        for (uint32_t i = 0; i < sizeof bytes; i++) {
            bool header = i < NET_HEADER_SIZE; /* checked in ring_receive_test */

            if (!header && *(uint8_t *)guest_ram_at(&rig->ram, RIG_B - before + i, 1) != bytes[i])
                fail_msg("%u bytes before the border: byte %u is wrong", before, i);
        }
    }
}

static void over_a_hole(void **state)
{
    struct ring_rig *rig;

    (void)state;
    expect_refused(RIG_B_END - 1, 2);
    expect_refused(RIG_B_END - 40, (uint32_t)(RIG_C - RIG_B_END) + 80); /* both ends are memory */
    rig = rig_open(false, 16, RIG_FEATURES); /* the second descriptor of a good chain */
    driver_describe(&rig->driver, 0, RIG_BUFFERS, 40, VRING_DESC_F_NEXT, 1);
    driver_describe(&rig->driver, 1, RIG_B_END - 20, 40, 0, 0);
    driver_offer(&rig->driver, 0);
    rig_expect_broken(rig, RING_FAULT_ADDRESS);
}

static void at_the_last_byte(void **state)
{
    static const uint64_t ends[] = { RIG_B, RIG_B_END, RIG_C_END };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

        rig_put_frame(rig, RIG_BUFFERS, 60, 7);
        memcpy(guest_ram_at(&rig->ram, ends[i] - 1, 1), guest_ram_at(&rig->ram, RIG_BUFFERS + 71, 1), 1);
        driver_describe(&rig->driver, 0, RIG_BUFFERS, 71, VRING_DESC_F_NEXT, 1);
        driver_describe(&rig->driver, 1, ends[i] - 1, 1, 0, 0);
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        rig_check_frame(&rig->burst.frames[0], 60, 7);
        rig_complete(rig);

        rig = rig_open(false, 16, RIG_FEATURES); /* a whole frame that ends with the region */
        rig_put_frame(rig, ends[i] - 1012, 1000, 9);
        driver_describe(&rig->driver, 0, ends[i] - 1012, 1012, 0, 0);
        driver_offer(&rig->driver, 0);
        assert_int_equal(rig_take(rig), 1);
        rig_check_frame(&rig->burst.frames[0], 1000, 9);
        rig_complete(rig);

        rig = offer(true, ends[i] - 1012, 1012);
        rig_save(rig);
        guest_ram_allow(&rig->ram, ends[i] - 1012, 1012);
        assert_int_equal(rig_deliver(rig, 1000, 2), DROP_NONE);
    }
}

/* Devices and ROM of the guest are simply not in the table. */
static void device_addresses(void **state)
{
    (void)state;
    expect_refused(0xfee00000, 64);  /* local APIC */
    expect_refused(0xfec00000, 64);  /* IO APIC */
    expect_refused(0xfffff000, 4096); /* BIOS */
    expect_refused(0xb0000000, 4096); /* PCI window */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("H26 unmapped, wrapping, one byte past a region", bad_ranges),
        ROW("H27 buffer over two adjacent regions", over_adjacent_regions),
        ROW("H28 buffer over a hole", over_a_hole),
        ROW("H29 last byte of a region", at_the_last_byte),
        ROW("H30 devices and ROM", device_addresses),
    };
    int failed = cmocka_run_group_tests_name("ring addresses", tests, NULL, NULL);

    rig_close();
    return failed;
}
