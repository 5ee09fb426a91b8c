/*
 * balance_test.c - which queue goes where, with 1, 2, 4 and 8 workers that nobody has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/balance.h"

#define WORKERS 8u
#define SOURCES 64u

static struct balance_worker workers[WORKERS];
static struct balance_source sources[SOURCES];
static uint64_t state;

static uint32_t random_below(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static void all_there(unsigned nodes)
{
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = (struct balance_worker){ .there = true, .node = nodes == 0 ? -1 : (int)(i % nodes) };
}

static uint32_t load_of(unsigned worker, unsigned count)
{
    uint32_t load = 0;

    for (unsigned i = 0; i < count; i++)
        load += sources[i].worker == (int)worker ? sources[i].load : 0;
    return load;
}

/* Moves until there is nothing more to move; every move is checked. Returns how many. */
static unsigned settle(unsigned worker_count, unsigned count)
{
    struct balance_move move;
    unsigned moves = 0;

    while (balance_choose(workers, worker_count, sources, count, &move)) {
        uint32_t from = load_of(move.from, count), to = load_of(move.to, count);
        uint32_t load = sources[move.source].load, before = from > to ? from : to;

        assert_int_equal(sources[move.source].worker, move.from);
        assert_int_equal(workers[move.from].node, workers[move.to].node);
        assert_int_equal(move.from_load, from);
        assert_int_equal(move.to_load, to);
        assert_true(from >= BALANCE_BUSY);
        from -= load;
        to += load;
        assert_true((from > to ? from : to) + BALANCE_STEP <= before);
        sources[move.source].worker = (int)move.to;
        assert_true(++moves <= count * worker_count); /* it comes to an end */
    }
    return moves;
}

static void give(unsigned source, int worker, uint32_t load)
{
    sources[source] = (struct balance_source){ .worker = worker, .load = load };
}

static void two_on_one(void **unused)
{
    (void)unused;
    struct balance_move move;

    all_there(1);
    give(0, 0, 480);
    give(1, 0, 500);
    give(2, 1, 20);
    assert_true(balance_choose(workers, 2, sources, 3, &move));
    assert_int_equal(move.source, 0); /* 500 and 500 is better than 480 and 520 */
    assert_int_equal(move.to, 1);
    assert_int_equal(settle(2, 3), 1);
    assert_int_equal(load_of(0, 3), 500);
}

static void nothing_to_gain(void **unused)
{
    (void)unused;
    struct balance_move move;

    all_there(1);
    give(0, 0, 1000); /* one queue that fills a worker would fill the other just the same */
    give(1, 1, 0);
    assert_false(balance_choose(workers, 2, sources, 2, &move));
    give(0, 0, 190); /* nobody has too much to do */
    give(1, 0, 190);
    assert_false(balance_choose(workers, 2, sources, 2, &move));
    give(0, 0, 700); /* 900 and 650: equal, they would have 775, which is not worth it */
    give(1, 0, 100);
    give(2, 0, 100);
    give(3, 1, 650);
    assert_false(balance_choose(workers, 2, sources, 4, &move));
    sources[3].load = 600; /* but this is */
    assert_true(balance_choose(workers, 2, sources, 4, &move));
    give(0, 0, 500); /* with one worker there is nowhere to go */
    give(1, 0, 500);
    assert_false(balance_choose(workers, 1, sources, 2, &move));
    sources[0].worker = -1; /* a queue without a worker is not ours to place */
    assert_false(balance_choose(workers, 2, sources, 1, &move));
}

static void who_may_not(void **unused)
{
    (void)unused;
    struct balance_move move;

    all_there(1);
    give(0, 0, 480);
    give(1, 0, 500);
    workers[1].there = false;
    assert_false(balance_choose(workers, 2, sources, 2, &move));
    workers[1] = (struct balance_worker){ .there = true, .node = 1 };
    assert_false(balance_choose(workers, 2, sources, 2, &move)); /* never to another node */
    workers[1].node = 0;
    sources[0].resting = true;
    assert_true(balance_choose(workers, 2, sources, 2, &move));
    assert_int_equal(move.source, 1);
    sources[1].resting = true;
    assert_false(balance_choose(workers, 2, sources, 2, &move));
}

/* Also when another worker is as full: the greatest load of all does not fall, but one of two full workers is helped. */
static void several_full(void **unused)
{
    (void)unused;
    all_there(1);
    for (unsigned i = 0; i < 6; i++)
        give(i, i < 2 ? 0 : i < 4 ? 1 : (int)(i - 2), i < 4 ? 500 : 0);
    assert_int_equal(settle(4, 6), 2);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(load_of(i, 6), 500);
}

static void any_loads(void **unused)
{
    (void)unused;
    for (unsigned count = 1; count <= 8; count *= 2)
        for (unsigned nodes = 0; nodes <= count && nodes <= 4; nodes = nodes == 0 ? 1 : nodes * 2)
            for (unsigned round = 0; round < 500; round++) {
                unsigned queues = 1 + random_below(SOURCES);

                all_there(nodes);
                for (unsigned i = 0; i < queues; i++)
                    give(i, (int)random_below(count), random_below(round % 2 ? 60 : 400));
                settle(count, queues);
                /* Nobody on the node has much more than another, but for queues that would be as much too much there. */
                for (unsigned a = 0; a < count; a++)
                    for (unsigned b = 0; b < count; b++) {
                        uint32_t more = load_of(a, queues), less = load_of(b, queues);

                        if (workers[a].node != workers[b].node || more < BALANCE_BUSY ||
                            less * 100 >= more * (100 - 2 * BALANCE_GAIN))
                            continue;
                        for (unsigned i = 0; i < queues; i++)
                            assert_true(sources[i].worker != (int)a || sources[i].load < BALANCE_STEP ||
                                        sources[i].load + BALANCE_STEP > more - less);
                    }
            }
}

/* What was settled stays, though loads differ by some percent from second to second. */
static void noise(void **unused)
{
    (void)unused;
    uint32_t steady[16];
    unsigned moves = 0;
    struct balance_move move;

    all_there(1);
    for (unsigned i = 0; i < 16; i++)
        give(i, 0, steady[i] = 120 + random_below(120));
    settle(4, 16);
    for (unsigned second = 0; second < 1000; second++) {
        for (unsigned i = 0; i < 16; i++)
            sources[i].load = steady[i] * (97 + random_below(7)) / 100;
        if (!balance_choose(workers, 4, sources, 16, &move))
            continue;
        sources[move.source].worker = (int)move.to; /* two loads were just at the border */
        assert_true(++moves <= 3);
    }
}

/* Sixty queues that are nothing by themselves. */
static void many_small_ones(void **unused)
{
    (void)unused;
    all_there(1);
    for (unsigned i = 0; i < 60; i++)
        give(i, 0, 15);
    assert_true(settle(4, 60) > 20);
    assert_true(load_of(0, 60) < BALANCE_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_on_one),
        cmocka_unit_test(nothing_to_gain),
        cmocka_unit_test(who_may_not),
        cmocka_unit_test(several_full),
        cmocka_unit_test(any_loads),
        cmocka_unit_test(noise),
        cmocka_unit_test(many_small_ones),
    };
    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
