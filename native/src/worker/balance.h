/*
 * balance.h - which queue should go to which worker, by what each of them cost
 * in the last second. Pure: loads in, at most one move out, so that it is
 * tested with workers nobody has.
 */
#ifndef VHOSTKIT_BALANCE_H
#define VHOSTKIT_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

/* A worker with less to do than this, in thousandths of its time, is left alone: it has no need of help. */
#define BALANCE_BUSY 400u

/*
 * Two workers are left alone when making them equal would lower the greater load by less than this part
 * of it, in percent: a move costs the queue a quiet point and cold caches, and loads of two seconds differ by a few percent anyway.
 */
#define BALANCE_GAIN 15u

/* And a single move must lower it by this many thousandths of a worker's time. */
#define BALANCE_STEP 10u

/* A worker. */
struct balance_worker {
    bool there; /* it exists; else it gets nothing */
    int node;   /* NUMA node of its core; -1: unknown */
};

/* A queue pair. */
struct balance_source {
    int worker;    /* that serves it; -1: none */
    uint32_t load; /* thousandths of a worker's time that it cost */
    bool resting;  /* it was moved a short time ago, and stays where it is */
};

struct balance_move {
    unsigned source;            /* this queue pair */
    unsigned from, to;          /* from this worker to that one */
    uint32_t from_load, to_load; /* their loads before */
};

/*
 * The move that lowers the greater load of two workers on the same node most, if it is worth it. False: none is.
 * The same input gives the same output; equals go to the lower index.
 */
bool balance_choose(const struct balance_worker *workers, unsigned worker_count,
                    const struct balance_source *sources, unsigned source_count, struct balance_move *move);

#endif
