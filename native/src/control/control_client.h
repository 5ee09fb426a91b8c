/*
 * control_client.h - the connections of the control socket: lines in, answers
 * and events out. Private to control_socket.c.
 */
#ifndef VHOSTKIT_CONTROL_CLIENT_H
#define VHOSTKIT_CONTROL_CLIENT_H

#include <stdbool.h>

#include "control/control_socket.h"

/* All clients of a socket, and who answers them. */
struct control_clients {
    struct event_loop *loop;
    control_answer *answer;
    control_hand_over *hand_over;
    void *owner;                   /* of answer */
    struct control_client *first;
    unsigned count;
};

/* Serves a connection from now on, until its end. False: it cannot, and the fd is still the caller's. */
bool control_client_add(struct control_clients *clients, int fd);
/* Sends what the sockets take at once, then closes every client. */
void control_clients_close(struct control_clients *clients);

/* Whether anybody would get an event. */
bool control_clients_subscribed(const struct control_clients *clients);
/* Sends the line to every subscriber; one that does not read loses its connection. */
void control_clients_publish(struct control_clients *clients, const char *line);

#endif
