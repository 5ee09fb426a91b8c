/*
 * socket_watch.c - see the header.
 */
#include "vhost/socket_watch.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "control/event_loop.h"

struct socket_watch {
    struct event_loop *loop;
    struct event_source source;     /* the inotify fd */
    struct socket_waiter *waiters;
    struct socket_waiter *cursor;   /* next to be told; moves on when that one is removed */
};

/* A watched folder went away (IN_IGNORED): its waiters must be added anew. */
static void watch_tell(struct socket_watch *watch, int folder, bool gone)
{
    for (struct socket_waiter *waiter = watch->waiters; waiter != NULL; waiter = watch->cursor) {
        watch->cursor = waiter->next;
        if (waiter->folder != folder && folder != -1)
            continue;
        if (gone)
            socket_watch_remove(watch, waiter);
        waiter->changed(waiter->owner);
    }
    watch->cursor = NULL;
}

static void on_inotify(void *owner, uint32_t events)
{
    struct socket_watch *watch = owner;
    _Alignas(struct inotify_event) char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    ssize_t length = read(watch->source.fd, buffer, sizeof buffer);

    (void)events;
    for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= length;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

        at += (ssize_t)(sizeof *event + event->len);
        /* wd is -1 on overflow: then everybody looks. */
        watch_tell(watch, event->wd, (event->mask & IN_IGNORED) != 0);
    }
}

struct socket_watch *socket_watch_create(struct event_loop *loop, int fd)
{
    struct socket_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL)
        return NULL;
    watch->loop = loop;
    watch->source = (struct event_source)EVENT_SOURCE_NONE;
    if (fd == 0)
        fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd >= 0 && event_loop_add(loop, &watch->source, fd, EPOLLIN, on_inotify, watch) == 0)
        return watch;
    if (fd >= 0)
        close(fd);
    free(watch);
    return NULL;
}

void socket_watch_destroy(struct socket_watch *watch)
{
    if (watch == NULL)
        return;
    int fd = watch->source.fd;

    event_loop_remove(watch->loop, &watch->source);
    close(fd);
    free(watch);
}

bool socket_watch_add(struct socket_watch *watch, struct socket_waiter *waiter, const char *path,
                      void (*changed)(void *owner), void *owner)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (watch == NULL || slash == NULL)
        return false;
    if (waiter->folder >= 0)
        return true;
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int wd = inotify_add_watch(watch->source.fd, folder, IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR);

    if (wd < 0)
        return false;
    *waiter = (struct socket_waiter){ .folder = wd, .changed = changed, .owner = owner, .next = watch->waiters };
    watch->waiters = waiter;
    return true;
}

void socket_watch_remove(struct socket_watch *watch, struct socket_waiter *waiter)
{
    int folder = waiter->folder;
    bool shared = false;

    if (watch == NULL || folder < 0)
        return;
    if (watch->cursor == waiter)
        watch->cursor = waiter->next;
    for (struct socket_waiter **at = &watch->waiters; *at != NULL;) {
        if (*at == waiter) {
            *at = waiter->next;
            continue;
        }
        shared |= (*at)->folder == folder;
        at = &(*at)->next;
    }
    waiter->folder = -1;
    waiter->next = NULL;
    if (!shared)
        inotify_rm_watch(watch->source.fd, folder);
}
