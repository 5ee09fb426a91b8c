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
#include "switch/flow_hash.h"
#include "switch/mirror.h"
#include "switch/retry.h"
#include "switch/steering.h"
#include "switch/topology.h"
#include "switch/vlan_tag.h"
#include "worker/cycles.h"
#include "worker/worker.h"

/* One burst on its way, and what was read of its sender once. */
struct passage {
    struct worker *worker;
    struct port *from;
    const struct port_policy *policy; /* of from */
    const struct vlan_set *vlans;     /* of the network; NULL: it has none */
    const struct mirror_map *mirrors; /* NULL: no port has one, or is captured */
    struct frame *frames;
    uint64_t now_ns;                  /* 0: no policy has asked for the time yet */
};

/* The time is read at most once a burst, and only for a policy that needs it. */
static uint64_t passage_now(struct passage *passage)
{
    if (passage->now_ns == 0)
        passage->now_ns = monotonic_ns();
    return passage->now_ns;
}

static void egress_add(struct worker *worker, unsigned port, unsigned frame)
{
    struct egress_list *list = &worker->egress[port];

    if (list->count == 0)
        worker->touched[worker->touched_count++] = (uint16_t)port;
    list->frames[list->count++] = (uint8_t)frame;
}

/* Whether the frame may go to that port: two isolated ones are apart, and VLANs are. */
static inline bool may_reach(const struct passage *passage, const struct port *to, unsigned frame)
{
    if (__builtin_expect(passage->vlans != NULL, 0) &&
        !port_vlan_carries(&to->policy->vlan, passage->frames[frame].vlan & VLAN_ID_MASK))
        return false;
    return __builtin_expect(!passage->policy->isolated, 1) || !to->policy->isolated;
}

/* Every other port of the network that `from` may reach; DROP_NONE, or why there is none. */
static enum drop_reason egress_flood(struct passage *passage, unsigned frame)
{
    struct port *from = passage->from;
    const struct member_list *members = &passage->worker->topology->members[from->network->id];
    unsigned storm = passage->policy->storm;
    bool reached = false;

    if (__builtin_expect(storm != 0, 0) && !meter_take(&from->storm, passage_now(passage), storm))
        return DROP_STORM;

    for (unsigned i = 0; i < members->count; i++) {
        if (members->ports[i] == from || !may_reach(passage, members->ports[i], frame))
            continue;
        egress_add(passage->worker, members->ports[i]->id, frame);
        reached = true;
    }
    if (reached)
        return DROP_NONE;
    return members->count > 1 && passage->policy->isolated ? DROP_ISOLATED : DROP_NO_DESTINATION;
}

/* Queues the frame for where it goes; DROP_NONE, or why it goes nowhere. */
static enum drop_reason egress_choose(struct passage *passage, int where, unsigned frame)
{
    const struct rate_limit *rate = &passage->policy->rx_rate;

    if (__builtin_expect(rate_limited(rate), 0) &&
        !rate_take(&passage->from->rx_rate, rate, passage_now(passage), passage->frames[frame].length))
        return DROP_RATE_RX;
    const struct port *to = where == CLASS_FLOOD ? NULL : passage->worker->topology->by_id[where];

    /* A learnt port that is not in this topology yet, or no more, is as good as unknown. */
    if (to == NULL)
        return egress_flood(passage, frame);
    if (!may_reach(passage, to, frame))
        return passage->policy->isolated ? DROP_ISOLATED : DROP_NO_DESTINATION;
    egress_add(passage->worker, (unsigned)where, frame);
    return DROP_NONE;
}

/* Answers to what comes on this queue pair shall go back on it. */
static void flows_learn(struct port *from, unsigned pair, const struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (frames[i].drop == DROP_NONE)
            steering_learn(from->steering, flow_hash(&frames[i]), pair);
}

static void deliver_first(struct worker *worker, struct port *port, unsigned queue, struct frame *const *batch,
                          unsigned count)
{
    unsigned done = port->ops->deliver(port, queue, worker, batch, count, ATTEMPT_FIRST);

    if (__builtin_expect(done < count, 0))
        retry_keep(worker, port, queue, batch + done, count - done);
}

/* A batch for a port with several receive queues: cut into one for each queue, in their order. */
static void deliver_steered(struct worker *worker, struct port *port, uint64_t receivers,
                            struct frame *const *batch, unsigned count)
{
    uint8_t queue_of[BURST_MAX];
    uint64_t queues = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned queue = steering_choose(port->steering, receivers, flow_hash(batch[i]));

        queue_of[i] = (uint8_t)queue;
        queues |= UINT64_C(1) << queue;
    }
    for (; queues != 0; queues &= queues - 1) {
        unsigned queue = (unsigned)__builtin_ctzll(queues), part_count = 0;
        struct frame *part[BURST_MAX];

        for (unsigned i = 0; i < count; i++)
            if (queue_of[i] == queue)
                part[part_count++] = batch[i];
        deliver_first(worker, port, queue, part, part_count);
    }
}

static void deliver_batch(struct worker *worker, struct port *port, struct frame *const *batch, unsigned count)
{
    uint64_t receivers = steering_receivers(port->steering);

    if (__builtin_expect(steering_is_choice(receivers), 0))
        deliver_steered(worker, port, receivers, batch, count);
    else
        deliver_first(worker, port, receivers == 0 ? 0 : (unsigned)__builtin_ctzll(receivers), batch, count);
}

/*
 * Copies for the port's mirror, if it has one for that direction, and for who captures: on one queue, so that they keep their order, and
 * tried once, so that who looks holds up nobody.
 */
static void mirror_batch(const struct passage *passage, const struct port *port, enum mirror_direction direction,
                         struct frame *const *batch, unsigned count)
{
    struct port *to = count > 0 ? mirror_frames(passage->mirrors, port, direction, batch, count) : NULL;

    if (to == NULL)
        return;
    uint64_t receivers = steering_receivers(to->steering);

    to->ops->deliver(to, receivers == 0 ? 0 : (unsigned)__builtin_ctzll(receivers), passage->worker, batch, count, ATTEMPT_LAST);
}

/* The burst's frames for one port, in the form that it wants; returns how many. */
static unsigned egress_tag(struct worker *worker, struct port *port, struct frame *frames, struct frame **batch,
                           unsigned count)
{
    const struct port_policy *policy = port->policy;
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        batch[kept] = vlan_form_for(worker->vlan_forms, &policy->vlan, batch[i], (unsigned)(batch[i] - frames));
        kept += batch[kept] != NULL;
    }
    if (kept < count) /* any worker may be here, and nobody else counts this in tx */
        atomic_fetch_add_explicit(&port->tx[0].drops[DROP_VLAN], count - kept, memory_order_relaxed);
    return kept;
}

/* Takes those frames from the batch that the port's rate does not allow; returns how many are left. */
static unsigned egress_police(struct passage *passage, struct port *port, struct frame **batch, unsigned count)
{
    const struct port_policy *policy = port->policy;
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++)
        if (rate_take(&port->tx_rate, &policy->tx_rate, passage_now(passage), batch[i]->length))
            batch[kept++] = batch[i];
    if (kept < count) /* any worker may be here, and nobody else counts this in tx */
        atomic_fetch_add_explicit(&port->tx[0].drops[DROP_RATE_TX], count - kept, memory_order_relaxed);
    return kept;
}

static void egress_deliver(struct passage *passage)
{
    struct worker *worker = passage->worker;

    for (unsigned i = 0; i < worker->touched_count; i++) {
        struct egress_list *list = &worker->egress[worker->touched[i]];
        struct port *port = worker->topology->by_id[worker->touched[i]];
        struct frame *batch[BURST_MAX];
        unsigned count = list->count;

        for (unsigned j = 0; j < count; j++)
            batch[j] = &passage->frames[list->frames[j]];
        if (__builtin_expect(passage->vlans != NULL, 0))
            count = egress_tag(worker, port, passage->frames, batch, count);
        if (__builtin_expect(rate_limited(&port->policy->tx_rate), 0))
            count = egress_police(passage, port, batch, count);
        if (__builtin_expect(passage->mirrors != NULL, 0))
            mirror_batch(passage, port, MIRROR_TX, batch, count);
        if (__builtin_expect(count > 0, 1))
            deliver_batch(worker, port, batch, count);
        list->count = 0;
    }
    worker->touched_count = 0;
    if (__builtin_expect(worker->leftover_count > 0, 0))
        retry_all(worker);
}

/* The other end of a link; NULL: it is not there. */
static const struct port *link_peer(const struct topology *topology, const struct port *from)
{
    const struct member_list *members = &topology->members[from->network->id];

    for (unsigned i = 0; i < members->count; i++)
        if (members->ports[i] != from)
            return members->ports[i];
    return NULL;
}

/* What is in order goes to the sender's mirror, wherever else it goes, and if it goes nowhere. */
static void mirror_arrivals(const struct passage *passage, unsigned count)
{
    struct frame *batch[BURST_MAX];
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++)
        if (passage->frames[i].drop == DROP_NONE)
            batch[kept++] = &passage->frames[i];
    mirror_batch(passage, passage->from, MIRROR_RX, batch, kept);
}

void forward_burst(struct worker *worker, struct port *from, unsigned pair, uint64_t features,
                   struct frame *frames, unsigned count)
{
    struct queue_stats *stats = &from->rx[pair];
    struct vlan_set *vlans = network_vlans(from->network);
    const struct mirror_map *mirrors = worker->topology->mirrors;
    struct passage passage = { worker, from, from->policy, vlans, mirrors, frames, 0 };
    uint64_t passed = 0, bytes = 0;
    int where[BURST_MAX];

    if (__builtin_expect(mirrors != NULL, 0) && mirror_claims(mirrors, from->id)) {
        counter_add(&stats->drops[DROP_MIRROR], count);
        return;
    }
    worker->sender = from->id;
    if (__builtin_expect(vlans != NULL, 0))
        worker->vlan_forms->made = worker->vlan_forms->failed = 0;
    if (__builtin_expect(passage.policy->link, 0))
        classify_link(from, passage.policy, link_peer(worker->topology, from), features, frames, count, where);
    else
        classify_burst(from, passage.policy, vlans, features, frames, count, where);
    if (__builtin_expect(mirrors != NULL, 0))
        mirror_arrivals(&passage, count);
    for (unsigned i = 0; i < count; i++) {
        if (frames[i].drop == DROP_NONE)
            frames[i].drop = (uint16_t)egress_choose(&passage, where[i], i);
        if (frames[i].drop != DROP_NONE) {
            counter_add(&stats->drops[frames[i].drop], 1);
            continue;
        }
        passed++;
        bytes += frames[i].length;
    }
    counter_add(&stats->frames, passed);
    counter_add(&stats->bytes, bytes);
    if (__builtin_expect(steering_is_choice(steering_receivers(from->steering)), 0))
        flows_learn(from, pair, frames, count);
    egress_deliver(&passage);
}
