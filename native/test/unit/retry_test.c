/*
 * retry_test.c - another attempt for what a receiver had no buffers for: how often, how long, in which order. The
 * ports are pretended: they say how many frames they take at each attempt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "port/port.h"
#include "switch/retry.h"
#include "worker/cycles.h"
#include "worker/worker.h"

#define PORTS 12u

/* A receiver that takes `gives` frames at each attempt. */
struct pretended {
    struct port port;
    unsigned gives;
    unsigned attempts;
    unsigned delivered; /* numbers of frames come in their order */
    unsigned dropped;
    bool last_seen;     /* it was told that it is the last attempt */
};

static struct pretended ports[PORTS];
static struct worker worker;
static struct frame frames[BURST_MAX];

static unsigned take(struct port *port, unsigned pair, struct worker *by, struct frame *const *batch,
                     unsigned count, enum attempt attempt)
{
    struct pretended *self = (struct pretended *)port;
    unsigned done = count < self->gives ? count : self->gives;

    assert_int_equal(pair, 3);
    assert_ptr_equal(by, &worker);
    assert_false(self->last_seen);
    self->attempts++;
    for (unsigned i = 0; i < done; i++)
        assert_int_equal(batch[i] - frames, self->delivered++);
    if (attempt != ATTEMPT_LAST)
        return done;
    self->last_seen = true;
    self->dropped += count - done;
    return count;
}

static const struct port_ops ops = { .deliver = take };

static int prepare(void **state)
{
    (void)state;
    memset(ports, 0, sizeof ports);
    for (unsigned i = 0; i < PORTS; i++)
        ports[i].port.ops = &ops;
    memset(&worker, 0, sizeof worker);
    worker.leftovers = calloc(LEFTOVERS_MAX, sizeof *worker.leftovers);
    return worker.leftovers == NULL;
}

static int clear(void **state)
{
    (void)state;
    free(worker.leftovers);
    return 0;
}

static void keep(unsigned port, unsigned count)
{
    struct frame *batch[BURST_MAX];

    for (unsigned i = 0; i < count; i++)
        batch[i] = &frames[i];
    retry_keep(&worker, &ports[port].port, 3, batch, count);
}

static void attempts_are_bounded(void **state)
{
    (void)state;
    worker.busy_sources = 2;
    keep(0, 20);
    retry_all(&worker);
    assert_int_equal(ports[0].attempts, RETRY_ATTEMPTS);
    assert_int_equal(ports[0].dropped, 20);
    assert_true(ports[0].last_seen);
    assert_int_equal(worker.leftover_count, 0);
    worker.busy_sources = 1;
    keep(1, 20);
    uint64_t begin = monotonic_ns();
    retry_all(&worker);
    assert_true(monotonic_ns() - begin >= RETRY_ALONE_ATTEMPTS * RETRY_ALONE_NS); /* it gives the driver that time */
    assert_int_equal(ports[1].attempts, RETRY_ALONE_ATTEMPTS);
    assert_int_equal(ports[1].dropped, 20);
}

static void the_rest_is_tried_again(void **state)
{
    (void)state;
    ports[0].gives = 5;
    keep(0, 18);
    retry_all(&worker);
    assert_int_equal(ports[0].attempts, 4);
    assert_int_equal(ports[0].delivered, 18);
    assert_int_equal(ports[0].dropped, 0);
}

static void each_receiver_for_itself(void **state)
{
    (void)state;
    static const unsigned gives[] = { 32, 0, 7, 1, 16 };

    for (unsigned i = 0; i < 5; i++) {
        ports[i].gives = gives[i];
        keep(i, 32);
    }
    retry_all(&worker);
    for (unsigned i = 0; i < 5; i++) {
        unsigned possible = gives[i] * RETRY_ALONE_ATTEMPTS;

        assert_int_equal(ports[i].delivered, possible < 32 ? possible : 32);
        assert_int_equal(ports[i].dropped, 32 - ports[i].delivered);
        assert_int_equal(ports[i].last_seen, ports[i].attempts == RETRY_ALONE_ATTEMPTS);
    }
    assert_int_equal(worker.leftover_count, 0);
}

static void too_many_receivers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PORTS; i++)
        keep(i, 2);
    for (unsigned i = 0; i < PORTS; i++)
        assert_int_equal(ports[i].dropped, i < LEFTOVERS_MAX ? 0 : 2);
    retry_all(&worker);
    for (unsigned i = 0; i < PORTS; i++)
        assert_int_equal(ports[i].dropped, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attempts_are_bounded, prepare, clear),
        cmocka_unit_test_setup_teardown(the_rest_is_tried_again, prepare, clear),
        cmocka_unit_test_setup_teardown(each_receiver_for_itself, prepare, clear),
        cmocka_unit_test_setup_teardown(too_many_receivers, prepare, clear),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
