/*
 * forward.c - sorts a burst by egress, so that each receiver is locked,
 * published and notified once per burst.
 *
 * Runs on the worker that took the burst; the lists are the worker's own. The
 * receivers are published here, before the caller completes the sender's
 * chains: a crash in between repeats frames and loses none (R23).
 */
#include "switch/forward.h"

#include "switch/classify.h"
#include "switch/topology.h"
#include "worker/cycles.h"
#include "worker/worker.h"

static void egress_add(struct worker *worker, unsigned port, unsigned frame)
{
    struct egress_list *list = &worker->egress[port];

    if (list->count == 0)
        worker->touched[worker->touched_count++] = (uint16_t)port;
    list->frames[list->count++] = (uint8_t)frame;
}

/* Every other port of the network that `from` may reach; DROP_NONE, or why there is none. */
static enum drop_reason egress_flood(struct worker *worker, struct port *from, unsigned frame, uint64_t now_ns)
{
    const struct member_list *members = &worker->topology->members[from->network->id];
    bool apart = from->config.policy.isolated, reached = false;
    unsigned storm = from->config.policy.storm;

    if (__builtin_expect(storm != 0, 0) && !meter_take(&from->storm, now_ns, storm))
        return DROP_STORM;

    for (unsigned i = 0; i < members->count; i++) {
        if (members->ports[i] == from || (apart && members->ports[i]->config.policy.isolated))
            continue;
        egress_add(worker, members->ports[i]->id, frame);
        reached = true;
    }
    if (reached)
        return DROP_NONE;
    return members->count > 1 ? DROP_ISOLATED : DROP_NO_DESTINATION;
}

/* Queues the frame for where it goes; DROP_NONE, or why it goes nowhere. */
static enum drop_reason egress_choose(struct worker *worker, struct port *from, int where, unsigned frame,
                                      uint64_t now_ns)
{
    const struct port *to = where == CLASS_FLOOD ? NULL : worker->topology->by_id[where];

    /* A learnt port that is not in this topology yet, or no more, is as good as unknown. */
    if (to == NULL)
        return egress_flood(worker, from, frame, now_ns);
    if (__builtin_expect(from->config.policy.isolated, 0) && to->config.policy.isolated)
        return DROP_ISOLATED;
    egress_add(worker, (unsigned)where, frame);
    return DROP_NONE;
}

static void egress_deliver(struct worker *worker, unsigned pair, struct frame *frames)
{
    for (unsigned i = 0; i < worker->touched_count; i++) {
        struct egress_list *list = &worker->egress[worker->touched[i]];
        struct port *port = worker->topology->by_id[worker->touched[i]];
        struct frame *batch[BURST_MAX];

        for (unsigned j = 0; j < list->count; j++)
            batch[j] = &frames[list->frames[j]];
        port->ops->deliver(port, pair, worker, batch, list->count);
        list->count = 0;
    }
    worker->touched_count = 0;
}

void forward_burst(struct worker *worker, struct port *from, unsigned pair, uint64_t features,
                   struct frame *frames, unsigned count)
{
    struct queue_stats *stats = &from->rx[pair];
    uint64_t passed = 0, bytes = 0;
    uint64_t now_ns = from->config.policy.storm != 0 ? monotonic_ns() : 0;
    int where[BURST_MAX];

    classify_burst(from, features, frames, count, where);
    for (unsigned i = 0; i < count; i++) {
        if (frames[i].drop == DROP_NONE)
            frames[i].drop = (uint16_t)egress_choose(worker, from, where[i], i, now_ns);
        if (frames[i].drop != DROP_NONE) {
            counter_add(&stats->drops[frames[i].drop], 1);
            continue;
        }
        passed++;
        bytes += frames[i].length;
    }
    counter_add(&stats->frames, passed);
    counter_add(&stats->bytes, bytes);
    egress_deliver(worker, pair, frames);
}
