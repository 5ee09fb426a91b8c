/*
 * ring_rig.c - one ring under test, in process.
 *
 * There is one rig a program: a burst is half a megabyte, and a test that fails
 * leaves by longjmp, so the next one cleans up behind it.
 */
#include "ring_rig.h"

#include <string.h>

#include "switch/copy.h"

static struct ring_rig the_rig;
static bool is_open;

void rig_close(void)
{
    if (!is_open)
        return;
    if (the_rig.ring.running)
        ring_stop(&the_rig.ring);
    driver_destroy(&the_rig.driver);
    guest_ram_destroy(&the_rig.ram);
    is_open = false;
}

struct ring_rig *rig_open(bool receives, uint16_t size, uint64_t features)
{
    static const struct guest_ram_layout layout[] = {
        { .guest_addr = RIG_A, .size = RIG_A_SIZE },
        { .guest_addr = RIG_B, .size = RIG_B_SIZE },
        { .guest_addr = RIG_C, .size = RIG_C_SIZE },
    };
    struct driver_options options = {
        .size = size, .receives = receives, .features = features, .buffer_bytes = 64, .slots = 1,
    };
    struct ring_rig *rig = &the_rig;
    char why[160] = "";

    rig_close();
    memset(&rig->ring, 0, sizeof rig->ring);
    assert_true(guest_ram_create(&rig->ram, layout, 3, 0));
    is_open = true;
    guest_ram_view(&rig->ram, &rig->map);
    assert_true(driver_create(&rig->driver, &rig->ram, &options));
    rig->where = (struct ring_address){
        .size = size, .desc_user = (uintptr_t)rig->driver.desc, .avail_user = (uintptr_t)rig->driver.avail,
        .used_user = (uintptr_t)rig->driver.used,
    };
    if (!ring_start(&rig->ring, &rig->map, &rig->where, features, why, sizeof why))
        fail_msg("ring_start: %s", why);
    return rig;
}

uint8_t rig_pattern(uint32_t at, uint8_t seed)
{
    return (uint8_t)(at * 31 + (at >> 8) * 7 + seed);
}

void rig_put_frame(struct ring_rig *rig, uint64_t guest, uint32_t length, uint8_t seed)
{
    uint8_t *at = guest_ram_at(&rig->ram, guest, rig->driver.header_size + length);

    assert_non_null(at);
    memset(at, 0, rig->driver.header_size);
    at += rig->driver.header_size;
    for (uint32_t i = 0; i < length; i++)
        at[i] = rig_pattern(i, seed);
}

void rig_check_frame(const struct frame *frame, uint32_t length, uint8_t seed)
{
    static uint8_t bytes[FRAME_LENGTH_MAX];

    assert_int_equal(frame->drop, DROP_NONE);
    assert_int_equal(frame->length, length);
    copy_frame_linear(bytes, frame);
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != rig_pattern(i, seed))
            fail_msg("byte %u of %u is %#x, not %#x", i, length, bytes[i], rig_pattern(i, seed));
}

void rig_save(struct ring_rig *rig)
{
    guest_ram_save(&rig->ram);
    guest_ram_allow(&rig->ram, rig->driver.used_guest, 6 + 8u * (uint64_t)rig->driver.options.size);
}

void rig_check_untouched(struct ring_rig *rig)
{
    uint64_t where = 0;

    if (!guest_ram_untouched(&rig->ram, &where))
        fail_msg("the device changed guest address %#llx", (unsigned long long)where);
}

unsigned rig_take(struct ring_rig *rig)
{
    unsigned taken;

    driver_publish(&rig->driver);
    guest_ram_save(&rig->ram);
    taken = ring_take(&rig->ring, &rig->burst);
    rig_check_untouched(rig);
    return taken;
}

bool rig_complete(struct ring_rig *rig)
{
    uint16_t before = rig->ring.used_idx;
    bool notify;

    rig_save(rig);
    ring_complete(&rig->ring, &rig->burst);
    notify = ring_notify(&rig->ring);
    rig_check_untouched(rig);
    assert_int_equal((uint16_t)(rig->ring.used_idx - before), rig->burst.count);
    for (unsigned i = 0; i < rig->burst.count; i++) {
        struct vring_used_elem elem = rig->driver.used->ring[(uint16_t)(before + i) & (rig->ring.size - 1)];

        assert_int_equal(elem.id, rig->burst.heads[i]);
        assert_int_equal(elem.len, 0);
    }
    return notify;
}

unsigned rig_drain(struct ring_rig *rig)
{
    unsigned chains = 0;

    while (rig_take(rig)) {
        chains += rig->burst.count;
        rig_complete(rig);
    }
    return chains;
}

void rig_expect_broken(struct ring_rig *rig, enum ring_fault fault)
{
    uint16_t used = rig->driver.used->idx;

    /* A burst may be taken up to the bad chain: it is given back, then the ring is dead. */
    for (unsigned round = 0; round < 2u * rig->ring.size && rig_take(rig); round++)
        rig_complete(rig);
    if (rig->ring.fault != fault)
        fail_msg("fault is %s, not %s", ring_fault_name[rig->ring.fault], ring_fault_name[fault]);
    assert_false(ring_usable(&rig->ring));
    used = rig->driver.used->idx;
    driver_offer(&rig->driver, 0);
    assert_int_equal(rig_take(rig), 0);
    assert_int_equal(rig->driver.used->idx, used);
}

enum drop_reason rig_deliver(struct ring_rig *rig, uint32_t length, uint8_t seed)
{
    static uint8_t bytes[FRAME_LENGTH_MAX];
    struct frame frame = { .length = length };
    struct segment rest;
    enum drop_reason reason;

    assert_true(length <= sizeof bytes);
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = rig_pattern(i, seed);
    frame.head_length = (uint16_t)(length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX);
    memcpy(frame.head, bytes, frame.head_length);
    rest = (struct segment){ bytes + frame.head_length, length - frame.head_length };
    frame.segments = &rest;
    frame.segment_count = rest.length ? 1 : 0;
    reason = ring_deliver(&rig->ring, &frame, rig->scratch);
    ring_publish(&rig->ring);
    rig_check_untouched(rig);
    return reason;
}
