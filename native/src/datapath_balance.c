/*
 * datapath_balance.c - once a second: what each queue and each worker cost, and the
 * move of one queue from a worker with too much to do to one with little.
 *
 * Control thread only. Workers count cycles for each queue while there are several
 * workers; what to do with them is decided in worker/balance.c. A queue that moves is first taken
 * from its worker, which passes a quiet point, and then given to the other: meanwhile its frames wait in the
 * ring, so none is lost, and none overtakes another.
 */
#include <stdio.h>
#include <stdlib.h>

#include "datapath_parts.h"
#include "log.h"
#include "worker/balance.h"
#include "worker/cycles.h"

static uint32_t thousandths(uint64_t part, uint64_t whole)
{
    uint64_t share = whole > 0 ? part * 1000 / whole : 0;

    return share < 1000 ? (uint32_t)share : 1000;
}

/* What happened since the last call. */
static void loads_read(struct datapath *datapath)
{
    uint64_t now = cycles_now(), elapsed = now - datapath->loads_read;

    datapath->loads_read = now;
    for (unsigned i = 0; i < datapath->staff.count; i++) {
        struct worker *worker = datapath->staff.seats[i].worker;

        if (worker == NULL)
            continue;
        uint64_t busy = counter_read(&worker->busy_cycles);

        worker->load = thousandths(busy - worker->load_cycles, elapsed);
        worker->load_cycles = busy;
    }
    for (unsigned i = 0; i < datapath->port_count; i++)
        for (unsigned pair = 0; pair < datapath->ports[i]->pairs; pair++) {
            struct queue_load *load = &datapath->ports[i]->loads[pair];
            uint64_t cycles = counter_read(&datapath->ports[i]->rx[pair].cycles);

            load->load = thousandths(cycles - load->cycles, elapsed);
            load->cycles = cycles;
            if (load->rest_s > 0)
                load->rest_s--;
        }
}

/* All queue pairs in the order of ports and pairs. NULL: no memory. */
static struct balance_source *sources_of(const struct datapath *datapath, unsigned *count)
{
    *count = 0;
    for (unsigned i = 0; i < datapath->port_count; i++)
        *count += datapath->ports[i]->pairs;
    struct balance_source *sources = calloc(*count + 1, sizeof *sources);
    struct balance_source *next = sources;

    for (unsigned i = 0; next != NULL && i < datapath->port_count; i++)
        for (unsigned pair = 0; pair < datapath->ports[i]->pairs; pair++) {
            const struct port *port = datapath->ports[i];

            *next++ = (struct balance_source){
                .worker = port->workers[pair] != NULL ? (int)port->workers[pair]->id : -1,
                .load = port->loads[pair].load,
                .resting = port->loads[pair].rest_s > 0,
            };
        }
    return sources;
}

/* The port and pair of a source by its number. */
static struct port *source_at(const struct datapath *datapath, unsigned number, unsigned *pair)
{
    unsigned i = 0;

    while (number >= datapath->ports[i]->pairs)
        number -= datapath->ports[i++]->pairs;
    *pair = number;
    return datapath->ports[i];
}

static void tell_move(struct port *port, unsigned pair, const struct balance_move *move)
{
    char why[160];

    snprintf(why, sizeof why, "worker %u was busy for %u.%u %% of a second, worker %u for %u.%u %%; the queue for %u.%u %%",
             move->from, move->from_load / 10, move->from_load % 10, move->to, move->to_load / 10,
             move->to_load % 10, port->loads[pair].load / 10, port->loads[pair].load % 10);
    if (port_log(port, LOG_LEVEL_INFO, "queue %u moved to worker %u: %s", 2 * pair + 1, move->to, why))
        datapath_event(port->datapath, "queue.moved", port, why, (int)(2 * pair + 1), (int)move->to);
}

void datapath_balance(struct datapath *datapath)
{
    struct balance_worker workers[WORKERS_MAX] = { { 0 } };
    struct balance_move move;
    unsigned count, pair;

    loads_read(datapath);
    if (datapath->holding || staff_size(&datapath->staff) < 2)
        return;
    for (unsigned i = 0; i < datapath->staff.count; i++)
        workers[i] = (struct balance_worker){
            .there = datapath->staff.seats[i].worker != NULL,
            .node = datapath->staff.seats[i].place.node,
        };
    struct balance_source *sources = sources_of(datapath, &count);
    bool moves = sources != NULL && balance_choose(workers, datapath->staff.count, sources, count, &move);

    free(sources);
    if (!moves)
        return;
    struct port *port = source_at(datapath, move.source, &pair);

    if (!queue_place(datapath, port, pair, datapath->staff.seats[move.to].worker))
        return;
    port->loads[pair].rest_s = QUEUE_REST_S;
    tell_move(port, pair, &move);
}
