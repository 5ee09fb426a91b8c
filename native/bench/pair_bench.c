/*
 * pair_bench.c - frames a second from one play VM to another and back, and what
 * each costs the switch.
 *
 *   bench-pair SOCKET-A SOCKET-B FRAME-BYTES SECONDS
 *
 * Listens as QEMU would on both sockets, waits for a switch (any vhost-user back
 * end) to connect, says "ready", fills both directions for the time asked and
 * prints one JSON object. The generator is as light as a guest can be: transmit
 * buffers are written once, receive buffers are never read; so what is measured
 * is the switch and the memory between, not the generator. One thread, which the
 * caller pins.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

#define RING_SIZE 1024
#define BURST 32u

/* One VM of the pair, and what it has seen. */
struct side {
    struct machine machine;
    uint64_t sent;      /* transmit chains given back */
    uint64_t received;  /* receive chains filled */
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-pair: %s: %s\n", what, why);
    exit(1);
}

/* Address of VM number `index`. */
static void mac_of(uint8_t *at, unsigned index)
{
    static const uint8_t base[] = { 0x52, 0x54, 0, 0, 0 };

    memcpy(at, base, sizeof base);
    at[5] = (uint8_t)(index + 1);
}

/* Writes the same frame into every transmit buffer. */
static void fill_buffers(struct side *side, unsigned from, unsigned to, uint32_t bytes)
{
    struct driver_queue *queue = machine_tx(&side->machine, 0);

    for (unsigned slot = 0; slot < queue->slots; slot++) {
        uint8_t *frame = queue->buffers[slot] + queue->header_size;

        memset(queue->buffers[slot], 0, queue->header_size + bytes);
        mac_of(frame, to);
        mac_of(frame + 6, from);
        frame[12] = 0x88; /* an EtherType for local experiments */
        frame[13] = 0xb5;
        queue->tables[slot]->len = queue->header_size + bytes;
    }
}

/* Takes back what the device used and offers the same buffers again. Returns how many. */
static unsigned recycle(struct driver_queue *queue, unsigned most)
{
    unsigned count = driver_used_waiting(queue);

    count = count < most ? count : most;
    for (unsigned i = 0; i < count; i++) {
        uint16_t at = queue->used_seen++ & (queue->options.size - 1);

        driver_offer(queue, (uint16_t)queue->used->ring[at].id);
    }
    return count;
}

static void offer_all(struct driver_queue *queue)
{
    while (queue->free_count > 0)
        driver_offer(queue, queue->free_slots[--queue->free_count]);
}

static void step(struct side *side)
{
    struct driver_queue *rx = machine_rx(&side->machine, 0), *tx = machine_tx(&side->machine, 0);

    side->received += recycle(rx, BURST);
    side->sent += recycle(tx, BURST);
    driver_publish(rx);
    if (driver_publish(tx))
        machine_kick(&side->machine, 1);
}

static void attach(struct side *side, const char *socket, uint32_t bytes)
{
    struct machine_options options = {
        .socket = socket,
        .ring_size = RING_SIZE,
        .features = FEATURE(VIRTIO_NET_F_MRG_RXBUF) | FEATURE(VIRTIO_F_RING_EVENT_IDX) |
                    FEATURE(VIRTIO_F_RING_INDIRECT_DESC),
        .tx_buffer = bytes + NET_HEADER_SIZE > 2048 ? bytes + NET_HEADER_SIZE : 2048,
        .rx_buffer = 2048,
    };

    if (!machine_create(&side->machine, &options))
        fail(socket, side->machine.peer.why);
}

static void run_until(struct side *a, struct side *b, uint64_t end_ms)
{
    while (machine_clock_ms() < end_ms)
        for (unsigned i = 0; i < 256; i++) {
            step(a);
            step(b);
        }
}

int main(int argc, char **argv)
{
    static struct side a, b;

    if (argc != 5)
        fail("usage", "bench-pair SOCKET-A SOCKET-B FRAME-BYTES SECONDS");
    uint32_t bytes = (uint32_t)atoi(argv[3]);
    double seconds = atof(argv[4]);

    attach(&a, argv[1], bytes);
    attach(&b, argv[2], bytes);
    a.machine.peer.timeout_ms = b.machine.peer.timeout_ms = 10000;
    if (!machine_attach(&a.machine))
        fail(argv[1], a.machine.peer.why);
    if (!machine_attach(&b.machine))
        fail(argv[2], b.machine.peer.why);
    fill_buffers(&a, 0, 1, bytes);
    fill_buffers(&b, 1, 0, bytes);
    struct side *sides[] = { &a, &b };
    for (unsigned i = 0; i < 2; i++) {
        offer_all(machine_rx(&sides[i]->machine, 0));
        offer_all(machine_tx(&sides[i]->machine, 0));
    }
    run_until(&a, &b, machine_clock_ms() + 500);
    puts("ready");
    fflush(stdout);

    uint64_t before = a.received + b.received, sent = a.sent + b.sent, begin = machine_clock_ms();

    run_until(&a, &b, begin + (uint64_t)(seconds * 1000));
    uint64_t frames = a.received + b.received - before, ms = machine_clock_ms() - begin;

    printf("{\"size\": %u, \"frames\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"ms\": %" PRIu64 ", \"mpps\": %.3f}\n", bytes,
           frames, a.sent + b.sent - sent, ms, (double)frames / (double)ms / 1000);
    machine_destroy(&a.machine);
    machine_destroy(&b.machine);
    return 0;
}
