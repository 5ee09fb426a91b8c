/*
 * datapath_parts.h - what the parts of the datapath share: datapath.c
 * (life), datapath_ports.c (ports and networks come and go), datapath_policy.c (of a
 * port that stays), datapath_mirror.c (files of mirrors), datapath_capture.c (clients
 * that look), datapath_place.c (topology, which worker serves what) and
 * datapath_balance.c (loads). Nobody else includes it.
 */
#ifndef VHOSTKIT_DATAPATH_PARTS_H
#define VHOSTKIT_DATAPATH_PARTS_H

#include "control/event_loop.h"
#include "datapath.h"
#include "port/port.h"
#include "switch/topology.h"
#include "worker/staff.h"

struct datapath {
    struct event_loop *loop;
    struct datapath_listener listener;
    struct socket_watch *socket_watch;
    struct event_timer look;         /* at workers that may hang in a call (notifier.h) */
    struct event_source report;      /* eventfd: a worker found a queue broken */
    struct event_timer tick;         /* ages the MAC tables */
    struct event_timer second;       /* ages the flows, balances the workers */
    uint64_t loads_read;             /* cycles_now() when loads were read last */
    struct event_timer hold;         /* ends it at the latest */
    bool holding;                    /* no queue has a worker (datapath_hold) */
    bool ending;                     /* every port is held for good (datapath_destroy) */
    struct staff staff;              /* the workers */
    struct port *ports[PORTS_MAX];   /* in the order they were added */
    unsigned port_count;
    struct network *networks[PORTS_MAX]; /* by id; NULL: free */
    const char *captures;            /* folder of the files that mirrors make; NULL: none */
    struct live_capture *live;       /* clients that capture */
    struct topology *_Atomic topology; /* published; workers hold pointers to it between quiet points */
};

/* The file of the config's mirror; NULL in *capture when it has none. False: it has one, and it cannot be made. */
bool capture_begin(struct datapath *datapath, const struct port_config *config, struct capture **capture,
                   struct refusal *refusal);
/* No worker knows the port any more: its mirror's file is closed; `undone`: and taken away, as if it had never been made. */
void capture_finish(struct port *port, bool undone);
/* No worker knows the port any more: whoever captured it has had all there was. */
void captures_end(struct datapath *datapath, struct port *port);
/* Addresses learnt on a port before a mirror claimed it lead nowhere now. */
void claimed_forget(struct datapath *datapath);
/* Builds a topology of what is there, shows it to the workers and frees the old one. False: no memory. */
bool topology_publish(struct datapath *datapath);
/* Nothing is taken from any port any more, until the datapath is destroyed. */
void datapath_hold_for_good(struct datapath *datapath);
/* Gives every queue pair its worker and publishes. False: no memory. */
bool ports_place(struct datapath *datapath);
/* Gives one queue pair to another worker; its frames wait in the ring meanwhile. False: no memory, nothing was changed. */
bool queue_place(struct datapath *datapath, struct port *port, unsigned pair, struct worker *worker);
/* Once a second: reads the loads, and moves a queue if that is worth it. */
void datapath_balance(struct datapath *datapath);

#endif
