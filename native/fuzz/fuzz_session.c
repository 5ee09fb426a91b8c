/*
 * fuzz_session.c - sequences of vhost-user messages from a compromised front end.
 *
 * The first record of an input chooses the offered features and how far an honest
 * front end gets first. Each other record is one step: a message with chosen size, payload
 * and fds (memfds of several sizes, eventfds and things that are neither), a whole
 * memory table with regions plugged or unplugged, the log that QEMU sets up for a migration, a turn of the workers
 * or of the guest, a memory file truncated under them, or the end of the
 * connection and a new one with the features offered before.
 *
 * Checked: workers are paused and resumed in turn and never used while paused,
 * a refusal has a reason, and after session_close() every fd that was given to the
 * session is closed, and no other.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "double_fetch.h"
#include "input.h"
#include "vhost/fd_kind.h"
#include "vhost/session.h"

#define PAIRS 2u
#define BIG 0x20000u
/* Rings of vring i begin at i * RING_ROOM in the big file: descriptors, and the two rings behind. */
#define RING_ROOM 0x4000u
/* The front end's address of the first region. */
#define USER 0x100000000ull
#define FDS_SEEN 128 /* looked at for leaks; the lowest free one is always taken first */

static struct session session;
static struct input in;
static bool paused;
static int pool[8];         /* kinds of fds, made once */
static uint8_t *big;        /* our mapping of pool[0] */
static int victim = -1;     /* a memfd of this run that may be truncated */
static struct pollfd before[FDS_SEEN], after[FDS_SEEN]; /* fds of the process before and after a run */

static void on_pause(void *owner)
{
    (void)owner;
    FUZZ_CHECK(!paused, "paused twice");
    paused = true;
}

static void on_resume(void *owner)
{
    (void)owner;
    FUZZ_CHECK(paused, "resumed without a pause");
    paused = false;
}

static void on_enable(void *owner)
{
    (void)owner;
    FUZZ_CHECK(!paused, "enabled in a pause");
}

static void on_announce(void *owner, const uint8_t mac[6])
{
    (void)owner;
    (void)mac;
}

static const struct session_ops ops = { on_pause, on_resume, on_enable, on_announce };

static void make_pool(void)
{
    int pair[2];

    pool[0] = memfd_create("big", MFD_CLOEXEC);
    pool[1] = memfd_create("small", MFD_CLOEXEC);
    FUZZ_CHECK(ftruncate(pool[0], BIG) == 0 && ftruncate(pool[1], 4096) == 0, "no memfd");
    big = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_SHARED, pool[0], 0);
    pool[2] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    FUZZ_CHECK(pipe(pair) == 0, "no pipe");
    pool[3] = pair[0];
    pool[4] = pair[1];
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "no socket");
    pool[5] = pair[0];
    pool[6] = open("/dev/null", O_RDWR | O_CLOEXEC);
    pool[7] = open("/", O_RDONLY | O_CLOEXEC);
    FUZZ_CHECK(memory_guard_install() == 0, "no guard");
    fd_discard(dup(pool[6])); /* starts the closing thread, which has fds of its own */
    fd_discard_wait();
}

static int choose_fd(void)
{
    unsigned kind = input_choice(&in, 12);

    if (kind < 8)
        return dup(pool[kind]);
    if (kind < 10 || victim < 0)
        return dup(pool[kind % 3]);
    return dup(victim);
}

static uint64_t choose_place(void)
{
    static const uint64_t places[] = { 0, 0x10000, 0x1000, 0x8000, 0x1f000, 0x20000, UINT64_MAX - 0xfff,
                                       UINT64_C(1) << 63 };

    return places[input_choice(&in, 8)] + input_byte(&in) * (input_byte(&in) & 1u) * 16;
}

/* A memory table that is right but for what the input changes. */
static uint32_t fill_table(struct vhost_user_memory *table, unsigned *fd_count)
{
    table->count = 1 + input_choice(&in, 10);
    *fd_count = table->count;
    for (unsigned i = 0; i < table->count && i < MEMORY_REGIONS_MAX; i++) {
        struct memory_region_request *region = &table->regions[i];

        *region = (struct memory_region_request){
            .guest_addr = i * 0x100000ull, .size = 0x1000, .user_addr = USER * (i + 1),
                .mmap_offset = 0,
        };
        if (i == 0)
            region->size = BIG;
        switch (input_choice(&in, 8)) {
        case 4: region->guest_addr = choose_place(); break;
        case 5: region->size = choose_place(); break;
        case 6: region->user_addr = choose_place(); break;
        case 7: region->mmap_offset = choose_place(); break;
        default: break;
        }
    }
    return 8 + 32 * (table->count < MEMORY_REGIONS_MAX ? table->count : MEMORY_REGIONS_MAX);
}

static void fill_addresses(struct vhost_user_vring_addr *addr)
{
    addr->index = input_choice(&in, 5);
    addr->flags = input_choice(&in, 3);
    addr->desc_user = USER + choose_place();
    addr->avail_user = USER + 0x2000 + choose_place();
    addr->used_user = USER + 0x4000 + choose_place();
    addr->log_guest = choose_place();
}

/* Sets size, payload and the usual number of fds for the request. */
static uint32_t fill_payload(uint32_t request, union vhost_user_payload *payload, unsigned *fd_count)
{
    switch (request) {
    case VHOST_USER_SET_MEM_TABLE: return fill_table(&payload->memory, fd_count);
    case VHOST_USER_SET_VRING_ADDR: fill_addresses(&payload->addr); return sizeof payload->addr;
    case VHOST_USER_SET_VRING_NUM:
    case VHOST_USER_SET_VRING_BASE:
    case VHOST_USER_GET_VRING_BASE:
    case VHOST_USER_SET_VRING_ENABLE:
        payload->state.index = input_choice(&in, 5);
        payload->state.num = input_choice(&in, 17);
        if (request == VHOST_USER_SET_VRING_NUM)
            payload->state.num = 1u << payload->state.num;
        return sizeof payload->state;
    case VHOST_USER_SET_VRING_KICK:
    case VHOST_USER_SET_VRING_CALL:
    case VHOST_USER_SET_VRING_ERR:
        payload->u64 = input_choice(&in, 5);
        *fd_count = input_choice(&in, 4) != 0;
        payload->u64 |= *fd_count ? 0 : VHOST_USER_VRING_NOFD;
        return 8;
    case VHOST_USER_SET_LOG_BASE:
        payload->log.size = 1ull << input_choice(&in, 20);
        payload->log.offset = input_choice(&in, 4) ? 0 : choose_place();
        *fd_count = 1;
        return sizeof payload->log;
    case VHOST_USER_SET_FEATURES:
        payload->u64 = session.offered & (input_number(&in, 5) << 4 |
                                          FEATURE(VHOST_USER_F_PROTOCOL_FEATURES));
        return 8;
    case VHOST_USER_SET_PROTOCOL_FEATURES:
    case VHOST_USER_SEND_RARP:
    case VHOST_USER_NET_SET_MTU: payload->u64 = input_number(&in, 2); return 8;
    case VHOST_USER_SET_LOG_FD: *fd_count = 1; return 0;
    default: return 0;
    }
}

static void send_message(void)
{
    struct vhost_user_message message = { .header.flags = VHOST_USER_VERSION }, reply;
    unsigned fd_count = 0;
    int fds[40];
    enum session_verdict verdict;
    uint8_t oddity;

    message.header.request = 1 + input_choice(&in, 24);
    message.header.size = fill_payload(message.header.request, &message.payload, &fd_count);
    oddity = input_byte(&in);
    if (oddity >= 224)
        message.header.flags = input_byte(&in);
    else if (oddity >= 192)
        message.header.flags |= VHOST_USER_NEED_REPLY;
    else if (oddity >= 176)
        message.header.size = input_byte(&in);
    else if (oddity >= 160)
        fd_count = input_choice(&in, 40);
    else if (oddity >= 144)
        ((uint8_t *)&message.payload)[input_byte(&in) % sizeof message.payload] = input_byte(&in);
    for (unsigned i = 0; i < fd_count; i++)
        fds[i] = choose_fd();
    verdict = session_handle(&session, &message, fds, fd_count, &reply);
    FUZZ_CHECK(!paused, "workers are left out after request %u", message.header.request);
    if (verdict == SESSION_CLOSE || verdict == SESSION_REPLY_CLOSE)
        FUZZ_CHECK(session.why[0] != '\0', "request %u is refused without a reason", message.header.request);
    if (verdict == SESSION_REPLY || verdict == SESSION_REPLY_CLOSE)
        FUZZ_CHECK(reply.header.size <= sizeof reply.payload &&
                   reply.header.request == message.header.request,
                   "a wrong reply");
}

static void say(uint32_t request, const void *payload, uint32_t size, int fd)
{
    struct vhost_user_message message = { .header = { request, VHOST_USER_VERSION, size } }, reply;
    int own = fd < 0 ? -1 : dup(fd);

    if (size)
        memcpy(&message.payload, payload, size);
    session_handle(&session, &message, &own, own < 0 ? 0 : 1, &reply);
}

/* One vring as a usual front end starts it. */
static void start_vring(uint32_t i)
{
    uint64_t base = USER + i * RING_ROOM, vring = i;
    struct vhost_user_vring_state size = { i, 64 }, on = { i, 1 };
    struct vhost_user_vring_addr where = {
        .index = i, .desc_user = base, .avail_user = base + 0x1000, .used_user = base + 0x2000,
        .log_guest = i * RING_ROOM + 0x2000, .flags = VHOST_VRING_F_LOG,
    };

    say(VHOST_USER_SET_VRING_NUM, &size, 8, -1);
    say(VHOST_USER_SET_VRING_ADDR, &where, sizeof where, -1);
    say(VHOST_USER_SET_VRING_ENABLE, &on, 8, -1);
    say(VHOST_USER_SET_VRING_CALL, &vring, 8, pool[2]);
    say(VHOST_USER_SET_VRING_KICK, &vring, 8, pool[2]);
}

static uint64_t some_features(void)
{
    return session.offered & ~(uint64_t)input_byte(&in) & ~((uint64_t)input_byte(&in) << 26);
}

/* What a usual front end says, so that most inputs get to running rings. */
static void usual_start(void)
{
    uint64_t features = some_features(), protocol = 0x1f;
    struct vhost_user_memory table = { .count = 1 };

    table.regions[0] = (struct memory_region_request){ .size = BIG, .user_addr = USER };
    say(VHOST_USER_SET_PROTOCOL_FEATURES, &protocol, 8, -1);
    say(VHOST_USER_SET_FEATURES, &features, 8, -1);
    say(VHOST_USER_SET_MEM_TABLE, &table, 40, pool[0]);
    for (uint32_t i = 0; i < session.vring_count && i < 2 * PAIRS; i++)
        start_vring(i);
}

/* Memory is plugged in or out while rings run: the big region, and small ones at other addresses. */
static void plug_memory(void)
{
    struct vhost_user_message message = { .header = { VHOST_USER_SET_MEM_TABLE, VHOST_USER_VERSION, 0 } }, reply;
    struct vhost_user_memory *table = &message.payload.memory;
    bool first_too = input_choice(&in, 8) != 7;
    int fds[MEMORY_REGIONS_MAX];

    if (first_too)
        table->regions[table->count++] = (struct memory_region_request){ .size = BIG, .user_addr = USER };
    for (unsigned more = input_choice(&in, MEMORY_REGIONS_MAX); more > 0; more--) {
        uint32_t at = table->count++;

        table->regions[at] = (struct memory_region_request){
            .guest_addr = BIG + at * 0x1000, .size = 0x1000, .user_addr = USER * (at + 2),
        };
    }
    message.header.size = 8 + 32 * table->count;
    for (unsigned i = 0; i < table->count; i++)
        fds[i] = dup(i == 0 && first_too ? victim >= 0 && input_seldom(&in, 4) ? victim : pool[0] : pool[1]);
    session_handle(&session, &message, fds, table->count, &reply);
}

/* As QEMU begins a migration: the log, once more for the second pair, and the features with LOG_ALL. */
static void begin_log(void)
{
    struct vhost_user_log log = { .size = input_seldom(&in, 8) ? 1 : 4096 };
    uint64_t features = session.features | (session.offered & FEATURE(VHOST_F_LOG_ALL));

    for (unsigned pair = 0; pair < PAIRS; pair++)
        say(VHOST_USER_SET_LOG_BASE, &log, sizeof log, pool[1]);
    say(VHOST_USER_SET_FEATURES, &features, 8, -1);
}

/* The guest makes a few chains available on one of those rings. */
static void guest_posts(void)
{
    uint32_t index = input_choice(&in, 2 * PAIRS);
    uint8_t *base = big + index * RING_ROOM;
    uint16_t idx;

    memcpy(&idx, base + 0x1002, 2);
    for (unsigned count = input_choice(&in, 6); count > 0; count--, idx++) {
        uint16_t head = idx & 63;
        struct vring_desc desc = { .addr = 0x10000 + input_number(&in, 2) };

        desc.len = 64u + 16u * input_byte(&in);
        desc.flags = index % 2 ? 0 : VRING_DESC_F_WRITE;
        if (input_seldom(&in, 3)) { /* in two pieces */
            struct vring_desc other = { desc.addr + desc.len / 2, desc.len - desc.len / 2, desc.flags, 0 };

            desc.len /= 2;
            desc.next = (head + 32) & 63;
            desc.flags |= VRING_DESC_F_NEXT;
            memcpy(base + 16u * desc.next, &other, sizeof other);
        }
        memcpy(base + 16u * head, &desc, sizeof desc);
        memcpy(base + 0x1004 + 2u * head, &head, 2);
    }
    memcpy(base + 0x1002, &idx, 2);
}

/* One call of a worker that may load from guest memory. Regions of one file share bytes, so then nothing is judged. */
#define DEVICE(call)                                                        \
    do {                                                                    \
        double_fetch_begin(ring, i % 2 == 0, session.memory->count == 1);   \
        call;                                                               \
        double_fetch_end();                                                 \
    } while (0)

/* What the workers left behind. */
static void show_ring(const struct ring *ring)
{
    uint8_t fault = atomic_load(&ring->fault);

    double_fetch_result(&fault, sizeof fault);
    double_fetch_result(&ring->last_avail, sizeof ring->last_avail);
    double_fetch_result(&ring->used_idx, sizeof ring->used_idx);
    double_fetch_result(big, BIG);
}

/* What workers do with the rings that run. */
static void work_rings(void)
{
    static struct burst burst;
    static struct segment scratch[RING_SEGMENTS_MAX];
    static uint8_t rest[2000];
    struct segment segment = { rest, sizeof rest };
    struct frame frame = { .length = FRAME_HEAD_MAX + sizeof rest, .head_length = FRAME_HEAD_MAX,
                           .segments = &segment, .segment_count = 1 };

    for (unsigned i = 0; i < session.vring_count; i++) {
        struct ring *ring = &session.vrings[i].ring;

        FUZZ_CHECK(!ring->running || session.memory, "a ring runs without memory");
        if (!ring_usable(ring))
            continue;
        if (i % 2) {
            DEVICE(ring_take(ring, &burst));
            for (unsigned taken = 0; taken < burst.count; taken++)
                double_fetch_frame(&burst.frames[taken]);
            DEVICE(ring_complete(ring, &burst));
        } else {
            DEVICE(ring_deliver(ring, &frame, scratch));
            DEVICE(ring_publish(ring));
        }
        DEVICE(ring_notify(ring));
        if (ring_usable(ring))
            DEVICE(ring_arm(ring));
        show_ring(ring);
    }
}

static void guest_writes(void)
{
    uint32_t at = (uint32_t)input_number(&in, 3) % BIG;

    for (unsigned count = input_choice(&in, 20); count > 0 && at < BIG; count--)
        big[at++] = input_byte(&in);
}

static void truncate_victim(void)
{
    if (victim < 0) {
        victim = memfd_create("victim", MFD_CLOEXEC);
        FUZZ_CHECK(ftruncate(victim, BIG) == 0, "no memfd");
    } else {
        FUZZ_CHECK(ftruncate(victim, 4096) == 0, "no truncation");
    }
}

/* QEMU goes away and comes back, or the switch meets it again: what was offered stays (R26). */
static void reconnect(void)
{
    uint64_t offered = session.offered;
    bool usual = input_choice(&in, 4) != 3;

    session_close(&session);
    FUZZ_CHECK(!paused, "workers are left out after the end");
    session_open(&session, &ops, NULL, offered, PAIRS, NULL);
    if (usual)
        usual_start();
}

static void step(void)
{
    switch (input_choice(&in, 16)) {
    case 0: work_rings(); break;
    case 1: guest_writes(); break;
    case 2: truncate_victim(); break;
    case 3:
    case 4:
        guest_posts();
        work_rings();
        break;
    case 5: plug_memory(); break;
    case 6: begin_log(); break;
    case 7: reconnect(); break;
    case 8: start_vring(input_choice(&in, 2 * PAIRS)); break;
    default: send_message(); break;
    }
}

/* One call for all: which fds there are. */
static void look_at_fds(struct pollfd *fds)
{
    for (int fd = 0; fd < FDS_SEEN; fd++)
        fds[fd] = (struct pollfd){ .fd = fd };
    FUZZ_CHECK(poll(fds, FDS_SEEN, 0) >= 0, "no poll");
}

static void close_all(void)
{
    session_close(&session);
    FUZZ_CHECK(!paused, "workers are left out after the end");
    if (victim >= 0)
        close(victim);
    victim = -1;
    fd_discard_wait();
    look_at_fds(after);
    for (int fd = 0; fd < FDS_SEEN; fd++)
        FUZZ_CHECK(!((before[fd].revents ^ after[fd].revents) & POLLNVAL), "fd %d was %s", fd,
                   after[fd].revents & POLLNVAL ? "closed, and is not the session's" : "leaked");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct input all = { data, size };

    if (!ready)
        make_pool();
    ready = true;
    look_at_fds(before);
    memset(big, 0, BIG);
    input_record(&all, &in);
    bool usual = input_choice(&in, 4) != 3;
    uint64_t left_out = (uint64_t)input_byte(&in) << 26 | (input_seldom(&in, 4) ? input_number(&in, 4) : 0);

    session_open(&session, &ops, NULL, session_features_supported() & ~left_out, PAIRS, NULL);
    if (usual)
        usual_start();
    while (input_record(&all, &in))
        step();
    work_rings();
    close_all();
    return 0;
}
