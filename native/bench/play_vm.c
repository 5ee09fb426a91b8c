/*
 * play_vm.c - one play VM of a load.
 *
 * One thread calls it. Buffers are offered again in the order in which they came
 * back, without a free list: that is what makes a step a few loads and stores.
 * The device is trusted here; the tests are where it is not.
 */
#include "play_vm.h"

#include <string.h>

#include "play_frame.h"

bool play_vm_create(struct play_vm *vm, unsigned index, const char *socket, const struct play_options *options)
{
    uint64_t offloads = FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_CSUM) |
                        FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_GUEST_TSO4);
    uint32_t slot = options->largest + NET_HEADER_SIZE;
    struct machine_options machine = {
        .socket = socket,
        .connects = !options->listen,
        .ring_size = options->ring,
        .features = FEATURE(VIRTIO_NET_F_MRG_RXBUF) | FEATURE(VIRTIO_F_RING_EVENT_IDX) |
                    FEATURE(VIRTIO_F_RING_INDIRECT_DESC) | (options->offload ? offloads : 0),
        .tx_buffer = slot > PLAY_SLOT ? slot : PLAY_SLOT,
        .rx_buffer = PLAY_SLOT,
        .huge = options->huge,
    };

    *vm = (struct play_vm){ .index = index };
    if (!machine_create(&vm->machine, &machine))
        return false;
    vm->machine.peer.timeout_ms = 10000;
    return true;
}

bool play_vm_attach(struct play_vm *vm)
{
    if (!machine_attach(&vm->machine))
        return false;
    for (unsigned i = 0; i < vm->machine.queue_count; i++)
        driver_want_calls(&vm->machine.queues[i].driver, false);
    return true;
}

void play_vm_destroy(struct play_vm *vm)
{
    machine_destroy(&vm->machine);
}

void play_vm_fill(struct play_vm *vm, uint32_t bytes, uint32_t addresses, bool turns)
{
    struct driver_queue *queue = machine_tx(&vm->machine, 0);
    bool offload = vm->machine.features & FEATURE(VIRTIO_NET_F_HOST_TSO4);

    vm->bytes = bytes;
    vm->addresses = addresses;
    vm->next_address = 0;
    vm->turns = turns;
    vm->single = bytes + queue->header_size <= PLAY_SLOT;
    for (unsigned slot = 0; slot < queue->slots; slot++) {
        struct net_header header = { 0 };

        memset(queue->buffers[slot], 0, queue->header_size + bytes);
        play_frame_write(queue->buffers[slot] + queue->header_size, &header, vm->index, vm->index ^ 1u, bytes, offload);
        memcpy(queue->buffers[slot], &header, queue->header_size);
        queue->tables[slot]->len = queue->header_size + bytes;
    }
}

/* The next address in turn, and its namesake on the other side. */
static void turn_address(struct play_vm *vm, uint8_t *frame)
{
    uint32_t number = vm->next_address;

    vm->next_address = number + 1 < vm->addresses ? number + 1 : 0;
    play_frame_address(frame, vm->index, vm->index ^ 1u, number);
}

void play_vm_begin(struct play_vm *vm)
{
    struct driver_queue *queue = machine_tx(&vm->machine, 0);

    for (uint16_t slot = 0; slot < queue->slots; slot++)
        driver_offer(queue, slot);
    if (driver_publish(queue))
        machine_kick(&vm->machine, 1);
}

bool play_vm_in_flight(const struct play_vm *vm)
{
    const struct driver_queue *queue = &vm->machine.queues[1].driver;

    return queue->avail_idx != queue->used_seen;
}

static unsigned burst_of(const struct driver_queue *queue)
{
    unsigned waiting = driver_used_waiting(queue);

    return waiting < PLAY_BURST ? waiting : PLAY_BURST;
}

/* Frames begin in the first buffer of as many as its header says. */
static void count_buffer(struct play_vm *vm, const struct driver_queue *queue, uint32_t head)
{
    if (vm->pending == 0) {
        const struct net_header *header = (const struct net_header *)queue->buffers[head];

        vm->pending = header->num_buffers;
    }
    if (--vm->pending == 0)
        vm->received++;
}

unsigned play_vm_receive(struct play_vm *vm)
{
    struct driver_queue *queue = machine_rx(&vm->machine, 0);
    unsigned count = burst_of(queue);

    for (unsigned i = 0; i < count; i++) {
        uint32_t head = queue->used->ring[queue->used_seen++ & (queue->options.size - 1)].id;

        if (!vm->single)
            count_buffer(vm, queue, head);
        driver_offer(queue, (uint16_t)head);
    }
    if (vm->single)
        vm->received += count;
    if (driver_publish(queue))
        machine_kick(&vm->machine, 0);
    return count;
}

static unsigned transmit(struct play_vm *vm)
{
    struct driver_queue *queue = machine_tx(&vm->machine, 0);
    unsigned count = burst_of(queue);

    vm->sent += count;
    if (!vm->sends) {
        queue->used_seen = (uint16_t)(queue->used_seen + count);
        return count;
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t head = queue->used->ring[queue->used_seen++ & (queue->options.size - 1)].id;

        if (vm->turns)
            turn_address(vm, queue->buffers[head] + queue->header_size);
        driver_offer(queue, (uint16_t)head);
    }
    if (driver_publish(queue))
        machine_kick(&vm->machine, 1);
    return count;
}

unsigned play_vm_step(struct play_vm *vm)
{
    unsigned received = play_vm_receive(vm);

    return received + transmit(vm);
}
