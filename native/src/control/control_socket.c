/*
 * control_socket.c - see control_socket.h.
 *
 * Owns the connections; the listener belongs to main(). Control thread only.
 *
 * A client is a line buffer in and a buffer out. The next request is taken only
 * when the answer to the one before has left, so a client that does not read
 * holds one answer, of whatever size, and stops being read from. Events come
 * on top of that without being asked for, so they have a limit, and a client
 * that lets it fill up is ended.
 *
 * Answering may publish events, and publishing may end any client, also the
 * one being answered. So a client is never freed in the middle: it is marked
 * `ended` and freed from its own handler or its own timer.
 */
#include "control/control_socket.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/json_rpc.h"
#include "log.h"

/* From the first byte of a request to its last. */
#define REQUEST_DEADLINE_MS 2000

/* Unread events kept for a subscriber. */
#define EVENT_BYTES_MAX (256u * 1024u)

/* Pause after accept() ran out of fds; the listener would wake us without end. */
#define ACCEPT_PAUSE_MS 100

struct client {
    struct control_socket *control;
    struct client *next;
    struct event_source source;
    struct event_timer timer;      /* the deadline of a request; or, once `ended`, frees the client */
    bool ended;                    /* nothing more is sent or taken; about to be freed */
    bool at_end;                   /* it sends no more: answer what is there, then end */
    bool closing;                  /* send what is in out, then end */
    bool subscribed;               /* gets events */
    uint32_t events;               /* asked of the loop */
    size_t in_used;                /* bytes in `in` */
    size_t out_used, out_sent;     /* bytes in `out`, and how many of them were sent */
    size_t out_size;               /* allocated */
    size_t out_limit;              /* events may fill `out` up to here */
    char *out;
    char in[REQUEST_SIZE_MAX + 1]; /* the request under way, and what came after it */
};

struct control_socket {
    struct event_loop *loop;
    const struct control_listener *listener;
    struct event_source source;    /* the listener's fd */
    struct event_timer pause;      /* runs while the listener is out of the loop */
    struct client *clients;
    unsigned client_count;
    control_answer *answer;
    control_hand_over *hand_over;
    void *owner;                   /* of answer */
};

static void accept_client(void *owner, uint32_t events);
static void serve_client(void *owner, uint32_t events);
static void flush(struct client *client);

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
    control->answer = answer;
    control->hand_over = hand_over;
    control->owner = owner;
    int error = listen_again(control);
    if (error < 0) {
        free(control);
        errno = -error;
        return NULL;
    }
    return control;
}

/* ---- the end of a client ---- */

static void free_client(struct client *client)
{
    struct control_socket *control = client->control;
    struct client **place = &control->clients;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    control->client_count--;
    event_loop_stop_timer(control->loop, &client->timer);
    int fd = client->source.fd;
    event_loop_remove(control->loop, &client->source);
    if (fd >= 0) /* else it was handed over */
        close(fd);
    free(client->out);
    free(client);
}

static void free_ended(void *owner)
{
    free_client(owner);
}

/* Ends a client from anywhere; it is freed when the loop comes round. */
static void end_client(struct client *client)
{
    client->ended = true;
    client->subscribed = false;
    event_loop_start_timer(client->control->loop, &client->timer, 0, free_ended, client);
}

void control_socket_destroy(struct control_socket *control)
{
    if (!control)
        return;
    while (control->clients) {
        struct client *client = control->clients;
        flush(client);
        free_client(client);
    }
    event_loop_stop_timer(control->loop, &control->pause);
    event_loop_remove(control->loop, &control->source);
    free(control);
}

/* ---- output ---- */

static bool is_drained(const struct client *client)
{
    return client->out_sent == client->out_used;
}

/* Sends what the socket takes. */
static void flush(struct client *client)
{
    while (!client->ended && !is_drained(client)) {
        ssize_t sent = send(client->source.fd, client->out + client->out_sent,
                            client->out_used - client->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            end_client(client);
        else
            client->out_sent += (size_t)sent;
    }
    client->out_used = client->out_sent = 0;
    client->out_limit = EVENT_BYTES_MAX;
    if (client->out_size > 2 * EVENT_BYTES_MAX) { /* after a long answer */
        free(client->out);
        client->out = NULL;
        client->out_size = 0;
    }
}

/* Puts a line behind what is there; without memory for it the client is ended. */
static void append(struct client *client, const char *line, size_t length)
{
    if (client->out_sent > 0) {
        memmove(client->out, client->out + client->out_sent, client->out_used - client->out_sent);
        client->out_used -= client->out_sent;
        client->out_sent = 0;
    }
    if (client->out_used + length > client->out_size) {
        size_t size = (client->out_used + length) * 2;
        char *out = realloc(client->out, size);
        if (!out) {
            end_client(client);
            return;
        }
        client->out = out;
        client->out_size = size;
    }
    memcpy(client->out + client->out_used, line, length);
    client->out_used += length;
}

/* Takes the line. */
static void send_answer(struct client *client, char *line)
{
    if (!line) {
        end_client(client);
        return;
    }
    append(client, line, strlen(line));
    free(line);
    client->out_limit = client->out_used + EVENT_BYTES_MAX;
    flush(client);
}

/* The last words before the connection is closed. */
static void send_error(struct client *client, const struct rpc_error *error)
{
    client->closing = true;
    client->in_used = 0;
    event_loop_stop_timer(client->control->loop, &client->timer);
    send_answer(client, rpc_error_line(NULL, error));
}

/* What the loop should tell us about now, or the end. */
static void settle(struct client *client)
{
    struct event_loop *loop = client->control->loop;
    if (is_drained(client) && (client->closing || client->at_end))
        client->ended = true;
    if (client->ended) {
        free_client(client);
        return;
    }
    uint32_t events = is_drained(client) ? EPOLLIN : EPOLLOUT;
    if (client->subscribed && !client->closing && !client->at_end)
        events |= EPOLLIN; /* to see it go */
    if (client->in_used > REQUEST_SIZE_MAX)
        events &= ~(uint32_t)EPOLLIN;
    if (events != client->events && event_loop_change(loop, &client->source, events) == 0)
        client->events = events;
}

bool control_socket_has_subscribers(const struct control_socket *control)
{
    for (const struct client *client = control->clients; client; client = client->next) {
        if (client->subscribed)
            return true;
    }
    return false;
}

void control_socket_publish(struct control_socket *control, const char *line)
{
    size_t length = strlen(line);
    for (struct client *client = control->clients; client; client = client->next) {
        if (!client->subscribed)
            continue;
        if (client->out_used - client->out_sent + length > client->out_limit) {
            log_warn("control: a subscriber does not read its events; its connection is closed");
            end_client(client);
            continue;
        }
        append(client, line, length);
        flush(client);
        if (!is_drained(client) && !client->ended && !(client->events & EPOLLOUT) &&
            event_loop_change(control->loop, &client->source, client->events | EPOLLOUT) == 0)
            client->events |= EPOLLOUT;
    }
}

/* ---- input ---- */

static void miss_deadline(void *owner)
{
    struct client *client = owner;
    struct rpc_error error;
    rpc_fail(&error, RPC_NOT_REQUEST, "a request must be complete within %d s", REQUEST_DEADLINE_MS / 1000);
    send_error(client, &error);
    settle(client);
}

/* The connection becomes a capture's; the client ends here. An answer of a few bytes that did not leave means that nobody reads. */
static void hand_over(struct client *client, struct live_capture *live)
{
    struct control_socket *control = client->control;
    int fd = client->ended || !is_drained(client) ? -1 : client->source.fd;
    if (fd >= 0)
        event_loop_remove(control->loop, &client->source);
    control->hand_over(live, fd);
    end_client(client);
}

static void answer_line(struct client *client, size_t length)
{
    struct control_socket *control = client->control;
    struct answer_effect effect = { 0 };
    char *line = control->answer(control->owner, client->in, length, &effect);
    if (client->ended)
        free(line);
    else
        send_answer(client, line);
    if (effect.live)
        hand_over(client, effect.live);
    else if (effect.subscribe && !client->ended)
        client->subscribed = true;
}

/* Answers whole lines as long as the answers leave at once. True when at least one was whole. */
static bool answer_lines(struct client *client)
{
    bool any = false;
    while (!client->ended && !client->closing && is_drained(client)) {
        char *end = memchr(client->in, '\n', client->in_used);
        if (!end)
            break;
        any = true;
        size_t length = (size_t)(end - client->in);
        answer_line(client, length);
        client->in_used -= length + 1;
        memmove(client->in, end + 1, client->in_used);
    }
    return any;
}

/* Whether a request has begun and not ended; one that only waits for its turn is no fault of the client. */
static void watch_deadline(struct client *client, bool began_anew)
{
    struct event_loop *loop = client->control->loop;
    bool partial = client->in_used > 0 && !memchr(client->in, '\n', client->in_used);
    if (!partial)
        event_loop_stop_timer(loop, &client->timer);
    else if (began_anew || client->timer.due_ns == 0)
        event_loop_start_timer(loop, &client->timer, REQUEST_DEADLINE_MS, miss_deadline, client);
}

static void take_requests(struct client *client)
{
    bool any = answer_lines(client);
    if (client->ended || client->closing)
        return;
    if (client->in_used > REQUEST_SIZE_MAX && !memchr(client->in, '\n', client->in_used)) {
        struct rpc_error error;
        rpc_fail(&error, RPC_NOT_REQUEST, "a request has at most %u bytes", REQUEST_SIZE_MAX);
        send_error(client, &error);
        return;
    }
    watch_deadline(client, any);
}

static void read_client(struct client *client)
{
    ssize_t count = recv(client->source.fd, client->in + client->in_used, sizeof client->in - client->in_used,
                         MSG_DONTWAIT);
    if (count > 0)
        client->in_used += (size_t)count;
    else if (count == 0)
        client->at_end = true;
    else if (errno != EAGAIN && errno != EINTR)
        end_client(client);
}

static void serve_client(void *owner, uint32_t events)
{
    struct client *client = owner;
    flush(client);
    if ((events & EPOLLIN) && !client->ended && !client->closing && client->in_used < sizeof client->in)
        read_client(client);
    else if ((events & (EPOLLERR | EPOLLHUP)) && !(events & EPOLLIN) && is_drained(client))
        end_client(client);
    if (!client->ended)
        take_requests(client);
    settle(client);
}

/* ---- new clients ---- */

static bool has_group(int fd, gid_t wanted)
{
    gid_t groups[256]; /* more groups than that: decided by the first ones */
    socklen_t size = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return false;
    for (size_t i = 0; i < size / sizeof groups[0]; i++) {
        if (groups[i] == wanted)
            return true;
    }
    return false;
}

/* The mode of the socket file says the same; this also holds when somebody changed it. */
static bool may_talk(const struct control_socket *control, int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    gid_t group = control->listener->group;
    if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == group || has_group(fd, group))
        return true;
    log_warn("control: pid %d of user %u is not served: neither root, nor our user, nor in group %u",
             (int)peer.pid, (unsigned)peer.uid, (unsigned)group);
    return false;
}

static struct client *add_client(struct control_socket *control, int fd)
{
    struct client *client = malloc(sizeof *client);
    if (!client)
        return NULL;
    memset(client, 0, offsetof(struct client, in)); /* the buffer's pages come with use */
    client->control = control;
    client->out_limit = EVENT_BYTES_MAX;
    client->events = EPOLLIN;
    if (event_loop_add(control->loop, &client->source, fd, EPOLLIN, serve_client, client) < 0) {
        free(client);
        return NULL;
    }
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    return client;
}

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
    if (!may_talk(control, fd)) {
        close(fd);
        return;
    }
    if (control->client_count >= CLIENTS_MAX) {
        turn_away(fd);
        close(fd);
        return;
    }
    if (!add_client(control, fd))
        close(fd);
}
