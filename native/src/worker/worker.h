/*
 * worker.h - a thread that moves frames.
 *
 * The loop: take a burst → classify → deliver → complete → quiet point. Between
 * two quiet points a worker may use what it found in the topology; nothing of
 * it is freed meanwhile. Everything in struct worker belongs to the worker's
 * thread, but for what is marked.
 */
#ifndef VHOSTKIT_WORKER_H
#define VHOSTKIT_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath.h"
#include "switch/frame.h"
#include "vhost/ring.h"
#include "worker/notifier.h"

struct leftover;
struct offload_work;
struct topology;
struct vlan_forms;

/* Frames of one burst that go to the same port, in their order. */
struct egress_list {
    uint8_t count;
    uint8_t frames[BURST_MAX]; /* indexes into the burst */
};

/* Where a worker runs. */
struct worker_place {
    int core;        /* pinned to; -1: not to one */
    int node;        /* that its CPUs are on; -1: unknown, or on several */
    bool on_node;    /* without a core: kept on the node's CPUs */
};

/* Cycles after which a round ends: 20 to 50 ms. No burst lasts nearly so long, but in floods to hundreds of ports. */
#define ROUND_CYCLES_MAX UINT64_C(100000000)

struct worker {
    unsigned id;                /* set at start */
    struct worker_place place;  /* set at start */
    bool poll_only;             /* never sleeps */
    struct topology *_Atomic *published; /* the datapath's current topology */
    int report_fd;              /* eventfd of the control thread: a queue broke */
    int epoll_fd;               /* kicks, taps and wake_fd; the control thread adds and removes */
    int wake_fd;                /* eventfd; anyone writes */
    pthread_t thread;
    atomic_bool stopping;       /* written by the control thread */

    struct topology *topology;  /* of this round */
    uint64_t round;             /* number of this round */
    unsigned next_source;       /* the port where the next round begins: not the first one's after a round that ended early */
    uint64_t quiet_since;       /* monotonic_ns of the first empty round; 0: not quiet */
    struct offload_work *offload;
    struct egress_list *egress; /* [PORTS_MAX] */
    uint16_t touched[PORTS_MAX]; /* ports with a list that is not empty */
    unsigned touched_count;
    unsigned sender;            /* id of the port whose burst is under way */
    struct leftover *leftovers; /* [LEFTOVERS_MAX] of the burst: to be tried again (switch/retry.h) */
    unsigned leftover_count;
    bool more;                  /* behind the burst that was taken others wait, or may do so: it was full */
    uint64_t turn_cycles;       /* of a turn in this round, beyond its first burst; UINT64_MAX: no limit (round.c) */
    uint8_t next_queue[PORTS_MAX]; /* of each port with several queues here: where its next turn begins */
    unsigned busy_sources;      /* queues that had frames in the last round */
    struct vlan_forms *vlan_forms; /* of the current burst, in a network with VLANs */
    struct notifier notifier;   /* for calls */
    struct segment *scratch;    /* [RING_SEGMENTS_MAX] for ring_deliver */
    struct burst *burst;

    /* Read by the control thread. */
    atomic_bool asleep;
    counter rounds;
    counter busy_cycles;        /* in rounds that found work */
    counter sleeps;
    uint64_t load_cycles;       /* the control thread's: busy_cycles when it read them last */
    uint32_t load;              /* the control thread's: thousandths of its time that it was busy then */
    uint64_t start_cycles;      /* both clocks at the start, to turn cycles into time */
    uint64_t start_ns;
};

/* Starts the thread. NULL and errno when it cannot be. */
struct worker *worker_start(unsigned id, const struct worker_place *place, bool poll_only,
                            struct topology *_Atomic *published, int report_fd);
/* Asks it to end, waits, frees. */
void worker_stop(struct worker *worker);
/* Ends its sleep, if it sleeps. Any thread. */
void worker_wake(struct worker *worker);
void worker_status_read(const struct worker *worker, struct worker_status *status);

/* Control thread: the worker wakes on this fd; `port` and `pair` say whose it is. 0 or -errno. */
int worker_watch(struct worker *worker, int fd, unsigned port, unsigned pair);
void worker_unwatch(struct worker *worker, int fd);

/* Worker: tells the control thread to look for broken queues. */
void worker_report(const struct worker *worker);

/* The loop's: one round, begun at cycles_now() `begin`. Every port of ours once; returns the frames moved (round.c). */
unsigned worker_round(struct worker *worker, uint64_t begin);

/* Called by the loop after a round that found nothing; may sleep (idle.c). */
void worker_idle(struct worker *worker);

#endif
