/*
 * placement.h - which worker serves which queue. Pure: nodes and loads in,
 * assignment out, so that it is tested with hosts nobody has (1 to 8 nodes).
 */
#ifndef VHOSTKIT_PLACEMENT_H
#define VHOSTKIT_PLACEMENT_H

#include <stdbool.h>

/* A worker that can be given queues. */
struct placement_worker {
    int node; /* NUMA node of its core; -1: not pinned, so near to everything */
};

/* A queue to be served. */
struct placement_source {
    int node;    /* NUMA node of the guest's memory; -1: unknown */
    int worker;  /* in: worker that serves it now, -1 none; out: the one that shall */
    bool remote; /* out: that worker's node is another than the memory's */
};

/*
 * Gives each source a worker: one on its own node when there is one, the least
 * loaded of these, and stays where it is as long as that is no worse by more
 * than one queue. The same input always gives the same output. worker_count >= 1.
 */
void placement_assign(const struct placement_worker *workers, unsigned worker_count,
                      struct placement_source *sources, unsigned source_count);

#endif
