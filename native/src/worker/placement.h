/*
 * placement.h - which cores have workers, and which worker serves which queue.
 * Pure: nodes and loads in, assignment out, so that it is tested with hosts
 * nobody has (1 to 8 nodes).
 */
#ifndef VHOSTKIT_PLACEMENT_H
#define VHOSTKIT_PLACEMENT_H

#include <stdbool.h>

/* A worker that can be given queues. */
struct placement_worker {
    int node; /* NUMA node of its core; -1: unknown */
};

/* A queue to be served. */
struct placement_source {
    int node;    /* NUMA node of the guest's memory; -1: unknown */
    unsigned load; /* thousandths of its worker's time in the last second; 0: nothing known */
    int worker;  /* in: worker that serves it now, -1 none; out: the one that shall */
    bool remote; /* out: that worker's node is another than the memory's */
};

/*
 * Gives each source a worker: one on its own node when there is one, else one
 * whose node is unknown, else any; of these the least loaded. It stays where it
 * is as long as that is no worse by more than one queue, or its worker is less busy
 * than the one with fewer: what balance.h did by load is not undone by number.
 * The same input always gives the same output. worker_count >= 1.
 */
void placement_assign(const struct placement_worker *workers, unsigned worker_count,
                      struct placement_source *sources, unsigned source_count);

/* A place where a worker may be. */
struct placement_seat {
    int node;    /* NUMA node; -1: unknown */
    bool spare;  /* only while its node has guests and no other worker; else always */
    bool unfit;  /* no worker can be started there */
    bool wanted; /* out: a worker shall be there */
};

/* Decides which seats have workers. Of several spare seats on a node the first that is fit is taken. */
void placement_staff(struct placement_seat *seats, unsigned seat_count, const struct placement_source *sources,
                     unsigned source_count);

#endif
