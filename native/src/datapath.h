/*
 * datapath.h - everything between the control socket and the frames: networks,
 * ports, workers, and the immutable topology the workers look at.
 *
 * Control thread only. Adding and removing ports swaps the topology and waits
 * for the workers' quiet point before anything is freed.
 */
#ifndef VHOSTKIT_DATAPATH_H
#define VHOSTKIT_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port_config.h"
#include "worker/stats.h"

struct datapath;
struct event_loop;
struct port;

#define PORTS_MAX 1024u
#define WORKERS_MAX 64u

struct datapath_options {
    const int *cores;      /* one worker each, pinned; none: see worker/staff.h */
    unsigned core_count;
    const int *spare_cores; /* for workers that are started where a guest's memory is */
    unsigned spare_core_count;
    bool poll;             /* never sleep */
    int inotify_fd;        /* instance to use, the datapath's from now on; 0: it makes one */
    const char *captures;  /* folder of the files that mirrors make; lives as long as the datapath */
};

/* What the datapath tells upwards; called on the control thread. */
struct datapath_listener {
    /* `port` is NULL for none; `why` NULL or a sentence or word; numbers -1 when they do not apply. */
    void (*event)(void *owner, const char *type, const char *port, const char *why, int a, int b);
    /* A port's config changed by itself (features first offered): write the state file. */
    void (*config_changed)(void *owner);
    void *owner;
};

/* NULL and errno when no worker can be started. */
struct datapath *datapath_create(struct event_loop *loop, const struct datapath_options *options,
                                 const struct datapath_listener *listener);
/* Holds all queues, so that what is in a ring stays there; removes every port, stops the workers. */
void datapath_destroy(struct datapath *datapath);

/* Adds a port and begins to connect or listen. NULL and the refusal when it cannot be. */
struct port *datapath_add_port(struct datapath *datapath, const struct port_config *config,
                               struct refusal *refusal);
/* The same for one of the state file: it is there even when its mirror's file cannot be made (port.list says why). */
struct port *datapath_restore_port(struct datapath *datapath, const struct port_config *config,
                                   struct refusal *refusal);
/*
 * Gives the port another policy; its session, queues and counters stay, and nothing on its way is lost. `link` cannot
 * change. False and the refusal: nothing was changed.
 */
bool datapath_set_policy(struct datapath *datapath, struct port *port, const struct port_policy *policy,
                         struct refusal *refusal);
/* Removes it after the workers' quiet point; its counters are gone. */
void datapath_remove_port(struct datapath *datapath, struct port *port);
/* The same for a port that was just added and shall not have been: no file of its mirror is left. */
void datapath_undo_port(struct datapath *datapath, struct port *port);

/*
 * A client captures the port's frames from now on (capture/capture.h): nothing of the port changes, its mirror neither, and
 * nothing is saved. NULL and the refusal. It is given its connection, which it owns then, or cancelled; and ends when the
 * client has what it wanted or is gone, or the port is removed.
 */
struct live_capture;
struct capture_options;
struct live_capture *datapath_capture_begin(struct datapath *datapath, struct port *port,
                                            const struct capture_options *options, struct refusal *refusal);
void datapath_capture_attach(struct live_capture *live, int fd);
void datapath_capture_cancel(struct live_capture *live);

/*
 * After a restart: no queue is served before every VM that was met again is up, or
 * DATAPATH_HOLD_MS are over since they were added. Else the first VM's frames, which waited in its ring,
 * would be taken and dropped because their receiver is not back yet (R24). Two VMs on a busy host of 2 cores were more than
 * 200 ms apart (1 restart of 35, 2026-11-24); a VM that does not come back at all delays the others so long. Call it before
 * the ports are added again.
 */
void datapath_hold(struct datapath *datapath);
/* Ends it when nobody is waited for; call it when all ports are added, one came up or went away. */
void datapath_hold_check(struct datapath *datapath);
#if defined(__SANITIZE_ADDRESS__)
#define DATAPATH_HOLD_MS 5000 /* it starts many times more slowly, beside other tests */
#else
#define DATAPATH_HOLD_MS 1000
#endif

struct port *datapath_find_port(struct datapath *datapath, const char *name);
unsigned datapath_port_count(const struct datapath *datapath);
/* In the order they were added; 0 <= index < count. */
struct port *datapath_port_at(struct datapath *datapath, unsigned index);
unsigned datapath_network_count(const struct datapath *datapath);

const struct port_config *port_config_of(const struct port *port);

enum port_state { PORT_WAITING, PORT_CONNECTED, PORT_UP, PORT_BROKEN };

/* One virtqueue as port.list shows it. */
struct ring_status {
    unsigned index;
    unsigned size;
    bool started;
    bool enabled;
    const char *broken; /* ring_fault_name, or NULL */
    int worker;         /* -1: none of its own */
};

/* How a port's mirror is; `off`: its file could not be made after a restart. */
enum mirror_state { MIRROR_IS_ON, MIRROR_IS_WAITING, MIRROR_IS_FULL, MIRROR_IS_FAILED, MIRROR_IS_OFF };
struct mirror_status {
    enum mirror_state state;
    int error;        /* errno value, when failed */
    char file[80];    /* that is written, in the folder of captures; "": none */
    uint64_t frames;  /* file: copied; lost: of those or beyond them, not written; bytes: of the file */
    uint64_t lost;
    uint64_t bytes;
};

/* Clients that may capture one port at a time: each costs its workers a copy. */
#define PORT_CLIENTS_MAX 4u

/* How one of them is. */
struct client_status {
    uint64_t frames; /* taken for it */
    uint64_t lost;   /* of those beyond them, that it should have got: it reads too slowly */
    uint64_t bytes;  /* sent */
};

/* A snapshot of what port.list shows beside the config. */
struct port_status {
    enum port_state state;
    uint64_t connects;        /* sessions opened so far */
    char last_error[160];     /* "" when none */
    uint64_t offered;
    uint64_t negotiated;
    unsigned memory_regions;
    uint64_t memory_bytes;
    int memory_node;          /* -1 unknown */
    unsigned memory_remote;   /* queue pairs served from another node */
    unsigned memory_strays;   /* pages of the port's state on another node */
    struct mirror_status mirror; /* of a port that has one */
    unsigned client_count;    /* that capture it now */
    struct client_status clients[PORT_CLIENTS_MAX];
    unsigned ring_count;
    struct ring_status rings[2 * PORT_QUEUES_MAX];
};
void port_status(const struct port *port, struct port_status *status);

/* Counters: rx is what came from the port. One queue_stats per queue and direction. */
unsigned port_queue_count(const struct port *port); /* queue pairs */
const struct queue_stats *port_rx_stats(const struct port *port, unsigned pair);
const struct queue_stats *port_tx_stats(const struct port *port, unsigned pair);

/* Calls visit for every learnt address; network NULL: of all networks. `vlan` 0: without one. */
typedef void datapath_mac_visitor(void *context, const char *network, const uint8_t mac[6], unsigned vlan,
                                  const char *port, unsigned age_s);
void datapath_visit_macs(struct datapath *datapath, const char *network, datapath_mac_visitor *visit, void *context);

struct worker_status {
    unsigned id;        /* stays the worker's; there may be gaps */
    int core;           /* -1: not pinned to one */
    int node;           /* -1: unknown */
    unsigned sources;   /* queues and taps it serves */
    unsigned load;      /* thousandths of the last second that it was busy */
    uint64_t rounds;    /* of the loop */
    uint64_t busy_ms;   /* time spent in rounds that found work */
    uint64_t sleeps;
    bool sleeping;
};
unsigned datapath_worker_count(const struct datapath *datapath);
/*
 * Whether every worker has made a round since the last time the answer was yes; `rounds` keeps what was seen then, zeros at
 * first. Wakes those that sleep, so each that is able to move will have moved by the next time.
 */
bool datapath_workers_moved(struct datapath *datapath, uint64_t rounds[WORKERS_MAX]);
/* The queues that the worker with that id serves; `load`: thousandths of its time in the last second, 0 with one worker. */
typedef void datapath_queue_visitor(void *context, const char *port, unsigned queue, unsigned load);
void datapath_visit_queues(const struct datapath *datapath, unsigned worker, datapath_queue_visitor *visit,
                           void *context);
void datapath_worker_status(const struct datapath *datapath, unsigned index, struct worker_status *status);

/* Name of a virtio feature bit ("VIRTIO_F_VERSION_1"), or NULL. */
const char *virtio_feature_name(unsigned bit);

#endif
