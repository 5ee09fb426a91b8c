/*
 * machine.h - a whole play VM: memory, queue pairs with their eventfds, and
 * the vhost-user connection, put together as QEMU and Linux do it.
 *
 * Everything inside is open to the test: it may reach through to the queues,
 * the memory and the peer for anything that an honest VM would not do.
 */
#ifndef VHOSTKIT_FRONTEND_MACHINE_H
#define VHOSTKIT_FRONTEND_MACHINE_H

#include "driver.h"
#include "vhost_peer.h"

#define MACHINE_PAIRS_MAX 8u

struct machine_options {
    const char *socket;       /* path */
    bool connects;            /* the switch is the socket server */
    unsigned pairs;           /* queue pairs; 0 is 1 */
    uint16_t ring_size;       /* 0 is 256 */
    uint64_t features;        /* wanted, on top of VERSION_1 and PROTOCOL_FEATURES */
    bool legacy;              /* do not acknowledge VERSION_1 */
    bool without_protocol;    /* do not acknowledge PROTOCOL_FEATURES */
    uint16_t tx_pieces;       /* descriptors of a sent frame; 0 is 1 */
    bool tx_indirect;         /* sent frames in indirect tables */
    uint32_t tx_buffer;       /* bytes of a transmit slot; 0 is 2048 */
    uint32_t rx_buffer;       /* bytes of a receive slot; 0 is 2048 */
    uint16_t rx_pieces;       /* descriptors of a receive slot; 0 is 1 */
    uint64_t ram_bytes;       /* 0 is enough for the above */
    bool unsealed;            /* its memory files can be truncated */
    bool huge;                /* memory on hugepages */
};

/* One virtqueue with its eventfds; queues[i] is vring i. */
struct machine_queue {
    struct driver_queue driver;
    int kick_fd;
    int call_fd;
};

struct machine {
    struct machine_options options;
    struct guest_ram ram;
    struct vhost_peer peer;
    uint64_t features;             /* negotiated */
    unsigned queue_count;          /* twice the pairs */
    struct machine_queue queues[2 * MACHINE_PAIRS_MAX];
    uint64_t kicks;                /* eventfd writes of machine_kick() */
};

/* Memory, eventfds and, unless it connects, the listening socket. False: machine->peer.why. */
bool machine_create(struct machine *machine, const struct machine_options *options);
void machine_destroy(struct machine *machine);

/* Connection and handshake with fresh rings, as at VM start: all pairs are started and enabled. */
bool machine_attach(struct machine *machine);
/* The switch went away and came back: connection and handshake, the rings go on where they are. */
bool machine_reattach(struct machine *machine);
/* Stops every ring and closes the connection, as at VM stop. */
bool machine_detach(struct machine *machine);

/* Starts (and enables) one ring with what is in its driver queue. */
bool machine_start_ring(struct machine *machine, unsigned index, uint16_t base);

static inline struct driver_queue *machine_rx(struct machine *machine, unsigned pair)
{
    return &machine->queues[2 * pair].driver;
}
static inline struct driver_queue *machine_tx(struct machine *machine, unsigned pair)
{
    return &machine->queues[2 * pair + 1].driver;
}

/* Kicks vring `index` whatever the device wants. */
void machine_kick(struct machine *machine, unsigned index);
/* Publishes what is staged on vring `index` and kicks when the device wants it. */
void machine_publish(struct machine *machine, unsigned index);
/* Calls collected from the call eventfd of vring `index` within `timeout_ms`; 0: none came. */
uint64_t machine_take_calls(struct machine *machine, unsigned index, int timeout_ms);

/* Sends one frame (reaping when needed) and publishes it. False: the ring stayed full for a second. */
bool machine_send(struct machine *machine, unsigned pair, const struct net_header *header, const void *frame,
                  uint32_t length);
/* Waits for a frame and posts its buffers again: length, DRIVER_NOTHING after `timeout_ms`, DRIVER_BAD. */
int machine_receive(struct machine *machine, unsigned pair, struct net_header *header, void *frame,
                    uint32_t room, int timeout_ms);

/* Milliseconds of CLOCK_MONOTONIC, for limits. */
uint64_t machine_clock_ms(void);

#endif
