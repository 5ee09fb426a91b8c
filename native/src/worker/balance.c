/*
 * balance.c - see the header. Called by the control thread once a second.
 *
 * Each move lessens the greater of two loads, and so the sum of the squares of all: with
 * loads that stay the same it comes to an end, and no queue goes to and fro. A worker
 * that polls without pause looks full with one queue as with ten; that queue alone
 * cannot be helped by a move, since it would fill the other worker just the same.
 */
#include "worker/balance.h"

/* As many as a switch can have (datapath.h). */
#define WORKERS_MAX 64u

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* By how much the move lowers the greater of the two loads; 0: it is not worth it, or not allowed. */
static uint32_t gain_of(const struct balance_worker *workers, const uint32_t *loads,
                        const struct balance_source *source, unsigned to)
{
    unsigned from = (unsigned)source->worker;
    uint32_t before = greater(loads[from], loads[to]);
    uint32_t after = greater(loads[from] - source->load, loads[to] + source->load);

    if (to == from || !workers[to].there || workers[to].node != workers[from].node)
        return 0;
    if (loads[from] < loads[to] || (loads[from] - loads[to]) * 100 < loads[from] * 2 * BALANCE_GAIN)
        return 0;
    return after + BALANCE_STEP <= before ? before - after : 0;
}

bool balance_choose(const struct balance_worker *workers, unsigned worker_count,
                    const struct balance_source *sources, unsigned source_count, struct balance_move *move)
{
    uint32_t loads[WORKERS_MAX] = { 0 }, best = 0;

    if (worker_count > WORKERS_MAX)
        worker_count = WORKERS_MAX;
    for (unsigned i = 0; i < source_count; i++)
        if (sources[i].worker >= 0 && (unsigned)sources[i].worker < worker_count)
            loads[sources[i].worker] += sources[i].load;
    for (unsigned i = 0; i < source_count; i++) {
        unsigned from = (unsigned)sources[i].worker;

        if (sources[i].worker < 0 || from >= worker_count || sources[i].resting || loads[from] < BALANCE_BUSY)
            continue;
        for (unsigned to = 0; to < worker_count; to++) {
            uint32_t gain = gain_of(workers, loads, &sources[i], to);

            if (gain <= best)
                continue;
            best = gain;
            *move = (struct balance_move){ i, from, to, loads[from], loads[to] };
        }
    }
    return best > 0;
}
