/*
 * port.h - what the workers see of a port, whatever is behind it.
 *
 * The control thread creates and destroys ports and owns `config`. Workers
 * reach a port only through the topology (switch/topology.h), so it is freed
 * only after they have all passed a quiet point without it.
 */
#ifndef VHOSTKIT_PORT_H
#define VHOSTKIT_PORT_H

#include <stdatomic.h>
#include <stddef.h>

#include "datapath.h"
#include "log.h"
#include "port/port_config.h"
#include "switch/frame.h"
#include "switch/meter.h"

struct capture;
struct network;
struct steering;
struct worker;

/* Of a batch of frames at a receiver (switch/retry.h). */
enum attempt {
    ATTEMPT_FIRST,
    ATTEMPT_AGAIN,
    ATTEMPT_LAST, /* what cannot be delivered now is dropped */
};

struct port_ops {
    /* Worker: takes one burst from the port and forwards it. Returns the number of frames; sets worker->more when it took some. */
    unsigned (*poll)(struct port *port, unsigned pair, struct worker *worker);
    /* Worker, before it sleeps: asks for a wake-up. True: there is work, do not sleep. */
    bool (*arm)(struct port *port, unsigned pair, struct worker *worker);
    /* Worker: the queue is in use and has no wake-up fd, so it must be polled. */
    bool (*polled)(const struct port *port, unsigned pair);
    /* Worker, after it woke: wake-ups are not needed. */
    void (*disarm)(struct port *port, unsigned pair);
    /*
     * Worker: delivers frames to the queue pair and counts what it cannot deliver. Returns how many of
     * the leading ones are done with: fewer than `count` when the rest is worth another attempt, never at the last.
     */
    unsigned (*deliver)(struct port *port, unsigned pair, struct worker *worker, struct frame *const *frames,
                        unsigned count, enum attempt attempt);
    /* Control: begins to connect, listen or read; the port is in the topology. */
    bool (*start)(struct port *port, struct refusal *refusal);
    /* Control: its queues have been given to these workers; watch their wake-up fds there. */
    void (*placed)(struct port *port);
    /* Control: its queues are about to leave their workers; stop watching there. */
    void (*displaced)(struct port *port);
    /* Control: no new sessions, no rings. The port is still in the topology. */
    void (*stop)(struct port *port);
    /* Control: frees it. No worker knows it any more. */
    void (*destroy)(struct port *port);
    void (*status)(const struct port *port, struct port_status *status);
    /* Control: looks for queues that workers found broken. */
    void (*inspect)(struct port *port);
};

/* Parts of a port's state that lie on a node (port_home.c). */
enum port_memory_part {
    PORT_MEMORY_SELF,     /* the port itself, rings and all */
    PORT_MEMORY_COUNTERS,
    PORT_MEMORY_FLOWS,    /* its steering, when it has several queue pairs */
    PORT_MEMORY_MAP,      /* of the guest's memory */
    PORT_MEMORY_PARTS
};
struct port_memory {
    void *start; /* of node_alloc(); NULL: none now */
    size_t size; /* bytes */
};

/* What a queue pair cost its worker; control thread (datapath_balance.c). */
struct queue_load {
    uint64_t cycles; /* rx[pair].cycles when it was read last */
    uint32_t load;   /* thousandths of its worker's time in the last second */
    uint32_t rest_s; /* seconds for which it stays with its worker */
};

/* A queue that was moved stays for so long: the loads settle, and a guest with a changing load is not carried to and fro. */
#define QUEUE_REST_S 5u

/* How much was said of a port lately. */
struct port_budget {
    uint64_t window_ns; /* when the current PORT_BUDGET_WINDOW began; 0: never */
    unsigned used;      /* said in it */
    unsigned left_out;  /* not said in it */
};

struct port {
    struct port_config config;
    const struct port_ops *ops;
    atomic_bool held;             /* not polled for a moment: a receiver it may send to is being changed */
    struct datapath *datapath;
    struct network *network;
    unsigned id;                  /* below PORTS_MAX; the MAC table's word for it */
    unsigned pairs;               /* queue pairs */
    int node;                     /* NUMA node of the guest's memory, -1 unknown */
    int home;                     /* NUMA node of our own, -1 as it came */
    int told_node;                /* `node` at the last event about it */
    int told_worker_node;         /* and the node that served it */
    struct port_memory memory[PORT_MEMORY_PARTS];
    struct queue_stats *rx;       /* [pairs] from the port; written by the pair's worker */
    struct queue_stats *tx;       /* [pairs] to the port; written under the pair's lock */
    struct worker *workers[PORT_QUEUES_MAX]; /* that poll each pair */
    struct queue_load loads[PORT_QUEUES_MAX]; /* of each pair */
    const struct port_policy *_Atomic policy; /* config.policy as workers see it; never changed, only replaced */
    struct steering *steering;    /* of frames to one of several pairs; NULL: there is one */
    struct meter storm;           /* of flooded frames from the port; any worker */
    struct rate_meter rx_rate;    /* of frames from it; any worker */
    struct rate_meter tx_rate;    /* of frames to it; any worker */
    struct capture *capture;      /* of its mirror to a file, made and closed by the datapath; or NULL */
    struct capture *clients[PORT_CLIENTS_MAX]; /* that capture it now (datapath_capture.c); NULL behind the last */
    uint64_t connects;            /* sessions opened so far */
    char last_error[160];         /* "" when none */
    struct port_budget lines;     /* of the log */
    struct port_budget events;    /* to subscribers */
};

/* A VM may make us talk; so each port has a budget of lines and one of events, and what is left out is counted. */
#define PORT_LOG_LINES 20u
#define PORT_EVENTS 100u
#define PORT_BUDGET_WINDOW_NS UINT64_C(10000000000)

/* Frees what port_init allocated. */
void port_deinit(struct port *port);
/* Copies the config, allocates the counters. `size` is that of the whole port, from node_alloc(). False: no memory. */
bool port_init(struct port *port, size_t size, const struct port_ops *ops, struct datapath *datapath,
               const struct port_config *config);
/* The port's state has this part now, or (NULL) no longer. It moves to the others' node. */
void port_memory_set(struct port *port, enum port_memory_part part, void *start, size_t size);
/* Its state belongs on that node from now on; -1 leaves it. */
void port_settle(struct port *port, int node);
/* Pages of its state that lie on another node than its guest's memory. */
unsigned port_strays(const struct port *port);
/* Queue pairs that are served from another node than its guest's memory. */
unsigned port_remote_pairs(const struct port *port);
/* Tells of the node of its guest's memory when that, or the node that serves it, changed; loudly when they differ. */
void port_tell_node(struct port *port);
/* A line about the port. False: its budget is used up. */
__attribute__((format(printf, 3, 4))) bool port_log(struct port *port, enum log_level level, const char *format,
                                                    ...);
/* An event that the VM itself can bring about, within the port's budget; arguments as for datapath_event(). */
void port_event(struct port *port, const char *type, const char *why, int a, int b);
/* Once a second: when the budget is renewed, tells how many events were left out. */
void port_events_settle(struct port *port);
/* Keeps the sentence, and tells log and listener within the same budget. */
__attribute__((format(printf, 2, 3))) void port_failed(struct port *port, const char *format, ...);

/* NULL and the refusal when it cannot be made. */
struct port *vhost_port_create(struct datapath *datapath, const struct port_config *config,
                               struct refusal *refusal);
struct port *tap_port_create(struct datapath *datapath, const struct port_config *config,
                             struct refusal *refusal);

/* --- what the datapath offers to its ports (control thread) --- */

struct event_loop *datapath_loop(struct datapath *datapath);
struct socket_watch *datapath_socket_watch(struct datapath *datapath);
void datapath_event(struct datapath *datapath, const char *type, const struct port *port, const char *why, int a,
                    int b);
void datapath_config_changed(struct datapath *datapath);
/* Returns after every worker has passed a quiet point (R20). */
void datapath_quiesce(struct datapath *datapath);
/*
 * While a port is changed, nobody who may send to it is polled: what is for it waits in the senders' rings and is not
 * dropped. Hold, then quiesce as ever, change, release.
 */
void datapath_hold_senders(struct port *port);
void datapath_release_senders(struct port *port);
/* The node of a port's memory became known or changed: its queues may move. */
void datapath_place(struct datapath *datapath);
/* How its mirror is, if it has one. */
void datapath_mirror_status(const struct port *port, struct mirror_status *status);
/* How the clients are that capture it; returns how many they are. */
unsigned datapath_client_status(const struct port *port, struct client_status clients[PORT_CLIENTS_MAX]);
/* Wakes the workers that serve the port. */
void port_wake(struct port *port);

#endif
