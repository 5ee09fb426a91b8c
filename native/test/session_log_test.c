/*
 * session_log_test.c - rule R19: what a migrating QEMU finds in its dirty log.
 * Every page that the device wrote must be there before the driver can see
 * that it was written; a log that is too small breaks the ring, and only that.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "session_rig.h"

#define LOG_BYTES 4096u
/* Where the front end wants the used ring of vring 0 logged: outside the memory. */
#define USED_LOG 0x300000ull

static uint8_t *log_bits;
static int log_fd;

static struct session_rig *logging(uint64_t used_log)
{
    struct session_rig *rig = session_rig_open(1);
    struct vhost_user_log log = { LOG_BYTES, 0 };
    struct vhost_user_vring_addr where;
    int fd = memfd_create("log", MFD_CLOEXEC);

    assert_int_equal(ftruncate(fd, LOG_BYTES), 0);
    log_bits = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(log_bits != MAP_FAILED);
    session_rig_greet(rig, SESSION_RIG_FEATURES | FEATURE(VHOST_F_LOG_ALL));
    session_rig_set_memory(rig);
    assert_int_equal(session_say(rig, VHOST_USER_SET_LOG_BASE, &log, sizeof log, &fd, 1), SESSION_REPLY);
    session_rig_start_ring(rig, 0);
    where = (struct vhost_user_vring_addr){
        .index = 0, .flags = VHOST_VRING_F_LOG, .desc_user = (uintptr_t)rig->queues[0].desc,
        .avail_user = (uintptr_t)rig->queues[0].avail, .used_user = (uintptr_t)rig->queues[0].used,
        .log_guest = used_log,
    };
    assert_int_equal(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0), SESSION_OK);
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 0, 1), SESSION_OK);
    log_fd = fd;
    return rig;
}

static void stop_logging(struct session_rig *rig)
{
    close(log_fd);
    munmap(log_bits, LOG_BYTES);
    session_rig_close(rig);
}

static bool is_dirty(uint64_t guest)
{
    return log_bits[guest / 4096 / 8] >> (guest / 4096 % 8) & 1;
}

static unsigned dirty_pages(void)
{
    unsigned count = 0;

    for (uint64_t page = 0; page < LOG_BYTES * 8ull; page++)
        count += is_dirty(page * 4096);
    return count;
}

static enum drop_reason deliver(struct session_rig *rig, uint32_t length)
{
    static struct segment scratch[RING_SEGMENTS_MAX];
    static uint8_t bytes[4096];
    struct frame frame = { .length = length };
    struct segment rest;
    enum drop_reason reason;

    frame.head_length = (uint16_t)(length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX);
    rest = (struct segment){ bytes, length - frame.head_length };
    frame.segments = &rest;
    frame.segment_count = rest.length ? 1 : 0;
    reason = ring_deliver(&rig->session.vrings[0].ring, &frame, scratch);
    ring_publish(&rig->session.vrings[0].ring);
    return reason;
}

static void written_pages(void **state)
{
    struct session_rig *rig = logging(USED_LOG);
    struct driver_queue *queue = &rig->queues[0];
    uint64_t where;

    (void)state;
    memset(log_bits, 0, LOG_BYTES);
    driver_describe(queue, 0, 0x3fe00, 512, VRING_DESC_F_WRITE, 0);      /* last page of the first region */
    driver_describe(queue, 1, 0x3fff0, 8192, VRING_DESC_F_WRITE, 0);     /* over the border into the second */
    for (uint16_t i = 0; i < 2; i++)
        driver_offer(queue, i);
    driver_publish(queue);
    guest_ram_save(&rig->ram);
    guest_ram_allow(&rig->ram, queue->used_guest, 6 + 8 * 64);
    guest_ram_allow(&rig->ram, 0x3fe00, 72);
    assert_int_equal(deliver(rig, 60), DROP_NONE);
    assert_true(guest_ram_untouched(&rig->ram, &where));
    assert_true(is_dirty(0x3f000));
    assert_false(is_dirty(0x40000));
    assert_true(is_dirty(USED_LOG));
    assert_int_equal(dirty_pages(), 2);

    guest_ram_allow(&rig->ram, 0x3fff0, 3012);
    assert_int_equal(deliver(rig, 3000), DROP_NONE); /* only what was really written */
    assert_true(guest_ram_untouched(&rig->ram, &where));
    assert_true(is_dirty(0x40000));
    assert_false(is_dirty(0x41000));
    assert_int_equal(dirty_pages(), 3);
    stop_logging(rig);
}

static void log_switched_off(void **state)
{
    struct session_rig *rig = logging(USED_LOG);

    (void)state;
    assert_int_equal(session_say_u64(rig, VHOST_USER_SET_FEATURES, SESSION_RIG_FEATURES), SESSION_OK);
    memset(log_bits, 0, LOG_BYTES);
    driver_refill(&rig->queues[0]);
    driver_publish(&rig->queues[0]);
    assert_int_equal(deliver(rig, 60), DROP_NONE);
    assert_int_equal(dirty_pages(), 0);
    assert_int_equal(session_say_u64(rig, VHOST_USER_SET_FEATURES, SESSION_RIG_FEATURES |
                                     FEATURE(VHOST_F_LOG_ALL)),
                     SESSION_OK);
    assert_int_equal(deliver(rig, 60), DROP_NONE);
    assert_true(dirty_pages() >= 2); /* on again without a restart of the ring */
    stop_logging(rig);
}

static void used_ring_outside_the_log(void **state)
{
    static const uint64_t places[] = { LOG_BYTES * 8ull * 4096, UINT64_MAX - 2, UINT64_C(1) << 63 };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct session_rig *rig = logging(places[i]);

        driver_refill(&rig->queues[0]);
        driver_publish(&rig->queues[0]);
        deliver(rig, 60);
        assert_int_equal(rig->session.vrings[0].ring.fault, RING_FAULT_LOG);
        assert_int_equal(deliver(rig, 60), DROP_RX_BROKEN);
        stop_logging(rig);
    }
}

static void log_is_truncated(void **state)
{
    struct session_rig *rig = logging(USED_LOG);

    (void)state;
    assert_int_equal(memory_guard_install(), 0); /* cmocka took the signal */
    driver_refill(&rig->queues[0]);
    driver_publish(&rig->queues[0]);
    assert_int_equal(deliver(rig, 60), DROP_NONE);
    assert_int_equal(ftruncate(log_fd, 0), 0);
    deliver(rig, 60); /* the write is caught; the ring stands still from here on */
    assert_int_equal(rig->session.vrings[0].ring.fault, RING_FAULT_LOG);
    assert_int_equal(deliver(rig, 60), DROP_RX_BROKEN);
    stop_logging(rig);
}

static void log_shrinks_and_moves(void **state)
{
    struct session_rig *rig = logging(USED_LOG);
    struct vhost_user_log log = { LOG_BYTES, 0 };
    uint8_t *old = log_bits;
    int fd = memfd_create("log", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(ftruncate(fd, LOG_BYTES), 0);
    assert_int_equal(session_say(rig, VHOST_USER_SET_LOG_BASE, &log, sizeof log, &fd, 1), SESSION_REPLY);
    log_bits = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(old, 0, LOG_BYTES);
    driver_refill(&rig->queues[0]);
    driver_publish(&rig->queues[0]);
    assert_int_equal(deliver(rig, 60), DROP_NONE);
    assert_int_equal(dirty_pages(), 2); /* in the new log */
    for (unsigned i = 0; i < LOG_BYTES; i++)
        assert_int_equal(old[i], 0); /* and not in the old */
    munmap(old, LOG_BYTES);
    close(fd);
    stop_logging(rig);
}

/* Before fds are counted: it keeps one. */
static int with_guard(void **state)
{
    (void)state;
    return memory_guard_install();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("R19 every page written is in the dirty log, no other", written_pages),
        ROW("R19 logging is switched off and on while running", log_switched_off),
        ROW("F5 used ring logged outside the log: broken, nothing written", used_ring_outside_the_log),
        ROW("F9 the log's file is truncated: broken, and the switch lives", log_is_truncated),
        ROW("F5 a second log takes the place of the first", log_shrinks_and_moves),
    };
    return cmocka_run_group_tests_name("session, dirty log", tests, with_guard, NULL);
}
