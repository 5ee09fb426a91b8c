/*
 * heartbeat.c - see heartbeat.h.
 *
 * Control thread only. Without a service manager it does nothing, not even run its timer.
 */
#include "heartbeat.h"

#include <stdio.h>

#include "log.h"

/*
 * Four looks in the manager's time. The first look after a stop wakes the sleepers, the second sees them move, so
 * one may come late and another find the manager's socket full.
 */
#define LOOKS_PER_WATCHDOG 4u

/* The manager took no message: its queue is full. */
#define RETRY_MS 100u

static void on_look(void *owner);

static void look_again(struct heartbeat *heartbeat, unsigned milliseconds)
{
    event_loop_start_timer(heartbeat->loop, &heartbeat->timer, milliseconds > 0 ? milliseconds : 1, on_look, heartbeat);
}

static void tell_ready(struct heartbeat *heartbeat)
{
    char state[96];

    snprintf(state, sizeof state, "READY=1\nSTATUS=serving, %u ports came back\n", datapath_port_count(heartbeat->datapath));
    heartbeat->told_ready = service_notify_send(heartbeat->notify, state);
    if (heartbeat->told_ready)
        log_info("the service manager was told that the switch is ready");
}

static void feed(struct heartbeat *heartbeat)
{
    bool moved = datapath_workers_moved(heartbeat->datapath, heartbeat->rounds);
    bool fed = moved && service_notify_send(heartbeat->notify, "WATCHDOG=1\n");

    heartbeat->missed = fed ? 0 : heartbeat->missed + 1;
    if (heartbeat->missed == LOOKS_PER_WATCHDOG / 2) /* two short of the end: time enough to say so */
        log_error("the watchdog is not fed: %s",
                  moved ? "the service manager takes no message" : "a worker makes no rounds any more");
}

static void on_look(void *owner)
{
    struct heartbeat *heartbeat = owner;

    if (!heartbeat->told_ready)
        tell_ready(heartbeat);
    if (!heartbeat->told_ready) {
        look_again(heartbeat, RETRY_MS);
        return;
    }
    if (heartbeat->notify->watchdog_ms == 0)
        return;
    feed(heartbeat);
    look_again(heartbeat, heartbeat->notify->watchdog_ms / LOOKS_PER_WATCHDOG);
}

void heartbeat_start(struct heartbeat *heartbeat, const struct service_notify *notify, struct event_loop *loop,
                     struct datapath *datapath)
{
    *heartbeat = (struct heartbeat){ .notify = notify, .loop = loop, .datapath = datapath };
    if (notify->wanted)
        on_look(heartbeat);
}

void heartbeat_end(struct heartbeat *heartbeat)
{
    event_loop_stop_timer(heartbeat->loop, &heartbeat->timer);
    service_notify_send(heartbeat->notify, "STOPPING=1\n");
}
