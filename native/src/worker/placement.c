/*
 * placement.c - which cores have workers, and which worker serves which queue.
 *
 * Pure; called by the control thread whenever a queue, a worker or the node of
 * a guest's memory appears or goes. A move costs a queue a quiet point and cold
 * caches, so queues that are well placed stay: first everyone keeps what is
 * still near, then the new ones take the least loaded near worker, and at last single
 * queues move as long as a move makes the two loads more equal by a whole
 * queue. Ties go to the lower index, so equal input gives equal output.
 */
#include "worker/placement.h"

/* Loads of the workers, on the stack. Workers beyond are not used; a worker is a core (CPU_SETSIZE). */
#define WORKERS_MAX 1024u

/* How far a worker is from a source's memory; less is better. */
enum distance { NEAR, NOT_KNOWN, REMOTE };

static enum distance distance_of(const struct placement_worker *worker, const struct placement_source *source)
{
    if (source->node < 0 || worker->node == source->node)
        return NEAR;
    return worker->node < 0 ? NOT_KNOWN : REMOTE;
}

static enum distance best_distance(const struct placement_worker *workers, unsigned worker_count,
                                   const struct placement_source *source)
{
    enum distance best = REMOTE;

    for (unsigned i = 0; i < worker_count && best != NEAR; i++)
        if (distance_of(&workers[i], source) < best)
            best = distance_of(&workers[i], source);
    return best;
}

/* The least loaded of the workers that are as near as any. */
static unsigned least_loaded(const struct placement_worker *workers, unsigned worker_count,
                             const unsigned *load, const struct placement_source *source)
{
    enum distance nearest = best_distance(workers, worker_count, source);
    unsigned best = worker_count;
    for (unsigned i = 0; i < worker_count; i++) {
        if (distance_of(&workers[i], source) > nearest)
            continue;
        if (best == worker_count || load[i] < load[best])
            best = i;
    }
    return best;
}

static bool may_stay(const struct placement_worker *workers, unsigned worker_count,
                     const struct placement_source *source)
{
    if (source->worker < 0 || (unsigned)source->worker >= worker_count)
        return false;
    return distance_of(&workers[source->worker], source) <= best_distance(workers, worker_count, source);
}

/* One round over the sources, the last comer first; whether any of them moved. Never to a worker that is busier. */
static bool move_some(const struct placement_worker *workers, unsigned worker_count, unsigned *load, unsigned *busy,
                      struct placement_source *sources, unsigned source_count)
{
    bool moved = false;
    for (unsigned i = source_count; i-- > 0;) {
        unsigned best = least_loaded(workers, worker_count, load, &sources[i]);
        if (load[sources[i].worker] <= load[best] + 1 || busy[sources[i].worker] < busy[best])
            continue;
        load[sources[i].worker]--;
        load[best]++;
        busy[sources[i].worker] -= sources[i].load;
        busy[best] += sources[i].load;
        sources[i].worker = (int)best;
        moved = true;
    }
    return moved;
}

void placement_assign(const struct placement_worker *workers, unsigned worker_count,
                      struct placement_source *sources, unsigned source_count)
{
    unsigned load[WORKERS_MAX] = {0}; /* queues */
    unsigned busy[WORKERS_MAX] = {0}; /* thousandths of its time */
    if (worker_count > WORKERS_MAX)
        worker_count = WORKERS_MAX;

    for (unsigned i = 0; i < source_count; i++) {
        if (may_stay(workers, worker_count, &sources[i]))
            load[sources[i].worker]++;
        else
            sources[i].worker = -1;
    }
    for (unsigned i = 0; i < source_count; i++) {
        if (sources[i].worker >= 0)
            continue;
        sources[i].worker = (int)least_loaded(workers, worker_count, load, &sources[i]);
        load[sources[i].worker]++;
    }
    for (unsigned i = 0; i < source_count; i++)
        busy[sources[i].worker] += sources[i].load;
    /* Ends: each move lessens the sum of the squares of the loads. */
    while (move_some(workers, worker_count, load, busy, sources, source_count))
        continue;
    for (unsigned i = 0; i < source_count; i++)
        sources[i].remote = distance_of(&workers[sources[i].worker], &sources[i]) == REMOTE;
}

static bool node_is_staffed(const struct placement_seat *seats, unsigned seat_count, int node)
{
    for (unsigned i = 0; i < seat_count; i++)
        if (seats[i].wanted && seats[i].node == node)
            return true;
    return false;
}

static bool node_has_guests(const struct placement_source *sources, unsigned source_count, int node)
{
    for (unsigned i = 0; i < source_count; i++)
        if (sources[i].node == node)
            return true;
    return false;
}

void placement_staff(struct placement_seat *seats, unsigned seat_count, const struct placement_source *sources,
                     unsigned source_count)
{
    for (unsigned i = 0; i < seat_count; i++)
        seats[i].wanted = !seats[i].spare && !seats[i].unfit;
    for (unsigned i = 0; i < seat_count; i++) {
        if (seats[i].wanted || seats[i].unfit || seats[i].node < 0)
            continue;
        seats[i].wanted = node_has_guests(sources, source_count, seats[i].node) &&
                          !node_is_staffed(seats, seat_count, seats[i].node);
    }
}
