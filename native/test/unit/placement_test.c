/*
 * placement_test.c - queues to workers on hosts of 1, 2, 4 and 8 nodes that nobody has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/placement.h"

#define WORKERS_MAX 32u
#define SOURCES_MAX 96u

/* A made-up host and the queues on it. */
struct host {
    struct placement_worker workers[WORKERS_MAX]; /* of these worker_count are valid */
    unsigned worker_count;                        /* at least 1 */
    struct placement_source sources[SOURCES_MAX]; /* of these source_count are valid */
    unsigned source_count;                        /* may be 0 */
};

static uint64_t random_state;

static unsigned random_below(unsigned bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1;
    return (unsigned)(random_state >> 33) % bound;
}

static void assign(struct host *host)
{
    placement_assign(host->workers, host->worker_count, host->sources, host->source_count);
}

static void add_workers(struct host *host, int node, unsigned count)
{
    while (count-- > 0)
        host->workers[host->worker_count++].node = node;
}

static void add_sources(struct host *host, int node, unsigned count)
{
    while (count-- > 0)
        host->sources[host->source_count++] = (struct placement_source){.node = node, .worker = -1};
}

static unsigned load_of(const struct host *host, unsigned worker)
{
    unsigned load = 0;
    for (unsigned i = 0; i < host->source_count; i++)
        load += host->sources[i].worker == (int)worker;
    return load;
}

/* 0 on the same node, 1 perhaps, 2 surely not. */
static unsigned distance(const struct host *host, unsigned worker, unsigned source)
{
    int node = host->workers[worker].node;
    if (host->sources[source].node < 0 || node == host->sources[source].node)
        return 0;
    return node < 0 ? 1 : 2;
}

static unsigned differences(const struct host *one, const struct host *other)
{
    unsigned count = 0;
    for (unsigned i = 0; i < one->source_count && i < other->source_count; i++)
        count += one->sources[i].worker != other->sources[i].worker;
    return count;
}

/* Every promise of placement.h, for the host as it has been assigned. */
static void assert_well_placed(const struct host *host)
{
    for (unsigned i = 0; i < host->source_count; i++) {
        const struct placement_source *source = &host->sources[i];
        assert_in_range(source->worker, 0, host->worker_count - 1);
        unsigned least = 2, is = distance(host, (unsigned)source->worker, i);
        for (unsigned w = 0; w < host->worker_count; w++)
            least = distance(host, w, i) < least ? distance(host, w, i) : least;
        assert_int_equal(is, least);
        assert_int_equal(source->remote, is == 2);
        for (unsigned w = 0; w < host->worker_count; w++)
            if (distance(host, w, i) == least)
                assert_true(load_of(host, (unsigned)source->worker) <= load_of(host, w) + 1);
    }
}

static void test_each_node_serves_its_own(void **state)
{
    (void)state;
    for (unsigned nodes = 1; nodes <= 8; nodes *= 2) {
        struct host host = {0};
        for (unsigned node = 0; node < nodes; node++)
            add_workers(&host, (int)node, 2);
        for (unsigned i = 0; i < 6; i++)
            for (unsigned node = 0; node < nodes; node++)
                add_sources(&host, (int)node, 1);
        assign(&host);
        assert_well_placed(&host);
        for (unsigned w = 0; w < host.worker_count; w++)
            assert_int_equal(load_of(&host, w), 3);
    }
}

static void test_ties_go_to_the_first(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 3);
    add_sources(&host, 0, 4);
    assign(&host);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(host.sources[i].worker, i % 3);
}

static void test_node_without_worker_is_remote(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 2);
    add_sources(&host, 1, 4);
    assign(&host);
    assert_well_placed(&host);
    assert_true(host.sources[0].remote);

    add_workers(&host, 1, 1); /* a worker is started there: all of them come home */
    assign(&host);
    assert_well_placed(&host);
    assert_int_equal(load_of(&host, 2), 4);
    assert_false(host.sources[0].remote);
}

static void test_unpinned_worker_is_near_to_all(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, -1, 1);
    add_sources(&host, 1, 2);
    add_sources(&host, -1, 1);
    assign(&host);
    assert_well_placed(&host);
    assert_false(host.sources[0].remote);
}

static void test_unknown_memory_goes_where_there_is_room(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 1);
    add_workers(&host, 1, 1);
    add_sources(&host, 0, 4);
    add_sources(&host, -1, 4);
    assign(&host);
    assert_well_placed(&host);
    assert_int_equal(load_of(&host, 0), 4);
    assert_int_equal(load_of(&host, 1), 4);
}

static void test_memory_that_moves_takes_its_queue_along(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 1);
    add_workers(&host, 1, 1);
    add_sources(&host, 0, 2);
    assign(&host);
    host.sources[1].node = 1;
    assign(&host);
    assert_int_equal(host.sources[0].worker, 0);
    assert_int_equal(host.sources[1].worker, 1);
}

static void test_difference_of_one_moves_nobody(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 2);
    add_sources(&host, 0, 3);
    host.sources[0].worker = host.sources[1].worker = 1;
    host.sources[2].worker = 0;
    struct host before = host;
    assign(&host);
    assert_int_equal(differences(&before, &host), 0);

    add_sources(&host, 0, 1);
    host.sources[3].worker = 1; /* now 1 to 3: the last comer moves, and only it */
    assign(&host);
    assert_int_equal(differences(&before, &host), 0);
    assert_int_equal(host.sources[3].worker, 0);
}

static void test_worker_that_is_gone_is_replaced(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 3);
    add_sources(&host, 0, 6);
    assign(&host);
    host.worker_count = 2;
    assign(&host);
    assert_well_placed(&host);
    assert_int_equal(host.sources[0].worker, 0);
    assert_int_equal(host.sources[1].worker, 1);
}

static void test_nothing_to_place(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, 0, 1);
    assign(&host);
    placement_assign(host.workers, host.worker_count, NULL, 0);
}

static void make_random_host(struct host *host)
{
    static const unsigned node_counts[] = {1, 2, 4, 8};
    unsigned nodes = node_counts[random_below(4)];
    memset(host, 0, sizeof *host);
    for (unsigned node = 0; node < nodes; node++)
        add_workers(host, (int)node, random_below(4));
    add_workers(host, -1, random_below(8) == 0);
    if (host->worker_count == 0)
        add_workers(host, 0, 1);
    unsigned source_count = random_below(SOURCES_MAX);
    for (unsigned i = 0; i < source_count; i++) {
        add_sources(host, (int)random_below(nodes + 1) - 1, 1);
        if (random_below(2) == 0) /* served by someone, or by a worker that is gone */
            host->sources[i].worker = (int)random_below(host->worker_count + 2) - 1;
    }
}

static void test_random_hosts_are_fair_and_stable(void **state)
{
    (void)state;
    random_state = 7;
    for (unsigned round = 0; round < 3000; round++) {
        struct host host;
        make_random_host(&host);
        struct host again = host;
        assign(&host);
        assert_well_placed(&host);
        assign(&again);
        assert_int_equal(differences(&host, &again), 0); /* same input, same output */
        assign(&again);
        assert_int_equal(differences(&host, &again), 0); /* and nothing moves without a reason */
    }
}

static void test_one_more_queue_moves_no_other(void **state)
{
    (void)state;
    random_state = 8;
    for (unsigned round = 0; round < 1000; round++) {
        struct host host = {0};
        unsigned nodes = 1 + random_below(8);
        for (unsigned node = 0; node < nodes; node++)
            add_workers(&host, (int)node, 1 + random_below(3));
        for (unsigned i = 0; i < 60; i++) {
            struct host before = host;
            add_sources(&host, (int)random_below(nodes), 1);
            assign(&host);
            assert_well_placed(&host);
            assert_int_equal(differences(&before, &host), 0);
        }
    }
}

static void test_worker_on_the_node_is_better_than_one_somewhere(void **state)
{
    (void)state;
    struct host host = {0};
    add_workers(&host, -1, 1);
    add_workers(&host, 1, 1);
    add_sources(&host, 1, 3);
    add_sources(&host, 0, 1);
    host.sources[0].worker = 0; /* it began on the one that is anywhere */
    assign(&host);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(host.sources[i].worker, 1);
    assert_int_equal(host.sources[3].worker, 0); /* perhaps near is better than far */
    assert_false(host.sources[3].remote);
}

static void test_balance_never_crosses_nodes(void **state)
{
    (void)state;
    for (unsigned nodes = 1; nodes <= 8; nodes *= 2) {
        struct host host = {0};
        for (unsigned node = 0; node < nodes; node++)
            add_workers(&host, (int)node, 1 + node % 3); /* uneven cores */
        add_sources(&host, (int)nodes - 1, 40);
        assign(&host);
        for (unsigned i = 0; i < 40; i++) {
            assert_int_equal(host.workers[host.sources[i].worker].node, (int)nodes - 1);
            assert_false(host.sources[i].remote);
        }
    }
}

/* --- which seats have workers --- */

#define SEATS_MAX 16u

static unsigned wanted_on(const struct placement_seat *seats, unsigned count, int node)
{
    unsigned wanted = 0;
    for (unsigned i = 0; i < count; i++)
        wanted += seats[i].wanted && seats[i].node == node;
    return wanted;
}

/* A heavy queue was left alone with its worker: by number the other has two too many. */
static void test_what_was_balanced_by_load_stays(void **state)
{
    (void)state;
    struct host host = {0};

    add_workers(&host, 0, 2);
    add_sources(&host, 0, 4);
    for (unsigned i = 0; i < 4; i++)
        host.sources[i].worker = i != 0;
    host.sources[0].load = 900;
    for (unsigned i = 1; i < 4; i++)
        host.sources[i].load = 200;
    struct host before = host;

    assign(&host);
    assert_int_equal(differences(&before, &host), 0);

    /* Nor when a port is added, which nobody knows the load of. */
    add_sources(&host, 0, 1);
    assign(&host);
    assert_int_equal(differences(&before, &host), 0);

    /* Without the loads numbers count. */
    host = before;
    for (unsigned i = 0; i < 4; i++)
        host.sources[i].load = 0;
    assign(&host);
    assert_int_equal(load_of(&host, 0), 2);
}

static void test_seats_of_their_own_are_always_wanted(void **state)
{
    (void)state;
    struct placement_seat seats[] = {{.node = 0}, {.node = 0}, {.node = 1}, {.node = -1}, {.node = 1, .spare = true}};
    struct placement_source source = {.node = 1, .worker = -1};
    placement_staff(seats, 5, NULL, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(seats[i].wanted);
    assert_false(seats[4].wanted);
    placement_staff(seats, 5, &source, 1); /* node 1 has a worker already */
    assert_false(seats[4].wanted);
}

static void test_spare_seat_comes_and_goes_with_the_guests(void **state)
{
    (void)state;
    for (int nodes = 1; nodes <= 8; nodes *= 2) {
        struct placement_seat seats[SEATS_MAX] = {{.node = 0}};
        unsigned count = 1;
        for (int node = 1; node < nodes; node++)
            for (int core = 0; core < 2; core++)
                seats[count++] = (struct placement_seat){.node = node, .spare = true};
        for (int node = 0; node < nodes; node++) {
            struct placement_source sources[] = {{.node = -1, .worker = -1}, {.node = node, .worker = 0}, {.node = node, .worker = 0}};
            placement_staff(seats, count, sources, 3);
            for (int other = 0; other < nodes; other++)
                assert_int_equal(wanted_on(seats, count, other), other == 0 || other == node);
        }
        placement_staff(seats, count, NULL, 0);
        for (int node = 1; node < nodes; node++)
            assert_int_equal(wanted_on(seats, count, node), 0);
    }
}

static void test_unfit_seat_is_replaced_by_the_next_of_its_node(void **state)
{
    (void)state;
    struct placement_seat seats[] = {{.node = 0}, {.node = 1, .spare = true, .unfit = true}, {.node = 1, .spare = true}};
    struct placement_source source = {.node = 1, .worker = -1};
    placement_staff(seats, 3, &source, 1);
    assert_false(seats[1].wanted);
    assert_true(seats[2].wanted);
    seats[2].unfit = true;
    placement_staff(seats, 3, &source, 1);
    assert_int_equal(wanted_on(seats, 3, 1), 0);
}

static void test_spare_seat_of_unknown_node_is_for_nobody(void **state)
{
    (void)state;
    struct placement_seat seats[] = {{.node = -1}, {.node = -1, .spare = true}};
    struct placement_source sources[] = {{.node = -1, .worker = -1}, {.node = 3, .worker = -1}};
    placement_staff(seats, 2, sources, 2);
    assert_true(seats[0].wanted);
    assert_false(seats[1].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_node_serves_its_own),
        cmocka_unit_test(test_ties_go_to_the_first),
        cmocka_unit_test(test_node_without_worker_is_remote),
        cmocka_unit_test(test_unpinned_worker_is_near_to_all),
        cmocka_unit_test(test_unknown_memory_goes_where_there_is_room),
        cmocka_unit_test(test_memory_that_moves_takes_its_queue_along),
        cmocka_unit_test(test_difference_of_one_moves_nobody),
        cmocka_unit_test(test_worker_that_is_gone_is_replaced),
        cmocka_unit_test(test_nothing_to_place),
        cmocka_unit_test(test_worker_on_the_node_is_better_than_one_somewhere),
        cmocka_unit_test(test_balance_never_crosses_nodes),
        cmocka_unit_test(test_what_was_balanced_by_load_stays),
        cmocka_unit_test(test_seats_of_their_own_are_always_wanted),
        cmocka_unit_test(test_spare_seat_comes_and_goes_with_the_guests),
        cmocka_unit_test(test_unfit_seat_is_replaced_by_the_next_of_its_node),
        cmocka_unit_test(test_spare_seat_of_unknown_node_is_for_nobody),
        cmocka_unit_test(test_random_hosts_are_fair_and_stable),
        cmocka_unit_test(test_one_more_queue_moves_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
