/*
 * play_vm.c - one play VM of a load.
 *
 * One thread calls it. Buffers are offered again in the order in which they came
 * back, without a free list: that is what makes a step a few loads and stores.
 * The device is trusted here; the tests are where it is not.
 */
#include "play_vm.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define TCP_FRAME_HEADER 54u  /* Ethernet, IPv4 and TCP without options */
#define SEGMENT_BYTES 1448u   /* of TCP payload, for an MTU of 1500 */

static uint16_t big_endian(uint32_t value)
{
    return __builtin_bswap16((uint16_t)value);
}

/* Address `number` of VM `index`. */
static void write_mac(uint8_t *at, unsigned index, uint32_t number)
{
    uint8_t mac[6] = { 0x52, 0x54, (uint8_t)index, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };

    memcpy(at, mac, sizeof mac);
}

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

/* A sum that the device completes: only the pseudo header is in it. */
static uint16_t pseudo_header_sum(const uint8_t *ip, uint32_t tcp_bytes)
{
    uint32_t sum = 6 + tcp_bytes;

    for (unsigned i = 12; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return big_endian(sum);
}

static uint16_t header_sum(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return big_endian(~sum);
}

/* A TCP segment that is far larger than the MTU, to be cut by whoever must. */
static void write_tcp(uint8_t *frame, struct net_header *header, unsigned from, unsigned to, uint32_t bytes)
{
    uint8_t *ip = frame + ETHERNET_BYTES, *tcp = ip + 20;
    uint16_t word = big_endian(bytes - ETHERNET_BYTES);

    frame[12] = 0x08;
    ip[0] = 0x45;
    memcpy(ip + 2, &word, 2);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, (uint8_t[]){ 10, 0, 0, (uint8_t)(from + 1), 10, 0, 0, (uint8_t)(to + 1) }, 8);
    word = header_sum(ip);
    memcpy(ip + 10, &word, 2);
    tcp[12] = 0x50;
    tcp[13] = 0x10;
    word = pseudo_header_sum(ip, bytes - ETHERNET_BYTES - 20);
    memcpy(tcp + 16, &word, 2);
    *header = (struct net_header){
        .flags = NET_HEADER_F_NEEDS_CSUM, .gso_type = NET_HEADER_GSO_TCPV4, .hdr_len = TCP_FRAME_HEADER,
        .gso_size = SEGMENT_BYTES, .csum_start = ETHERNET_BYTES + 20, .csum_offset = 16,
    };
}

void play_vm_fill(struct play_vm *vm, uint32_t bytes, uint32_t addresses)
{
    struct driver_queue *queue = machine_tx(&vm->machine, 0);
    bool offload = vm->machine.features & FEATURE(VIRTIO_NET_F_HOST_TSO4) && bytes > ETHERNET_BYTES + 9000;

    vm->bytes = bytes;
    vm->addresses = addresses;
    vm->single = bytes + queue->header_size <= PLAY_SLOT;
    for (unsigned slot = 0; slot < queue->slots; slot++) {
        uint8_t *frame = queue->buffers[slot] + queue->header_size;

        memset(queue->buffers[slot], 0, queue->header_size + bytes);
        write_mac(frame, vm->index ^ 1u, 0);
        write_mac(frame + 6, vm->index, 0);
        frame[12] = 0x88; /* an EtherType for local experiments */
        frame[13] = 0xb5;
        if (offload) {
            frame[13] = 0;
            write_tcp(frame, (struct net_header *)queue->buffers[slot], vm->index, vm->index ^ 1u, bytes);
        }
        queue->tables[slot]->len = queue->header_size + bytes;
    }
}

/* The next address in turn, and its namesake on the other side. */
static void turn_address(struct play_vm *vm, uint8_t *frame)
{
    uint32_t number = vm->next_address;

    vm->next_address = number + 1 < vm->addresses ? number + 1 : 0;
    write_mac(frame, vm->index ^ 1u, number);
    write_mac(frame + 6, vm->index, number);
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

        if (vm->addresses > 1)
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
