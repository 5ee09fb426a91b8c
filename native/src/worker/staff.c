/*
 * staff.c - see the header. What is decided is decided in placement.c; here it
 * is carried out. Control thread.
 */
#include "worker/staff.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "log.h"
#include "worker/numa.h"

static void seat_add(struct staff *staff, int core, int node, bool on_node, bool spare)
{
    if (staff->count < WORKERS_MAX)
        staff->seats[staff->count++] = (struct seat){ .place = { core, node, on_node }, .spare = spare };
}

/* Without cores: one place on each node of which the switch may use CPUs; on one node, or without NUMA, simply one. */
static void seats_of_nodes(struct staff *staff)
{
    cpu_set_t allowed, cores;
    int nodes[WORKERS_MAX];
    unsigned count = 0;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        CPU_ZERO(&allowed);
    for (int node = 0; node < (int)NODES_MAX && count < WORKERS_MAX; node++)
        if (node_cores(node, &allowed, &cores))
            nodes[count++] = node;
    if (count <= 1)
        seat_add(staff, -1, count == 1 ? nodes[0] : -1, false, false);
    for (unsigned i = 0; count > 1 && i < count; i++)
        seat_add(staff, -1, nodes[i], true, i > 0);
}

bool staff_open(struct staff *staff, const struct datapath_options *options, struct topology *_Atomic *published,
                int report_fd)
{
    *staff = (struct staff){ .poll = options->poll, .published = published, .report_fd = report_fd };
    for (unsigned i = 0; i < options->core_count; i++)
        seat_add(staff, options->cores[i], node_of_core(options->cores[i]), false, false);
    if (options->core_count == 0 && options->spare_core_count == 0)
        seats_of_nodes(staff);
    else if (options->core_count == 0)
        seat_add(staff, -1, -1, false, false);
    for (unsigned i = 0; i < options->spare_core_count; i++)
        seat_add(staff, options->spare_cores[i], node_of_core(options->spare_cores[i]), false, true);
    for (unsigned i = 0; i < staff->count; i++)
        if (!staff->seats[i].spare && !staff_start(staff, i))
            return false;
    return true;
}

void staff_close(struct staff *staff)
{
    for (unsigned i = 0; i < staff->count; i++)
        if (staff->seats[i].worker != NULL)
            staff_stop(staff, i);
}

void staff_decide(const struct staff *staff, const struct placement_source *sources, unsigned source_count,
                  bool wanted[WORKERS_MAX])
{
    struct placement_seat seats[WORKERS_MAX];

    for (unsigned i = 0; i < staff->count; i++)
        seats[i] = (struct placement_seat){
            .node = staff->seats[i].place.node,
            .spare = staff->seats[i].spare,
            .unfit = staff->seats[i].unfit,
        };
    placement_staff(seats, staff->count, sources, source_count);
    for (unsigned i = 0; i < staff->count; i++)
        wanted[i] = seats[i].wanted;
}

bool staff_start(struct staff *staff, unsigned seat)
{
    struct seat *at = &staff->seats[seat];

    at->worker = worker_start(seat, &at->place, staff->poll, staff->published, staff->report_fd);
    if (at->worker != NULL)
        return true;
    int error = errno;

    at->unfit = true;
    if (at->place.core >= 0)
        log_error("worker %u cannot be started on core %d: %s", seat, at->place.core, strerror(error));
    else
        log_error("worker %u cannot be started on node %d: %s", seat, at->place.node, strerror(error));
    errno = error;
    return false;
}

void staff_stop(struct staff *staff, unsigned seat)
{
    worker_stop(staff->seats[seat].worker);
    staff->seats[seat].worker = NULL;
}

bool staff_moved(const struct staff *staff, uint64_t rounds[WORKERS_MAX])
{
    uint64_t now[WORKERS_MAX] = { 0 };
    bool moved = true;

    for (unsigned i = 0; i < staff->count; i++) {
        struct worker *worker = staff->seats[i].worker;

        if (worker == NULL)
            continue;
        now[i] = counter_read(&worker->rounds);
        moved &= now[i] != rounds[i];
        if (atomic_load(&worker->asleep))
            worker_wake(worker);
    }
    if (moved)
        memcpy(rounds, now, sizeof now);
    return moved;
}

unsigned staff_size(const struct staff *staff)
{
    unsigned size = 0;

    for (unsigned i = 0; i < staff->count; i++)
        size += staff->seats[i].worker != NULL;
    return size;
}

struct worker *staff_at(const struct staff *staff, unsigned index)
{
    for (unsigned i = 0; i < staff->count; i++)
        if (staff->seats[i].worker != NULL && index-- == 0)
            return staff->seats[i].worker;
    return NULL;
}
