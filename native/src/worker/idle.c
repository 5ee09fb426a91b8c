/*
 * idle.c - what a worker does when there is nothing to do.
 *
 * Poll a little longer, since the next frame often follows the last; then ask
 * every queue for a wake-up, look once more, and sleep in epoll_wait(). The
 * second look closes the race with a driver that added work while kicks were
 * still off (R18). Runs on the worker's thread; asleep, it is outside any
 * read-side section, so the control thread never waits for a sleeper.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "log.h"
#include "quiesce.h"
#include "switch/topology.h"
#include "worker/cycles.h"
#include "worker/worker.h"

/*
 * Quiet time before a worker sleeps. A sleeper costs the next frame a wake-up
 * (some 20 µs here) and the driver a kick; polling costs a core. 50 µs covers the
 * gap between a request and its answer from a guest, and is 1 % of a core at 200 wake-ups a second.
 */
#define QUIET_BEFORE_SLEEP_NS 50000u

/* A ring without a kick fd must be looked at now and then (vhost-user: VHOST_USER_VRING_NOFD). */
#define POLLED_RING_SLEEP_MS 1

static const struct source_list *worker_sources(const struct worker *worker)
{
    return &worker->topology->workers[worker->id];
}

/* True: some queue has work after all. */
static bool worker_arm(struct worker *worker)
{
    const struct source_list *list = worker_sources(worker);
    bool work = false;

    for (unsigned i = 0; i < list->count; i++)
        work |= list->sources[i].port->ops->arm(list->sources[i].port, list->sources[i].pair, worker);
    return work;
}

static void worker_disarm(struct worker *worker)
{
    const struct source_list *list = worker_sources(worker);

    for (unsigned i = 0; i < list->count; i++)
        list->sources[i].port->ops->disarm(list->sources[i].port, list->sources[i].pair);
}

/* Counts the kicks that ended the sleep. The ports are looked up anew: the topology may have changed meanwhile. */
static void worker_count_kicks(const struct worker *worker, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t port_id = events[i].data.u64 >> 32;
        uint32_t pair = (uint32_t)events[i].data.u64;
        struct port *port = port_id < PORTS_MAX ? worker->topology->by_id[port_id] : NULL;

        if (port != NULL && pair < port->pairs)
            counter_add(&port->rx[pair].kicks, 1);
    }
}

static void worker_sleep(struct worker *worker, int timeout_ms)
{
    struct epoll_event events[64];

    counter_add(&worker->sleeps, 1);
    atomic_store_explicit(&worker->asleep, true, memory_order_relaxed);
    quiesce_leave();
    int count = epoll_wait(worker->epoll_fd, events, 64, timeout_ms);
    if (count < 0 && errno != EINTR)
        log_error("worker %u: epoll: %s", worker->id, strerror(errno));
    quiesce_return();
    atomic_store_explicit(&worker->asleep, false, memory_order_relaxed);
    worker->topology = atomic_load_explicit(worker->published, memory_order_acquire);
    worker_count_kicks(worker, events, count);
}

/* Whether a queue of ours has no way to wake us. */
static int worker_sleep_limit(const struct worker *worker)
{
    const struct source_list *list = worker_sources(worker);

    for (unsigned i = 0; i < list->count; i++)
        if (list->sources[i].port->ops->polled(list->sources[i].port, list->sources[i].pair))
            return POLLED_RING_SLEEP_MS;
    return -1;
}

void worker_idle(struct worker *worker)
{
    uint64_t now;

    cpu_relax();
    if (worker->poll_only)
        return;
    now = monotonic_ns();
    if (worker->quiet_since == 0)
        worker->quiet_since = now;
    if (now - worker->quiet_since < QUIET_BEFORE_SLEEP_NS)
        return;

    /* We passed a quiet point since the round: only what is published now may be touched. */
    worker->topology = atomic_load_explicit(worker->published, memory_order_acquire);
    if (!worker_arm(worker))
        worker_sleep(worker, worker_sleep_limit(worker));
    worker_disarm(worker);
    worker->quiet_since = 0;
}
