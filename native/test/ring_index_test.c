/*
 * ring_index_test.c - rows H1 to H8: what a guest can do with the indexes and
 * the places of its rings.
 */
#include <string.h>

#include "load_watch.h"
#include "ring_rig.h"

/* One chain of one descriptor at each index, over the same kind of frame. */
static void describe_all(struct ring_rig *rig, uint32_t length)
{
    for (uint16_t i = 0; i < rig->driver.options.size; i++) {
        uint64_t at = RIG_BUFFERS + (uint64_t)i * 256;

        rig_put_frame(rig, at, length, (uint8_t)i);
        driver_describe(&rig->driver, i, at, NET_HEADER_SIZE + length, 0, 0);
    }
}

static void index_jumps(void **state)
{
    static const uint16_t jumps[] = { 17, 18, 255, 32767, 32768, 32769, 65535 };
    static const uint16_t starts[] = { 0, 5, 65530 };

    (void)state;
    for (unsigned s = 0; s < 3; s++) {
        for (unsigned i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
            struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

            describe_all(rig, 60);
            rig->driver.used->idx = rig->driver.avail->idx = starts[s];
            ring_stop(&rig->ring);
            assert_true(ring_start(&rig->ring, &rig->map, &rig->where, RIG_FEATURES, (char[96]){ 0 }, 96));
            rig->driver.avail_idx = rig->driver.published = starts[s];
            rig->driver.avail->idx = (uint16_t)(starts[s] + jumps[i]);
            rig_expect_broken(rig, RING_FAULT_AVAIL_INDEX);
            assert_int_equal(rig->driver.used->idx, starts[s]);
        }
    }
}

static void index_goes_back(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    describe_all(rig, 60);
    for (uint16_t i = 0; i < 5; i++)
        driver_offer(&rig->driver, i);
    assert_int_equal(rig_drain(rig), 5);
    rig->driver.avail->idx = 4;
    rig_expect_broken(rig, RING_FAULT_AVAIL_INDEX);
    assert_int_equal(rig->ring.fault_index, 5);
}

static void index_wraps(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
    uint32_t sent = 0;

    (void)state;
    describe_all(rig, 60);
    while (sent < 65536 + 160) {
        for (uint16_t i = 0; i < 16; i++)
            driver_offer(&rig->driver, (uint16_t)(15 - i));
        driver_publish(&rig->driver);
        assert_int_equal(ring_take(&rig->ring, &rig->burst), 16);
        for (uint16_t i = 0; i < 16 && (sent % 4096 == 0 || sent > 65500); i++)
            rig_check_frame(&rig->burst.frames[i], 60, (uint8_t)(15 - i));
        ring_complete(&rig->ring, &rig->burst);
        sent += 16;
        assert_int_equal(rig->driver.used->idx, (uint16_t)sent);
    }
}

static void head_out_of_range(void **state)
{
    static const uint16_t heads[] = { 16, 17, 255, 32768, 65535 };

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

        describe_all(rig, 60);
        driver_offer(&rig->driver, 3); /* a good one first: it must still be given back */
        driver_offer(&rig->driver, heads[i]);
        rig_expect_broken(rig, RING_FAULT_HEAD);
        assert_int_equal(rig->driver.used->idx, 1);
        assert_int_equal(rig->driver.used->ring[0].id, 3);
        assert_int_equal(rig->ring.fault_index, 1);
    }
}

static void same_head_twice(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    describe_all(rig, 60);
    for (unsigned i = 0; i < 16; i++)
        driver_offer(&rig->driver, 7);
    assert_int_equal(rig_take(rig), 16);
    for (unsigned i = 0; i < 16; i++)
        rig_check_frame(&rig->burst.frames[i], 60, 7);
    rig_complete(rig);
    assert_true(ring_usable(&rig->ring));
}

static void avail_rewritten(void **state)
{
    static const uint16_t bad_head = 65535, bad_idx = 40000;
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    describe_all(rig, 60);
    for (uint16_t i = 0; i < 4; i++)
        driver_offer(&rig->driver, i);
    driver_publish(&rig->driver);
    load_watch_start();
    for (unsigned i = 0; i < 4; i++)
        load_watch_flip(&rig->driver.avail->ring[i], &bad_head, sizeof bad_head);
    load_watch_flip(&rig->driver.avail->idx, &bad_idx, sizeof bad_idx);
    assert_int_equal(ring_take(&rig->ring, &rig->burst), 4);
    load_watch_stop();
    assert_int_equal(load_watch_flipped(), 5);
    assert_int_equal(load_watch_count(&rig->driver.avail->idx, 2), 1);
    load_watch_check_once();
    for (uint16_t i = 0; i < 4; i++) {
        assert_int_equal(rig->burst.heads[i], i);
        rig_check_frame(&rig->burst.frames[i], 60, (uint8_t)i);
    }
    rig_complete(rig);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal(rig->driver.used->ring[i].id, i);
    assert_int_equal(ring_take(&rig->ring, &rig->burst), 0); /* now the rewritten idx is seen */
    assert_int_equal(rig->ring.fault, RING_FAULT_AVAIL_INDEX);
}

static void used_overwritten(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    describe_all(rig, 60);
    for (uint16_t round = 0; round < 40; round++) {
        memset(rig->driver.used, 0xa5 + round, 6 + 8 * 16); /* idx too */
        driver_offer(&rig->driver, round & 15);
        assert_int_equal(rig_take(rig), 1);
        rig_complete(rig);
        assert_int_equal(rig->driver.used->idx, round + 1);
    }
    assert_true(ring_usable(&rig->ring));
}

static void any_used_idx_at_start(void **state)
{
    (void)state;
    for (uint32_t idx = 0; idx < 65536; idx += 4099) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

        describe_all(rig, 60);
        ring_stop(&rig->ring);
        rig->driver.used->idx = (uint16_t)idx;
        rig->driver.avail->idx = (uint16_t)idx;
        assert_true(ring_start(&rig->ring, &rig->map, &rig->where, RIG_FEATURES, (char[96]){ 0 }, 96));
        rig->driver.avail_idx = rig->driver.published = rig->driver.used_seen = (uint16_t)idx;
        driver_offer(&rig->driver, 2);
        assert_int_equal(rig_take(rig), 1);
        rig_check_frame(&rig->burst.frames[0], 60, 2);
        rig_complete(rig);
        assert_int_equal(ring_stop(&rig->ring), (uint16_t)(idx + 1));
    }
}

/* Starts the rig's ring elsewhere; true when it was taken. */
static bool starts(struct ring_rig *rig, const struct ring_address *where)
{
    char why[96] = "";
    bool started;

    ring_stop(&rig->ring);
    rig_save(rig);
    started = ring_start(&rig->ring, &rig->map, where, RIG_FEATURES, why, sizeof why);
    if (!started) {
        uint64_t changed = 0;

        rig->ram.writable_count = 0; /* not even the used ring */
        if (!guest_ram_untouched(&rig->ram, &changed))
            fail_msg("refused, and changed %#llx", (unsigned long long)changed);
        assert_false(ring_usable(&rig->ring));
        assert_true(why[0] != '\0');
        assert_int_equal(ring_take(&rig->ring, &rig->burst), 0);
    }
    return started;
}

static void bad_sizes(void **state)
{
    static const uint32_t sizes[] = { 0, 3, 5, 12, 255, 257, 32767, 32769, 65536, 1u << 31, UINT32_MAX };
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ring_address where = rig->where;

        where.size = sizes[i];
        assert_false(starts(rig, &where));
    }
    for (uint32_t size = 1; size <= 256; size *= 2) {
        struct ring_address where = rig->where;

        where.desc_user = (uintptr_t)guest_ram_at(&rig->ram, RIG_BUFFERS, 8192);
        where.avail_user = where.desc_user + 8192;
        where.used_user = where.desc_user + 16384;
        where.size = size;
        assert_true(starts(rig, &where));
    }
}

static void bad_addresses(void **state)
{
    struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
    uint64_t end_of_a = (uintptr_t)guest_ram_at(&rig->ram, RIG_B - 1, 1) + 1;
    struct {
        uint64_t address;  /* for all three areas in turn */
        bool desc, avail, used; /* whether the area may lie there */
    } places[] = {
        { 0, false, false, false },
        { UINT64_MAX, false, false, false },
        { UINT64_MAX - 63, false, false, false },
        { rig->where.desc_user - GUEST_PAGE_SIZE - 16, false, false, false },
        { end_of_a, false, false, false },                                   /* guard page */
        { end_of_a - 128, false, true, false },                              /* over the end */
        { end_of_a - 256, true, true, true },                                /* the table ends at the end */
        { (uintptr_t)guest_ram_at(&rig->ram, RIG_BUFFERS, 16) + 1, false, false, false },
        { (uintptr_t)guest_ram_at(&rig->ram, RIG_BUFFERS, 16) + 2, false, true, false },
        { (uintptr_t)guest_ram_at(&rig->ram, RIG_BUFFERS, 16) + 8, false, true, true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct ring_address where = rig->where;

        where.desc_user = places[i].address;
        assert_int_equal(starts(rig, &where), places[i].desc);
        where = rig->where;
        where.avail_user = places[i].address;
        assert_int_equal(starts(rig, &where), places[i].avail);
        where = rig->where;
        where.used_user = places[i].address;
        assert_int_equal(starts(rig, &where), places[i].used);
    }
}

/* Areas on top of each other and of the payload: nonsense for the guest, no more than that for us. */
static void overlapping_areas(void **state)
{
    static const int shifts[][2] = { { 0, 0 }, { 0, 16 }, { 64, 64 }, { 16, 0 }, { 2, 4 } };

    (void)state;
    for (unsigned i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
        struct ring_rig *rig = rig_open(false, 16, RIG_FEATURES);
        struct ring_address where = rig->where;

        describe_all(rig, 60);
        where.avail_user = where.desc_user + (uint64_t)shifts[i][0];
        where.used_user = where.desc_user + (uint64_t)shifts[i][1];
        if (!starts(rig, &where))
            fail_msg("overlap refused");
        rig_save(rig);
        guest_ram_allow(&rig->ram, rig->driver.desc_guest, 512);
        for (unsigned round = 0; round < 100 && ring_take(&rig->ring, &rig->burst); round++) {
            ring_complete(&rig->ring, &rig->burst);
            ring_notify(&rig->ring);
        }
        rig_check_untouched(rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("H1 avail idx jumps by more than the ring", index_jumps),
        ROW("H2 avail idx goes backwards", index_goes_back),
        ROW("H3 avail idx wraps from 65535 to 0 with a full ring", index_wraps),
        ROW("H4 head is not a descriptor of the ring", head_out_of_range),
        ROW("H5 same head sixteen times in one batch", same_head_twice),
        ROW("H6 avail ring and idx rewritten behind the first load", avail_rewritten),
        ROW("H7 used ring and idx overwritten by the guest", used_overwritten),
        ROW("H7 any used idx at a restart", any_used_idx_at_start),
        ROW("H8 ring sizes", bad_sizes),
        ROW("H8 ring addresses unaligned, outside, over a border", bad_addresses),
        ROW("H8 ring areas on top of each other", overlapping_areas),
    };
    int failed = cmocka_run_group_tests_name("ring index", tests, NULL, NULL);

    rig_close();
    return failed;
}
