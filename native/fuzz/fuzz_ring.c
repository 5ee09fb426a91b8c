/*
 * fuzz_ring.c - a split ring and guest memory against random guests.
 *
 * The first record of an input chooses features, queue size and how the ring
 * begins: with sane buffers or with nothing. Each other record is a move of the guest
 * (it writes descriptors near the borders where mistakes are, indirect tables, both
 * rings, and posts) or of the device (it takes, delivers, publishes, notifies, is
 * stopped and started, gets another memory map or other features, begins to log). In some inputs
 * the guest also changes its memory right behind single loads.
 *
 * Checked after each move of the device: no byte changed that the device may not write
 * (its used ring; what a descriptor that it loaded gave it to write), nothing in a region
 * that was unplugged, and with a dirty log no page that is not marked; every
 * frame lies in guest memory and its lengths agree; and by the sanitizers and
 * the guard pages around each region: nothing beyond.
 */
#include "double_fetch.h"
#include "driver.h"
#include "input.h"
#include "switch/copy.h"
#include "switch/offload.h"
#include "vhost/dirty_log.h"
#include "vhost/guest_memory.h"
#include "vhost/ring.h"

#define REGION_B 0x10000u
#define REGION_C 0x100000u
#define GRANTED_MAX 1024u
#define BUFFERS 0x4000u /* of a sane queue, in region A */
#define TABLES 0x8000u  /* indirect tables, in region A; another over the border of A and B */
#define LOG_BYTES ((REGION_C + 0x1000u) / 4096u / 8u + 1u)
#define FRAMES_MAX 8u

static struct guest_ram ram;
static struct memory_map maps[2]; /* with region C, and without */
static unsigned plugged;          /* index of the map in use */
static struct dirty_log dirty;
static struct driver_queue queue;
static struct ring ring;
static struct burst burst;
static struct segment scratch[RING_SEGMENTS_MAX];
static struct offload_work *work;
static struct input in;           /* the step that is being done */
static uint64_t features, offloads; /* negotiated by the ring's driver; of senders and receivers in general */
static bool mutating;       /* the guest changes memory behind loads */
static bool delivering;     /* loads of 16 bytes are descriptors that may give memory to write */
static uint8_t part[16];    /* a descriptor that is loaded in parts, over a region border */
static size_t part_length;
/* What loaded descriptors gave the device to write. They are read ahead, so it lasts until a restart. */
static struct guest_ram_range granted[GRANTED_MAX];
static unsigned granted_count;

/* Remembers what a loaded descriptor lets the device write; only what differs from all before. */
static void note_descriptor(const uint8_t *bytes)
{
    struct vring_desc desc;

    memcpy(&desc, bytes, sizeof desc);
    if (!(desc.flags & VRING_DESC_F_WRITE) || desc.flags & VRING_DESC_F_INDIRECT)
        return;
    for (unsigned i = 0; i < granted_count; i++)
        if (granted[i].guest == desc.addr && granted[i].length == desc.len)
            return;
    if (granted_count < GRANTED_MAX)
        granted[granted_count++] = (struct guest_ram_range){ desc.addr, desc.len };
    guest_ram_allow(&ram, desc.addr, desc.len);
}

static void on_load(const volatile void *address, size_t size)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)address;
    uint64_t guest = guest_ram_address(&ram, at);
    bool field = guest - queue.avail_guest < 6 + 2u * queue.options.size;

    FUZZ_CHECK(guest != UINT64_MAX, "a load outside guest memory");
    if (delivering && size == 16) {
        note_descriptor(at);
    } else if (delivering && size < 16 && !field) {
        FUZZ_CHECK(part_length + size <= 16, "a descriptor in more than 16 bytes");
        memcpy(part + part_length, at, size);
        part_length += size;
        if (part_length == 16) {
            note_descriptor(part);
            part_length = 0;
        }
    }
    if (mutating && in.left > 0 && input_byte(&in) < 40)
        guest_ram_poke(&ram, guest + input_byte(&in) % size, input_byte(&in));
    double_fetch_saw(address, size);
}

/* One call of the device's code that may load from guest memory. */
#define DEVICE(call)                                                        \
    do {                                                                    \
        double_fetch_begin(&ring, queue.options.receives, true);            \
        call;                                                               \
        double_fetch_end();                                                 \
    } while (0)

static uint64_t choose_address(void)
{
    static const uint64_t places[] = { 0, 0x4000, TABLES, REGION_B - 64, REGION_B, REGION_B + 0x7f00,
                                       REGION_C,
                                       REGION_C + 0xf80, 0xfffffffffffff000, 0xffffffffffffffc0,
                                           REGION_C - 32 };
    uint64_t place = places[input_choice(&in, sizeof places / sizeof places[0])];

    return place + input_number(&in, 1 + (place == 0));
}

static uint32_t choose_length(void)
{
    switch (input_choice(&in, 8)) {
    case 0: return 0;
    case 1: return (uint32_t)input_number(&in, 4);
    case 2: return (uint32_t)input_number(&in, 2);
    case 3: return 16u * input_choice(&in, 20);
    case 4: return 65562;
    default: return input_byte(&in);
    }
}

static void put_descriptor(uint64_t at, struct vring_desc desc)
{
    uint8_t bytes[16];

    memcpy(bytes, &desc, sizeof bytes);
    for (unsigned i = 0; i < 16; i++)
        guest_ram_poke(&ram, at + i, bytes[i]);
}

static void write_descriptor(uint64_t at)
{
    struct vring_desc desc = { .addr = choose_address(), .len = choose_length() };

    desc.flags = input_byte(&in);
    if (desc.flags < 192) /* mostly what the queue's direction asks for */
        desc.flags = (uint16_t)((desc.flags & 5) | (queue.options.receives ? VRING_DESC_F_WRITE : 0));
    desc.next = input_choice(&in, queue.options.size + 1u);
    put_descriptor(at, desc);
}

/* Descriptors per chain of write_chain(). */
#define CHAIN_DESCRIPTORS 3u

/*
 * An honest chain of several descriptors, which no other has: in the ring's table, or in one of its own. Returns its head.
 * The buffers have 256 bytes of their own; the table of the n-th chain begins at an address that is aligned to nothing.
 */
static uint16_t write_chain(uint16_t number, uint8_t shape)
{
    static const uint32_t lengths[] = { 10, 12, 64, 256, 1, 0, 140, 30 };
    uint16_t size = queue.options.size, first = (uint16_t)(number * CHAIN_DESCRIPTORS);
    uint16_t way = queue.options.receives ? VRING_DESC_F_WRITE : 0;
    bool indirect = shape & 64;
    uint64_t table = TABLES + (number & 63u) * 52u;
    uint16_t head = first & (size - 1);

    if (indirect)
        put_descriptor(queue.desc_guest + 16u * head, (struct vring_desc){ table, 16 * CHAIN_DESCRIPTORS, VRING_DESC_F_INDIRECT, 0 });
    for (uint16_t i = 0; i < CHAIN_DESCRIPTORS; i++) {
        uint16_t at = indirect ? i : (uint16_t)(first + i) & (size - 1), next = indirect ? i + 1 : (uint16_t)(first + i + 1) & (size - 1);
        struct vring_desc desc = {
            .addr = BUFFERS + (first + i) % 64u * 256u, .len = lengths[(shape + i * (1 + shape / 8 % 8)) % 8], .next = next,
            .flags = (uint16_t)(way | (i + 1u < CHAIN_DESCRIPTORS ? VRING_DESC_F_NEXT : 0)),
        };

        put_descriptor((indirect ? table : queue.desc_guest) + 16u * at, desc);
    }
    return head;
}

static void poke16(uint64_t guest, uint16_t value)
{
    guest_ram_poke(&ram, guest, (uint8_t)value);
    guest_ram_poke(&ram, guest + 1, (uint8_t)(value >> 8));
}

static void post(void)
{
    unsigned count = input_choice(&in, 9);
    bool in_turn = !input_seldom(&in, 4);
    uint8_t jump = input_byte(&in), shape = in_turn ? input_byte(&in) : 0;

    for (unsigned i = 0; i < count; i++) {
        uint16_t at = queue.avail_idx++ & (queue.options.size - 1);
        uint8_t head = in_turn ? (uint8_t)at : input_byte(&in);

        if (shape & 128)
            head = (uint8_t)write_chain((uint16_t)(queue.avail_idx - 1), shape);
        poke16(queue.avail_guest + 4 + 2u * at, head == 255 ? 0xffff : head % queue.options.size);
    }
    poke16(queue.avail_guest + 2, (uint16_t)(jump == 255 ? input_number(&in, 2) : queue.avail_idx));
}

static bool in_guest_memory(const struct segment *segment)
{
    uint64_t guest = guest_ram_address(&ram, segment->data);

    return guest != UINT64_MAX && guest_ram_at(&ram, guest, segment->length) == segment->data;
}

static bool emit(void *context, const struct frame *frame)
{
    uint64_t total = frame->head_length;

    (void)context;
    for (uint32_t i = 0; i < frame->segment_count; i++)
        total += frame->segments[i].length;
    FUZZ_CHECK(total == frame->length, "a cut frame of %u bytes has %llu", frame->length,
               (unsigned long long)total);
    FUZZ_CHECK(frame->length >= FRAME_LENGTH_MIN, "a cut frame of %u bytes", frame->length);
    return true;
}

static void check_frame(struct frame *frame, uint64_t sender, uint64_t receiver)
{
    static uint8_t bytes[FRAME_LENGTH_MAX];
    uint64_t total = frame->head_length;

    if (frame->drop != DROP_NONE)
        return;
    FUZZ_CHECK(frame->length >= FRAME_LENGTH_MIN && frame->length <= FRAME_LENGTH_MAX, "length %u",
               frame->length);
    for (uint32_t i = 0; i < frame->segment_count; i++) {
        FUZZ_CHECK(in_guest_memory(&frame->segments[i]), "segment %u is not in guest memory", i);
        total += frame->segments[i].length;
    }
    FUZZ_CHECK(total == frame->length, "%llu bytes in a frame of %u", (unsigned long long)total,
               frame->length);
    copy_frame_linear(bytes, frame);
    if (offload_check(frame, sender) == DROP_NONE && !offload_passes(frame, receiver))
        offload_apply(work, frame, receiver, emit, NULL);
}

static void transmit(void)
{
    struct ring before = ring;
    unsigned taken;

    DEVICE(taken = ring_take(&ring, &burst));
    double_fetch_result(burst.heads, taken * sizeof burst.heads[0]);
    FUZZ_CHECK(taken <= BURST_MAX && taken == burst.count, "took %u", taken);
    FUZZ_CHECK(before.used_idx == ring.used_idx, "used without completing");
    for (unsigned i = 0; i < taken; i++) {
        double_fetch_frame(&burst.frames[i]);
        check_frame(&burst.frames[i], offloads, offloads >> 16);
    }
    DEVICE(ring_complete(&ring, &burst));
    FUZZ_CHECK((uint16_t)(ring.used_idx - before.used_idx) == taken, "completed another number");
}

/* Frames to deliver: short ones mostly, so that rings get far; the longest too. */
static unsigned make_frames(struct frame *frames, struct segment *rests)
{
    static uint8_t payload[FRAME_LENGTH_MAX];
    unsigned count = 1 + input_choice(&in, FRAMES_MAX);
    uint8_t kind = input_byte(&in);

    for (unsigned i = 0; i < count; i++) {
        struct frame *frame = &frames[i];

        *frame = (struct frame){ .length = FRAME_LENGTH_MIN + input_byte(&in) };
        if (kind >= 128)
            frame->length += input_byte(&in) * 16u;
        if (kind >= 248)
            frame->length = FRAME_LENGTH_MAX - input_byte(&in);
        frame->head_length = (uint16_t)(frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);
        memset(frame->head, 0xa0 + (int)i, sizeof frame->head);
        rests[i] = (struct segment){ payload, frame->length - frame->head_length };
        frame->segments = &rests[i];
        frame->segment_count = rests[i].length ? 1 : 0;
        if (kind % 8 == 7)
            frame->net.flags = NET_HEADER_F_NEEDS_CSUM;
    }
    return count;
}

/* As a port does it: what is plain in one go, what is not one by one. */
static unsigned deliver_all(struct frame *frames, unsigned count)
{
    struct frame *list[FRAMES_MAX];
    uint64_t bytes = 0;
    unsigned delivered = 0;

    for (unsigned i = 0; i < count; i++)
        list[i] = &frames[i];
    for (unsigned i = 0; i < count;) {
        unsigned plain;

        DEVICE(plain = ring_deliver_plain(&ring, list + i, count - i, 1518, &bytes));
        FUZZ_CHECK(plain <= count - i, "delivered %u of %u", plain, count - i);
        i += plain;
        delivered += plain;
        if (i < count) {
            uint16_t used = ring.used_idx;
            enum drop_reason reason;

            DEVICE(reason = ring_deliver(&ring, &frames[i++], scratch));
            double_fetch_result(&reason, sizeof reason);
            FUZZ_CHECK(reason == DROP_NONE || used == ring.used_idx, "dropped, and buffers consumed");
            delivered += reason == DROP_NONE;
        }
    }
    return delivered;
}

static void receive(void)
{
    struct frame frames[FRAMES_MAX];
    struct segment rests[FRAMES_MAX];
    unsigned count = make_frames(frames, rests);
    uint16_t used = ring.used_idx;

    for (unsigned i = 0; i < granted_count; i++)
        guest_ram_allow(&ram, granted[i].guest, granted[i].length);
    delivering = true;
    part_length = 0;
    unsigned expected = input_byte(&in) & 1 ? input_choice(&in, 40) : count;

    DEVICE(ring_expect(&ring, expected));
    if (deliver_all(frames, count) == 0) {
        FUZZ_CHECK(used == ring.used_idx, "nothing delivered, and buffers consumed");
        ram.writable_count = 1; /* not one byte may have been written */
    }
    delivering = false;
}

static struct ring_address address(void)
{
    return (struct ring_address){
        .size = queue.options.size, .desc_user = (uintptr_t)queue.desc, .avail_user = (uintptr_t)queue.avail,
        .used_user = (uintptr_t)queue.used, .used_log_guest = queue.used_guest, .log_used = true,
    };
}

static void start(void)
{
    struct ring_address where = address();
    char why[160];

    bool started;

    DEVICE(started = ring_start(&ring, &maps[plugged], &where, features, why, sizeof why));
    FUZZ_CHECK(started, "%s", why);
    granted_count = 0;
}

static void restart(void)
{
    ring_stop(&ring);
    start();
    queue.avail_idx = ring.last_avail;
}

/* Another memory table, other features, a log that begins or ends: what a session does while the ring is paused. */
static void rebase(void)
{
    struct ring_address where = address();
    uint8_t choices = input_byte(&in);
    char why[160];

    plugged ^= choices & 1;
    features ^= choices & 2 ? FEATURE(VIRTIO_F_RING_INDIRECT_DESC) : 0;
    features ^= choices & 4 ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0;
    features ^= choices & 8 ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0;
    features ^= choices & 16 ? FEATURE(VIRTIO_F_VERSION_1) : 0;
    if (choices & 32)
        ring.log = ring.log ? NULL : &dirty;
    bool rebased;

    DEVICE(rebased = ring_rebase(&ring, &maps[plugged], &where, features, why, sizeof why));
    FUZZ_CHECK(rebased, "%s", why);
}

static void write_tables(void)
{
    uint64_t at = input_byte(&in) & 1 ? TABLES : REGION_B - 40;
    unsigned first = input_choice(&in, 8);

    write_descriptor(at + 16u * first);
    write_descriptor(at + 16u * (first + 1));
}

/* The device may only change what is marked, and nothing that was unplugged. */
static void check_pages(void)
{
    bool judged = ring.log && atomic_load(&ring.fault) != RING_FAULT_LOG;

    for (unsigned i = 0; i < ram.count; i++) {
        const struct guest_ram_region *region = &ram.regions[i];
        bool there = region->guest_addr != REGION_C || plugged == 0;

        for (uint64_t at = 0; (judged || !there) && at < region->size; at += 4096) {
            uint64_t page = (region->guest_addr + at) / 4096;

            if (memcmp(region->saved + at, region->host + at, 4096) == 0)
                continue;
            FUZZ_CHECK(there, "page %#llx was unplugged, and written", (unsigned long long)page);
            FUZZ_CHECK(!judged || dirty.bits[page / 8] >> page % 8 & 1, "page %#llx is not in the dirty log",
                       (unsigned long long)page);
        }
    }
}

/* All that a move left behind. */
static void show_device(bool answer)
{
    uint8_t fault = atomic_load(&ring.fault);

    double_fetch_result(&answer, sizeof answer);
    double_fetch_result(&fault, sizeof fault);
    double_fetch_result(&ring.last_avail, sizeof ring.last_avail);
    double_fetch_result(&ring.used_idx, sizeof ring.used_idx);
    for (unsigned i = 0; i < ram.count; i++)
        double_fetch_result(ram.regions[i].host, ram.regions[i].size);
}

static void device_step(unsigned move)
{
    uint64_t where = 0;
    bool answer = false;

    guest_ram_accept(&ram);
    guest_ram_allow(&ram, queue.used_guest, 6 + 8u * queue.options.size);
    memset(dirty.bits, 0, dirty.size);
    switch (move) {
    case 0: DEVICE(answer = ring_arm(&ring)); break;
    case 1: DEVICE(ring_disarm(&ring)); break;
    case 2: DEVICE(answer = ring_notify(&ring)); break;
    case 3: restart(); break;
    case 4: DEVICE(ring_publish(&ring)); break;
    case 5: DEVICE(answer = ring_has_work(&ring)); break;
    case 6: rebase(); break;
    default: queue.options.receives ? receive() : transmit(); break;
    }
    show_device(answer);
    FUZZ_CHECK(guest_ram_untouched(&ram, &where), "guest address %#llx was changed",
               (unsigned long long)where);
    check_pages();
}

static void step(void)
{
    unsigned move = input_choice(&in, 20);

    switch (move) { /* the guest's moves are no changes by the device */
    case 0: write_descriptor(queue.desc_guest + 16u * input_choice(&in, queue.options.size)); break;
    case 1: poke16(queue.used_guest + input_number(&in, 2) % (6 + 8u * queue.options.size),
                   (uint16_t)input_number(&in, 2)); break;
    case 2: poke16(queue.avail_guest + input_number(&in, 2) % (6 + 2u * queue.options.size),
                   (uint16_t)input_number(&in, 2)); break;
    case 3: write_tables(); break;
    case 4:
    case 5:
    case 6:
    case 7: post(); break;
    default: device_step(move - 8); break;
    }
}

/* Plain buffers of one descriptor each, as an honest driver posts them. */
static void describe_buffers(uint32_t bytes)
{
    for (unsigned i = 0; i < queue.options.size; i++) {
        struct vring_desc desc = { .addr = BUFFERS + (i * bytes) % 0x4000, .len = bytes };
        uint8_t plain[16];

        desc.flags = queue.options.receives ? VRING_DESC_F_WRITE : 0;
        memcpy(plain, &desc, sizeof plain);
        for (unsigned at = 0; at < 16; at++)
            guest_ram_poke(&ram, queue.desc_guest + 16u * i + at, plain[at]);
    }
}

static void create_guest(void)
{
    static const struct guest_ram_layout layout[] = {
        { .guest_addr = 0, .size = REGION_B }, { .guest_addr = REGION_B, .size = 0x8000 },
        { .guest_addr = REGION_C, .size = 0x1000 },
    };

    FUZZ_CHECK(guest_ram_create(&ram, layout, 3, 0) && (work = offload_work_create()), "no memory");
    guest_ram_view(&ram, &maps[0]);
    maps[1] = maps[0];
    maps[1].count = 2; /* C has the highest guest address */
}

static void begin(bool receives, uint16_t size)
{
    struct driver_options options = {
        .size = size, .receives = receives, .features = features, .buffer_bytes = 64, .slots = 1,
    };

    if (ram.count == 0)
        create_guest();
    for (unsigned i = 0; i < ram.count; i++) {
        memset(ram.regions[i].host, 0, ram.regions[i].size);
        ram.regions[i].next_free = 0;
    }
    if (queue.ram)
        driver_destroy(&queue);
    FUZZ_CHECK(driver_create(&queue, &ram, &options), "no room for the queue");
    guest_ram_save(&ram);
}

/* The first record: features, queue size, log, and what the ring holds at first. */
static void set_scene(void)
{
    uint8_t choices = input_byte(&in), more = input_byte(&in);
    uint32_t lengths[] = { 64, 256, 1600, 4096 };

    features = 0;
    features |= choices & 2 ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0;
    features |= choices & 4 ? FEATURE(VIRTIO_F_RING_INDIRECT_DESC) : 0;
    features |= choices & 8 ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0;
    features |= choices & 16 ? FEATURE(VIRTIO_F_VERSION_1) : 0;
    offloads = input_number(&in, 4);
    begin(choices & 1, (uint16_t)(1u << input_choice(&in, 7)));
    if (!(choices & 64))
        describe_buffers(lengths[more & 3]);
    dirty.size = more & 4 ? 2 : LOG_BYTES; /* too small in some */
    dirty.bits = calloc(1, dirty.size);    /* on the heap, where a byte too far is seen */
    FUZZ_CHECK(dirty.bits, "no memory");
    ring.log = choices & 128 ? &dirty : NULL;
    plugged = 0;
    mutating = false;
    guest_load_hook = on_load;
    start();
    guest_load_hook = NULL;
    guest_ram_save(&ram); /* what the start wrote is no move's */
    mutating = choices & 32;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = { data, size };

    input_record(&all, &in);
    set_scene();
    guest_load_hook = on_load;
    while (input_record(&all, &in))
        step();
    guest_load_hook = NULL;
    ring_stop(&ring);
    free(dirty.bits);
    dirty.bits = NULL;
    return 0;
}
