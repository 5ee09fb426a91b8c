/*
 * control_socket.c - see the header. The listener belongs to main(), the connections to control_client.c; here
 * they are accepted, or turned away.
 */
#include "control/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_client.h"
#include "control/control_peer.h"
#include "control/json_rpc.h"
#include "log.h"

/* Pause after accept() ran out of fds; the listener would wake us without end. */
#define ACCEPT_PAUSE_MS 100

struct control_socket {
    struct event_loop *loop;
    const struct control_listener *listener;
    struct event_source source;      /* the listener's fd */
    struct event_timer pause;        /* runs while the listener is out of the loop */
    struct control_clients clients;
};

static void accept_client(void *owner, uint32_t events);

static int listen_again(struct control_socket *control)
{
    return event_loop_add(control->loop, &control->source, control->listener->fd, EPOLLIN, accept_client,
                          control);
}

struct control_socket *control_socket_create(struct event_loop *loop, const struct control_listener *listener,
                                             control_answer *answer, control_hand_over *hand_over, void *owner)
{
    struct control_socket *control = calloc(1, sizeof *control);
    if (!control)
        return NULL;
    control->loop = loop;
    control->listener = listener;
    control->clients = (struct control_clients){ .loop = loop, .answer = answer, .hand_over = hand_over, .owner = owner };
    int error = listen_again(control);
    if (error < 0) {
        free(control);
        errno = -error;
        return NULL;
    }
    return control;
}

void control_socket_destroy(struct control_socket *control)
{
    if (!control)
        return;
    control_clients_close(&control->clients);
    event_loop_stop_timer(control->loop, &control->pause);
    event_loop_remove(control->loop, &control->source);
    free(control);
}

bool control_socket_has_subscribers(const struct control_socket *control)
{
    return control_clients_subscribed(&control->clients);
}

void control_socket_publish(struct control_socket *control, const char *line)
{
    control_clients_publish(&control->clients, line);
}

/* ---- new clients ---- */

/* One client too many gets one line that says so. */
static void turn_away(int fd)
{
    struct rpc_error error = { .code = RPC_REFUSED };
    refuse(&error.refusal, "limit", "at most %u clients at once", CLIENTS_MAX);
    refusal_found(&error.refusal, "one more");
    refusal_hint(&error.refusal, "close a connection that is not needed any more");
    char *line = rpc_error_line(NULL, &error);
    if (line && send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_debug("control: a client that was turned away did not wait for the reason");
    free(line);
}

static void resume_accepting(void *owner)
{
    struct control_socket *control = owner;
    if (listen_again(control) < 0)
        event_loop_start_timer(control->loop, &control->pause, ACCEPT_PAUSE_MS, resume_accepting, control);
}

static void pause_accepting(struct control_socket *control, int error)
{
    log_error("control: cannot accept a client: %s", strerror(error));
    event_loop_remove(control->loop, &control->source);
    event_loop_start_timer(control->loop, &control->pause, ACCEPT_PAUSE_MS, resume_accepting, control);
}

static void accept_client(void *owner, uint32_t events)
{
    struct control_socket *control = owner;
    (void)events;
    int fd = accept4(control->listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting(control, errno);
        return;
    }
    if (!control_peer_allowed(fd, control->listener->group)) {
        close(fd);
        return;
    }
    if (control->clients.count >= CLIENTS_MAX) {
        turn_away(fd);
        close(fd);
        return;
    }
    if (!control_client_add(&control->clients, fd))
        close(fd);
}
