/*
 * stats_test.c - the names of the drop reasons are a protocol: filled in, unique, and stable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/stats.h"

static void test_each_reason_has_a_name_and_a_sentence(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
        assert_non_null(drop_reason_name[i]);
        assert_non_null(drop_reason_sentence[i]);
        assert_true(strlen(drop_reason_name[i]) > 0 && strlen(drop_reason_sentence[i]) > 0);
        assert_int_equal(strspn(drop_reason_name[i], "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(drop_reason_name[i]));
    }
}

static void test_names_are_unique(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(drop_reason_name[i], drop_reason_name[j]);
}

static void test_names_stand_at_their_number(void **state)
{
    (void)state;
    assert_int_equal(DROP_NONE, 0); /* struct frame relies on it */
    assert_string_equal(drop_reason_name[DROP_NONE], "none");
    assert_string_equal(drop_reason_name[DROP_GSO_HEADER], "gso_header");
    assert_string_equal(drop_reason_name[DROP_TAP], "tap");
}

static void test_a_counter_adds(void **state)
{
    (void)state;
    static struct queue_stats stats;
    counter_add(&stats.frames, 3);
    counter_add(&stats.frames, UINT64_C(1) << 40);
    assert_int_equal(counter_read(&stats.frames), (UINT64_C(1) << 40) + 3);
    assert_int_equal(counter_read(&stats.bytes), 0);
    assert_int_equal((uintptr_t)&stats % 64, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reason_has_a_name_and_a_sentence),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_names_stand_at_their_number),
        cmocka_unit_test(test_a_counter_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
