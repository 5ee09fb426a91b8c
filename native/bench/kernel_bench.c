/*
 * kernel_bench.c - frames from tap to tap over a Linux bridge: the kernel path.
 *
 *   bench-kernel [--offload] [--largest BYTES] [--single] TAPS
 *
 * A VM reaches a bridge by vhost-net, whose thread copies each frame from the
 * guest's memory into the kernel, carries it over the bridge into the other tap's
 * queue, and copies it out again. This program is that thread: it writes bursts of
 * frames to one tap of a pair and reads them from the other, both by one call of
 * io_uring (--single: one system call a frame), on the one core it is pinned to. The
 * guests' side, the rings of virtio, is left out, so the kernel path looks a little better than it is.
 *
 * Says {"attached": N, "batched": BOOL}, then obeys `both`, `one` and `turn` lines
 * as bench-load does. In {"frames": …, "ms": …, "mpps": …, "cycles": …} cycles are
 * all of the window's: the thread never waits.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_bridge.h"
#include "play_frame.h"
#include "play_vm.h"
#include "tap_io.h"
#include "worker/cycles.h"

/* The buffers of one guest, laid out as a play VM's: as many as its ring has entries. */
struct guest {
    uint8_t *tx, *rx;          /* slots */
    unsigned next_tx, next_rx; /* slot */
    uint32_t address;          /* number of the next frame's */
};

static struct {
    struct guest guests[PLAY_VMS_MAX];
    int taps[PLAY_VMS_MAX];
    unsigned count;       /* guests */
    unsigned slots;       /* buffers of each kind */
    uint32_t slot;        /* bytes of a buffer */
    uint32_t largest;     /* bytes of a frame */
    bool offload;
    struct tap_io io;
} bench;

/* What one line asks for. */
struct order {
    bool both, turns;
    uint32_t bytes, addresses;
    unsigned warm_ms, ms;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-kernel: %s: %s\n", what, why);
    exit(1);
}

static uint8_t *slot_of(uint8_t *slots, unsigned number)
{
    return slots + (size_t)(number & (bench.slots - 1)) * bench.slot;
}

static void create_guests(void)
{
    bench.slots = bench.largest > 16384 ? 256 : 1024;
    bench.slot = (bench.largest + NET_HEADER_SIZE + PLAY_SLOT - 1) / PLAY_SLOT * PLAY_SLOT;
    for (unsigned i = 0; i < bench.count; i++) {
        struct guest *guest = &bench.guests[i];
        size_t bytes = (size_t)bench.slots * bench.slot;

        guest->tx = aligned_alloc(4096, bytes);
        guest->rx = aligned_alloc(4096, bytes);
        if (guest->tx == NULL || guest->rx == NULL)
            fail("memory", "there is not enough");
        memset(guest->tx, 0, bytes);
        memset(guest->rx, 0, bytes);
    }
}

static void fill(const struct order *order)
{
    for (unsigned i = 0; i < bench.count; i++) {
        bench.guests[i].address = 0;
        for (unsigned slot = 0; slot < bench.slots; slot++) {
            uint8_t *at = slot_of(bench.guests[i].tx, slot);
            struct net_header header = { 0 };

            memset(at, 0, NET_HEADER_SIZE + order->bytes);
            play_frame_write(at + NET_HEADER_SIZE, &header, i, i ^ 1u, order->bytes, bench.offload);
            memcpy(at, &header, NET_HEADER_SIZE);
        }
    }
}

static void stage_write(struct guest *guest, unsigned index, const struct order *order)
{
    uint8_t *at = slot_of(guest->tx, guest->next_tx++);

    if (order->turns) {
        play_frame_address(at + NET_HEADER_SIZE, index, index ^ 1u, guest->address);
        guest->address = guest->address + 1 < order->addresses ? guest->address + 1 : 0;
    }
    tap_io_write(&bench.io, index, at, NET_HEADER_SIZE + order->bytes);
}

/* A burst from one guest to its peer; returns the frames that arrived. */
static unsigned carry(unsigned from, const struct order *order)
{
    struct guest *sender = &bench.guests[from], *receiver = &bench.guests[from ^ 1u];

    bench.io.written = bench.io.read = 0;
    bench.io.frame_bytes = NET_HEADER_SIZE + order->bytes;
    for (unsigned i = 0; i < PLAY_BURST; i++)
        stage_write(sender, from, order);
    for (unsigned i = 0; i < PLAY_BURST; i++)
        tap_io_read(&bench.io, from ^ 1u, slot_of(receiver->rx, receiver->next_rx++), bench.slot);
    if (!tap_io_run(&bench.io))
        fail("a tap", strerror(bench.io.error));
    return bench.io.read;
}

static uint64_t run(const struct order *order, unsigned ms, double *took_ms)
{
    uint64_t begin = monotonic_ns(), end = begin + (uint64_t)ms * 1000000, now = begin, frames = 0;

    while (now < end) {
        for (unsigned i = 0; i < bench.count; i += order->both ? 1 : 2)
            frames += carry(i, order);
        now = monotonic_ns();
    }
    *took_ms = (double)(now - begin) / 1e6;
    return frames;
}

static bool obey(const char *line)
{
    struct order order = { .both = strncmp(line, "one ", 4) != 0, .turns = strncmp(line, "turn ", 5) == 0 };
    double ms;

    if (order.both && !order.turns && strncmp(line, "both ", 5) != 0)
        return false;
    if (sscanf(strchr(line, ' '), "%u %u %u %u", &order.bytes, &order.addresses, &order.warm_ms, &order.ms) != 4 ||
        order.bytes < 60 || order.bytes > bench.largest || order.addresses == 0)
        return false;
    order.turns = order.turns || order.addresses > 1;
    fill(&order);
    run(&order, order.warm_ms, &ms);
    puts("{\"warm\": true}");
    fflush(stdout);
    uint64_t begin = cycles_now(), frames = run(&order, order.ms, &ms), cycles = cycles_now() - begin;

    printf("{\"frames\": %" PRIu64 ", \"ms\": %.3f, \"mpps\": %.4f, \"cycles\": %.1f}\n", frames, ms,
           (double)frames / ms / 1000, frames ? (double)cycles / (double)frames : 0.0);
    return true;
}

static bool read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "offload", no_argument, NULL, 'o' }, { "largest", required_argument, NULL, 'b' },
        { "single", no_argument, NULL, 's' }, { 0 },
    };
    bool batched = true;
    int found;

    bench.largest = 1518;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'o': bench.offload = true; break;
        case 'b': bench.largest = (uint32_t)atoi(optarg); break;
        case 's': batched = false; break;
        default: exit(2);
        }
    }
    bench.count = optind < argc ? (unsigned)atoi(argv[optind]) : 0;
    if (bench.count < 2 || bench.count % 2 || bench.count > PLAY_VMS_MAX)
        fail("taps", "an even number from 2 to 64 is wanted");
    if (bench.largest < 64 || bench.largest > PLAY_FRAME_MAX)
        fail("--largest", "64 to 65536 bytes are wanted");
    return batched;
}

int main(int argc, char **argv)
{
    bool batched = read_options(argc, argv);
    struct kernel_bridge_options options = {
        .taps = bench.count, .offload = bench.offload,
        .mtu = bench.largest > PLAY_JUMBO ? 1500 : bench.largest - 14,
    };
    char why[160], line[160];

    create_guests();
    if (!kernel_bridge_create(&options, bench.taps, why, sizeof why)) {
        /* The caller leaves this peer out, with these words. */
        printf("{\"refused\": \"%s\"}\n", why);
        return 0;
    }
    batched = tap_io_create(&bench.io, bench.taps, bench.count, batched);
    printf("{\"attached\": %u, \"batched\": %s}\n", bench.count, batched ? "true" : "false");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!obey(line)) {
            line[strcspn(line, "\n")] = '\0';
            fail(line, "no command, or it failed");
        }
        fflush(stdout);
    }
    return 0;
}
