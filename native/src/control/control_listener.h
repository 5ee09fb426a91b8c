/*
 * control_listener.h - the control socket's place in the file system: its lock,
 * its file, its group.
 *
 * Made once, before the supervisor forks, so that it outlives a crash of the
 * switch and clients wait in its backlog instead of being refused.
 */
#ifndef VHOSTKIT_CONTROL_LISTENER_H
#define VHOSTKIT_CONTROL_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct control_listener {
    char path[108];  /* of the socket; the lock is beside it, with ".lock" */
    int lock_fd;     /* held with flock(2) as long as the switch or its supervisor lives */
    int fd;          /* listening, does not block */
    gid_t group;     /* of the socket file: its members are served */
};

enum listener_verdict {
    LISTENER_OPEN,
    LISTENER_HELD,   /* another switch, or another program, listens there */
    LISTENER_FAILED,
};

/* group NULL: the one the kernel gives. Without LISTENER_OPEN, why is one sentence. */
enum listener_verdict control_listener_open(struct control_listener *listener, const char *path,
                                            const char *group, char *why, size_t why_size);

/* Closes; with `remove` also takes socket and lock file away, which only the last holder may do. */
void control_listener_close(struct control_listener *listener, bool remove);

#endif
