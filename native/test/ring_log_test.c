/*
 * ring_log_test.c - rule R19, exactly: whatever a ring changed in the guest's
 * memory is in the dirty log, and no page besides.
 *
 * The rings stand so that each kind of write has a page of its own: flags and idx
 * end one page, the used entries fill the next, avail_event begins the third; and a
 * layout of receive buffers may hold the net header in a page of its own.
 *
 * A shadow stands for the destination of a migration: it starts as a copy, and
 * gets a page only when its bit is found, which is cleared first, as QEMU does. It
 * looks either once after an operation, or, as the worst front end there can be,
 * right after each mark: then a mark that comes before its write is one too few.
 */
#include <stdlib.h>
#include <string.h>

#include "guest_ram.h"
#include "rows.h"
#include "vhost/dirty_log.h"
#include "vhost/ring.h"

#define RING_SIZE 512u
#define LOW_SIZE 0x40000ull /* the first region; the second follows it in the guest, but not here */
#define RAM_SIZE 0x80000ull
#define PAGES (RAM_SIZE / GUEST_PAGE_SIZE)
#define DESC_AT 0x0ull
#define AVAIL_AT 0x2000ull
#define USED_AT 0x4ffcull
#define USED_FIRST_PAGE 4u
#define USED_LAST_PAGE 6u
#define TABLE_AT 0x8000ull
#define TABLE_STEP 0x400ull

#define PIECES_MAX 8u

/* A layout of chains: each is one frame's buffer, or one of several for mergeable buffers. */
struct layout {
    const char *name;
    unsigned chains;    /* equal ones, CHAIN_STEP apart */
    struct {
        uint64_t at;
        uint32_t length; /* HEADER: the header alone */
    } pieces[PIECES_MAX];
};
#define CHAIN_STEP 0x3000ull
#define HEADER UINT32_MAX

static const struct layout layouts[] = {
    { "one page", 1, { { 0x50000, 1600 } } },
    { "over three pages", 1, { { 0x50f80, 9100 } } },
    { "header apart", 1, { { 0x50000, HEADER }, { 0x52000, 9100 } } },
    { "header cut by a page", 1, { { 0x50ffa, HEADER }, { 0x5300a, 9100 } } },
    { "header in pieces", 1, { { 0x50fff, 4 }, { 0x53000, 3 }, { 0x54100, 9100 } } },
    { "over the border of the regions", 1, { { 0x3ff80, 9100 } } },
    { "header over the border", 1, { { 0x3fffa, 9100 } } },
    { "empty pieces between", 1, { { 0x50000, 0 }, { 0x51000, HEADER }, { 0x52000, 0 }, { 0x53000, 9100 } } },
    { "eight pages", 1, { { 0x50000, 200 }, { 0x52000, 200 }, { 0x54000, 200 }, { 0x56000, 200 },
                          { 0x58000, 200 }, { 0x5a000, 200 }, { 0x5c000, 200 }, { 0x5e000, 200 } } },
    { "seven buffers", 7, { { 0x50000, 1400 } } },
    { "seven buffers, headers apart", 7, { { 0x50ff0, HEADER }, { 0x52000, 1400 } } },
};
#define LAYOUTS (sizeof layouts / sizeof layouts[0])

static const uint32_t lengths[] = { 14, 60, 1514, 9000 };
#define LENGTHS (sizeof lengths / sizeof lengths[0])

struct shape {
    bool mergeable, event_idx, indirect, legacy;
};

static struct guest_ram ram;
static struct memory_map map;
static struct ring ring;
static struct burst burst;
static struct segment scratch[RING_SEGMENTS_MAX];
static struct dirty_log dirty;
static uint8_t bits[PAGES / 8];
static uint8_t shadow[RAM_SIZE];
static uint8_t before[RAM_SIZE];
static bool logged[PAGES]; /* since the operation began */
static uint16_t avail_idx;

static uint8_t *at(uint64_t guest)
{
    return guest_ram_at(&ram, guest, 1);
}

/* What QEMU does: a bit is cleared, then its page is copied. */
static void sync_pages(void)
{
    for (unsigned page = 0; page < PAGES; page++) {
        if (!(bits[page / 8] >> (page % 8) & 1))
            continue;
        bits[page / 8] &= (uint8_t)~(1u << (page % 8));
        logged[page] = true;
        memcpy(shadow + page * GUEST_PAGE_SIZE, at(page * GUEST_PAGE_SIZE), GUEST_PAGE_SIZE);
    }
}

static void on_mark(enum log_site site)
{
    (void)site;
    sync_pages();
}

/* The guest's own writes are its hypervisor's to track. */
static void begin(void)
{
    for (unsigned page = 0; page < PAGES; page++)
        memcpy(before + page * GUEST_PAGE_SIZE, at(page * GUEST_PAGE_SIZE), GUEST_PAGE_SIZE);
    memcpy(shadow, before, sizeof shadow);
    memset(logged, 0, sizeof logged);
}

/* Whether the shadow is right. A page that is in the log must be a changed one, or of the used ring. */
static bool end(const char *what)
{
    bool right = true;

    sync_pages();
    for (unsigned page = 0; page < PAGES; page++) {
        const uint8_t *now = at(page * GUEST_PAGE_SIZE);
        bool changed = memcmp(now, before + page * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE) != 0;

        right = right && memcmp(now, shadow + page * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE) == 0;
        if (logged[page] && !changed && (page < USED_FIRST_PAGE || page > USED_LAST_PAGE))
            fail_msg("%s: page %#x is in the log, but was not changed", what, page);
    }
    return right;
}

static uint64_t features_of(struct shape shape)
{
    return (shape.legacy ? 0 : FEATURE(VIRTIO_F_VERSION_1)) |
           (shape.mergeable ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0) |
           (shape.event_idx ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0) |
           (shape.indirect ? FEATURE(VIRTIO_F_RING_INDIRECT_DESC) : 0);
}

/* Offers the chains of a layout as a driver with or without indirect tables would. Returns bytes of a chain. */
static uint32_t offer(const struct layout *layout, struct shape shape, bool writable, uint32_t limit)
{
    uint16_t write = writable ? VRING_DESC_F_WRITE : 0;
    uint32_t header_size = ring.header_size, bytes = 0;

    for (unsigned chain = 0; chain < layout->chains; chain++) {
        struct vring_desc *table = (struct vring_desc *)at(shape.indirect ? TABLE_AT + chain * TABLE_STEP : DESC_AT);
        unsigned first = shape.indirect ? 0 : chain * PIECES_MAX, count = 0;

        bytes = 0;
        for (unsigned i = 0; i < PIECES_MAX && layout->pieces[i].at != 0; i++) {
            uint32_t length = layout->pieces[i].length == HEADER ? header_size : layout->pieces[i].length;

            if (length > limit - bytes)
                length = limit - bytes;
            table[first + i] = (struct vring_desc){
                .addr = layout->pieces[i].at + chain * CHAIN_STEP, .len = length,
                .flags = write | VRING_DESC_F_NEXT, .next = (uint16_t)(first + i + 1),
            };
            bytes += length;
            count++;
        }
        table[first + count - 1].flags = write;
        if (shape.indirect)
            ((struct vring_desc *)at(DESC_AT))[chain] = (struct vring_desc){
                .addr = TABLE_AT + chain * TABLE_STEP, .len = count * 16, .flags = VRING_DESC_F_INDIRECT,
            };
        struct vring_avail *avail = (struct vring_avail *)at(AVAIL_AT);

        avail->ring[avail_idx++ % RING_SIZE] = (uint16_t)(shape.indirect ? chain : first);
        __atomic_store_n(&avail->idx, avail_idx, __ATOMIC_RELEASE);
    }
    return bytes;
}

/* A fresh ring with the log on; every byte of memory that a frame may be put into differs from every frame's. */
static bool fresh_ring(struct shape shape)
{
    struct ring_address where = {
        .size = RING_SIZE, .desc_user = (uintptr_t)at(DESC_AT), .avail_user = (uintptr_t)at(AVAIL_AT),
        .used_user = (uintptr_t)at(USED_AT), .used_log_guest = USED_AT, .log_used = true,
    };
    char why[160];

    ring_stop(&ring);
    memset(at(0), 0, LOW_SIZE);
    memset(at(LOW_SIZE - 0x100), 0xee, 0x100);
    memset(at(LOW_SIZE), 0xee, RAM_SIZE - LOW_SIZE);
    /* Flags that starting must change. */
    *(uint16_t *)at(USED_AT) = shape.event_idx ? VRING_USED_F_NO_NOTIFY : 0;
    avail_idx = 0;
    ring.log = &dirty;
    begin();
    assert_true(ring_start(&ring, &map, &where, features_of(shape), why, sizeof why));
    return end("start");
}

/* Delivers one frame as vhost_frames.c does. */
static bool receive(const struct layout *layout, struct shape shape, uint32_t length)
{
    static uint8_t bytes[FRAME_LENGTH_MAX];
    struct frame frame = { .length = length, .head_length = (uint16_t)(length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX) };
    struct segment rest = { bytes + frame.head_length, length - frame.head_length };
    struct frame *frames[1] = { &frame };
    uint64_t counted = 0;
    bool right = fresh_ring(shape);
    uint32_t room = offer(layout, shape, true, UINT32_MAX) * (shape.mergeable ? layout->chains : 1);
    bool fits = room >= ring.header_size + length;

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)((i * 7 + length) & 0x7f);
    memcpy(frame.head, bytes, frame.head_length);
    frame.segments = &rest;
    frame.segment_count = rest.length != 0;

    begin();
    ring_expect(&ring, 1);
    assert_int_equal(ring_deliver_plain(&ring, frames, 1, 65535, &counted), 0);
    assert_int_equal(ring_deliver(&ring, &frame, scratch), fits ? DROP_NONE : DROP_RX_NO_ROOM);
    ring_publish(&ring);
    ring_notify(&ring);
    right = end(layout->name) && right;
    for (unsigned page = 0; page < PAGES && !fits; page++)
        assert_false(logged[page]);
    assert_true(ring_usable(&ring));
    return right;
}

/* Takes one frame and gives it back, then sleeps and wakes as a worker does. */
static bool transmit(const struct layout *layout, struct shape shape, uint32_t length)
{
    bool right = fresh_ring(shape);
    uint32_t room = offer(layout, shape, false, ring.header_size + length);

    begin();
    assert_int_equal(ring_take(&ring, &burst), layout->chains);
    assert_int_equal(burst.frames[0].drop, room < ring.header_size + FRAME_LENGTH_MIN ? DROP_RUNT : DROP_NONE);
    right = end("take") && right;
    for (unsigned page = 0; page < PAGES; page++)
        assert_false(logged[page]); /* a sender's memory is only read */
    begin();
    ring_complete(&ring, &burst);
    ring_notify(&ring);
    right = end("complete") && right;
    begin();
    assert_false(ring_arm(&ring));
    right = end("arm") && right;
    begin();
    ring_disarm(&ring);
    right = end("disarm") && right;
    assert_true(ring_usable(&ring));
    return right;
}

struct tally {
    unsigned cases;
    unsigned stale; /* in which the shadow was wrong */
};

static struct tally every_case(unsigned skipped, bool eager)
{
    struct tally tally = { 0, 0 };

    log_sites_skipped = skipped;
    log_marked_hook = eager ? on_mark : NULL;
    for (unsigned which = 0; which < 16; which++) {
        struct shape shape = { which & 1, which >> 1 & 1, which >> 2 & 1, which >> 3 & 1 };

        for (unsigned i = 0; i < LAYOUTS; i++) {
            for (unsigned j = 0; j < LENGTHS; j++) {
                tally.stale += !receive(&layouts[i], shape, lengths[j]);
                tally.stale += !transmit(&layouts[i], shape, lengths[j]);
                tally.cases += 2;
            }
        }
    }
    log_sites_skipped = 0;
    log_marked_hook = NULL;
    return tally;
}

static void every_write_is_logged(void **state)
{
    (void)state;
    for (unsigned eager = 0; eager < 2; eager++) {
        struct tally tally = every_case(0, eager);

        print_message("# %u cases, %s: %u stale\n", tally.cases, eager ? "a look after each mark" : "one look at the end",
                      tally.stale);
        assert_int_equal(tally.cases, 16 * LAYOUTS * LENGTHS * 2);
        assert_int_equal(tally.stale, 0);
    }
}

static void every_mark_is_needed(void **state)
{
    static const char *const names[LOG_SITES] = {
        [LOG_HEADER] = "header", [LOG_DATA] = "data", [LOG_USED_ENTRY] = "used entry",
        [LOG_USED_INDEX] = "used index", [LOG_AVAIL_EVENT] = "avail event", [LOG_USED_FLAGS] = "used flags",
    };

    (void)state;
    for (unsigned site = 0; site < LOG_SITES; site++) {
        struct tally tally = every_case(1u << site, false);

        print_message("# without the mark of the %s: %u of %u stale\n", names[site], tally.stale, tally.cases);
        assert_true(tally.stale > 0);
    }
}

/* The used ring may be logged somewhere else, or not at all. */
static void used_ring_is_logged_where_asked(void **state)
{
    struct ring_address where = {
        .size = RING_SIZE, .desc_user = (uintptr_t)at(DESC_AT), .avail_user = (uintptr_t)at(AVAIL_AT),
        .used_user = (uintptr_t)at(USED_AT), .used_log_guest = USED_AT + 0x20000, .log_used = true,
    };
    struct shape shape = { .event_idx = true };
    char why[160];

    (void)state;
    for (unsigned flagged = 0; flagged < 2; flagged++) {
        fresh_ring(shape);
        where.log_used = flagged;
        begin();
        assert_true(ring_rebase(&ring, &map, &where, features_of(shape), why, sizeof why));
        offer(&layouts[0], shape, false, 100);
        assert_int_equal(ring_take(&ring, &burst), 1);
        ring_complete(&ring, &burst);
        ring_arm(&ring);
        sync_pages();
        for (unsigned page = 0; page < PAGES; page++) {
            bool moved = page >= USED_FIRST_PAGE + 0x20 && page <= USED_LAST_PAGE + 0x20;

            assert_int_equal(logged[page], flagged && moved);
        }
    }
}

static int open_ram(void **state)
{
    static const struct guest_ram_layout regions[] = {
        { .guest_addr = 0, .size = LOW_SIZE },
        { .guest_addr = LOW_SIZE, .size = RAM_SIZE - LOW_SIZE },
    };

    (void)state;
    if (!guest_ram_create(&ram, regions, 2, 0))
        return -1;
    guest_ram_view(&ram, &map);
    dirty = (struct dirty_log){ .bits = bits, .size = sizeof bits };
    return 0;
}

static int close_ram(void **state)
{
    (void)state;
    guest_ram_destroy(&ram);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("R19 every write is in the dirty log, after it was made, and no other page", every_write_is_logged),
        ROW("R19 each kind of mark is needed", every_mark_is_needed),
        ROW("R19 the used ring is logged where the front end says", used_ring_is_logged_where_asked),
    };
    return cmocka_run_group_tests_name("ring, dirty log", tests, open_ram, close_ram);
}
