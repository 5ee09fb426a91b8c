/*
 * topology.c - see the header. Built on the control thread, read by workers.
 */
#include "switch/topology.h"

#include <stdlib.h>

#include "worker/worker.h"

/* Counts first, so that each list is allocated once and in its right size. */
static void topology_count(struct topology *topology, struct port *const *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!mirror_claims(topology->mirrors, ports[i]->id))
            topology->members[ports[i]->network->id].count++;
        for (unsigned pair = 0; pair < ports[i]->pairs; pair++)
            if (ports[i]->workers[pair] != NULL)
                topology->workers[ports[i]->workers[pair]->id].count++;
    }
}

static bool topology_allocate(struct topology *topology)
{
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        struct member_list *list = &topology->members[i];

        if (list->count > 0 && (list->ports = calloc(list->count, sizeof *list->ports)) == NULL)
            return false;
        list->count = 0;
    }
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        struct source_list *list = &topology->workers[i];

        if (list->count > 0 && (list->sources = calloc(list->count, sizeof *list->sources)) == NULL)
            return false;
        list->count = 0;
    }
    return true;
}

static void topology_fill(struct topology *topology, struct port *const *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct port *port = ports[i];
        struct member_list *members = &topology->members[port->network->id];

        topology->by_id[port->id] = port;
        if (!mirror_claims(topology->mirrors, port->id))
            members->ports[members->count++] = port;
        for (unsigned pair = 0; pair < port->pairs; pair++) {
            if (port->workers[pair] == NULL)
                continue;
            struct source_list *list = &topology->workers[port->workers[pair]->id];
            struct source *first = list->count > 0 ? list->sources + list->count - 1 : NULL;

            while (first != NULL && first->queues == 0)
                first--;
            if (first == NULL || first->port != port)
                first = &list->sources[list->count];
            list->sources[list->count++] = (struct source){ port, pair, 0 };
            first->queues++;
        }
    }
}

struct topology *topology_create(struct port *const *ports, unsigned count, unsigned workers)
{
    struct topology *topology = calloc(1, sizeof *topology);

    if (topology == NULL)
        return NULL;
    if (!mirror_map_create(ports, count, &topology->mirrors)) {
        free(topology);
        return NULL;
    }
    topology_count(topology, ports, count);
    if (!topology_allocate(topology)) {
        topology_destroy(topology);
        return NULL;
    }
    topology_fill(topology, ports, count);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        topology->workers[i].measured = workers > 1;
    return topology;
}

void topology_destroy(struct topology *topology)
{
    if (topology == NULL)
        return;
    for (unsigned i = 0; i < PORTS_MAX; i++)
        free(topology->members[i].ports);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        free(topology->workers[i].sources);
    free(topology->mirrors);
    free(topology);
}
