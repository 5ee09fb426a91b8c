/*
 * heartbeat.h - what the service manager hears of a switch that serves: that it is ready, and then, when
 * a watchdog wants it, that it is alive. It is alive when every worker has made a round since it was last said: a
 * worker that hangs ends the feeding, and so does the control thread, which does it.
 */
#ifndef VHOSTKIT_HEARTBEAT_H
#define VHOSTKIT_HEARTBEAT_H

#include "control/event_loop.h"
#include "control/service_notify.h"
#include "datapath.h"

struct heartbeat {
    const struct service_notify *notify;
    struct event_loop *loop;
    struct datapath *datapath;
    struct event_timer timer;
    bool told_ready;
    unsigned missed;              /* feedings in a row */
    uint64_t rounds[WORKERS_MAX]; /* that the workers had made at the last feeding */
};

/* Says READY=1, and begins to feed. Call it when the control socket listens and all ports are back. */
void heartbeat_start(struct heartbeat *heartbeat, const struct service_notify *notify, struct event_loop *loop,
                     struct datapath *datapath);
/* Says STOPPING=1. */
void heartbeat_end(struct heartbeat *heartbeat);

#endif
