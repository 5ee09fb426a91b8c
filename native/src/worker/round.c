/*
 * round.c - one round of the loop: which queues have their turn, and for how long.
 *
 * Every port has one turn a round, not every queue: else a guest would buy eight times the service of its neighbour with eight
 * queue pairs. In its turn all queues of a port are visited, as long as nobody waits for it. But when a port
 * had more to send than one turn could take, the others get about as much time a round as that one, each one burst at the least. They
 * go on in the next round with the queue behind. So a port with one queue costs a comparison for this, and
 * ports that are alone, or have equally many busy queues, are served as if it were not there.
 */
#include "switch/topology.h"
#include "worker/cycles.h"
#include "worker/worker.h"

/* A round as far as it got. */
struct round {
    struct worker *worker;
    bool measured;    /* what a queue costs is counted */
    uint64_t begin;   /* cycles_now() */
    uint64_t since;   /* the same, behind the last burst */
    uint64_t least;   /* cycles of the shortest turn that left something behind, though all its port's queues were visited */
    unsigned frames;  /* moved */
    unsigned busy;    /* queues that had some */
};

/* A turn that lasts a little longer than another is as long: an eighth. */
static bool is_longer(uint64_t turn, uint64_t than)
{
    return than != UINT64_MAX && turn > than + than / 8;
}

/*
 * The limit of the next round, from that of this one and the least turn in it. A turn may seem to have taken any time, when the worker was
 * not on its CPU; so the limit follows at once when turns get shorter, and by a sixteenth a round when they get longer.
 */
static uint64_t next_limit(uint64_t limit, uint64_t least)
{
    return least == UINT64_MAX || least < limit || least - limit <= limit / 16 ? least : limit + limit / 16 + 1;
}

/* One burst of one queue. Returns the cycles it took, 0 when it had none. */
static inline uint64_t queue_visit(struct round *round, const struct source *source)
{
    struct port *port = source->port;

    if (__builtin_expect(atomic_load_explicit(&port->held, memory_order_acquire), false))
        return 0;
    unsigned taken = port->ops->poll(port, source->pair, round->worker);

    if (taken == 0)
        return 0;
    uint64_t now = cycles_now(), cost = now - round->since;

    round->frames += taken;
    round->busy++;
    round->since = now;
    if (round->measured)
        counter_add(&port->rx[source->pair].cycles, cost);
    return cost;
}

static inline bool too_long(const struct round *round)
{
    return __builtin_expect(round->since - round->begin > ROUND_CYCLES_MAX, 0);
}

static inline void turn_left_some(struct round *round, uint64_t cost)
{
    if (cost < round->least)
        round->least = cost;
}

/* The turn of a port with several queues on this worker. */
static void turn_of_several(struct round *round, const struct source *sources, unsigned count)
{
    struct worker *worker = round->worker;
    uint8_t *next = &worker->next_queue[sources[0].port->id];
    unsigned at = *next < count ? *next : 0, visited = 0;
    uint64_t used = 0;
    bool some = false, over = false;

    while (visited < count && !over) {
        uint64_t cost = queue_visit(round, &sources[at]);

        at = at + 1 < count ? at + 1 : 0;
        visited++;
        if (cost == 0)
            continue;
        used += cost;
        some |= worker->more;
        over = is_longer(used + cost, worker->turn_cycles) || too_long(round); /* the next one would cost as much */
    }
    *next = (uint8_t)at;
    if (some && visited == count)
        turn_left_some(round, used);
}

/*
 * A round that lasts too long ends: bursts are bounded, but many queues may flood many ports at once, and whoever waits for our quiet
 * point, which is only behind a round, gives the program up when it does not come (quiesce.h).
 */
unsigned worker_round(struct worker *worker, uint64_t begin)
{
    const struct source_list *list = &worker->topology->workers[worker->id];
    struct round round = { worker, list->measured, begin, begin, UINT64_MAX, 0, 0 };
    unsigned at = worker->next_source;

    if (at >= list->count || list->sources[at].queues == 0) /* the topology has changed */
        at = 0;
    worker->next_source = 0;
    for (unsigned done = 0; done < list->count;) {
        const struct source *source = &list->sources[at];
        unsigned queues = source->queues;

        if (__builtin_expect(queues == 1, 1)) {
            uint64_t cost = queue_visit(&round, source);

            if (cost > 0 && worker->more)
                turn_left_some(&round, cost);
        } else {
            turn_of_several(&round, source, queues);
        }
        done += queues;
        at = at + queues < list->count ? at + queues : 0;
        if (too_long(&round)) {
            worker->next_source = at;
            round.busy = list->count; /* nobody knows about the others */
            break;
        }
    }
    worker->turn_cycles = next_limit(worker->turn_cycles, round.least);
    worker->busy_sources = round.busy;
    return round.frames;
}
