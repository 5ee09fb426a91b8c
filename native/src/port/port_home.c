/*
 * port_home.c - on which NUMA node the state of a port lies: its rings and all
 * else that workers touch for each burst. It follows the guest's memory.
 *
 * Control thread. Moving keeps addresses and contents, so workers need not
 * stand still for it: one that touches a page on its way waits for the kernel.
 */
#include "port/port.h"
#include "worker/numa.h"
#include "worker/worker.h"

static const char *const part_names[PORT_MEMORY_PARTS] = {
    [PORT_MEMORY_SELF] = "rings",
    [PORT_MEMORY_COUNTERS] = "counters",
    [PORT_MEMORY_FLOWS] = "flows",
    [PORT_MEMORY_MAP] = "map",
};

void port_memory_set(struct port *port, enum port_memory_part part, void *start, size_t size)
{
    struct port_memory *memory = &port->memory[part];

    *memory = (struct port_memory){ start, size };
    if (start == NULL)
        return;
    log_debug("port %s: state of %zu bytes at %p: %s", port->config.name, size, start, part_names[part]);
    node_move(start, size, port->home);
}

void port_settle(struct port *port, int node)
{
    if (node < 0 || node == port->home)
        return;
    port->home = node;
    for (unsigned part = 0; part < PORT_MEMORY_PARTS; part++)
        if (port->memory[part].start != NULL)
            node_move(port->memory[part].start, port->memory[part].size, node);
}

unsigned port_strays(const struct port *port)
{
    unsigned strays = 0;

    for (unsigned part = 0; part < PORT_MEMORY_PARTS; part++)
        if (port->memory[part].start != NULL)
            strays += node_strays(port->memory[part].start, port->memory[part].size, port->node);
    return strays;
}

static bool pair_is_remote(const struct port *port, unsigned pair)
{
    const struct worker *worker = port->workers[pair];

    return worker != NULL && worker->place.node >= 0 && port->node >= 0 && worker->place.node != port->node;
}

unsigned port_remote_pairs(const struct port *port)
{
    unsigned remote = 0;

    for (unsigned pair = 0; pair < port->pairs; pair++)
        remote += pair_is_remote(port, pair);
    return remote;
}

/* The node that serves the port; of several one that is not the memory's. */
static int serving_node(const struct port *port)
{
    for (unsigned pair = 0; pair < port->pairs; pair++)
        if (pair_is_remote(port, pair))
            return port->workers[pair]->place.node;
    return port->workers[0] != NULL ? port->workers[0]->place.node : -1;
}

void port_tell_node(struct port *port)
{
    int worker_node = serving_node(port);

    if (port->node < 0 || (port->node == port->told_node && worker_node == port->told_worker_node))
        return;
    port->told_node = port->node;
    port->told_worker_node = worker_node;
    if (port_remote_pairs(port) > 0) {
        if (port_log(port, LOG_LEVEL_WARN, "guest memory is on node %d, its worker on node %d; give the switch a core there",
                     port->node, worker_node))
            datapath_event(port->datapath, "memory.node", port, NULL, port->node, worker_node);
    } else if (port_log(port, LOG_LEVEL_INFO, "guest memory is on node %d, and so are its ring state and its workers",
                        port->node)) {
        datapath_event(port->datapath, "port.node", port, NULL, port->node, worker_node);
    }
}
