/*
 * numa_test.c - what must hold on every host, with and without NUMA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/numa.h"

#define SIZE 10000u

static void test_memory_is_zeroed_aligned_and_ours(void **state)
{
    (void)state;
    /* Most of these do not exist: memory nevertheless. */
    static const int nodes[] = {-1, 0, 63, 64, 1023, 1024, 1 << 30};
    for (unsigned i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        uint8_t *memory = node_alloc(SIZE, nodes[i]);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        for (unsigned at = 0; at < SIZE; at++)
            assert_int_equal(memory[at], 0);
        memset(memory, 0xff, SIZE);
        node_free(memory, SIZE);
    }
    node_free(NULL, SIZE);
}

static void test_too_much_memory_is_refused(void **state)
{
    (void)state;
    assert_null(node_alloc(SIZE_MAX / 2, 0));
    assert_null(node_alloc(0, 0));
}

static void test_unknown_core_and_address_have_no_node(void **state)
{
    (void)state;
    assert_int_equal(node_of_core(-1), -1);
    assert_int_equal(node_of_core(1 << 20), -1);
    assert_int_equal(node_of_address(NULL), -1);
}

static void test_memory_is_on_the_node_asked_for(void **state)
{
    (void)state;
    int node = node_of_core(0);
    if (node < 0)
        skip(); /* no NUMA here */
    uint8_t *memory = node_alloc(SIZE, node);
    assert_non_null(memory);
    memory[0] = 1;
    assert_int_equal(node_of_address(memory), node);
    node_free(memory, SIZE);
}

static void test_strays_of_memory_that_was_never_touched(void **state)
{
    (void)state;
    uint8_t *memory = node_alloc(SIZE, -1);
    assert_non_null(memory);
    assert_int_equal(node_strays(memory, SIZE, 5), 0);
    int home = node_of_core(0);
    memory[0] = 7;
    int node = node_of_address(memory);
    if (node >= 0) {
        assert_int_equal(node_strays(memory, SIZE, node), 0);
        assert_int_equal(node_strays(memory, SIZE, node + 1), 1); /* one page is there, and not on that node */
    }
    node_move(memory, SIZE, home);
    node_move(memory, SIZE, 1023); /* no such node: it stays */
    assert_int_equal(memory[0], 7);
    node_free(memory, SIZE);
}

static void test_most_votes_win_and_the_first_wins_a_draw(void **state)
{
    (void)state;
    struct node_votes votes = NODE_VOTES_NONE;
    assert_int_equal(node_votes_winner(&votes), -1);
    node_vote_for(&votes, -1);
    node_vote_for(&votes, 1024);
    assert_int_equal(node_votes_winner(&votes), -1);
    node_vote_for(&votes, 3);
    node_vote_for(&votes, 0);
    assert_int_equal(node_votes_winner(&votes), 3);
    node_vote_for(&votes, 1023);
    node_vote_for(&votes, 1023);
    assert_int_equal(node_votes_winner(&votes), 1023);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zeroed_aligned_and_ours),
        cmocka_unit_test(test_too_much_memory_is_refused),
        cmocka_unit_test(test_unknown_core_and_address_have_no_node),
        cmocka_unit_test(test_memory_is_on_the_node_asked_for),
        cmocka_unit_test(test_strays_of_memory_that_was_never_touched),
        cmocka_unit_test(test_most_votes_win_and_the_first_wins_a_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
