/*
 * event_loop.h - the control thread's loop: epoll and one-shot timers.
 *
 * Sources and timers are embedded in their owners, so adding one never
 * allocates. A handler may remove any source or timer, its own too. All
 * functions belong to the control thread, but event_loop_stop(), which may
 * also be called from a handler.
 */
#ifndef VHOSTKIT_EVENT_LOOP_H
#define VHOSTKIT_EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct event_loop;

/* `events` are EPOLLIN and so on. */
typedef void event_handler(void *owner, uint32_t events);
typedef void timer_handler(void *owner);

struct event_source {
    int fd;                /* -1: not in the loop */
    event_handler *handle;
    void *owner;
};

struct event_timer {
    uint64_t due_ns;       /* CLOCK_MONOTONIC; 0: not running */
    timer_handler *handle;
    void *owner;
    struct event_timer *next;
};

#define EVENT_SOURCE_NONE { .fd = -1 }

struct event_loop *event_loop_create(void);
void event_loop_destroy(struct event_loop *loop);

/* 0 or -errno (epoll_ctl's). */
int event_loop_add(struct event_loop *loop, struct event_source *source, int fd, uint32_t events,
                   event_handler *handle, void *owner);
int event_loop_change(struct event_loop *loop, struct event_source *source, uint32_t events);
/* Takes the fd out of the loop and does not close it. Removing one that is not in the loop is nothing. */
void event_loop_remove(struct event_loop *loop, struct event_source *source);

/* (Re)starts a one-shot timer. */
void event_loop_start_timer(struct event_loop *loop, struct event_timer *timer, unsigned milliseconds,
                            timer_handler *handle, void *owner);
void event_loop_stop_timer(struct event_loop *loop, struct event_timer *timer);

/* Runs until event_loop_stop(). 0, or -errno when epoll itself fails. */
int event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t event_loop_now(void);

#endif
