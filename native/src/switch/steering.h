/*
 * steering.h - on which receive queue of a port with several a flow's frames go:
 * on the one whose transmit queue its driver uses for that flow (automatic receive
 * steering, VIRTIO 1.2, 5.1.6.5.6; as tun_flow_update() of Linux's tun does).
 *
 * One for each port that has more than one queue pair. The control thread says
 * which receive queues are in use; workers learn and look up without a lock.
 * Each port has a table of its own, so a guest that floods it with flows hurts only itself.
 */
#ifndef VHOSTKIT_STEERING_H
#define VHOSTKIT_STEERING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flows that are known at a time: as many as Linux's tun keeps. A bucket is one cache line. */
#define STEERING_BUCKETS 512u
#define STEERING_WAYS 8u

/* A flow whose driver sent nothing for so long is forgotten. Linux's tun: 3 s. */
#define STEERING_AGE_S 10u

struct steering {
    _Atomic uint64_t receivers; /* a bit for each queue pair that frames may be delivered on */
    _Atomic uint32_t now;       /* seconds since creation; counted by the control thread */
    /* hash, second of the last sign of life, queue pair + 1; 0: free */
    _Alignas(64) _Atomic uint64_t flows[STEERING_BUCKETS][STEERING_WAYS];
};

/* NULL: no memory. */
struct steering *steering_create(void);
void steering_destroy(struct steering *steering);

/* Control thread: once a second. */
void steering_tick(struct steering *steering);
/* Control thread: these pairs take frames from now on. A worker may use the last set until its next quiet point. */
void steering_set_receivers(struct steering *steering, uint64_t receivers);

/* The pairs that take frames; load it once for a burst. `steering` may be NULL: pair 0. */
static inline uint64_t steering_receivers(const struct steering *steering)
{
    return steering == NULL ? 1 : atomic_load_explicit(&steering->receivers, memory_order_relaxed);
}

/* Whether there is anything to choose. */
static inline bool steering_is_choice(uint64_t receivers)
{
    return (receivers & (receivers - 1)) != 0;
}

/* The driver sent a frame of this flow on `pair`. Writes only what changed. */
void steering_learn(struct steering *steering, uint32_t hash, unsigned pair);

/* The pair for a frame of this flow: the learnt one if it is in `receivers`, else one that the hash picks of them. */
unsigned steering_choose(const struct steering *steering, uint64_t receivers, uint32_t hash);

#endif
