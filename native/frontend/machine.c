/*
 * machine.c - a whole play VM.
 *
 * One thread calls it. Receiving polls the used ring, with the call eventfd as
 * the wait, so that a missed notification shows as a time-out in tests that ask
 * for notifications, and costs only a millisecond in the others.
 */
#include "machine.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const uint64_t PROTOCOL_WANTED =
    FEATURE(VHOST_USER_PROTOCOL_F_MQ) | FEATURE(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |
    FEATURE(VHOST_USER_PROTOCOL_F_RARP) | FEATURE(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
    FEATURE(VHOST_USER_PROTOCOL_F_NET_MTU);

uint64_t machine_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void fill_defaults(struct machine_options *options)
{
    uint64_t per_pair;

    options->pairs = options->pairs ? options->pairs : 1;
    options->ring_size = options->ring_size ? options->ring_size : 256;
    options->tx_pieces = options->tx_pieces ? options->tx_pieces : 1;
    options->rx_pieces = options->rx_pieces ? options->rx_pieces : 1;
    options->tx_buffer = options->tx_buffer ? options->tx_buffer : 2048;
    options->rx_buffer = options->rx_buffer ? options->rx_buffer : 2048;
    per_pair = options->ring_size *
               (192ull + 16 * options->tx_pieces + options->tx_buffer + options->rx_buffer);
    if (!options->ram_bytes)
        options->ram_bytes = (options->pairs * per_pair + (1u << 20)) & ~(uint64_t)(GUEST_PAGE_SIZE - 1);
    if (options->huge)
        options->ram_bytes = (options->ram_bytes + GUEST_RAM_HUGE_PAGE - 1) & ~(GUEST_RAM_HUGE_PAGE - 1);
}

static uint64_t wanted_features(const struct machine_options *options)
{
    return options->features | (options->legacy ? 0 : FEATURE(VIRTIO_F_VERSION_1)) |
           (options->without_protocol ? 0 : FEATURE(VHOST_USER_F_PROTOCOL_FEATURES));
}

bool machine_create(struct machine *machine, const struct machine_options *options)
{
    struct guest_ram_layout layout[2];
    uint64_t low;

    *machine = (struct machine){
        .options = *options, .peer = { .listener = -1, .socket = -1, .timeout_ms = 5000 },
    };
    fill_defaults(&machine->options);
    /* Two adjacent regions: a buffer may cross from one to the other, as in a real guest. */
    low = options->huge ? GUEST_RAM_HUGE_PAGE : 640 * 1024;
    layout[0] = (struct guest_ram_layout){ .guest_addr = 0, .size = low };
    layout[1] = (struct guest_ram_layout){ .guest_addr = low, .size = machine->options.ram_bytes };
    machine->queue_count = 2 * machine->options.pairs;
    for (unsigned i = 0; i < machine->queue_count; i++)
        machine->queues[i].kick_fd = machine->queues[i].call_fd = -1;
    if (machine->options.pairs > MACHINE_PAIRS_MAX ||
        !guest_ram_create(&machine->ram, layout, 2, (options->unsealed ? 0 : GUEST_RAM_SEALED) | (options->huge ? GUEST_RAM_HUGE : 0))) {
        snprintf(machine->peer.why, sizeof machine->peer.why, "no memory for the guest");
        return false;
    }
    for (unsigned i = 0; i < machine->queue_count; i++) {
        machine->queues[i].kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        machine->queues[i].call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    return options->connects || vhost_peer_listen(&machine->peer, options->socket);
}

static void destroy_queues(struct machine *machine)
{
    for (unsigned i = 0; i < machine->queue_count; i++)
        if (machine->queues[i].driver.ram)
            driver_destroy(&machine->queues[i].driver);
    for (unsigned i = 0; i < machine->ram.count; i++)
        machine->ram.regions[i].next_free = 0;
}

void machine_destroy(struct machine *machine)
{
    destroy_queues(machine);
    for (unsigned i = 0; i < machine->queue_count; i++) {
        if (machine->queues[i].kick_fd >= 0)
            close(machine->queues[i].kick_fd);
        if (machine->queues[i].call_fd >= 0)
            close(machine->queues[i].call_fd);
    }
    vhost_peer_close(&machine->peer);
    guest_ram_destroy(&machine->ram);
}

/* The driver knows the negotiated features only now, so the queues are laid out here. */
static bool create_queues(struct machine *machine)
{
    const struct machine_options *options = &machine->options;

    destroy_queues(machine);
    for (unsigned i = 0; i < machine->queue_count; i++) {
        bool receives = i % 2 == 0;
        struct driver_options queue = {
            .size = options->ring_size, .receives = receives, .features = machine->features,
            .buffer_bytes = receives ? options->rx_buffer : options->tx_buffer,
            .pieces = receives ? options->rx_pieces : options->tx_pieces,
            .indirect = !receives && options->tx_indirect,
        };

        if (!driver_create(&machine->queues[i].driver, &machine->ram, &queue)) {
            snprintf(machine->peer.why, sizeof machine->peer.why, "no room in the guest for queue %u", i);
            return false;
        }
        if (receives) {
            driver_refill(&machine->queues[i].driver);
            driver_publish(&machine->queues[i].driver);
        }
    }
    return true;
}

bool machine_start_ring(struct machine *machine, unsigned index, uint16_t base)
{
    struct machine_queue *queue = &machine->queues[index];
    struct vhost_peer_ring ring = {
        .index = index, .size = queue->driver.options.size, .base = base,
        .desc = (uint64_t)(uintptr_t)queue->driver.desc, .avail = (uint64_t)(uintptr_t)queue->driver.avail,
        .used = (uint64_t)(uintptr_t)queue->driver.used, .kick_fd = queue->kick_fd, .call_fd = queue->call_fd,
    };

    /* Enabled before it is kicked, as QEMU does: what a started but disabled ring holds is thrown away. */
    if (!machine->options.without_protocol && !vhost_peer_enable_ring(&machine->peer, index, true))
        return false;
    return vhost_peer_start_ring(&machine->peer, &ring);
}

static bool shake_hands(struct machine *machine, bool fresh)
{
    struct vhost_peer *peer = &machine->peer;

    if (machine->options.connects ? !vhost_peer_connect(peer, machine->options.socket)
                                  : !vhost_peer_accept(peer))
        return false;
    if (!vhost_peer_greet(peer, machine->options.without_protocol ? 0 : PROTOCOL_WANTED))
        return false;
    machine->features = peer->offered & wanted_features(&machine->options);
    if (!vhost_peer_set_features(peer, machine->features) || (fresh && !create_queues(machine)) ||
        !vhost_peer_set_memory(peer, &machine->ram))
        return false;
    /* After a reconnect QEMU, too, takes the base from the used ring; the driver may be running meanwhile. */
    for (unsigned i = 0; i < machine->queue_count; i++)
        if (!machine_start_ring(machine, i, fresh ? 0 : __atomic_load_n(&machine->queues[i].driver.used->idx, __ATOMIC_ACQUIRE)))
            return false;
    return true;
}

bool machine_attach(struct machine *machine)
{
    return shake_hands(machine, true);
}

bool machine_reattach(struct machine *machine)
{
    vhost_peer_disconnect(&machine->peer);
    return shake_hands(machine, false);
}

bool machine_detach(struct machine *machine)
{
    uint16_t base;
    bool stopped = true;

    for (unsigned i = 0; i < machine->queue_count; i++)
        stopped = vhost_peer_stop_ring(&machine->peer, i, &base) && stopped;
    vhost_peer_disconnect(&machine->peer);
    return stopped;
}

void machine_kick(struct machine *machine, unsigned index)
{
    uint64_t one = 1;

    machine->kicks++;
    if (write(machine->queues[index].kick_fd, &one, sizeof one) < 0)
        return; /* full: the device has been told already */
}

void machine_publish(struct machine *machine, unsigned index)
{
    if (driver_publish(&machine->queues[index].driver))
        machine_kick(machine, index);
}

uint64_t machine_take_calls(struct machine *machine, unsigned index, int timeout_ms)
{
    struct pollfd entry = { .fd = machine->queues[index].call_fd, .events = POLLIN };
    uint64_t calls = 0;

    if (poll(&entry, 1, timeout_ms) > 0 && read(entry.fd, &calls, sizeof calls) < 0)
        return 0;
    return calls;
}

bool machine_send(struct machine *machine, unsigned pair, const struct net_header *header, const void *frame,
                  uint32_t length)
{
    struct driver_queue *queue = machine_tx(machine, pair);
    uint64_t limit = machine_clock_ms() + 1000;

    driver_reap(queue);
    while (!driver_send(queue, header, frame, length)) {
        if (machine_clock_ms() > limit)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
        driver_reap(queue);
    }
    machine_publish(machine, 2 * pair + 1);
    return true;
}

int machine_receive(struct machine *machine, unsigned pair, struct net_header *header, void *frame,
                    uint32_t room, int timeout_ms)
{
    struct driver_queue *queue = machine_rx(machine, pair);
    uint64_t limit = machine_clock_ms() + (uint64_t)timeout_ms;

    for (;;) {
        int length = driver_receive(queue, header, frame, room);

        if (length != DRIVER_NOTHING) {
            driver_refill(queue);
            machine_publish(machine, 2 * pair);
            return length;
        }
        if (machine_clock_ms() >= limit)
            return DRIVER_NOTHING;
        machine_take_calls(machine, 2 * pair, 1);
    }
}
