/*
 * session_hostile_test.c - rows F1 to F6 and F8: a compromised QEMU. Every
 * test ends with the check that no fd was leaked or closed twice.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session_rig.h"

static struct session_rig *greeted(void)
{
    struct session_rig *rig = session_rig_open(2);

    session_rig_greet(rig, SESSION_RIG_FEATURES);
    return rig;
}

static bool closes(enum session_verdict verdict)
{
    return verdict == SESSION_CLOSE || verdict == SESSION_REPLY_CLOSE;
}

static void payload_sizes(void **state)
{
    static const uint32_t sizes[] = { 0, 1, 4, 7, 8, 9, 15, 16, 17, 39, 40, 41, 264, 265, 4096, 65536,
                                      1u << 31,
                                      UINT32_MAX };
    struct session_rig *rig = greeted();

    (void)state;
    for (uint32_t request = 0; request < 80; request++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct vhost_user_header header = { request, VHOST_USER_VERSION, sizes[i] };
            int limit = session_payload_limit(&header);

            /* What is accepted fits the message, so nothing is ever read past it. */
            assert_true(limit <= (int)sizeof(union vhost_user_payload));
            if (sizes[i] > sizeof(union vhost_user_payload))
                assert_int_equal(limit, -1);
        }
    }
    /* A size that its request cannot have, given to the session all the same. */
    for (uint32_t request = 1; request <= VHOST_USER_NET_SET_MTU; request++) {
        for (uint32_t size = 0; size <= 48; size++) {
            struct vhost_user_header header = { request, VHOST_USER_VERSION, size };
            uint8_t payload[48] = { 0 };

            if (session_payload_limit(&header) >= 0)
                continue;
            assert_true(closes(session_say(rig, request, payload, size, NULL, 0)));
        }
    }
    session_rig_close(rig);
}

static void unknown_requests(void **state)
{
    static const uint32_t requests[] = { 0, 21, 22, 23, 41, 42, 43, 63, 64, 65, 255, 256, 1u << 16,
                                         1u << 31, UINT32_MAX };
    struct session_rig *rig = greeted();
    uint64_t payload[8] = { 0 };

    (void)state;
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct vhost_user_header header = { requests[i], VHOST_USER_VERSION, 8 };

        assert_int_equal(session_payload_limit(&header), -1);
        assert_true(closes(session_say(rig, requests[i], payload, 8, NULL, 0)));
    }
    for (uint32_t flags = 0; flags < 16; flags++) { /* wrong version, a reply where a request belongs */
        struct vhost_user_message message = { .header = { VHOST_USER_GET_FEATURES, flags, 0 } };
        bool good = (flags & 3) == 1 && !(flags & VHOST_USER_REPLY);

        assert_int_equal(session_payload_limit(&message.header) == 0, good);
        assert_int_equal(closes(session_handle(&rig->session, &message, NULL, 0, &rig->reply)), !good);
    }
    session_rig_close(rig);
}

static void vring_indexes(void **state)
{
    static const uint32_t indexes[] = { 4, 5, 127, 128, 255, 256, 65535, 65536, 1u << 31, UINT32_MAX };
    static const uint32_t by_state[] = {
        VHOST_USER_SET_VRING_NUM, VHOST_USER_SET_VRING_BASE, VHOST_USER_GET_VRING_BASE,
            VHOST_USER_SET_VRING_ENABLE,
    };
    static const uint32_t by_fd[] = {
        VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_CALL, VHOST_USER_SET_VRING_ERR,
    };
    struct session_rig *rig = greeted();
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)state;
    session_rig_set_memory(rig);
    for (unsigned i = 0; i < sizeof indexes / sizeof indexes[0]; i++) {
        struct vhost_user_vring_addr where = { .index = indexes[i] };

        for (unsigned r = 0; r < 4; r++)
            assert_true(closes(session_say_state(rig, by_state[r], indexes[i], 1)));
        assert_true(closes(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0)));
        for (unsigned r = 0; r < 3 && indexes[i] < 256; r++) {
            assert_true(closes(session_say_fd(rig, by_fd[r], indexes[i], fd)));
            assert_true(closes(session_say_fd(rig, by_fd[r], indexes[i], -1)));
        }
    }
    close(fd);
    session_rig_close(rig);
}

static void wrong_fds(void **state)
{
    static const uint32_t none[] = {
        VHOST_USER_GET_FEATURES, VHOST_USER_SET_OWNER, VHOST_USER_GET_PROTOCOL_FEATURES,
            VHOST_USER_GET_QUEUE_NUM,
    };
    struct session_rig *rig = greeted();
    int fds[9], pipe_fds[2];
    uint64_t vring = 0;

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        fds[i] = eventfd(0, EFD_CLOEXEC);
    for (unsigned i = 0; i < 4; i++) /* surplus */
        for (unsigned count = 1; count <= 9; count++)
            assert_true(closes(session_say(rig, none[i], NULL, 0, fds, count)));
    for (uint32_t request = VHOST_USER_SET_VRING_KICK; request <= VHOST_USER_SET_VRING_ERR; request++) {
        uint64_t no_fd = VHOST_USER_VRING_NOFD;

        assert_true(closes(session_say(rig, request, &vring, 8, NULL, 0))); /* missing */
        assert_true(closes(session_say(rig, request, &vring, 8, fds, 2)));
        assert_true(closes(session_say(rig, request, &vring, 8, fds, 9)));
        assert_true(closes(session_say(rig, request, &no_fd, 8, fds, 1))); /* says there is none */
        for (unsigned i = 0; i < 20; i++) /* again and again: the old one is closed */
            assert_int_equal(session_say_fd(rig, request, 0, fds[0]), SESSION_OK);
    }
    assert_int_equal(pipe(pipe_fds), 0);
    for (uint32_t request = VHOST_USER_SET_VRING_KICK; request <= VHOST_USER_SET_VRING_ERR; request++)
        assert_true(closes(session_say_fd(rig, request, 1, pipe_fds[1]))); /* no eventfd: it could block (H51) */
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    for (unsigned i = 0; i < 9; i++)
        close(fds[i]);
    session_rig_close(rig);
}

/* One table with one thing wrong; the port must go on without it. */
static void refuse_table(struct session_rig *rig, struct vhost_user_memory *table, uint32_t size,
                         const int *fds,
                         unsigned fd_count)
{
    const struct memory_map *before = rig->session.memory;

    if (session_accepts(rig, VHOST_USER_SET_MEM_TABLE, table, size, fds, fd_count))
        fail_msg("a table of %u regions was taken: guest %#llx size %#llx offset %#llx", table->count,
                 (unsigned long long)table->regions[0].guest_addr, (unsigned long long)table->regions[0].size,
                 (unsigned long long)table->regions[0].mmap_offset);
    assert_ptr_equal(rig->session.memory, before);
}

static void memory_tables(void **state)
{
    struct session_rig *rig = greeted();
    struct vhost_user_memory good = { .count = 3 }, table;
    int fds[9], pipe_fds[2], pair[2], file;

    (void)state;
    guest_ram_describe(&rig->ram, good.regions, fds);
    for (unsigned i = 3; i < 9; i++)
        fds[i] = fds[0];
    table = good;
    table.count = 0;
    refuse_table(rig, &table, 8, NULL, 0);
    for (uint32_t count = 1; count < 9; count++) { /* number of regions, of fds and of bytes out of step */
        table.count = count;
        if (count != 3)
            refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        if (count > 1)
            refuse_table(rig, &table, 8 + 32 * (count - 1), fds, count - 1);
        refuse_table(rig, &table, 8 + 32 * count, fds, 0);
    }
    for (uint32_t count = 9; count; count = count < 1u << 30 ? count * 4 : 0) {
        table.count = count;
        refuse_table(rig, &table, sizeof table, fds, 3);
    }
    for (unsigned i = 0; i < 3; i++) {
        static const uint64_t sizes[] = { 0, 0x50000, 0x41000, UINT64_MAX, UINT64_C(1) << 63,
                                          UINT64_MAX - 0xfff };

        for (unsigned s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            table = good;
            table.regions[i].size = sizes[s];
            refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        }
        table = good;
        table.regions[i].guest_addr = UINT64_MAX - 0x1000; /* wraps */
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        table = good;
        table.regions[i].user_addr = UINT64_MAX - 0x1000;
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        table = good;
        table.regions[i].mmap_offset += 0x1000; /* ends past the file */
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        table.regions[i].mmap_offset = UINT64_MAX - 0xfff;
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        table = good; /* overlap with another region */
        table.regions[i].guest_addr = good.regions[(i + 1) % 3].guest_addr + 0x1000;
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
        table = good;
        table.regions[i].user_addr = good.regions[(i + 1) % 3].user_addr + 0x1000;
        refuse_table(rig, &table, 8 + 32 * 3, fds, 3);
    }
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    file = open("/dev/zero", O_RDWR | O_CLOEXEC);
    fds[8] = eventfd(0, EFD_CLOEXEC);
    for (unsigned i = 0; i < 4; i++) { /* things that are no memory */
        int odd[3] = { fds[0], (int[]){ pipe_fds[0], pair[0], file, fds[8] }[i], fds[2] };

        refuse_table(rig, &good, 8 + 32 * 3, odd, 3);
    }
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(pair[0]);
    close(pair[1]);
    close(file);
    close(fds[8]);
    for (unsigned i = 0; i < 20; i++) /* a good one, again and again */
        assert_true(session_accepts(rig, VHOST_USER_SET_MEM_TABLE, &good, 8 + 32 * 3, fds, 3));
    session_rig_close(rig);
}

static void unaligned_offset(void **state)
{
    struct session_rig *rig = greeted();
    struct vhost_user_memory table = { .count = 1 };
    int fds[3];

    (void)state;
    guest_ram_describe(&rig->ram, (struct memory_region_request[3]){ { 0 } }, fds);
    table.regions[0] = (struct memory_region_request){ .guest_addr = 0, .size = 0x2000, .user_addr = 0x10000,
                                                       .mmap_offset = 0x123 };
    /* Either refused, or mapped so that every byte of it is there. */
    if (session_accepts(rig, VHOST_USER_SET_MEM_TABLE, &table, 8 + 32, fds, 1)) {
        volatile uint8_t *first = rig->session.memory->regions[0].host;

        first[0] = 1;
        first[0x1fff] = 2;
    }
    session_rig_close(rig);
}

static void log_bases(void **state)
{
    struct session_rig *rig = greeted();
    int fd = memfd_create("log", MFD_CLOEXEC);
    static const struct vhost_user_log bad[] = {
        { 0, 0 }, { UINT64_MAX, 0 }, { UINT64_C(1) << 40, 0 }, { 4096, 1 }, { 4096, 0x1000 }, { 4097, 0 },
        { 4096, UINT64_MAX }, { UINT64_MAX - 4095, 4096 }, { 1, 0 }, { 33, 0 },
    };
    struct vhost_user_log good = { 4096, 0 };

    (void)state;
    assert_int_equal(ftruncate(fd, 4096), 0);
    session_rig_set_memory(rig); /* up to 0x110000: 272 pages, 34 bytes of log */
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum session_verdict verdict = session_say(rig, VHOST_USER_SET_LOG_BASE, &bad[i], sizeof bad[i],
                                                   &fd, 1);

        if (!closes(verdict))
            fail_msg("a log of %llu bytes at %llu was taken", (unsigned long long)bad[i].size,
                     (unsigned long long)bad[i].offset);
        assert_null(rig->session.log.bits);
    }
    assert_true(closes(session_say(rig, VHOST_USER_SET_LOG_BASE, &good, sizeof good, NULL, 0)));
    assert_true(closes(session_say(rig, VHOST_USER_SET_LOG_BASE, &good, sizeof good, (int[]){ fd, fd }, 2)));
    for (unsigned i = 0; i < 20; i++) { /* QEMU 7.2 sends it once a queue pair */
        assert_int_equal(session_say(rig, VHOST_USER_SET_LOG_BASE, &good, sizeof good, &fd, 1),
                         SESSION_REPLY);
        assert_non_null(rig->session.log.bits);
    }
    assert_true(session_accepts(rig, VHOST_USER_SET_LOG_FD, NULL, 0, &fd, 1));
    assert_true(session_accepts(rig, VHOST_USER_SET_LOG_FD, NULL, 0, &fd, 1));
    close(fd);
    session_rig_close(rig);
}

static void requests_not_negotiated(void **state)
{
    /* IOTLB, slave fd, crypto, postcopy, inflight fds, memory regions, status. */
    static const uint32_t requests[] = { 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
                                         37, 38, 39, 40 };
    struct session_rig *rig = greeted();
    uint8_t payload[64] = { 0 };
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)state;
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        for (uint32_t size = 0; size <= 64; size += 8) {
            assert_true(closes(session_say(rig, requests[i], payload, size, NULL, 0)));
            assert_true(closes(session_say(rig, requests[i], payload, size, &fd, 1)));
        }
    }
    close(fd);
    session_rig_close(rig);

    rig = session_rig_open(1); /* these need their protocol feature */
    assert_true(closes(session_say_u64(rig, VHOST_USER_SEND_RARP, 2)));
    assert_true(closes(session_say_u64(rig, VHOST_USER_NET_SET_MTU, 1500)));
    assert_true(closes(session_say_u64(rig, VHOST_USER_SET_PROTOCOL_FEATURES, UINT64_MAX)));
    assert_int_equal(rig->session.protocol_features, 0);
    rig->session.offered &= ~FEATURE(VHOST_USER_F_PROTOCOL_FEATURES);
    assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 0, 1)));
    session_rig_close(rig);
}

/* Says message `kind`, right in itself. */
static void say_one(struct session_rig *rig, unsigned kind, unsigned index, int fd)
{
    struct driver_queue *queue = &rig->queues[index];
    struct vhost_user_vring_addr where = {
        .index = index, .desc_user = (uintptr_t)queue->desc, .avail_user = (uintptr_t)queue->avail,
        .used_user = (uintptr_t)queue->used,
    };

    switch (kind) {
    case 0: session_say(rig, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0); break;
    case 1: session_say(rig, VHOST_USER_RESET_OWNER, NULL, 0, NULL, 0); break;
    case 2: session_rig_set_memory(rig); break;
    case 3: session_say_state(rig, VHOST_USER_SET_VRING_NUM, index, 64); break;
    case 4: session_say_state(rig, VHOST_USER_SET_VRING_BASE, index, 77); break;
    case 5: session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0); break;
    case 6: session_say_fd(rig, VHOST_USER_SET_VRING_KICK, index, fd); break;
    case 7: session_say_fd(rig, VHOST_USER_SET_VRING_CALL, index, -1); break;
    case 8: session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, index, 1); break;
    case 9: session_say_state(rig, VHOST_USER_GET_VRING_BASE, index, 0); break;
    case 10: session_say_u64(rig, VHOST_USER_SET_FEATURES, SESSION_RIG_FEATURES); break;
    case 11: session_say_u64(rig, VHOST_USER_SET_FEATURES, 0); break;
    case 12: session_say_u64(rig, VHOST_USER_SET_PROTOCOL_FEATURES, 0x1f); break;
    default: session_say(rig, VHOST_USER_GET_QUEUE_NUM, NULL, 0, NULL, 0); break;
    }
}

static void any_order(void **state)
{
    static struct burst burst;
    unsigned seed = 1, ran = 0;
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        struct session_rig *rig = session_rig_open(2);

        for (unsigned i = 0; i < 150; i++) {
            seed = seed * 1103515245 + 12345;
            say_one(rig, (seed >> 16) % 14, (seed >> 24) % 4, fd);
            for (unsigned v = 0; v < 4; v++) {
                struct ring *ring = &rig->session.vrings[v].ring;

                ran += ring->running;
                if (ring_take(ring, &burst))
                    ring_complete(ring, &burst);
                assert_true(!ring->running || rig->session.memory);
            }
        }
        session_rig_close(rig);
    }
    assert_true(ran > 100); /* it did reach running rings */
    close(fd);
}

static void before_memory(void **state)
{
    struct session_rig *rig = greeted();

    (void)state;
    session_rig_start_ring(rig, 1); /* kicked before there is memory: waits */
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 1, 1), SESSION_OK);
    assert_false(rig->session.vrings[1].ring.running);
    session_rig_set_memory(rig);
    assert_true(vring_live(&rig->session.vrings[1]));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
        assert_int_equal(rig->reply.payload.state.num, 0);
    }
    session_rig_close(rig);
}

/* A ring runs, and then its memory is taken away, or its addresses become wrong: it stops and says why. */
static void running_rings_lose_their_place(void **state)
{
    struct session_rig *rig = greeted();
    struct vhost_user_memory table = { .count = 1 };
    struct vring *vring = &rig->session.vrings[1];
    struct vhost_user_vring_addr where = { .index = 1 };
    int fds[3];

    (void)state;
    session_rig_set_memory(rig);
    session_rig_start_ring(rig, 1);
    assert_true(vring->ring.running);
    where.desc_user = where.avail_user = where.used_user = 0x1234;
    assert_int_equal(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0), SESSION_OK);
    assert_false(vring->ring.running);
    assert_true(vring->why[0] != '\0');
    session_rig_start_ring(rig, 1); /* and right again */
    assert_true(vring->ring.running);
    guest_ram_describe(&rig->ram, (struct memory_region_request[3]){ { 0 } }, fds);
    table.regions[0] = (struct memory_region_request){ .guest_addr = 0x100000, .size = 0x10000, .user_addr = 0x5000000 };
    assert_true(session_accepts(rig, VHOST_USER_SET_MEM_TABLE, &table, 8 + 32, &fds[2], 1));
    assert_false(vring->ring.running);
    assert_true(vring->why[0] != '\0');
    session_rig_close(rig);
}

static void values_out_of_range(void **state)
{
    static const uint32_t sizes[] = { 0, 3, 100, 32769, 65536, UINT32_MAX };
    struct session_rig *rig = greeted();

    (void)state;
    session_rig_set_memory(rig);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_NUM, 1, sizes[i])));
    assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_BASE, 1, 65536)));
    assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 1, 2)));
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_BASE, 1, 65535), SESSION_OK);
    session_rig_start_ring(rig, 1);
    assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_NUM, 1, 64))); /* not while it runs */
    assert_true(closes(session_say_state(rig, VHOST_USER_SET_VRING_BASE, 1, 0)));
    session_rig_close(rig);
}

/* The avail idx that was seen belongs to the old avail ring: nothing of the new one is taken for its sake. */
static void other_avail_ring(void **state)
{
    static struct burst burst;
    struct session_rig *rig = greeted();
    struct driver_queue *queue = &rig->queues[1];
    struct vhost_user_vring_addr where = {
        .index = 1, .desc_user = (uintptr_t)queue->desc, .used_user = (uintptr_t)queue->used,
    };
    struct ring *ring = &rig->session.vrings[1].ring;
    struct vring_avail *other = guest_ram_at(&rig->ram, 0x100000, 256);

    (void)state;
    session_rig_set_memory(rig);
    session_rig_start_ring(rig, 1);
    for (uint16_t i = 0; i < 40; i++) { /* more than one burst: 8 are seen and not taken */
        driver_describe(queue, i, 0x41000, 100, 0, 0);
        driver_offer(queue, i);
    }
    driver_publish(queue);
    assert_int_equal(ring_take(ring, &burst), BURST_MAX);
    ring_complete(ring, &burst);
    memset(other, 0xff, 256);
    other->idx = BURST_MAX; /* nothing more */
    where.avail_user = (uintptr_t)other;
    assert_int_equal(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0), SESSION_OK);
    assert_int_equal(ring_take(ring, &burst), 0);
    assert_int_equal(ring->fault, RING_FAULT_NONE);
    other->ring[32] = 3;
    other->idx = BURST_MAX + 1;
    assert_int_equal(ring_take(ring, &burst), 1);
    assert_int_equal(burst.heads[0], 3);
    session_rig_close(rig);
}

/* A broken ring may begin again with new addresses (R27). */
static void broken_ring_gets_addresses(void **state)
{
    static struct burst burst;
    struct session_rig *rig = greeted();
    struct driver_queue *queue = &rig->queues[1];
    struct vhost_user_vring_addr where = {
        .index = 1, .desc_user = (uintptr_t)queue->desc, .avail_user = (uintptr_t)queue->avail,
        .used_user = (uintptr_t)queue->used,
    };
    struct ring *ring = &rig->session.vrings[1].ring;

    (void)state;
    session_rig_set_memory(rig);
    session_rig_start_ring(rig, 1);
    queue->avail->idx = 30000;
    assert_int_equal(ring_take(ring, &burst), 0);
    assert_int_equal(ring->fault, RING_FAULT_AVAIL_INDEX);
    queue->avail->idx = 0;
    assert_int_equal(session_say(rig, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0), SESSION_OK);
    assert_true(ring_usable(ring));
    driver_describe(queue, 0, 0x41000, 100, 0, 0);
    driver_offer(queue, 0);
    driver_publish(queue);
    assert_int_equal(ring_take(ring, &burst), 1);
    session_rig_close(rig);
}

static void log_out_of_order(void **state)
{
    struct session_rig *rig = session_rig_open(1);
    struct vhost_user_log log = { 4096, 0 };
    int fd = memfd_create("log", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(ftruncate(fd, 4096), 0);
    assert_true(closes(session_say(rig, VHOST_USER_SET_LOG_BASE, &log, sizeof log, &fd, 1))); /* not negotiated */
    session_rig_greet(rig, SESSION_RIG_FEATURES | FEATURE(VHOST_F_LOG_ALL));
    assert_int_equal(session_say(rig, VHOST_USER_SET_LOG_BASE, &log, sizeof log, &fd, 1), SESSION_REPLY); /* before memory */
    session_rig_set_memory(rig);
    session_rig_start_ring(rig, 0);
    assert_true(rig->session.vrings[0].ring.log == &rig->session.log);
    close(fd);
    session_rig_close(rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("F1 payload sizes", payload_sizes),
        ROW("F1 unknown requests, wrong version, wrong direction", unknown_requests),
        ROW("F2 vring index out of range in each message", vring_indexes),
        ROW("F3 surplus, missing, repeated and wrong fds", wrong_fds),
        ROW("F4 memory tables", memory_tables),
        ROW("F4 unaligned offset in the memory file", unaligned_offset),
        ROW("F5 dirty log bases", log_bases),
        ROW("F6 requests that were not negotiated", requests_not_negotiated),
        ROW("F8 messages in any order", any_order),
        ROW("F8 running rings lose their memory or their addresses", running_rings_lose_their_place),
        ROW("F8 H8 sizes, bases and states out of range", values_out_of_range),
        ROW("F8 H9 a running ring gets another avail ring", other_avail_ring),
        ROW("F8 R27 a broken ring gets its addresses anew", broken_ring_gets_addresses),
        ROW("F5 F8 dirty log before memory, and before it was negotiated", log_out_of_order),
        ROW("F8 kick before memory, stop twice", before_memory),
    };
    return cmocka_run_group_tests_name("session, hostile", tests, NULL, NULL);
}
