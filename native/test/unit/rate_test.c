/*
 * rate_test.c - what passes at which rate, how much at once, and with many workers.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "switch/rate.h"

#define SECOND UINT64_C(1000000000)

/* Bytes that pass in `seconds` when frames of `length` are offered each `step_ns`. */
static uint64_t offer(struct rate_meter *meter, const struct rate_limit *limit, uint64_t from, uint64_t duration_ns,
                      uint64_t step_ns, uint32_t length)
{
    uint64_t passed = 0;

    for (uint64_t at = 0; at < duration_ns; at += step_ns)
        passed += rate_take(meter, limit, from + at, length) ? length : 0;
    return passed;
}

static void the_average_holds(void **state)
{
    static const struct {
        uint64_t bytes, step_ns;
        uint32_t length;
    } rows[] = {
        { 10000, 1000000, 64 },        { 1000000, 100000, 1514 },    { 125000000, 1000, 1514 },
        { 125000000, 100000, 65549 },    { 1250000000, 500, 1514 },    { RATE_BYTES_MAX, 2, 64 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rate_limit limit = { .bytes = rows[i].bytes, .burst = 65536 };
        struct rate_meter meter = { 0 };
        uint64_t duration = rows[i].step_ns * 2000000, from = 5 * SECOND;
        uint64_t passed = offer(&meter, &limit, from, duration, rows[i].step_ns, rows[i].length);
        double wanted = (double)rows[i].bytes * (double)duration / 1e9;

        if ((double)passed < wanted * 0.99 || (double)passed > wanted * 1.02 + 65536 + rows[i].length)
            fail_msg("row %zu: %llu bytes passed, not %.0f", i, (unsigned long long)passed, wanted);
    }
}

static void a_burst_comes_at_once_and_again_after_a_rest(void **state)
{
    struct rate_limit limit = { .bytes = 1000000, .burst = 50000 };
    struct rate_meter meter = { 0 };

    (void)state;
    for (uint64_t now = SECOND; now < 10 * SECOND; now += SECOND) {
        uint64_t passed = 0;
        for (unsigned i = 0; i < 100; i++)
            passed += rate_take(&meter, &limit, now, 1000) ? 1000 : 0;
        assert_int_equal(passed, 51000); /* the last one takes what is left, and owes the rest */
    }
}

static void the_default_burst(void **state)
{
    struct rate_limit slow = { .bytes = 1000 }, fast = { .bytes = 10000000 }, fastest = { .bytes = RATE_BYTES_MAX };
    struct rate_meter one = { 0 }, two = { 0 }, three = { 0 };

    (void)state;
    assert_int_equal(offer(&one, &slow, SECOND, 1000, 1, 1024), 65 * 1024);
    assert_int_equal(offer(&two, &fast, SECOND, 2000, 1, 1000), 1001000);
    uint64_t passed = 0;
    for (unsigned i = 0; i < 40000; i++)
        passed += rate_take(&three, &fastest, SECOND, 50000) ? 50000 : 0;
    assert_int_equal(passed, RATE_BYTES_MAX / 10 + 50000);
}

/* A burst of a second's bytes at twice the average: the peak holds while it lasts, then the average. */
static void a_peak_holds_within_a_burst(void **state)
{
    struct rate_limit limit = { .bytes = 1000000, .burst = 1000000, .peak = 2000000 };
    struct rate_meter meter = { 0 };

    (void)state;
    uint64_t first = offer(&meter, &limit, SECOND, SECOND / 2, 100000, 1000);
    assert_in_range(first, 1000000, 1000000 + 22000); /* 10 ms at once, and the frame that owes */
    offer(&meter, &limit, SECOND + SECOND / 2, SECOND, 100000, 1000);
    uint64_t later = offer(&meter, &limit, 3 * SECOND, SECOND, 100000, 1000);
    assert_in_range(later, 990000, 1510000);
    later = offer(&meter, &limit, 4 * SECOND, SECOND, 100000, 1000);
    assert_in_range(later, 990000, 1010000);
}

static void frames_are_counted(void **state)
{
    struct rate_limit limit = { .frames = 1000 };
    struct rate_meter meter = { 0 };
    uint64_t frames = offer(&meter, &limit, SECOND, SECOND, 10000, 60) / 60;

    (void)state;
    assert_in_range(frames, 1099, 1101); /* a tenth of a second's at once */
    limit = (struct rate_limit){ .frames = 1 };
    meter = (struct rate_meter){ 0 };
    assert_int_equal(offer(&meter, &limit, SECOND, 5 * SECOND, SECOND / 100, 60), 5 * 60);
}

/* A limit that refuses leaves the others as they are. */
static void a_refused_frame_takes_nothing(void **state)
{
    struct rate_limit limit = { .bytes = 1000000, .burst = 100000, .frames = 10 };
    struct rate_meter meter = { 0 };

    (void)state;
    assert_int_equal(offer(&meter, &limit, SECOND, 1000, 1, 1000), 1000);
    limit.frames = 0;
    assert_int_equal(offer(&meter, &limit, SECOND, 1000, 1, 1000), 100000);
}

static struct rate_meter shared;
static const struct rate_limit shared_limit = { .bytes = 1000000, .burst = 1 };

static void *worker(void *passed)
{
    *(uint64_t *)passed = offer(&shared, &shared_limit, SECOND, 2 * SECOND, 10000, 100);
    return NULL;
}

static void workers_share_a_meter(void **state)
{
    pthread_t threads[3];
    uint64_t passed[3], sum = 0;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &passed[i]), 0);
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        sum += passed[i];
    }
    assert_true(sum <= 2000000 + 3 * 100); /* each may just pass; clocks that differ only take away */
}

static void flaws_are_refused(void **state)
{
    static const struct rate_limit rows[] = {
        { .bytes = 999 }, { .bytes = RATE_BYTES_MAX + 1 }, { .burst = 1 }, { .peak = 1000 },
        { .bytes = 2000, .peak = 1999 }, { .bytes = 2000, .peak = RATE_BYTES_MAX + 1 },
        { .bytes = 2000, .burst = RATE_BURST_MAX + 1 }, { .frames = RATE_FRAMES_MAX + 1 },
    };
    static const struct rate_limit good = { RATE_BYTES_MIN, RATE_BURST_MAX, RATE_BYTES_MAX, RATE_FRAMES_MAX };
    struct refusal refusal;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rate_limit_valid(&rows[i], "rx", &refusal))
            fail_msg("row %zu was taken", i);
    assert_true(rate_limit_valid(&good, "rx", &refusal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_average_holds),
        cmocka_unit_test(a_burst_comes_at_once_and_again_after_a_rest),
        cmocka_unit_test(the_default_burst),
        cmocka_unit_test(a_peak_holds_within_a_burst),
        cmocka_unit_test(frames_are_counted),
        cmocka_unit_test(a_refused_frame_takes_nothing),
        cmocka_unit_test(workers_share_a_meter),
        cmocka_unit_test(flaws_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
