/*
 * meter_test.c - how many frames pass a meter, by a clock of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "switch/meter.h"

#define SECOND UINT64_C(1000000000)

static unsigned take(struct meter *meter, uint64_t now, unsigned rate, unsigned tries)
{
    unsigned passed = 0;

    while (tries-- > 0)
        passed += meter_take(meter, now, rate);
    return passed;
}

static void a_burst_is_a_tenth_of_a_second(void **state)
{
    static const struct {
        unsigned rate, burst;
    } rows[] = { { 1, 1 }, { 19, 1 }, { 20, 2 }, { 1000, 100 }, { METER_RATE_MAX, METER_RATE_MAX / 10 } };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct meter meter = { 0 };

        assert_int_equal(take(&meter, 5 * SECOND, rows[i].rate, rows[i].burst + 50), rows[i].burst);
        /* A long silence saves up no more than that. */
        assert_int_equal(take(&meter, 5000 * SECOND, rows[i].rate, rows[i].burst + 50), rows[i].burst);
    }
}

static void the_rate_holds_in_the_long_run(void **state)
{
    struct meter meter = { 0 };
    unsigned passed = 0;
    (void)state;
    for (uint64_t now = SECOND; now < 11 * SECOND; now += SECOND / 10000)
        passed += take(&meter, now, 1000, 3);
    assert_in_range(passed, 10000, 10100);
}

static void a_clock_of_another_worker_may_be_behind(void **state)
{
    struct meter meter = { 0 };
    (void)state;
    assert_int_equal(take(&meter, 2 * SECOND, 10, 5), 1);
    assert_int_equal(take(&meter, 2 * SECOND - 1000, 10, 5), 0);
    assert_int_equal(take(&meter, 2 * SECOND + SECOND / 10, 10, 5), 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_a_tenth_of_a_second),
        cmocka_unit_test(the_rate_holds_in_the_long_run),
        cmocka_unit_test(a_clock_of_another_worker_may_be_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
