/*
 * vhost_port.h - what the two halves of a vhost-user port share: vhost_port.c
 * (session, control thread) and vhost_frames.c (frames, workers).
 */
#ifndef VHOSTKIT_VHOST_PORT_H
#define VHOSTKIT_VHOST_PORT_H

#include "port/port.h"
#include "vhost/endpoint.h"
#include "vhost/session.h"
#include "worker/notifier.h"

/*
 * A front end may send messages without end, and each that changes a ring holds up all who may send to the port. So it
 * has a credit: beyond it, what is sent to the port during a change is dropped, as for any receiver that is not ready.
 */
struct hold_credit {
    int64_t left_ns;    /* may be below 0: paid back before the next hold */
    uint64_t as_of_ns;  /* when that was so; while holding: since when */
};

struct vhost_port {
    struct port port;
    struct endpoint endpoint;
    struct session session;
    bool open;                             /* a session is open */
    uint64_t placed_memory;                /* serial of the map whose node port.node is; 0: none */
    atomic_bool watched[QUEUE_PAIRS_MAX];  /* the pair's kick fd wakes its worker */
    bool was_up;                           /* an event "port.up" was sent and no "port.down" since */
    atomic_bool live;                      /* workers may look at the session's rings */
    bool holds;                            /* while it is changed: its senders are held */
    struct hold_credit credit;             /* for holding them */
    struct page_credit page_credit;        /* for making pages of its memory that are not there */
    uint8_t reported[VRINGS_MAX];          /* ring faults that were logged */
    atomic_bool silent;                    /* a call or error fd blocked: none is signalled */
    bool silence_told;                     /* that was reported, and `silence` runs */
    struct event_timer silence;            /* ends it */
    _Atomic uint64_t announce;             /* address to announce, 0 none (SEND_RARP) */
};

static inline struct vhost_port *vhost_port_of(const struct port *port)
{
    return (struct vhost_port *)port; /* port is the first member */
}

static inline struct vring *receive_ring(struct vhost_port *vport, unsigned pair)
{
    return &vport->session.vrings[2 * pair];
}

static inline struct vring *transmit_ring(struct vhost_port *vport, unsigned pair)
{
    return &vport->session.vrings[2 * pair + 1];
}

static inline bool vhost_port_live(struct vhost_port *vport)
{
    return atomic_load_explicit(&vport->live, memory_order_acquire);
}

/* The workers' part of struct port_ops. */
unsigned vhost_frames_poll(struct port *port, unsigned pair, struct worker *worker);
bool vhost_frames_arm(struct port *port, unsigned pair, struct worker *worker);
void vhost_frames_disarm(struct port *port, unsigned pair);
bool vhost_frames_polled(const struct port *port, unsigned pair);
unsigned vhost_frames_deliver(struct port *port, unsigned pair, struct worker *worker, struct frame *const *frames,
                              unsigned count, enum attempt attempt);

#endif
