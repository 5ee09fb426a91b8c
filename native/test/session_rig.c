/*
 * session_rig.c - a vhost-user session under test, in process.
 */
#include "session_rig.h"
#include "vhost/fd_kind.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct session_rig the_rig;
static bool is_open;

unsigned count_open_fds(void)
{
    unsigned count = 0;

    fd_discard_wait();
    DIR *folder = opendir("/proc/self/fd");

    if (!folder)
        abort();
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Until pause returns, a worker may look at every running ring: so do we. */
static void touch_rings(struct session_rig *rig)
{
    volatile uint16_t sink = 0;

    for (unsigned i = 0; i < rig->session.vring_count; i++)
        if (rig->session.vrings[i].ring.running)
            sink = rig->session.vrings[i].ring.avail->idx;
    (void)sink;
}

static void on_pause(void *owner)
{
    struct session_rig *rig = owner;

    assert_false(rig->paused);
    touch_rings(rig);
    rig->paused = true;
    rig->pauses++;
}

static void on_resume(void *owner)
{
    struct session_rig *rig = owner;

    assert_true(rig->paused);
    rig->paused = false;
    touch_rings(rig);
}

/* Workers may be at the rings all the time. */
static void on_enable(void *owner)
{
    struct session_rig *rig = owner;

    assert_false(rig->paused);
    touch_rings(rig);
}

static void on_announce(void *owner, const uint8_t mac[6])
{
    struct session_rig *rig = owner;

    rig->announced++;
    memcpy(rig->announced_mac, mac, 6);
}

static const struct session_ops ops = { .pause = on_pause, .resume = on_resume, .enable = on_enable,
                                        .announce = on_announce };

static void release(struct session_rig *rig)
{
    for (unsigned i = 0; i < SESSION_RIG_QUEUES; i++)
        driver_destroy(&rig->queues[i]);
    guest_ram_destroy(&rig->ram);
    is_open = false;
}

struct session_rig *session_rig_open(unsigned pairs)
{
    static const struct guest_ram_layout layout[] = {
        { .guest_addr = 0, .size = 0x40000, .file_offset = 0x3000 },
        { .guest_addr = 0x40000, .size = 0x40000 },
        { .guest_addr = 0x100000, .size = 0x10000 },
    };
    struct session_rig *rig = &the_rig;

    if (is_open) { /* the test before failed */
        session_close(&rig->session);
        release(rig);
    }
    memset(rig, 0, sizeof *rig);
    fd_discard(open("/dev/null", O_RDONLY | O_CLOEXEC)); /* starts the closing thread, which has fds of its own */
    rig->fds_before = count_open_fds();
    assert_true(guest_ram_create(&rig->ram, layout, 3, GUEST_RAM_SEALED));
    for (unsigned i = 0; i < SESSION_RIG_QUEUES; i++) {
        struct driver_options options = {
            .size = 64, .receives = i % 2 == 0, .features = SESSION_RIG_FEATURES, .buffer_bytes = 256,
        };
        assert_true(driver_create(&rig->queues[i], &rig->ram, &options));
    }
    session_open(&rig->session, &ops, rig, session_features_supported(), pairs, NULL);
    is_open = true;
    return rig;
}

void session_rig_close(struct session_rig *rig)
{
    session_close(&rig->session);
    assert_false(rig->paused);
    release(rig);
    assert_int_equal(count_open_fds(), rig->fds_before);
}

static enum session_verdict say(struct session_rig *rig, uint32_t request, uint32_t flags,
                                const void *payload,
                                uint32_t size, const int *fds, unsigned fd_count)
{
    struct vhost_user_message message = { .header = { request, VHOST_USER_VERSION | flags, size } };
    enum session_verdict verdict;
    int own[64];

    assert_true(fd_count <= 64 && size <= sizeof message.payload);
    if (size)
        memcpy(&message.payload, payload, size);
    for (unsigned i = 0; i < fd_count; i++) {
        own[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        assert_true(own[i] >= 0);
    }
    verdict = session_handle(&rig->session, &message, own, fd_count, &rig->reply);
    assert_false(rig->paused); /* a message never leaves the workers out */
    if (verdict == SESSION_CLOSE || verdict == SESSION_REPLY_CLOSE)
        assert_true(rig->session.why[0] != '\0');
    if (verdict == SESSION_REPLY || verdict == SESSION_REPLY_CLOSE) {
        assert_int_equal(rig->reply.header.request, request);
        assert_int_equal(rig->reply.header.flags & (VHOST_USER_VERSION_MASK | VHOST_USER_REPLY),
                         VHOST_USER_VERSION | VHOST_USER_REPLY);
    }
    return verdict;
}

enum session_verdict session_say(struct session_rig *rig, uint32_t request, const void *payload,
                                 uint32_t size,
                                 const int *fds, unsigned fd_count)
{
    return say(rig, request, 0, payload, size, fds, fd_count);
}

enum session_verdict session_say_u64(struct session_rig *rig, uint32_t request, uint64_t value)
{
    return say(rig, request, 0, &value, sizeof value, NULL, 0);
}

enum session_verdict session_say_state(struct session_rig *rig, uint32_t request, uint32_t index,
                                       uint32_t num)
{
    struct vhost_user_vring_state state = { index, num };

    return say(rig, request, 0, &state, sizeof state, NULL, 0);
}

bool session_accepts(struct session_rig *rig, uint32_t request, const void *payload, uint32_t size,
                     const int *fds, unsigned fd_count)
{
    enum session_verdict verdict = say(rig, request, VHOST_USER_NEED_REPLY, payload, size, fds, fd_count);

    return verdict == SESSION_OK || (verdict == SESSION_REPLY && rig->reply.payload.u64 == 0);
}

enum session_verdict session_say_fd(struct session_rig *rig, uint32_t request, unsigned index, int fd)
{
    uint64_t value = index | (fd < 0 ? VHOST_USER_VRING_NOFD : 0);

    return say(rig, request, 0, &value, sizeof value, &fd, fd < 0 ? 0 : 1);
}

void session_rig_greet(struct session_rig *rig, uint64_t features)
{
    uint64_t all;

    assert_int_equal(session_say(rig, VHOST_USER_GET_FEATURES, NULL, 0, NULL, 0), SESSION_REPLY);
    assert_int_equal(rig->reply.payload.u64, session_features_supported());
    assert_int_equal(session_say(rig, VHOST_USER_GET_PROTOCOL_FEATURES, NULL, 0, NULL, 0), SESSION_REPLY);
    all = rig->reply.payload.u64;
    assert_int_equal(session_say_u64(rig, VHOST_USER_SET_PROTOCOL_FEATURES, all), SESSION_OK);
    assert_int_equal(session_say(rig, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0), SESSION_OK);
    assert_int_equal(session_say_u64(rig, VHOST_USER_SET_FEATURES, features), SESSION_OK);
}

void session_rig_set_memory(struct session_rig *rig)
{
    struct vhost_user_memory table = { .count = rig->ram.count };
    int fds[GUEST_RAM_REGIONS_MAX];

    guest_ram_describe(&rig->ram, table.regions, fds);
    if (!session_accepts(rig, VHOST_USER_SET_MEM_TABLE, &table, 8 + 32 * table.count, fds, table.count))
        fail_msg("SET_MEM_TABLE: %s", rig->session.why);
}

void session_rig_start_ring(struct session_rig *rig, unsigned index)
{
    struct driver_queue *queue = &rig->queues[index % SESSION_RIG_QUEUES];
    struct vhost_user_vring_addr where = {
        .index = index, .desc_user = (uintptr_t)queue->desc, .avail_user = (uintptr_t)queue->avail,
        .used_user = (uintptr_t)queue->used,
    };
    int fd = eventfd(0, EFD_CLOEXEC);

    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_NUM, index, queue->options.size),
                     SESSION_OK);
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_BASE, index, 0), SESSION_OK);
    assert_int_equal(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0), SESSION_OK);
    assert_int_equal(session_say_fd(rig, VHOST_USER_SET_VRING_CALL, index, fd), SESSION_OK);
    assert_int_equal(session_say_fd(rig, VHOST_USER_SET_VRING_KICK, index, fd), SESSION_OK);
    close(fd);
}
