/*
 * socket_watch.h - tells endpoints when something appears in the folder of
 * their socket, so that a VM that starts is connected in milliseconds.
 *
 * One inotify instance for all (the kernel allows 128 a user). Control thread.
 */
#ifndef VHOSTKIT_SOCKET_WATCH_H
#define VHOSTKIT_SOCKET_WATCH_H

#include <stdbool.h>

struct event_loop;
struct socket_watch;

/* Embedded in the endpoint that waits. */
struct socket_waiter {
    int folder;                  /* inotify's watch descriptor; -1: not waiting */
    void (*changed)(void *owner);
    void *owner;
    struct socket_waiter *next;
};

/*
 * fd: an inotify instance (not blocking) that is ours from now on; 0: make one.
 * NULL: inotify is not to be had; endpoints then only poll.
 */
struct socket_watch *socket_watch_create(struct event_loop *loop, int fd);
void socket_watch_destroy(struct socket_watch *watch);

/* Calls changed() after each change in the folder of `path`. False: no such folder (yet). */
bool socket_watch_add(struct socket_watch *watch, struct socket_waiter *waiter, const char *path,
                      void (*changed)(void *owner), void *owner);
void socket_watch_remove(struct socket_watch *watch, struct socket_waiter *waiter);

#endif
