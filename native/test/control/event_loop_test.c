/*
 * event_loop_test.c - order of timers, and removal of sources from within handlers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/event_loop.h"

static struct event_loop *loop;
static char trace[64];

static int open_loop(void **state)
{
    (void)state;
    loop = event_loop_create();
    trace[0] = 0;
    return loop ? 0 : -1;
}

static int close_loop(void **state)
{
    (void)state;
    event_loop_destroy(loop);
    return 0;
}

static void note(void *owner)
{
    strncat(trace, owner, sizeof trace - strlen(trace) - 1);
}

static void stop(void *owner)
{
    (void)owner;
    event_loop_stop(loop);
}

static void run_for(unsigned milliseconds)
{
    struct event_timer end = { 0 };
    event_loop_start_timer(loop, &end, milliseconds, stop, NULL);
    assert_int_equal(event_loop_run(loop), 0);
    event_loop_stop_timer(loop, &end);
}

static void timers_fire_once_in_order_of_time(void **state)
{
    struct event_timer timers[4] = { 0 };
    (void)state;
    event_loop_start_timer(loop, &timers[0], 9, note, "c");
    event_loop_start_timer(loop, &timers[1], 1, note, "a");
    event_loop_start_timer(loop, &timers[2], 5, note, "b");
    event_loop_start_timer(loop, &timers[3], 3, note, "x");
    event_loop_stop_timer(loop, &timers[3]);
    run_for(25);
    assert_string_equal(trace, "abc");
    assert_int_equal(timers[0].due_ns, 0);
}

static void a_started_timer_starts_anew(void **state)
{
    struct event_timer timer = { 0 };
    (void)state;
    event_loop_start_timer(loop, &timer, 1, note, "old");
    event_loop_start_timer(loop, &timer, 5, note, "new");
    run_for(20);
    assert_string_equal(trace, "new");
}

static unsigned rounds;

static void again_at_once(void *owner)
{
    rounds++;
    event_loop_start_timer(loop, owner, 0, again_at_once, owner);
}

static void drain(void *owner, uint32_t events)
{
    uint64_t value;
    (void)events;
    assert_int_equal(read(*(int *)owner, &value, sizeof value), sizeof value);
    event_loop_stop(loop);
}

static void a_timer_without_delay_does_not_starve_sources(void **state)
{
    struct event_timer timer = { 0 };
    struct event_source source = EVENT_SOURCE_NONE;
    int fd = eventfd(1, EFD_NONBLOCK);
    (void)state;
    assert_int_equal(event_loop_add(loop, &source, fd, EPOLLIN, drain, &fd), 0);
    event_loop_start_timer(loop, &timer, 0, again_at_once, &timer);
    assert_int_equal(event_loop_run(loop), 0);
    assert_true(rounds < 100);
    event_loop_stop_timer(loop, &timer);
    event_loop_remove(loop, &source);
    close(fd);
}

/* Three sources ready at once; whoever comes first removes and frees the others. */
struct rival {
    struct event_source source;
    struct rival **others; /* all three */
};

static unsigned winners;

static void eliminate(void *owner, uint32_t events)
{
    struct rival *self = owner, **others = self->others;
    (void)events;
    winners++;
    for (unsigned i = 0; i < 3; i++) {
        int fd = others[i]->source.fd;
        event_loop_remove(loop, &others[i]->source);
        close(fd);
        free(others[i]); /* self too */
    }
}

static void a_handler_may_remove_and_free_any_source(void **state)
{
    struct rival *rivals[3];
    (void)state;
    winners = 0;
    for (unsigned i = 0; i < 3; i++) {
        rivals[i] = calloc(1, sizeof *rivals[i]);
        rivals[i]->others = rivals;
        assert_int_equal(event_loop_add(loop, &rivals[i]->source, eventfd(1, EFD_NONBLOCK), EPOLLIN,
                                        eliminate,
                                        rivals[i]), 0);
    }
    run_for(10);
    assert_int_equal(winners, 1);
}

static void removing_twice_and_what_never_was_is_nothing(void **state)
{
    struct event_source source = EVENT_SOURCE_NONE;
    int fd = eventfd(0, 0);
    (void)state;
    event_loop_remove(loop, &source);
    assert_int_equal(event_loop_add(loop, &source, fd, EPOLLIN, drain, &fd), 0);
    event_loop_remove(loop, &source);
    event_loop_remove(loop, &source);
    assert_int_equal(source.fd, -1);
    assert_true(event_loop_add(loop, &source, -1, EPOLLIN, drain, &fd) < 0);
    close(fd);
}

static void a_stop_before_the_run_is_kept(void **state)
{
    (void)state;
    event_loop_stop(loop);
    assert_int_equal(event_loop_run(loop), 0);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ROW(timers_fire_once_in_order_of_time),
        ROW(a_started_timer_starts_anew),
        ROW(a_timer_without_delay_does_not_starve_sources),
        ROW(a_handler_may_remove_and_free_any_source),
        ROW(removing_twice_and_what_never_was_is_nothing),
        ROW(a_stop_before_the_run_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
