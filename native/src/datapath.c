/*
 * datapath.c - the life of the datapath, what ports ask of it, and what is told of it. Ports come and go in
 * datapath_ports.c; which worker serves what is datapath_place.c's.
 *
 * Control thread only.
 */
#include "datapath.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "datapath_parts.h"
#include "log.h"
#include "quiesce.h"
#include "switch/flow_hash.h"
#include "switch/steering.h"
#include "vhost/memory_guard.h"
#include "vhost/socket_watch.h"

struct port *datapath_find_port(struct datapath *datapath, const char *name)
{
    for (unsigned i = 0; i < datapath->port_count; i++)
        if (strcmp(datapath->ports[i]->config.name, name) == 0)
            return datapath->ports[i];
    return NULL;
}

unsigned datapath_port_count(const struct datapath *datapath)
{
    return datapath->port_count;
}

struct port *datapath_port_at(struct datapath *datapath, unsigned index)
{
    return datapath->ports[index];
}

unsigned datapath_network_count(const struct datapath *datapath)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PORTS_MAX; i++)
        count += datapath->networks[i] != NULL;
    return count;
}

/* --- what ports ask of it --- */

struct event_loop *datapath_loop(struct datapath *datapath)
{
    return datapath->loop;
}

struct socket_watch *datapath_socket_watch(struct datapath *datapath)
{
    return datapath->socket_watch;
}

void datapath_event(struct datapath *datapath, const char *type, const struct port *port, const char *why, int a,
                    int b)
{
    if (datapath->listener.event != NULL)
        datapath->listener.event(datapath->listener.owner, type, port != NULL ? port->config.name : NULL, why, a, b);
}

void datapath_config_changed(struct datapath *datapath)
{
    if (datapath->listener.config_changed != NULL)
        datapath->listener.config_changed(datapath->listener.owner);
}

/* --- seeing --- */

/* Carries a visit through network_visit_macs(). */
struct mac_visit {
    const struct datapath *datapath;
    const struct network *network;
    datapath_mac_visitor *visit;
    void *context;
};

static void visit_entry(void *context, uint64_t mac, unsigned vlan, unsigned port, unsigned age_s)
{
    struct mac_visit *visit = context;
    const struct port *owner = visit->datapath->topology->by_id[port];
    uint8_t bytes[6];

    for (unsigned i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
    if (owner != NULL)
        visit->visit(visit->context, visit->network->name, bytes, vlan, owner->config.name, age_s);
}

void datapath_visit_macs(struct datapath *datapath, const char *network, datapath_mac_visitor *visit, void *context)
{
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        if (datapath->networks[i] == NULL ||
            (network != NULL && strcmp(network, datapath->networks[i]->name) != 0))
            continue;
        struct mac_visit carried = { datapath, datapath->networks[i], visit, context };

        network_visit_macs(datapath->networks[i], visit_entry, &carried);
    }
}

bool datapath_workers_moved(struct datapath *datapath, uint64_t rounds[WORKERS_MAX])
{
    return staff_moved(&datapath->staff, rounds);
}

unsigned datapath_worker_count(const struct datapath *datapath)
{
    return staff_size(&datapath->staff);
}

void datapath_worker_status(const struct datapath *datapath, unsigned index, struct worker_status *status)
{
    worker_status_read(staff_at(&datapath->staff, index), status);
}

void datapath_visit_queues(const struct datapath *datapath, unsigned worker, datapath_queue_visitor *visit, void *context)
{
    for (unsigned i = 0; i < datapath->port_count; i++) {
        const struct port *port = datapath->ports[i];

        for (unsigned pair = 0; pair < port->pairs; pair++)
            if (port->workers[pair] != NULL && port->workers[pair]->id == worker)
                visit(context, port->config.name, 2 * pair + 1, port->loads[pair].load);
    }
}

/* --- life --- */

static void on_report(void *owner, uint32_t events)
{
    struct datapath *datapath = owner;
    uint64_t count;

    (void)events;
    if (read(datapath->report.fd, &count, sizeof count) < 0)
        return;
    for (unsigned i = 0; i < datapath->port_count; i++)
        datapath->ports[i]->ops->inspect(datapath->ports[i]);
}

static void on_tick(void *owner)
{
    struct datapath *datapath = owner;

    for (unsigned i = 0; i < PORTS_MAX; i++)
        if (datapath->networks[i] != NULL)
            network_tick(datapath->networks[i]);
    event_loop_start_timer(datapath->loop, &datapath->tick, MAC_TICK_S * 1000, on_tick, datapath);
}

static void on_second(void *owner)
{
    struct datapath *datapath = owner;

    for (unsigned i = 0; i < datapath->port_count; i++) {
        if (datapath->ports[i]->steering != NULL)
            steering_tick(datapath->ports[i]->steering);
        port_events_settle(datapath->ports[i]);
    }
    datapath_balance(datapath);
    event_loop_start_timer(datapath->loop, &datapath->second, 1000, on_second, datapath);
}

/* Without a seed from the kernel guests could guess the hash; the flows would still be told apart. */
static void seed_flows(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
        flow_hash_seed(seed);
}

static void on_look(void *owner)
{
    struct datapath *datapath = owner;
    bool awake = false;

    for (unsigned i = 0; i < datapath->staff.count; i++) {
        struct worker *worker = datapath->staff.seats[i].worker;

        if (worker == NULL)
            continue;
        notifier_look(&worker->notifier, worker->thread);
        awake |= !atomic_load(&worker->asleep);
    }
    event_loop_start_timer(datapath->loop, &datapath->look, awake ? NOTIFIER_LOOK_MS : NOTIFIER_LOOK_ASLEEP_MS,
                           on_look, datapath);
}

struct datapath *datapath_create(struct event_loop *loop, const struct datapath_options *options,
                                 const struct datapath_listener *listener)
{
    struct datapath *datapath = calloc(1, sizeof *datapath);
    int report = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (datapath == NULL || report < 0) {
        free(datapath);
        return NULL;
    }
    datapath->loop = loop;
    datapath->listener = *listener;
    datapath->captures = options->captures;
    datapath->report = (struct event_source)EVENT_SOURCE_NONE;
    datapath->socket_watch = socket_watch_create(loop, options->inotify_fd);
    datapath->topology = topology_create(NULL, 0, 0);
    event_loop_start_timer(loop, &datapath->tick, MAC_TICK_S * 1000, on_tick, datapath);
    event_loop_start_timer(loop, &datapath->second, 1000, on_second, datapath);
    seed_flows();
    on_look(datapath);
    if (event_loop_add(loop, &datapath->report, report, EPOLLIN, on_report, datapath) == 0 &&
        datapath->topology != NULL && notifier_install() == 0 && memory_guard_install() == 0 && quiesce_init() == 0 &&
        staff_open(&datapath->staff, options, &datapath->topology, report))
        return datapath;
    int error = errno;

    datapath_destroy(datapath);
    errno = error;
    return NULL;
}

void datapath_destroy(struct datapath *datapath)
{
    int report = datapath->report.fd;

    /* Ports go one after the other. What a guest sends meanwhile waits in its ring for the next switch (R24). */
    if (datapath->port_count > 0)
        datapath_hold_for_good(datapath);
    while (datapath->port_count > 0)
        datapath_remove_port(datapath, datapath->ports[datapath->port_count - 1]);
    staff_close(&datapath->staff);
    event_loop_stop_timer(datapath->loop, &datapath->tick);
    event_loop_stop_timer(datapath->loop, &datapath->second);
    event_loop_stop_timer(datapath->loop, &datapath->hold);
    event_loop_stop_timer(datapath->loop, &datapath->look);
    event_loop_remove(datapath->loop, &datapath->report);
    if (report >= 0)
        close(report);
    socket_watch_destroy(datapath->socket_watch);
    topology_destroy(datapath->topology);
    free(datapath);
}
