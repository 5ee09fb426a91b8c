/*
 * datapath_ports.c - ports that come and go, and the networks that are there for them.
 *
 * Control thread only. Each change follows one order: make the new thing,
 * publish a topology, wait for the quiet point, free the old thing.
 */
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "datapath_parts.h"
#include "log.h"

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
        capture_finish(port, true);
        port->ops->destroy(port);
        return NULL;
    }
    if (!port->ops->start(port, refusal)) {
        port_disconnect(datapath, port);
        capture_finish(port, true);
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

static void remove_port(struct datapath *datapath, struct port *port, bool undone)
{
    port->ops->stop(port);
    port_disconnect(datapath, port);
    captures_end(datapath, port);
    capture_finish(port, undone);
    log_info("port %s: deleted", port->config.name);
    datapath_event(datapath, "port.deleted", port, NULL, -1, -1);
    port->ops->destroy(port);
}

void datapath_remove_port(struct datapath *datapath, struct port *port)
{
    remove_port(datapath, port, false);
}

void datapath_undo_port(struct datapath *datapath, struct port *port)
{
    remove_port(datapath, port, true);
}
