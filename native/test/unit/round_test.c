/*
 * round_test.c - a worker's round ends after some time, however many queues have frames, and the next one goes on
 * behind it: the quiet point comes, and no queue is forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_rounds_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
