/*
 * driver.h - the guest's side of one split virtqueue of a network device
 * (VIRTIO 1.2, 2.7 and 5.1.6): what virtio_net in Linux does, and, through the
 * raw pointers, what no honest driver would do.
 *
 * A queue is cut into slots. A slot has a buffer and one chain of `pieces`
 * descriptors over it, direct or in an indirect table of its own; they are
 * written once at creation, so that sending is one copy and a few stores.
 */
#ifndef VHOSTKIT_FRONTEND_DRIVER_H
#define VHOSTKIT_FRONTEND_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_ram.h"
#include "vhost/virtio.h"

struct driver_options {
    uint16_t size;          /* descriptors of the queue */
    bool receives;          /* buffers are device-writable */
    uint64_t features;      /* negotiated: event index, mergeable buffers, header size */
    uint32_t buffer_bytes;  /* of a slot, with the net header */
    uint16_t pieces;        /* descriptors of a slot: the first is the header alone when there are more */
    bool indirect;          /* post each slot as an indirect table */
    uint16_t slots;         /* 0: as many as fit */
};

struct driver_queue {
    struct guest_ram *ram;     /* holds everything */
    struct driver_options options;
    uint8_t header_size;       /* 12 or 10 */
    uint16_t slots;            /* chains */

    uint64_t desc_guest;       /* guest addresses of the three areas */
    uint64_t avail_guest;
    uint64_t used_guest;
    struct vring_desc *desc;   /* the same as pointers: raw access for hostile tests */
    struct vring_avail *avail;
    struct vring_used *used;

    uint16_t avail_idx;        /* entries staged; published by driver_publish */
    uint16_t published;        /* avail->idx as the device sees it */
    uint16_t used_seen;        /* used entries taken back */

    uint8_t **buffers;         /* of each slot */
    struct vring_desc **tables; /* of each slot: its first descriptor */
    uint16_t *free_slots;      /* a stack */
    uint16_t free_count;
    uint16_t *in_flight;       /* heads in the order they were offered, by avail slot */
    uint64_t errors;           /* used entries with a wrong id, length or order */
};

/* Lays the queue out in the guest's memory. False: no room there, or sizes do not fit. */
bool driver_create(struct driver_queue *queue, struct guest_ram *ram, const struct driver_options *options);
void driver_destroy(struct driver_queue *queue);

/* What a driver does after a device reset: empty rings, all slots free. */
void driver_reset(struct driver_queue *queue);

/* Stages one frame. False: no free slot (driver_reap() first), or longer than a slot. */
bool driver_send(struct driver_queue *queue, const struct net_header *header, const void *frame,
                 uint32_t length);
/* Takes sent slots back; returns how many. */
unsigned driver_reap(struct driver_queue *queue);

/* Stages every free slot as a receive buffer; returns how many. */
unsigned driver_refill(struct driver_queue *queue);

enum { DRIVER_NOTHING = -1, DRIVER_BAD = -2 };
/*
 * Takes one received frame out, its slots become free. Returns its length without
 * the header; DRIVER_NOTHING; DRIVER_BAD when the device broke a rule or `room` is too small.
 */
int driver_receive(struct driver_queue *queue, struct net_header *header, void *frame, uint32_t room);

/* Makes what was staged visible; true when the device wants to be kicked for it. */
bool driver_publish(struct driver_queue *queue);

/* Asks for notifications or suppresses them. True: used entries came in meanwhile. */
bool driver_want_calls(struct driver_queue *queue, bool wanted);

/* Used entries that are there and not taken. */
uint16_t driver_used_waiting(const struct driver_queue *queue);

/* Raw: writes a descriptor. */
void driver_describe(struct driver_queue *queue, uint16_t index, uint64_t addr, uint32_t length,
                     uint16_t flags, uint16_t next);
/* Raw: stages a head. */
void driver_offer(struct driver_queue *queue, uint16_t head);

/* Raw: the two event fields behind the rings (2.7.7, 2.7.8). */
static inline uint16_t *driver_used_event(const struct driver_queue *queue)
{
    return &queue->avail->ring[queue->options.size];
}
static inline uint16_t *driver_avail_event(const struct driver_queue *queue)
{
    return (uint16_t *)&queue->used->ring[queue->options.size];
}

#endif
