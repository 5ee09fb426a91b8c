/*
 * control_socket.h - the clients of the control socket: who may talk, lines in,
 * lines out, and the events for those who asked.
 *
 * Knows nothing of methods: a complete line goes to `answer`. Control thread
 * only; nothing here waits, for no client.
 */
#ifndef VHOSTKIT_CONTROL_SOCKET_H
#define VHOSTKIT_CONTROL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "control/control_listener.h"
#include "control/event_loop.h"

#define CLIENTS_MAX 64u

struct control_socket;

/* What becomes of a connection after an answer. */
struct answer_effect {
    bool subscribe;            /* it gets events from now on */
    struct live_capture *live; /* it is no client any more but this capture's; or NULL */
};

/*
 * Answers one request with a line that ends with '\n', malloc'ed; NULL ends the
 * connection. *effect is all zero before.
 */
typedef char *control_answer(void *owner, const char *line, size_t length, struct answer_effect *effect);
/* Gives the capture its connection once the answer has left; -1: the client is gone. */
typedef void control_hand_over(struct live_capture *live, int fd);

/* Serves a listener, which it does not own. NULL and errno. */
struct control_socket *control_socket_create(struct event_loop *loop, const struct control_listener *listener,
                                             control_answer *answer, control_hand_over *hand_over, void *owner);
/* Sends what the sockets take at once, then closes every client. */
void control_socket_destroy(struct control_socket *control);

/* Whether anybody would get an event. */
bool control_socket_has_subscribers(const struct control_socket *control);
/* Sends the line to every subscriber; one that does not read loses its connection. */
void control_socket_publish(struct control_socket *control, const char *line);

#endif
