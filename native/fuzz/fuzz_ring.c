/*
 * fuzz_ring.c - a split ring and guest memory against random guests.
 *
 * The input chooses features, queue size, descriptors (with addresses near the
 * borders where mistakes are), and then a sequence of operations: the guest
 * posts and rewrites, the device takes, delivers, publishes, notifies, restarts.
 * In some inputs the guest also changes its memory right behind single loads.
 *
 * Checked after each operation: no byte changed that the device may not write
 * (its used ring; what a descriptor that it loaded gave it to write), every
 * frame lies in guest memory and its lengths agree; and by the sanitizers and
 * the guard pages around each region: nothing beyond.
 */
#include "driver.h"
#include "input.h"
#include "switch/copy.h"
#include "switch/offload.h"
#include "vhost/guest_memory.h"
#include "vhost/ring.h"

#define REGION_B 0x10000u
#define REGION_C 0x100000u
#define GRANTED_MAX 1024u
#define TABLES 0x8000u /* indirect tables, in region A; another over the border of A and B */

static struct guest_ram ram;
static struct memory_map map;
static struct driver_queue queue;
static struct ring ring;
static struct burst burst;
static struct segment scratch[RING_SEGMENTS_MAX];
static struct offload_work *work;
static struct input in;
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
}

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

static void write_descriptor(uint64_t at)
{
    struct vring_desc desc = { .addr = choose_address(), .len = choose_length() };
    uint8_t bytes[16];

    desc.flags = input_byte(&in);
    if (desc.flags < 192) /* mostly what the queue's direction asks for */
        desc.flags = (uint16_t)((desc.flags & 5) | (queue.options.receives ? VRING_DESC_F_WRITE : 0));
    desc.next = input_choice(&in, queue.options.size + 1u);
    memcpy(bytes, &desc, sizeof bytes);
    for (unsigned i = 0; i < 16; i++)
        guest_ram_poke(&ram, at + i, bytes[i]);
}

static void poke16(uint64_t guest, uint16_t value)
{
    guest_ram_poke(&ram, guest, (uint8_t)value);
    guest_ram_poke(&ram, guest + 1, (uint8_t)(value >> 8));
}

static void post(void)
{
    unsigned count = input_choice(&in, 9);

    for (unsigned i = 0; i < count; i++) {
        uint16_t at = queue.avail_idx++ & (queue.options.size - 1);
        uint8_t head = input_byte(&in);

        poke16(queue.avail_guest + 4 + 2u * at, head == 255 ? 0xffff : head % queue.options.size);
    }
    poke16(queue.avail_guest + 2, (uint16_t)(count == 8 ? input_number(&in, 2) : queue.avail_idx));
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

static void transmit(uint64_t offloads)
{
    struct ring before = ring;
    unsigned taken = ring_take(&ring, &burst);

    FUZZ_CHECK(taken <= BURST_MAX && taken == burst.count, "took %u", taken);
    FUZZ_CHECK(before.used_idx == ring.used_idx, "used without completing");
    for (unsigned i = 0; i < taken; i++)
        check_frame(&burst.frames[i], offloads, offloads >> 16);
    ring_complete(&ring, &burst);
    FUZZ_CHECK((uint16_t)(ring.used_idx - before.used_idx) == taken, "completed another number");
}

static void receive(void)
{
    static uint8_t payload[FRAME_LENGTH_MAX];
    struct frame frame = { .length = FRAME_LENGTH_MIN + (uint32_t)input_number(&in, 2) % 4000 };
    struct segment rest;
    enum drop_reason reason;
    uint16_t used = ring.used_idx;

    if (input_byte(&in) > 240)
        frame.length = FRAME_LENGTH_MAX - input_byte(&in);
    frame.head_length = (uint16_t)(frame.length < FRAME_HEAD_MAX ? frame.length : FRAME_HEAD_MAX);
    rest = (struct segment){ payload, frame.length - frame.head_length };
    frame.segments = &rest;
    frame.segment_count = rest.length ? 1 : 0;
    for (unsigned i = 0; i < granted_count; i++)
        guest_ram_allow(&ram, granted[i].guest, granted[i].length);
    delivering = true;
    part_length = 0;
    ring_expect(&ring, input_choice(&in, 40));
    reason = ring_deliver(&ring, &frame, scratch);
    delivering = false;
    FUZZ_CHECK(reason == DROP_NONE || used == ring.used_idx, "dropped, and buffers consumed");
    if (reason != DROP_NONE) /* not one byte may have been written */
        ram.writable_count = 1;
}

static void start(uint64_t features)
{
    struct ring_address where = {
        .size = queue.options.size, .desc_user = (uintptr_t)queue.desc, .avail_user = (uintptr_t)queue.avail,
        .used_user = (uintptr_t)queue.used,
    };
    char why[160];

    FUZZ_CHECK(ring_start(&ring, &map, &where, features, why, sizeof why), "%s", why);
    granted_count = 0;
}

/* The guest's turn: its changes are no changes by the device. */
static void guest_turn(void)
{
    uint32_t used = input_choice(&in, 6 + 8u * queue.options.size);
    uint32_t avail = input_choice(&in, 6 + 2u * queue.options.size);

    switch (input_choice(&in, 4)) {
    case 0: write_descriptor(queue.desc_guest + 16u * input_choice(&in, queue.options.size)); break;
    case 1: poke16(queue.used_guest + used, (uint16_t)input_number(&in, 2)); break;
    case 2: poke16(queue.avail_guest + avail, (uint16_t)input_number(&in, 2)); break;
    default: post(); break;
    }
}

static void device_turn(uint64_t features, uint64_t offloads)
{
    uint64_t where = 0;

    guest_ram_accept(&ram);
    guest_ram_allow(&ram, queue.used_guest, 6 + 8u * queue.options.size);
    switch (input_choice(&in, 10)) {
    case 0: ring_arm(&ring); break;
    case 1: ring_disarm(&ring); break;
    case 2: ring_notify(&ring); break;
    case 3:
        ring_stop(&ring);
        start(features);
        queue.avail_idx = ring.last_avail;
        break;
    case 4: ring_publish(&ring); break;
    case 5: ring_has_work(&ring); break;
    default: queue.options.receives ? receive() : transmit(offloads); break;
    }
    FUZZ_CHECK(guest_ram_untouched(&ram, &where), "guest address %#llx was changed",
               (unsigned long long)where);
}

static void begin(uint8_t choices, uint16_t size, uint64_t features)
{
    static const struct guest_ram_layout layout[] = {
        { .guest_addr = 0, .size = REGION_B }, { .guest_addr = REGION_B, .size = 0x8000 },
        { .guest_addr = REGION_C, .size = 0x1000 },
    };
    struct driver_options options = {
        .size = size, .receives = choices & 1, .features = features, .buffer_bytes = 64, .slots = 1,
    };

    if (ram.count == 0)
        FUZZ_CHECK(guest_ram_create(&ram, layout, 3, 0) && (work = offload_work_create()), "no memory");
    for (unsigned i = 0; i < ram.count; i++) {
        memset(ram.regions[i].host, 0, ram.regions[i].size);
        ram.regions[i].next_free = 0;
    }
    guest_ram_view(&ram, &map);
    if (queue.ram)
        driver_destroy(&queue);
    FUZZ_CHECK(driver_create(&queue, &ram, &options), "no room for the queue");
    guest_ram_save(&ram);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t features = 0, offloads;
    uint8_t choices;

    in = (struct input){ data, size };
    choices = input_byte(&in);
    features |= choices & 2 ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0;
    features |= choices & 4 ? FEATURE(VIRTIO_F_RING_INDIRECT_DESC) : 0;
    features |= choices & 8 ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0;
    features |= choices & 16 ? FEATURE(VIRTIO_F_VERSION_1) : 0;
    offloads = input_number(&in, 4);
    begin(choices, (uint16_t)(1u << input_choice(&in, 7)), features);
    for (unsigned i = 0; i < queue.options.size && in.left > 0; i++)
        write_descriptor(queue.desc_guest + 16u * i);
    for (unsigned i = input_choice(&in, 8); i > 0; i--) {
        write_descriptor(TABLES + 16 * i);
        write_descriptor(REGION_B - 40 + 16 * i);
    }
    start(features);
    mutating = choices & 32;
    guest_load_hook = on_load;
    while (in.left > 0) {
        guest_turn();
        device_turn(features, offloads);
    }
    guest_load_hook = NULL;
    ring_stop(&ring);
    return 0;
}
