/*
 * retry.c - see the header. Runs on the worker that took the burst; what is
 * left lies in the worker's own memory and points to frames of the burst.
 */
#include "switch/retry.h"

#include <string.h>

#include "port/port.h"
#include "worker/cycles.h"
#include "worker/worker.h"

void retry_keep(struct worker *worker, struct port *port, unsigned pair, struct frame *const *frames,
                unsigned count)
{
    if (worker->leftover_count == LEFTOVERS_MAX) {
        port->ops->deliver(port, pair, worker, frames, count, ATTEMPT_LAST);
        return;
    }
    struct leftover *leftover = &worker->leftovers[worker->leftover_count++];

    leftover->port = port;
    leftover->pair = pair;
    leftover->count = count;
    memcpy(leftover->frames, frames, count * sizeof leftover->frames[0]);
}

static void wait_ns(uint64_t ns)
{
    uint64_t until = monotonic_ns() + ns;

    while (monotonic_ns() < until)
        cpu_relax();
}

/* One attempt for each receiver; those that still wait move to the front. */
static void retry_some(struct worker *worker, enum attempt attempt)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < worker->leftover_count; i++) {
        struct leftover *leftover = &worker->leftovers[i];
        unsigned done = leftover->port->ops->deliver(leftover->port, leftover->pair, worker, leftover->frames,
                                                     leftover->count, attempt);

        if (done == leftover->count)
            continue;
        leftover->count -= done;
        memmove(leftover->frames, leftover->frames + done, leftover->count * sizeof leftover->frames[0]);
        if (kept != i)
            worker->leftovers[kept] = *leftover;
        kept++;
    }
    worker->leftover_count = kept;
}

void retry_all(struct worker *worker)
{
    bool alone = worker->busy_sources <= 1;
    unsigned attempts = alone ? RETRY_ALONE_ATTEMPTS : RETRY_ATTEMPTS;

    for (unsigned i = 1; i <= attempts && worker->leftover_count > 0; i++) {
        wait_ns(alone ? RETRY_ALONE_NS : RETRY_NS);
        retry_some(worker, i < attempts ? ATTEMPT_AGAIN : ATTEMPT_LAST);
    }
}
