/*
 * floor_bench.c - what a plain copy of a frame costs, over the same buffers.
 *
 *   bench-floor [--huge] MS BYTES [BYTES...]
 *
 * Lays two VMs' buffers out as bench-load does (1024 slots a ring, the same slots,
 * the same kind of pages) and copies frames from the transmit slots of each into the
 * receive slots of the other, in order, in bursts of both directions in turn,
 * for MS milliseconds a size. One JSON object a size: cycles of the time stamp
 * counter for one copy. No switch that copies can be below it. One thread,
 * which the caller pins where the switch runs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play_vm.h"
#include "worker/cycles.h"

#define SLOTS 1024u

/* The buffers of one VM. */
struct buffers {
    struct guest_ram ram;
    struct driver_queue rx, tx;
    unsigned next_rx, next_tx;   /* slots */
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-floor: %s: %s\n", what, why);
    exit(1);
}

static void create(struct buffers *buffers, bool huge, uint32_t bytes)
{
    uint32_t slot = bytes + NET_HEADER_SIZE > PLAY_SLOT ? bytes + NET_HEADER_SIZE : PLAY_SLOT;
    uint16_t slots = bytes > 16384 ? SLOTS / 4 : SLOTS; /* as bench-load is told for such frames */
    uint64_t size = (uint64_t)slots * (slot + PLAY_SLOT + 64) + (1u << 20);
    struct guest_ram_layout layout = { .size = (size + GUEST_RAM_HUGE_PAGE - 1) & ~(GUEST_RAM_HUGE_PAGE - 1) };
    struct driver_options options = {
        .size = slots, .features = FEATURE(VIRTIO_F_VERSION_1), .receives = true, .buffer_bytes = PLAY_SLOT,
    };

    *buffers = (struct buffers){ 0 };
    if (!guest_ram_create(&buffers->ram, &layout, 1, huge ? GUEST_RAM_HUGE : 0) ||
        !driver_create(&buffers->rx, &buffers->ram, &options))
        fail("memory", strerror(errno));
    options.receives = false;
    options.buffer_bytes = slot;
    if (!driver_create(&buffers->tx, &buffers->ram, &options))
        fail("memory", strerror(errno));
    for (unsigned i = 0; i < slots; i++) {
        memset(buffers->tx.buffers[i], 1, slot);
        memset(buffers->rx.buffers[i], 1, PLAY_SLOT);
    }
}

static void destroy(struct buffers *buffers)
{
    driver_destroy(&buffers->rx);
    driver_destroy(&buffers->tx);
    guest_ram_destroy(&buffers->ram);
}

/* Copies one frame; one that does not fit a receive slot goes on in the next, as with mergeable buffers. */
static void copy(struct buffers *from, struct buffers *to, uint32_t bytes)
{
    const uint8_t *frame = from->tx.buffers[from->next_tx++ % from->tx.slots] + NET_HEADER_SIZE;
    uint32_t offset = NET_HEADER_SIZE;

    while (bytes > 0) {
        uint32_t part = bytes < PLAY_SLOT - offset ? bytes : PLAY_SLOT - offset;

        memcpy(to->rx.buffers[to->next_rx++ % to->rx.slots] + offset, frame, part);
        frame += part;
        bytes -= part;
        offset = 0;
    }
}

static double measure(struct buffers *a, struct buffers *b, uint32_t bytes, unsigned ms)
{
    uint64_t end = monotonic_ns() + (uint64_t)ms * 1000000, copies = 0, begin = cycles_now();

    while (monotonic_ns() < end) {
        for (unsigned i = 0; i < PLAY_BURST; i++)
            copy(a, b, bytes);
        for (unsigned i = 0; i < PLAY_BURST; i++)
            copy(b, a, bytes);
        copies += 2 * (uint64_t)PLAY_BURST;
    }
    return (double)(cycles_now() - begin) / (double)copies;
}

/* Cycles of the time stamp counter in a microsecond. */
static double cycles_a_us(void)
{
    uint64_t begin_ns = monotonic_ns(), begin = cycles_now();

    while (monotonic_ns() - begin_ns < 20000000)
        continue;
    return (double)(cycles_now() - begin) / ((double)(monotonic_ns() - begin_ns) / 1e3);
}

int main(int argc, char **argv)
{
    static struct buffers a, b;
    int at = 1;
    bool huge = argc > 1 && strcmp(argv[1], "--huge") == 0;

    at += huge;
    if (argc - at < 2)
        fail("usage", "bench-floor [--huge] MS BYTES [BYTES...]");
    unsigned ms = (unsigned)atoi(argv[at++]);

    printf("{\"tsc_mhz\": %.3f}\n", cycles_a_us());
    for (; at < argc; at++) {
        uint32_t bytes = (uint32_t)atoi(argv[at]);

        if (bytes == 0 || bytes > PLAY_FRAME_MAX)
            fail(argv[at], "1 to 65536 bytes are wanted");
        create(&a, huge, bytes);
        create(&b, huge, bytes);
        measure(&a, &b, bytes, ms / 4);
        printf("{\"size\": %u, \"cycles\": %.2f}\n", bytes, measure(&a, &b, bytes, ms));
        destroy(&a);
        destroy(&b);
    }
    return 0;
}
