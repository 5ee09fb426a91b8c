/*
 * session_parts.h - what the files of the session share among themselves: session.c (dispatch, features, memory,
 * life) and session_vring.c (the messages about one vring). Nobody else includes it.
 */
#ifndef VHOSTKIT_SESSION_PARTS_H
#define VHOSTKIT_SESSION_PARTS_H

#include "vhost/session.h"

/* What a handler made of a message. */
enum outcome {
    DONE,    /* carried out */
    ANSWER,  /* carried out; the reply's payload and size are set */
    REFUSED, /* a value we cannot serve; nothing was changed */
    BROKEN,  /* no front end that follows the protocol sends this */
};

/* A message on its way through a handler. A handler that keeps an fd puts -1 in its place. */
struct incoming {
    const union vhost_user_payload *payload;
    uint32_t size;
    int *fds;
    unsigned fd_count;
    struct vhost_user_message *reply;
};

typedef enum outcome request_handler(struct session *session, struct incoming *in);

/* The outcome, and why: kept for whoever asks. */
__attribute__((format(printf, 3, 4))) enum outcome because(struct session *session, enum outcome outcome,
                                                           const char *format, ...);
/* Keeps workers out until the message is handled (R20). */
void session_pause(struct session *session);

/* Stops a ring and remembers where it stood. */
void vring_stop(struct vring *vring);
/* Stops it for good: no fd of it is left. */
void vring_close(struct vring *vring);

/* session_vring.c */
request_handler on_set_vring_num, on_set_vring_addr, on_set_vring_base, on_get_vring_base, on_set_vring_enable,
    on_set_vring_kick, on_set_vring_call, on_set_vring_err;

#endif
