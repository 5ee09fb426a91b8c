/*
 * control_client.c - see the header.
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
#include "control/control_client.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_output.h"
#include "control/json_rpc.h"
#include "log.h"

/* From the first byte of a request to its last. */
#define REQUEST_DEADLINE_MS 2000

/* Unread events kept for a subscriber. */
#define EVENT_BYTES_MAX (256u * 1024u)

struct control_client {
    struct control_clients *all;
    struct control_client *next;
    struct event_source source;
    struct event_timer timer;      /* the deadline of a request; or, once `ended`, frees the client */
    bool ended;                    /* nothing more is sent or taken; about to be freed */
    bool at_end;                   /* it sends no more: answer what is there, then end */
    bool closing;                  /* send what is in out, then end */
    bool subscribed;               /* gets events */
    uint32_t events;               /* asked of the loop */
    struct control_output out;
    size_t out_limit;              /* events may fill `out` up to here */
    size_t in_used;                /* bytes in `in` */
    char in[REQUEST_SIZE_MAX + 1]; /* the request under way, and what came after it */
};

static void serve_client(void *owner, uint32_t events);
static void flush(struct control_client *client);

bool control_client_add(struct control_clients *clients, int fd)
{
    struct control_client *client = malloc(sizeof *client);
    if (!client)
        return false;
    memset(client, 0, offsetof(struct control_client, in)); /* the buffer's pages come with use */
    client->all = clients;
    client->out_limit = EVENT_BYTES_MAX;
    client->events = EPOLLIN;
    if (event_loop_add(clients->loop, &client->source, fd, EPOLLIN, serve_client, client) < 0) {
        free(client);
        return false;
    }
    client->next = clients->first;
    clients->first = client;
    clients->count++;
    return true;
}

/* ---- the end of a client ---- */

static void free_client(struct control_client *client)
{
    struct control_clients *all = client->all;
    struct control_client **place = &all->first;
    while (*place != client)
        place = &(*place)->next;
    *place = client->next;
    all->count--;
    event_loop_stop_timer(all->loop, &client->timer);
    int fd = client->source.fd;
    event_loop_remove(all->loop, &client->source);
    if (fd >= 0) /* else it was handed over */
        close(fd);
    control_output_clear(&client->out, 0);
    free(client);
}

static void free_ended(void *owner)
{
    free_client(owner);
}

/* Ends a client from anywhere; it is freed when the loop comes round. */
static void end_client(struct control_client *client)
{
    client->ended = true;
    client->subscribed = false;
    event_loop_start_timer(client->all->loop, &client->timer, 0, free_ended, client);
}

void control_clients_close(struct control_clients *clients)
{
    while (clients->first) {
        struct control_client *client = clients->first;
        flush(client);
        free_client(client);
    }
}

/* ---- output ---- */

static bool is_drained(const struct control_client *client)
{
    return control_output_waiting(&client->out) == 0;
}

/* Sends what the socket takes. */
static void flush(struct control_client *client)
{
    if (!client->ended && !control_output_flush(&client->out, client->source.fd))
        end_client(client);
    if (!client->ended && !is_drained(client))
        return;
    control_output_clear(&client->out, 2 * EVENT_BYTES_MAX); /* more than that after a long answer */
    client->out_limit = EVENT_BYTES_MAX;
}

/* Puts a line behind what is there; without memory for it the client is ended. */
static void append(struct control_client *client, const char *line, size_t length)
{
    if (!control_output_append(&client->out, line, length))
        end_client(client);
}

/* Takes the line. */
static void send_answer(struct control_client *client, char *line)
{
    if (!line) {
        end_client(client);
        return;
    }
    append(client, line, strlen(line));
    free(line);
    client->out_limit = client->out.used + EVENT_BYTES_MAX;
    flush(client);
}

/* The last words before the connection is closed. */
static void send_error(struct control_client *client, const struct rpc_error *error)
{
    client->closing = true;
    client->in_used = 0;
    event_loop_stop_timer(client->all->loop, &client->timer);
    send_answer(client, rpc_error_line(NULL, error));
}

/* What the loop should tell us about now, or the end. */
static void settle(struct control_client *client)
{
    struct event_loop *loop = client->all->loop;
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

/* ---- input ---- */

static void miss_deadline(void *owner)
{
    struct control_client *client = owner;
    struct rpc_error error;
    rpc_fail(&error, RPC_NOT_REQUEST, "a request must be complete within %d s", REQUEST_DEADLINE_MS / 1000);
    send_error(client, &error);
    settle(client);
}

/* The connection becomes a capture's; the client ends here. An answer of a few bytes that did not leave means that nobody reads. */
static void hand_over(struct control_client *client, struct live_capture *live)
{
    struct control_clients *all = client->all;
    int fd = client->ended || !is_drained(client) ? -1 : client->source.fd;
    if (fd >= 0)
        event_loop_remove(all->loop, &client->source);
    all->hand_over(live, fd);
    end_client(client);
}

static void answer_line(struct control_client *client, size_t length)
{
    struct control_clients *all = client->all;
    struct answer_effect effect = { 0 };
    char *line = all->answer(all->owner, client->in, length, &effect);
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
static bool answer_lines(struct control_client *client)
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
static void watch_deadline(struct control_client *client, bool began_anew)
{
    struct event_loop *loop = client->all->loop;
    bool partial = client->in_used > 0 && !memchr(client->in, '\n', client->in_used);
    if (!partial)
        event_loop_stop_timer(loop, &client->timer);
    else if (began_anew || client->timer.due_ns == 0)
        event_loop_start_timer(loop, &client->timer, REQUEST_DEADLINE_MS, miss_deadline, client);
}

static void take_requests(struct control_client *client)
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

static void read_client(struct control_client *client)
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
    struct control_client *client = owner;
    flush(client);
    if ((events & EPOLLIN) && !client->ended && !client->closing && client->in_used < sizeof client->in)
        read_client(client);
    else if ((events & (EPOLLERR | EPOLLHUP)) && !(events & EPOLLIN) && is_drained(client))
        end_client(client);
    if (!client->ended)
        take_requests(client);
    settle(client);
}

/* ---- events ---- */

bool control_clients_subscribed(const struct control_clients *clients)
{
    for (const struct control_client *client = clients->first; client; client = client->next) {
        if (client->subscribed)
            return true;
    }
    return false;
}

void control_clients_publish(struct control_clients *clients, const char *line)
{
    size_t length = strlen(line);
    for (struct control_client *client = clients->first; client; client = client->next) {
        if (!client->subscribed)
            continue;
        if (control_output_waiting(&client->out) + length > client->out_limit) {
            log_warn("control: a subscriber does not read its events; its connection is closed");
            end_client(client);
            continue;
        }
        append(client, line, length);
        flush(client);
        if (!is_drained(client) && !client->ended && !(client->events & EPOLLOUT) &&
            event_loop_change(clients->loop, &client->source, client->events | EPOLLOUT) == 0)
            client->events |= EPOLLOUT;
    }
}
