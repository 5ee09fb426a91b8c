/*
 * endpoint.h - the socket of a vhost-user port: connecting or listening, and
 * cutting the byte stream into messages with their fds.
 *
 * Control thread. Nothing here blocks: a peer that sends half a message is
 * dropped after 2 s and holds nobody up meanwhile (F7).
 */
#ifndef VHOSTKIT_ENDPOINT_H
#define VHOSTKIT_ENDPOINT_H

#include <stdbool.h>

#include "control/event_loop.h"
#include "port/port_config.h"
#include "vhost/message.h"
#include "vhost/socket_watch.h"

struct endpoint_ops {
    void (*connected)(void *owner);
    /* Owns the fds. False: close the connection. */
    bool (*message)(void *owner, const struct vhost_user_message *message, const int *fds, unsigned fd_count);
    void (*disconnected)(void *owner, const char *why);
    /* Connecting or listening failed in a way that someone should know. */
    void (*failed)(void *owner, const char *why);
};

struct endpoint {
    struct event_loop *loop;
    struct socket_watch *watch;
    const struct endpoint_ops *ops;
    void *owner;
    char path[SOCKET_PATH_SIZE];
    enum port_role role;
    struct event_source connection;  /* fd -1: nobody attached */
    struct event_source listener;    /* server role */
    struct socket_waiter waiter;     /* client role: told when something happens in the folder */
    struct event_timer retry;
    unsigned retry_ms;               /* next back-off while nobody answers */
    unsigned hold_ms;                /* next back-off after a session that ended at once */
    uint64_t attached_ns;            /* when the connection began */
    struct event_timer deadline;     /* of a message that has begun */
    bool attached;                   /* ops->connected was called, ops->disconnected not yet */

    /* The message that is coming in. */
    struct vhost_user_message incoming;
    unsigned received;               /* bytes of it */
    int fds[VHOST_USER_FDS_MAX];
    unsigned fd_count;
    bool fds_lost;                   /* more came than fit, or the kernel cut them off (F3) */
};

void endpoint_init(struct endpoint *endpoint);
/* Begins. Only a server that cannot bind is refused; a client keeps trying. */
bool endpoint_start(struct endpoint *endpoint, struct event_loop *loop, struct socket_watch *watch,
                    const struct endpoint_ops *ops, void *owner, const char *path, enum port_role role,
                    struct refusal *refusal);
/* Ends the connection (ops->disconnected is called) and everything else. */
void endpoint_stop(struct endpoint *endpoint);
/* Sends a reply; false when it does not go out at once. */
bool endpoint_send(struct endpoint *endpoint, const struct vhost_user_message *reply);

#endif
