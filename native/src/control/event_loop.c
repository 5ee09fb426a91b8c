/*
 * event_loop.c - see event_loop.h.
 *
 * Owns the epoll fd, the batch of events under way and the list of running
 * timers, earliest first. Control thread only.
 *
 * A handler may free the owner of any source, so an event that epoll has
 * already handed out for it must not be looked at again: removal blanks it in
 * the batch. Timers need nothing like it, as the list is read anew each time.
 */
#include "control/event_loop.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* Events taken at once. Removal scans them, so few; the rest comes with the next call. */
#define BATCH_SIZE 64

#define NS_PER_MS 1000000ull

struct event_loop {
    int epoll_fd;
    bool stopping;                         /* event_loop_stop() was called */
    struct epoll_event batch[BATCH_SIZE];  /* data.ptr: the source, NULL once it was removed */
    int batch_count;                       /* 0 while none is under way */
    struct event_timer *timers;            /* sorted by due_ns */
};

struct event_loop *event_loop_create(void)
{
    struct event_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return NULL;
    }
    return loop;
}

void event_loop_destroy(struct event_loop *loop)
{
    if (!loop)
        return;
    close(loop->epoll_fd);
    free(loop);
}

int event_loop_add(struct event_loop *loop, struct event_source *source, int fd, uint32_t events,
                   event_handler *handle, void *owner)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    source->fd = fd;
    source->handle = handle;
    source->owner = owner;
    return 0;
}

int event_loop_change(struct event_loop *loop, struct event_source *source, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) < 0 ? -errno : 0;
}

void event_loop_remove(struct event_loop *loop, struct event_source *source)
{
    if (source->fd < 0)
        return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->fd = -1;
    for (int i = 0; i < loop->batch_count; i++) {
        if (loop->batch[i].data.ptr == source)
            loop->batch[i].data.ptr = NULL;
    }
}

void event_loop_start_timer(struct event_loop *loop, struct event_timer *timer, unsigned milliseconds,
                            timer_handler *handle, void *owner)
{
    event_loop_stop_timer(loop, timer);
    timer->due_ns = event_loop_now() + milliseconds * NS_PER_MS;
    timer->handle = handle;
    timer->owner = owner;
    struct event_timer **place = &loop->timers;
    while (*place && (*place)->due_ns <= timer->due_ns)
        place = &(*place)->next;
    timer->next = *place;
    *place = timer;
}

void event_loop_stop_timer(struct event_loop *loop, struct event_timer *timer)
{
    if (timer->due_ns == 0)
        return;
    struct event_timer **place = &loop->timers;
    while (*place && *place != timer)
        place = &(*place)->next;
    if (*place)
        *place = timer->next;
    timer->due_ns = 0;
    timer->next = NULL;
}

/* Milliseconds until the first timer, rounded up; -1 without one. */
static int wait_limit(const struct event_loop *loop)
{
    if (!loop->timers)
        return -1;
    uint64_t now = event_loop_now();
    if (loop->timers->due_ns <= now)
        return 0;
    uint64_t milliseconds = (loop->timers->due_ns - now + NS_PER_MS - 1) / NS_PER_MS;
    return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

/* Only those due when it begins: a timer that restarts itself at once cannot starve the fds. */
static void run_timers(struct event_loop *loop)
{
    uint64_t now = event_loop_now();
    while (!loop->stopping && loop->timers && loop->timers->due_ns <= now) {
        struct event_timer *timer = loop->timers;
        event_loop_stop_timer(loop, timer);
        timer->handle(timer->owner);
    }
}

static void run_batch(struct event_loop *loop)
{
    for (int i = 0; i < loop->batch_count && !loop->stopping; i++) {
        struct event_source *source = loop->batch[i].data.ptr;
        if (source)
            source->handle(source->owner, loop->batch[i].events);
    }
    loop->batch_count = 0;
}

int event_loop_run(struct event_loop *loop)
{
    while (!loop->stopping) {
        int count = epoll_wait(loop->epoll_fd, loop->batch, BATCH_SIZE, wait_limit(loop));
        if (count < 0 && errno != EINTR)
            return -errno;
        loop->batch_count = count < 0 ? 0 : count;
        run_timers(loop);
        run_batch(loop);
    }
    loop->stopping = false;
    return 0;
}

void event_loop_stop(struct event_loop *loop)
{
    loop->stopping = true;
}

uint64_t event_loop_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}
