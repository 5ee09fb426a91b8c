/*
 * datapath_capture.c - clients that capture a port's frames: found nowhere but here, neither in the port's policy nor in
 * the state file, and gone with their connections.
 *
 * Control thread only. What a client has is watched for its end alone: the kernel closes a connection however its
 * program ends, so no capture outlives who asked for it. A client that says that it sends no more (shutdown) gets what is
 * left, with the counts.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "capture/capture.h"
#include "datapath_parts.h"
#include "log.h"

struct live_capture {
    struct datapath *datapath;
    struct port *port;
    struct capture *capture;
    struct event_source source; /* its connection */
    struct live_capture *next;
};

static unsigned clients_of(const struct port *port)
{
    unsigned count = 0;

    while (count < PORT_CLIENTS_MAX && port->clients[count] != NULL)
        count++;
    return count;
}

unsigned datapath_client_status(const struct port *port, struct client_status clients[PORT_CLIENTS_MAX])
{
    unsigned count = clients_of(port);

    for (unsigned i = 0; i < count; i++) {
        struct capture_status status;

        capture_status(port->clients[i], &status);
        clients[i] = (struct client_status){ status.frames, status.lost, status.bytes };
    }
    return count;
}

static bool has_room(const struct datapath *datapath, const struct port *port, struct refusal *refusal)
{
    unsigned there = 0, here = clients_of(port);

    for (const struct live_capture *live = datapath->live; live != NULL; live = live->next)
        there++;
    if (here < PORT_CLIENTS_MAX && there < CAPTURES_MAX)
        return true;
    refuse(refusal, "limit", "at most %u captures of a port at a time, and %u in all", PORT_CLIENTS_MAX, CAPTURES_MAX);
    refusal_found(refusal, "%u of port %s, and %u in all", here, port->config.name, there);
    refusal_hint(refusal, "end one of the others first");
    return false;
}

/* Takes it from its port; workers may still know it. */
static void port_forget(struct live_capture *live)
{
    struct port *port = live->port;
    unsigned at = 0, last = clients_of(port) - 1;

    while (port->clients[at] != live->capture)
        at++;
    port->clients[at] = port->clients[last];
    port->clients[last] = NULL;
}

/* No worker knows it any more. */
static void live_free(struct live_capture *live)
{
    struct live_capture **place = &live->datapath->live;

    while (*place != live)
        place = &(*place)->next;
    *place = live->next;
    event_loop_remove(live->datapath->loop, &live->source);
    log_info("port %s: a capture has ended", live->port->config.name);
    datapath_event(live->datapath, "capture.ended", live->port, NULL, -1, -1);
    capture_leave(live->capture);
    free(live);
}

static void live_end(struct live_capture *live)
{
    port_forget(live);
    while (!topology_publish(live->datapath)) {
        log_error("no memory to end a capture of port %s; trying again", live->port->config.name);
        sleep(1);
    }
    live_free(live);
}

void captures_end(struct datapath *datapath, struct port *port)
{
    for (struct live_capture *live = datapath->live, *next; live != NULL; live = next) {
        next = live->next;
        if (live->port != port)
            continue;
        port_forget(live);
        live_free(live);
    }
}

static void on_end(void *owner, uint32_t events)
{
    (void)events;
    live_end(owner);
}

struct live_capture *datapath_capture_begin(struct datapath *datapath, struct port *port,
                                            const struct capture_options *options, struct refusal *refusal)
{
    struct live_capture *live;

    if (!has_room(datapath, port, refusal))
        return NULL;
    struct capture *capture = capture_stream(options, port->config.name, refusal);

    if (capture == NULL)
        return NULL;
    live = calloc(1, sizeof *live);
    port->clients[clients_of(port)] = capture;
    if (live == NULL || !topology_publish(datapath)) {
        port->clients[clients_of(port) - 1] = NULL;
        capture_leave(capture);
        free(live);
        refuse(refusal, "limit", "memory for a capture");
        refusal_hint(refusal, "make room, and ask again");
        return NULL;
    }
    *live = (struct live_capture){ datapath, port, capture, EVENT_SOURCE_NONE, datapath->live };
    datapath->live = live;
    log_info("port %s: a client captures it", port->config.name);
    datapath_event(datapath, "capture.started", port, NULL, -1, -1);
    return live;
}

/* EPOLLHUP and EPOLLERR come without being asked for. */
void datapath_capture_attach(struct live_capture *live, int fd)
{
    capture_attach(live->capture, fd);
    if (event_loop_add(live->datapath->loop, &live->source, fd, EPOLLRDHUP, on_end, live) < 0)
        live_end(live);
}

void datapath_capture_cancel(struct live_capture *live)
{
    live_end(live);
}
