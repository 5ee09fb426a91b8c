/*
 * datapath.c - ports and networks, and the changes between them; which worker
 * serves what is datapath_place.c's.
 *
 * Control thread only. Each change follows one order: make the new thing,
 * publish a topology, wait for the quiet point, free the old thing.
 */
#include "datapath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "capture/capture.h"
#include "datapath_parts.h"
#include "log.h"
#include "quiesce.h"
#include "switch/flow_hash.h"
#include "switch/steering.h"
#include "vhost/memory_guard.h"
#include "vhost/socket_watch.h"

/* --- networks --- */

static struct network *network_take(struct datapath *datapath, const char *name)
{
    unsigned free_id = PORTS_MAX;

    for (unsigned i = 0; i < PORTS_MAX; i++) {
        struct network *network = datapath->networks[i];

        if (network == NULL)
            free_id = free_id == PORTS_MAX ? i : free_id;
        else if (strcmp(network->name, name) == 0)
            return network->ports++, network;
    }
    struct network *network = free_id < PORTS_MAX ? network_create(name, free_id) : NULL;

    if (network == NULL)
        return NULL;
    network->ports = 1;
    datapath->networks[free_id] = network;
    return network;
}

static void network_release(struct datapath *datapath, struct network *network)
{
    if (--network->ports > 0)
        return;
    datapath->networks[network->id] = NULL;
    network_destroy(network);
}

/* --- ports --- */

static int port_id_free(const struct datapath *datapath)
{
    bool used[PORTS_MAX] = { false };

    for (unsigned i = 0; i < datapath->port_count; i++)
        used[datapath->ports[i]->id] = true;
    for (int id = 0; id < (int)PORTS_MAX; id++)
        if (!used[id])
            return id;
    return -1;
}

/* What only the other ports can tell: name and socket path are not taken. */
static bool port_is_new(struct datapath *datapath, const struct port_config *config, struct refusal *refusal)
{
    unsigned neighbours = 0;

    for (unsigned i = 0; i < datapath->port_count; i++) {
        const struct port_config *other = &datapath->ports[i]->config;

        if (strcmp(other->name, config->name) == 0) {
            refuse(refusal, "port-exists", "a name that is not taken");
            refusal_found(refusal, "a port %s on network %s", other->name, other->network);
            refusal_hint(refusal, "compare with port.list, or port.del it first");
            return false;
        }
        if (config->kind == PORT_VHOST_USER && other->kind == PORT_VHOST_USER &&
            strcmp(other->socket, config->socket) == 0) {
            refuse(refusal, "socket-in-use", "a socket of its own for each port");
            refusal_found(refusal, "port %s has %s", other->name, other->socket);
            refusal_hint(refusal, "give the port another path");
            return false;
        }
        if (strcmp(other->network, config->network) != 0)
            continue;
        if (other->policy.link != config->policy.link || (config->policy.link && ++neighbours == 2)) {
            refuse(refusal, "link", config->policy.link ? "a network with at most one port, which is a link's"
                                                        : "a network that is not a link");
            refusal_found(refusal, "port %s on network %s", other->name, other->network);
            refusal_hint(refusal, "a link has two ports, both with policy.link; give this one another network");
            return false;
        }
    }
    return mirror_fits(datapath->ports, datapath->port_count, config, refusal);
}

bool capture_begin(struct datapath *datapath, const struct port_config *config, struct capture **capture,
                   struct refusal *refusal)
{
    unsigned others = 0;

    *capture = NULL;
    if (config->policy.mirror.kind != MIRROR_FILE)
        return true;
    for (unsigned i = 0; i < datapath->port_count; i++)
        others += datapath->ports[i]->capture != NULL && strcmp(datapath->ports[i]->config.name, config->name) != 0;
    if (others >= CAPTURES_MAX) {
        refuse(refusal, "mirror-failed", "at most %u mirrors to files at a time", CAPTURES_MAX);
        refusal_hint(refusal, "end one of the others first");
        return false;
    }
    if (datapath->captures == NULL) {
        refuse(refusal, "mirror-failed", "a switch with a folder for files of mirrors");
        refusal_hint(refusal, "start it with --captures FOLDER");
        return false;
    }
    *capture = capture_open(datapath->captures, &config->policy.mirror, config->name, refusal);
    return *capture != NULL;
}

static void capture_finish(struct port *port)
{
    capture_close(port->capture);
    port->capture = NULL;
}

void claimed_forget(struct datapath *datapath)
{
    for (unsigned i = 0; i < datapath->port_count; i++)
        if (mirror_claims(datapath->topology->mirrors, datapath->ports[i]->id))
            network_forget(datapath->ports[i]->network, datapath->ports[i]);
}

static struct port *port_create(struct datapath *datapath, const struct port_config *config,
                                struct refusal *refusal)
{
    return config->kind == PORT_TAP ? tap_port_create(datapath, config, refusal)
                                    : vhost_port_create(datapath, config, refusal);
}

static bool limit_reached(struct refusal *refusal)
{
    refuse(refusal, "limit", "at most %u ports, and memory for them", PORTS_MAX);
    refusal_hint(refusal, "delete ports that are not used");
    return false;
}

/* Gives the port its id, network and workers, and shows it to the workers. */
static bool port_connect(struct datapath *datapath, struct port *port, struct refusal *refusal)
{
    int id = port_id_free(datapath);

    port->network = id >= 0 ? network_take(datapath, port->config.network) : NULL;
    if (port->network == NULL)
        return limit_reached(refusal);
    port->id = (unsigned)id;
    if (!network_join(port->network, port, datapath->ports, datapath->port_count)) {
        network_release(datapath, port->network);
        return limit_reached(refusal);
    }
    datapath->ports[datapath->port_count++] = port;
    if (ports_place(datapath))
        return true;
    datapath->port_count--;
    network_leave(port->network, port);
    network_release(datapath, port->network);
    return limit_reached(refusal);
}

/* Takes it from the workers' sight. The old topology stays if there is no memory for a smaller one. */
static void port_disconnect(struct datapath *datapath, struct port *port)
{
    unsigned index = 0;

    while (datapath->ports[index] != port)
        index++;
    memmove(&datapath->ports[index], &datapath->ports[index + 1],
            (datapath->port_count - index - 1) * sizeof datapath->ports[0]);
    datapath->port_count--;
    while (!topology_publish(datapath)) {
        log_error("no memory to take port %s away; trying again", port->config.name);
        sleep(1);
    }
    network_leave(port->network, port);
    network_release(datapath, port->network);
}

/* `restored`: a mirror's file that cannot be made is no reason to do without the port. */
static struct port *add_port(struct datapath *datapath, const struct port_config *config, bool restored,
                             struct refusal *refusal)
{
    if (!port_config_valid(config, refusal) || !port_is_new(datapath, config, refusal))
        return NULL;
    struct port *port = port_create(datapath, config, refusal);

    if (port == NULL)
        return NULL;
    bool captured = capture_begin(datapath, &port->config, &port->capture, refusal);

    if (!captured && restored)
        port_failed(port, "its mirror is off: wanted %s, found %s", refusal->wanted, refusal->found);
    if ((!captured && !restored) || !port_connect(datapath, port, refusal)) {
        capture_finish(port);
        port->ops->destroy(port);
        return NULL;
    }
    if (!port->ops->start(port, refusal)) {
        port_disconnect(datapath, port);
        capture_finish(port);
        port->ops->destroy(port);
        return NULL;
    }
    claimed_forget(datapath);
    port_wake(port);
    log_info("port %s: added to network %s", config->name, config->network);
    datapath_event(datapath, "port.added", port, NULL, -1, -1);
    return port;
}

struct port *datapath_add_port(struct datapath *datapath, const struct port_config *config, struct refusal *refusal)
{
    return add_port(datapath, config, false, refusal);
}

struct port *datapath_restore_port(struct datapath *datapath, const struct port_config *config,
                                   struct refusal *refusal)
{
    return add_port(datapath, config, true, refusal);
}

void datapath_remove_port(struct datapath *datapath, struct port *port)
{
    port->ops->stop(port);
    port_disconnect(datapath, port);
    captures_end(datapath, port);
    capture_finish(port);
    log_info("port %s: deleted", port->config.name);
    datapath_event(datapath, "port.deleted", port, NULL, -1, -1);
    port->ops->destroy(port);
}

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

void datapath_mirror_status(const struct port *port, struct mirror_status *status)
{
    const struct port_mirror *mirror = &port->config.policy.mirror;
    struct capture_status capture;

    if (mirror->kind == MIRROR_PORT)
        status->state = datapath_find_port(port->datapath, mirror->to) != NULL ? MIRROR_IS_ON : MIRROR_IS_WAITING;
    else
        status->state = MIRROR_IS_OFF;
    if (port->capture == NULL)
        return;
    capture_status(port->capture, &capture);
    status->state = capture.state == CAPTURE_ON ? MIRROR_IS_ON : capture.state == CAPTURE_FULL ? MIRROR_IS_FULL : MIRROR_IS_FAILED;
    status->error = capture.error;
    snprintf(status->file, sizeof status->file, "%s", capture.file);
    status->frames = capture.frames;
    status->lost = capture.lost;
    status->bytes = capture.bytes;
}

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
