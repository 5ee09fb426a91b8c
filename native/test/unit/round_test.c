/*
 * round_test.c - a worker's round ends after some time, however many queues have frames, and the next one goes on
 * behind it: the quiet point comes, and no queue is forgotten. And a port gets no more service for having more queues, when
 * another one waits; else it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "quiesce.h"
#include "switch/topology.h"
#include "worker/cycles.h"
#include "worker/worker.h"

#define PORTS 12u
#define POLLS 40u

static struct port *ports[PORTS];
static struct topology *_Atomic published;
static struct {
    unsigned port;
    uint64_t round;
} polls[POLLS];
static atomic_uint poll_count;

/* A burst that takes a third of the longest round. */
static unsigned slow_poll(struct port *port, unsigned pair, struct worker *worker)
{
    unsigned number = atomic_load(&poll_count);
    uint64_t begin = cycles_now();

    (void)pair;
    if (number == POLLS)
        return 0;
    while (cycles_now() - begin < ROUND_CYCLES_MAX / 3)
        cpu_relax();
    polls[number].port = port->id;
    polls[number].round = worker->round;
    atomic_store(&poll_count, number + 1);
    return 1;
}

static bool no_work(struct port *port, unsigned pair, struct worker *worker)
{
    (void)port;
    (void)pair;
    (void)worker;
    return false;
}

static bool not_polled(const struct port *port, unsigned pair)
{
    (void)port;
    (void)pair;
    return false;
}

static void nothing(struct port *port, unsigned pair)
{
    (void)port;
    (void)pair;
}

static const struct port_ops slow_ops = { .poll = slow_poll, .arm = no_work, .polled = not_polled, .disarm = nothing };

/* --- turns --- */

#define BURST_CYCLES 3000u
#define BURSTS 20000u

/* What was polled of each queue of each port, while all of them have frames without end. */
static struct {
    unsigned bursts[2][PORT_QUEUES_MAX];
    bool more[2];           /* frames wait behind each burst of the port */
    atomic_uint all;
} turns;

static unsigned busy_poll(struct port *port, unsigned pair, struct worker *worker)
{
    uint64_t begin = cycles_now();

    if (atomic_load(&turns.all) == BURSTS)
        return 0;
    while (cycles_now() - begin < BURST_CYCLES)
        cpu_relax();
    turns.bursts[port->id][pair]++;
    worker->more = turns.more[port->id];
    atomic_fetch_add(&turns.all, 1);
    return 32;
}

static const struct port_ops busy_ops = { .poll = busy_poll, .arm = no_work, .polled = not_polled, .disarm = nothing };

static void publish(struct topology *topology)
{
    struct topology *last = atomic_exchange(&published, topology);

    quiesce_wait();
    topology_destroy(last);
}

static void long_rounds_end(void **state)
{
    const struct worker_place place = { .core = -1, .node = -1 };
    struct network *network = network_create("lan", 0);
    struct worker *worker;

    (void)state;
    assert_int_equal(quiesce_init(), 0);
    published = topology_create(NULL, 0, 0);
    worker = worker_start(0, &place, false, &published, -1);
    assert_non_null(worker);
    for (unsigned i = 0; i < PORTS; i++) {
        ports[i] = calloc(1, sizeof *ports[i]);
        *ports[i] = (struct port){ .ops = &slow_ops, .network = network, .id = i, .pairs = 1, .workers = { worker } };
    }
    publish(topology_create(ports, PORTS, 1));
    worker_wake(worker);
    for (unsigned tries = 0; atomic_load(&poll_count) < POLLS && tries < 6000; tries++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    assert_int_equal(atomic_load(&poll_count), POLLS);
    publish(topology_create(NULL, 0, 0));
    worker_stop(worker);
    for (unsigned i = 0, in_round = 0; i < POLLS; i++) {
        assert_int_equal(polls[i].port, i % PORTS);
        in_round = i > 0 && polls[i].round == polls[i - 1].round ? in_round + 1 : 1;
        assert_in_range(in_round, 1, 3);
    }
    topology_destroy(published);
    network_destroy(network);
    for (unsigned i = 0; i < PORTS; i++)
        free(ports[i]);
}

/* Bursts of two ports with so many queues, of which frames wait behind each burst or not. */
static void take_turns(const unsigned pairs[2], const bool more[2], unsigned bursts[2])
{
    const struct worker_place place = { .core = -1, .node = -1 };
    struct network *network = network_create("lan", 0);
    struct worker *worker;

    memset(&turns, 0, sizeof turns);
    memcpy(turns.more, more, sizeof turns.more);
    published = topology_create(NULL, 0, 0);
    worker = worker_start(0, &place, false, &published, -1);
    assert_non_null(worker);
    for (unsigned i = 0; i < 2; i++) {
        ports[i] = calloc(1, sizeof *ports[i]);
        *ports[i] = (struct port){ .ops = &busy_ops, .network = network, .id = i, .pairs = pairs[i] };
        for (unsigned pair = 0; pair < pairs[i]; pair++)
            ports[i]->workers[pair] = worker;
    }
    publish(topology_create(ports, 2, 1));
    worker_wake(worker);
    for (unsigned tries = 0; atomic_load(&turns.all) < BURSTS && tries < 6000; tries++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    assert_int_equal(atomic_load(&turns.all), BURSTS);
    publish(topology_create(NULL, 0, 0));
    worker_stop(worker);
    for (unsigned i = 0; i < 2; i++) {
        bursts[i] = 0;
        for (unsigned pair = 0; pair < pairs[i]; pair++)
            bursts[i] += turns.bursts[i][pair];
        for (unsigned pair = 0; pair < pairs[i]; pair++) /* and its queues are equal among each other */
            assert_in_range(turns.bursts[i][pair], bursts[i] / pairs[i] * 9 / 10, bursts[i] / pairs[i] * 11 / 10);
        free(ports[i]);
    }
    topology_destroy(published);
    network_destroy(network);
}

static void ports_have_equal_turns(void **state)
{
    static const bool more[] = { true, true };
    static const unsigned counts[][2] = { { 8, 1 }, { 1, 8 }, { 8, 2 }, { 8, 8 }, { 1, 1 }, { 64, 1 } };
    unsigned bursts[2];

    (void)state;
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        take_turns(counts[i], more, bursts);
        print_message("# %u and %u queues: %u and %u bursts\n", counts[i][0], counts[i][1], bursts[0], bursts[1]);
        assert_in_range(bursts[0], BURSTS / 2 * 9 / 10, BURSTS / 2 * 11 / 10);
    }
}

static void nobody_waits(void **state)
{
    static const unsigned pairs[] = { 8, 1 };
    static const bool more[][2] = { { true, false }, { false, false } };
    unsigned bursts[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) { /* who gets all he wants holds up nobody */
        take_turns(pairs, more[i], bursts);
        assert_in_range(bursts[0], BURSTS / 9 * 8 * 9 / 10, BURSTS);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_rounds_end),
        cmocka_unit_test(ports_have_equal_turns),
        cmocka_unit_test(nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
