/*
 * retry.h - frames for which a receiver had no buffers are tried again, a few
 * times within the burst that they came in, after all other receivers of the burst.
 *
 * A driver that keeps up but was late for a moment loses nothing so. How long a worker
 * waits is bounded: the sender's ring waits with it, and all others that it serves.
 * Which receivers are worth it, the receiving port knows (vhost_frames.c).
 */
#ifndef VHOSTKIT_RETRY_H
#define VHOSTKIT_RETRY_H

#include "switch/frame.h"

struct port;
struct worker;

/* Receivers of one burst that may be waited for; the frames of further ones are dropped at once (a flood). */
#define LEFTOVERS_MAX 8u

/*
 * Attempts after the first, and time before each. A worker that found work at no other queue in its
 * last round harms nobody by waiting; the longest wait is a fifth of what a sleeper takes to wake, and 16 µs for a driver that
 * gives one buffer every 2 µs. Else it waits about as long as a burst costs.
 */
#define RETRY_ALONE_ATTEMPTS 8u
#define RETRY_ALONE_NS 2000u
#define RETRY_ATTEMPTS 2u
#define RETRY_NS 500u

/* What is left of a batch for one queue of one receiver. */
struct leftover {
    struct port *port;
    unsigned pair;
    unsigned count;                   /* frames */
    struct frame *frames[BURST_MAX];  /* in their order */
};

/* Keeps frames that port_ops.deliver() did not finish at the first attempt. */
void retry_keep(struct worker *worker, struct port *port, unsigned pair, struct frame *const *frames,
                unsigned count);
/* Tries what was kept; nothing is left afterwards. */
void retry_all(struct worker *worker);

#endif
