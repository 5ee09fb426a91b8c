/*
 * staff.h - the places where workers may be, and the workers that are there.
 *
 * Control thread only. With `--cores` each core has a worker from the start;
 * a spare core gets one when a guest's memory is on its node and nobody else
 * serves there, and loses it when that is over. Without any core given, a host
 * of several nodes has a spare place on each but the first, whose worker may
 * use all the CPUs of that node that the switch may use.
 */
#ifndef VHOSTKIT_STAFF_H
#define VHOSTKIT_STAFF_H

#include "datapath.h"
#include "worker/placement.h"
#include "worker/worker.h"

/* One place; its index is the id of its worker. */
struct seat {
    struct worker_place place;
    bool spare;             /* see above */
    bool unfit;             /* a worker could not be started there once */
    struct worker *worker;  /* NULL: none now */
};

struct staff {
    struct seat seats[WORKERS_MAX];
    unsigned count;                 /* seats that are known */
    bool poll;                      /* workers never sleep */
    struct topology *_Atomic *published;    /* what they work on */
    int report_fd;                  /* what they report to */
};

/* Starts the workers that are always there. False and errno when one cannot be. */
bool staff_open(struct staff *staff, const struct datapath_options *options, struct topology *_Atomic *published,
                int report_fd);
/* Stops all. No queue has a worker any more. */
void staff_close(struct staff *staff);

/* Which seats shall have workers for these sources: wanted[count]. */
void staff_decide(const struct staff *staff, const struct placement_source *sources, unsigned source_count,
                  bool wanted[WORKERS_MAX]);
/* Starts the worker of a seat. False: it cannot be, the log says why, and the seat is never tried again. */
bool staff_start(struct staff *staff, unsigned seat);
/* Stops the worker of a seat; no queue is with it any more. */
void staff_stop(struct staff *staff, unsigned seat);

/* See datapath_workers_moved(); `rounds` is by seat. */
bool staff_moved(const struct staff *staff, uint64_t rounds[WORKERS_MAX]);

/* Workers there are now. */
unsigned staff_size(const struct staff *staff);
/* The one with `index` others before it, by id. */
struct worker *staff_at(const struct staff *staff, unsigned index);

#endif
