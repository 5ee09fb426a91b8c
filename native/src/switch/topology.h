/*
 * topology.h - who is connected to whom, as the workers see it.
 *
 * Immutable: the control thread builds a new one for each change, swaps the
 * pointer and frees the old one after the workers' quiet point. Networks live
 * as long as a port names them.
 */
#ifndef VHOSTKIT_TOPOLOGY_H
#define VHOSTKIT_TOPOLOGY_H

#include "port/port.h"
#include "switch/mirror.h"
#include "switch/network.h"

/* A queue pair that a worker polls. */
struct source {
    struct port *port;
    unsigned pair;
    unsigned queues; /* of the port on this worker, of the first one of them: the others follow it */
};

struct source_list {
    unsigned count;
    bool measured;          /* there are other workers: what each source costs is counted (datapath_balance.c) */
    struct source *sources;
};

struct member_list {
    unsigned count;
    struct port **ports;
};

struct topology {
    struct port *by_id[PORTS_MAX];           /* NULL: no such port */
    struct member_list members[PORTS_MAX];   /* by network id: where a flood goes; none that is there for a mirror */
    struct source_list workers[WORKERS_MAX]; /* by worker id: what it polls */
    struct mirror_map *mirrors;              /* NULL: no port has a mirror or is captured */
};

/* Builds one from the ports' networks and port->workers[], of `workers` threads. NULL: no memory. */
struct topology *topology_create(struct port *const *ports, unsigned count, unsigned workers);
void topology_destroy(struct topology *topology);

#endif
