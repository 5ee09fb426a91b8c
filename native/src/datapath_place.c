/*
 * datapath_place.c - which worker serves which queue, and carrying that out:
 * the topology the workers see, the workers on spare places, the node on which
 * a port's state lies.
 *
 * Control thread only. It is done anew whenever a port comes or goes, and when the
 * node of a guest's memory becomes known or changes.
 */
#include <stdlib.h>
#include <unistd.h>

#include "datapath_parts.h"
#include "log.h"
#include "quiesce.h"

void datapath_quiesce(struct datapath *datapath)
{
    (void)datapath;
    quiesce_wait();
}

static void workers_wake(const struct datapath *datapath)
{
    for (unsigned i = 0; i < datapath->staff.count; i++)
        if (datapath->staff.seats[i].worker != NULL)
            worker_wake(datapath->staff.seats[i].worker);
}

static void hold_network(const struct port *port, bool held)
{
    struct datapath *datapath = port->datapath;

    for (unsigned i = 0; i < datapath->port_count; i++)
        if (datapath->ports[i]->network == port->network)
            atomic_store_explicit(&datapath->ports[i]->held, held || datapath->ending, memory_order_release);
}

void datapath_hold_for_good(struct datapath *datapath)
{
    datapath->ending = true;
    for (unsigned i = 0; i < datapath->port_count; i++)
        atomic_store_explicit(&datapath->ports[i]->held, true, memory_order_release);
    quiesce_wait();
}

void datapath_hold_senders(struct port *port)
{
    hold_network(port, true);
    quiesce_wait(); /* whoever was in the middle of a burst is done with it */
}

void datapath_release_senders(struct port *port)
{
    hold_network(port, false);
    workers_wake(port->datapath);
}

bool topology_publish(struct datapath *datapath)
{
    struct topology *next = topology_create(datapath->ports, datapath->port_count, staff_size(&datapath->staff));

    if (next == NULL)
        return false;
    struct topology *last = atomic_exchange(&datapath->topology, next);
    quiesce_wait();
    topology_destroy(last);
    /* A sleeping worker waits on the queues of the old topology: let it look at the new one. */
    workers_wake(datapath);
    return true;
}

/* Every queue pair, in the order of ports and pairs, with what placement.c wants to know. NULL: no memory. */
static struct placement_source *sources_list(const struct datapath *datapath, unsigned *count)
{
    *count = 0;
    for (unsigned i = 0; i < datapath->port_count; i++)
        *count += datapath->ports[i]->pairs;
    struct placement_source *sources = calloc(*count + 1, sizeof *sources);
    struct placement_source *next = sources;

    for (unsigned i = 0; next != NULL && i < datapath->port_count; i++)
        for (unsigned pair = 0; pair < datapath->ports[i]->pairs; pair++) {
            const struct worker *worker = datapath->ports[i]->workers[pair];

            *next++ = (struct placement_source){
                .node = datapath->ports[i]->node,
                .load = datapath->ports[i]->loads[pair].load,
                .worker = worker != NULL ? (int)worker->id : -1,
            };
        }
    return sources;
}

/* Starts the workers that are wanted now. One that cannot be started changes what is wanted. */
static void workers_hire(struct datapath *datapath, const struct placement_source *sources, unsigned count,
                         bool wanted[WORKERS_MAX])
{
    struct staff *staff = &datapath->staff;

    staff_decide(staff, sources, count, wanted);
    for (unsigned i = 0; i < staff->count; i++) {
        if (!wanted[i] || staff->seats[i].worker != NULL)
            continue;
        if (!staff_start(staff, i)) {
            workers_hire(datapath, sources, count, wanted); /* it is unfit from now on */
            return;
        }
        log_info("worker %u started on node %d, for the guests there", i, staff->seats[i].place.node);
        datapath_event(datapath, "worker.started", NULL, NULL, (int)i, staff->seats[i].place.node);
    }
}

/* Stops those that are not: no queue is with them any more. */
static void workers_dismiss(struct datapath *datapath, const bool wanted[WORKERS_MAX])
{
    struct staff *staff = &datapath->staff;

    for (unsigned i = 0; i < staff->count; i++) {
        if (wanted[i] || staff->seats[i].worker == NULL)
            continue;
        staff_stop(staff, i);
        log_info("worker %u stopped: no guest is on node %d any more", i, staff->seats[i].place.node);
        datapath_event(datapath, "worker.stopped", NULL, NULL, (int)i, staff->seats[i].place.node);
    }
}

/* Asks placement.c for each source's worker. It counts only those that are wanted; here ids go in and come out. */
static void sources_assign(const struct datapath *datapath, const bool wanted[WORKERS_MAX],
                           struct placement_source *sources, unsigned count)
{
    struct placement_worker workers[WORKERS_MAX];
    int id_of[WORKERS_MAX], index_of[WORKERS_MAX];
    unsigned worker_count = 0;

    for (unsigned i = 0; i < datapath->staff.count; i++) {
        index_of[i] = -1;
        if (!wanted[i])
            continue;
        index_of[i] = (int)worker_count;
        id_of[worker_count] = (int)i;
        workers[worker_count++].node = datapath->staff.seats[i].place.node;
    }
    for (unsigned i = 0; i < count; i++)
        sources[i].worker = sources[i].worker >= 0 ? index_of[sources[i].worker] : -1;
    placement_assign(workers, worker_count, sources, count);
    for (unsigned i = 0; i < count; i++)
        sources[i].worker = id_of[sources[i].worker];
}

/* Takes the queues that move from their workers. Whether there are any. */
static bool sources_displace(struct datapath *datapath, const struct placement_source *sources)
{
    bool moves = false;

    for (unsigned i = 0; i < datapath->port_count; i++) {
        struct port *port = datapath->ports[i];
        bool displaced = false;

        for (unsigned pair = 0; pair < port->pairs; pair++, sources++) {
            if (port->workers[pair] == NULL || (int)port->workers[pair]->id == sources->worker)
                continue;
            if (!displaced)
                port->ops->displaced(port);
            displaced = true;
            port->workers[pair] = NULL;
        }
        moves |= displaced;
    }
    return moves;
}

/* Where a port's own state belongs: with its guest's memory, else with the worker that uses it. */
static int port_home(const struct port *port)
{
    return port->node >= 0 || port->workers[0] == NULL ? port->node : port->workers[0]->place.node;
}

/* Moves the state of ports, and says what changed: never only in the log when a guest is served from afar. */
static void ports_settle(struct datapath *datapath)
{
    for (unsigned i = 0; i < datapath->port_count; i++) {
        struct port *port = datapath->ports[i];

        port_settle(port, port_home(port));
        port->ops->placed(port);
        port_tell_node(port);
    }
}

/*
 * A queue has one worker at any time, so those that move are first taken from
 * all workers, and given to their new one only after a quiet point.
 */
bool ports_place(struct datapath *datapath)
{
    bool wanted[WORKERS_MAX];
    unsigned count;

    if (datapath->holding)
        return topology_publish(datapath); /* known to all, served by none */
    struct placement_source *sources = sources_list(datapath, &count);

    if (sources == NULL)
        return false;
    workers_hire(datapath, sources, count, wanted);
    sources_assign(datapath, wanted, sources, count);
    if (sources_displace(datapath, sources) && !topology_publish(datapath)) {
        free(sources);
        return false;
    }
    const struct placement_source *next = sources;

    for (unsigned i = 0; i < datapath->port_count; i++)
        for (unsigned pair = 0; pair < datapath->ports[i]->pairs; pair++)
            datapath->ports[i]->workers[pair] = datapath->staff.seats[next++->worker].worker;
    free(sources);
    if (!topology_publish(datapath))
        return false;
    ports_settle(datapath);
    workers_dismiss(datapath, wanted);
    return true;
}

bool queue_place(struct datapath *datapath, struct port *port, unsigned pair, struct worker *worker)
{
    struct worker *before = port->workers[pair];

    port->ops->displaced(port);
    port->workers[pair] = NULL;
    if (!topology_publish(datapath)) {
        port->workers[pair] = before;
        port->ops->placed(port);
        return false;
    }
    port->workers[pair] = worker;
    while (!topology_publish(datapath)) {
        log_error("no memory to give a queue of port %s its worker; trying again", port->config.name);
        sleep(1);
    }
    port->ops->placed(port);
    port_wake(port); /* what came meanwhile kicked nobody */
    return true;
}

/*
 * A VM is there and has not come up yet. With several queue pairs it has not before the last one runs: each that
 * starts pauses the port, and what it is sent meanwhile would be lost.
 */
static bool port_is_expected(const struct port *port)
{
    struct port_status status;
    unsigned started = 0;

    port_status(port, &status);
    if (!port->config.has_offered)
        return false;
    if (status.state == PORT_CONNECTED)
        return true;
    for (unsigned i = 0; i < status.ring_count; i++)
        started += status.rings[i].started;
    return status.state == PORT_UP && (status.negotiated & FEATURE(VIRTIO_NET_F_MQ)) != 0 && started < 2 * port->pairs;
}

static void hold_end(void *owner)
{
    struct datapath *datapath = owner;

    datapath->holding = false;
    event_loop_stop_timer(datapath->loop, &datapath->hold);
    ports_place(datapath);
    for (unsigned i = 0; i < datapath->port_count; i++)
        port_wake(datapath->ports[i]);
}

void datapath_hold(struct datapath *datapath)
{
    datapath->holding = true;
}

void datapath_hold_check(struct datapath *datapath)
{
    if (!datapath->holding || datapath->ending)
        return;
    for (unsigned i = 0; i < datapath->port_count; i++) {
        if (!port_is_expected(datapath->ports[i]))
            continue;
        if (datapath->hold.due_ns == 0) /* not from the start on: many ports take their time to be added */
            event_loop_start_timer(datapath->loop, &datapath->hold, DATAPATH_HOLD_MS, hold_end, datapath);
        return;
    }
    hold_end(datapath);
}

void datapath_place(struct datapath *datapath)
{
    ports_place(datapath);
}
