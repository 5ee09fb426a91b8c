/*
 * vhost_port.c - a port with a VM behind it: joins the endpoint (socket), the
 * session (protocol) and the rings. The frames are in vhost_frames.c.
 *
 * Control thread. Workers look at the rings only while `live` is set; on_pause()
 * clears it and waits for their quiet point, so the session may then change
 * whatever it likes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/vhost_port.h"
#include "switch/mac_table.h"
#include "switch/steering.h"
#include "worker/cycles.h"
#include "worker/numa.h"
#include "worker/worker.h"

/* --- session: control thread --- */

static void watch_kicks(struct vhost_port *vport)
{
    for (unsigned pair = 0; pair < vport->port.pairs; pair++) {
        const struct vring *vring = transmit_ring(vport, pair);

        if (!vring->ring.running || vring->kick_fd < 0 || vport->port.workers[pair] == NULL)
            continue;
        int error = worker_watch(vport->port.workers[pair], vring->kick_fd, vport->port.id, pair);

        vport->watched[pair] = error == 0 || error == -EEXIST;
        if (!vport->watched[pair])
            port_failed(&vport->port, "kick of queue %u cannot be waited for, so it is polled: %s", pair,
                        strerror(-error));
    }
}

static void unwatch_kicks(struct vhost_port *vport)
{
    for (unsigned pair = 0; pair < vport->port.pairs; pair++) {
        if (vport->watched[pair] && vport->port.workers[pair] != NULL)
            worker_unwatch(vport->port.workers[pair], transmit_ring(vport, pair)->kick_fd);
        vport->watched[pair] = false;
    }
}

/* A change takes some 0.1 ms, and a few come together; on a crowded machine one alone took 60 ms. */
#define HOLD_CREDIT_NS INT64_C(200000000)
/* One in so many parts of the time is what a front end may take from the others for good. */
#define HOLD_SHARE 20

/* Holds the senders, if the port has credit left for that. */
static void hold_senders(struct vhost_port *vport)
{
    struct hold_credit *credit = &vport->credit;
    uint64_t now = monotonic_ns();
    int64_t refilled = credit->left_ns + (int64_t)((now - credit->as_of_ns) / HOLD_SHARE);

    credit->left_ns = refilled < HOLD_CREDIT_NS ? refilled : HOLD_CREDIT_NS;
    credit->as_of_ns = now;
    if (credit->left_ns <= 0)
        return;
    vport->holds = true;
    datapath_hold_senders(&vport->port);
}

static void release_senders(struct vhost_port *vport)
{
    struct hold_credit *credit = &vport->credit;
    uint64_t now = monotonic_ns();

    if (!vport->holds)
        return;
    vport->holds = false;
    datapath_release_senders(&vport->port);
    credit->left_ns -= (int64_t)(now - credit->as_of_ns);
    credit->as_of_ns = now;
}

static void on_pause(void *owner)
{
    struct vhost_port *vport = owner;

    unwatch_kicks(vport);
    if (!atomic_load_explicit(&vport->live, memory_order_relaxed))
        return;
    hold_senders(vport);
    atomic_store(&vport->live, false);
    datapath_quiesce(vport->port.datapath);
}

/* It works, and the front end has it enabled. */
static bool ring_wanted(const struct vhost_port *vport, const struct vring *vring)
{
    return ring_usable(&vring->ring) && vring_wants_frames(&vport->session, vring);
}

/* Tells the workers which receive rings may get frames (H54). False: none. */
static bool choose_receivers(struct vhost_port *vport)
{
    uint64_t receivers = 0;

    for (unsigned pair = 0; pair < vport->port.pairs; pair++)
        if (ring_wanted(vport, receive_ring(vport, pair)))
            receivers |= UINT64_C(1) << pair;
    if (vport->port.steering != NULL)
        steering_set_receivers(vport->port.steering, receivers);
    return receivers != 0;
}

/* Rings that have a vote. */
#define VOTING_RINGS 16u

/*
 * The node of the guest's memory: the one that most of it is on, as far as it is there. Its running rings vote
 * first, so they decide between equals. -1: not known.
 */
static int memory_node(const struct vhost_port *vport)
{
    struct node_votes votes = NODE_VOTES_NONE;
    unsigned rings = 0;

    for (unsigned i = 0; i < vport->session.vring_count && rings < VOTING_RINGS; i++) {
        if (!vport->session.vrings[i].ring.running)
            continue;
        node_vote(&votes, vport->session.vrings[i].ring.used);
        rings++;
    }
    if (rings > 0)
        memory_map_vote(vport->session.memory, &votes);
    return node_votes_winner(&votes);
}

/* Once for each memory table: a front end that moves its pages about must not have all queues placed anew each time. */
static void follow_node(struct vhost_port *vport)
{
    const struct memory_map *memory = vport->session.memory;
    int node = memory == NULL || memory->serial == vport->placed_memory ? -1 : memory_node(vport);

    if (node < 0)
        return;
    vport->placed_memory = memory->serial;
    if (node == vport->port.node)
        return;
    vport->port.node = node;
    port_settle(&vport->port, node);
    datapath_place(vport->port.datapath);
}

/* Tells of port.up and port.down when that changed, and of rings that could not start. */
static void tell_state(struct vhost_port *vport, bool up)
{
    struct datapath *datapath = vport->port.datapath;

    for (unsigned i = 0; i < vport->session.vring_count; i++)
        if (vport->session.vrings[i].why[0] != '\0')
            port_failed(&vport->port, "queue %u cannot run: %s", i, vport->session.vrings[i].why);
    if (up && !vport->was_up)
        vport->port.last_error[0] = '\0';
    if (up != vport->was_up) {
        port_log(&vport->port, LOG_LEVEL_INFO, "%s", up ? "up" : "down");
        port_event(&vport->port, up ? "port.up" : "port.down", NULL, -1, -1);
    }
    vport->was_up = up;
    datapath_hold_check(datapath);
}

/* A ring that starts anew owes its driver one call: the last one may have died with the last switch (R20). */
static void force_call(struct vhost_port *vport, unsigned index)
{
    struct vring *vring = &vport->session.vrings[index];

    if (ring_usable(&vring->ring) && !vring->ring.signalled_valid)
        atomic_store(&vring->call_due, true);
}

/* Some transmit ring works. */
static bool can_transmit(const struct vhost_port *vport)
{
    for (unsigned i = 1; i < vport->session.vring_count; i += 2)
        if (ring_wanted(vport, &vport->session.vrings[i]))
            return true;
    return false;
}

static void on_resume(void *owner)
{
    struct vhost_port *vport = owner;
    bool receives = choose_receivers(vport);
    bool running = false;

    for (unsigned i = 0; i < vport->session.vring_count; i++) {
        const struct vring *vring = &vport->session.vrings[i];

        running |= vring->ring.running;
        if (ring_usable(&vring->ring))
            vport->reported[i] = RING_FAULT_NONE;
        force_call(vport, i);
    }
    if (vport->session.memory != vport->port.memory[PORT_MEMORY_MAP].start)
        port_memory_set(&vport->port, PORT_MEMORY_MAP, vport->session.memory, sizeof *vport->session.memory);
    follow_node(vport);
    watch_kicks(vport);
    atomic_store_explicit(&vport->live, running, memory_order_release);
    release_senders(vport);
    port_wake(&vport->port); /* a kick may have gone to a dead fd: look at every ring once (R22) */
    tell_state(vport, receives && can_transmit(vport));
}

/* The other rings go on meanwhile: a guest may change its number of queues under traffic (ethtool -L). */
static void on_enable(void *owner)
{
    struct vhost_port *vport = owner;
    bool receives = choose_receivers(vport);

    if (atomic_load(&vport->live))
        datapath_quiesce(vport->port.datapath); /* nobody still steers by the last set */
    port_wake(&vport->port);
    tell_state(vport, receives && can_transmit(vport));
}

static void on_announce(void *owner, const uint8_t mac[6])
{
    struct vhost_port *vport = owner;

    atomic_store(&vport->announce, mac_load(mac));
    port_wake(&vport->port);
}

static const struct session_ops session_ops = { on_pause, on_resume, on_enable, on_announce };

/* --- endpoint: control thread --- */

static void on_connected(void *owner)
{
    struct vhost_port *vport = owner;
    struct port_config *config = &vport->port.config;
    bool first = !config->has_offered;

    if (first) {
        config->offered = session_features_supported();
        config->has_offered = true;
    }
    uint64_t unknown = config->offered & ~session_features_supported();

    session_open(&vport->session, &session_ops, vport, config->offered & ~unknown, config->queues, &vport->page_credit);
    vport->open = true;
    vport->port.connects++;
    if (first)
        datapath_config_changed(vport->port.datapath);
    if (unknown != 0) /* a driver that uses one is refused with its SET_FEATURES, not served wrongly */
        port_failed(&vport->port, "a newer switch has offered features 0x%llx, which this one does not have",
                    (unsigned long long)unknown);
    port_log(&vport->port, LOG_LEVEL_INFO, "connected");
    port_event(&vport->port, "port.connected", NULL, -1, -1);
}

static bool on_message(void *owner, const struct vhost_user_message *message, const int *fds, unsigned fd_count)
{
    struct vhost_port *vport = owner;
    struct vhost_user_message reply;
    enum session_verdict verdict = session_handle(&vport->session, message, fds, fd_count, &reply);

    log_debug("port %s: request %u of %u bytes with %u fds: %s", vport->port.config.name, message->header.request,
              message->header.size, fd_count, vport->session.why[0] != '\0' ? vport->session.why : "ok");
    if (vport->session.why[0] != '\0')
        port_failed(&vport->port, "%s", vport->session.why);
    if ((verdict == SESSION_REPLY || verdict == SESSION_REPLY_CLOSE) && !endpoint_send(&vport->endpoint, &reply))
        return false;
    return verdict == SESSION_OK || verdict == SESSION_REPLY;
}

static void on_disconnected(void *owner, const char *why)
{
    struct vhost_port *vport = owner;

    session_close(&vport->session);
    vport->open = false;
    datapath_hold_check(vport->port.datapath);
    vport->placed_memory = 0;
    atomic_store(&vport->announce, 0);
    port_log(&vport->port, LOG_LEVEL_INFO, "disconnected: %s", why);
    port_event(&vport->port, "port.disconnected", why, -1, -1);
}

static void on_failed(void *owner, const char *why)
{
    port_failed(&((struct vhost_port *)owner)->port, "%s", why);
}

static const struct endpoint_ops endpoint_ops = { on_connected, on_message, on_disconnected, on_failed };

/* --- port --- */

static bool vhost_port_start(struct port *port, struct refusal *refusal)
{
    struct vhost_port *vport = vhost_port_of(port);

    return endpoint_start(&vport->endpoint, datapath_loop(port->datapath), datapath_socket_watch(port->datapath),
                          &endpoint_ops, vport, port->config.socket, port->config.role, refusal);
}

static void vhost_port_placed(struct port *port)
{
    watch_kicks(vhost_port_of(port));
}

static void vhost_port_displaced(struct port *port)
{
    unwatch_kicks(vhost_port_of(port));
}

static void vhost_port_stop(struct port *port)
{
    endpoint_stop(&vhost_port_of(port)->endpoint);
    event_loop_stop_timer(datapath_loop(port->datapath), &vhost_port_of(port)->silence);
}

static void vhost_port_destroy(struct port *port)
{
    port_deinit(port);
    node_free(vhost_port_of(port), sizeof(struct vhost_port));
}

static void ring_status_fill(const struct vhost_port *vport, unsigned index, struct ring_status *status)
{
    const struct vring *vring = &vport->session.vrings[index];
    uint8_t fault = atomic_load(&vring->ring.fault);

    *status = (struct ring_status){
        .index = index,
        .size = vring->where.size,
        .started = vring->ring.running,
        .enabled = vring->enabled,
        .broken = fault == RING_FAULT_NONE ? NULL : ring_fault_name[fault],
        .worker = index % 2 == 1 && vport->port.workers[index / 2] != NULL ? (int)vport->port.workers[index / 2]->id
                                                                           : -1,
    };
}

static void vhost_port_status(const struct port *port, struct port_status *status)
{
    const struct vhost_port *vport = vhost_port_of(port);
    const struct session *session = &vport->session;
    bool broken = false;

    status->offered = port->config.has_offered ? port->config.offered : 0;
    if (!vport->open)
        return;
    status->negotiated = session->features;
    status->memory_regions = session->memory != NULL ? session->memory->count : 0;
    status->memory_bytes = memory_map_size(session->memory);
    for (unsigned i = 0; i < session->vring_count; i++) {
        if (!session->vrings[i].sized && !session->vrings[i].addressed)
            continue;
        ring_status_fill(vport, i, &status->rings[status->ring_count]);
        broken |= status->rings[status->ring_count].broken != NULL;
        status->ring_count++;
    }
    status->state = broken ? PORT_BROKEN : vport->was_up ? PORT_UP : PORT_CONNECTED;
}

/* A front end that blocked a worker once may do so again only after this. */
#define SILENCE_MS 60000

static void end_silence(void *owner)
{
    struct vhost_port *vport = owner;

    vport->silence_told = false;
    atomic_store(&vport->silent, false);
}

static void inspect_silence(struct vhost_port *vport)
{
    if (vport->silence_told || !atomic_load(&vport->silent))
        return;
    vport->silence_told = true;
    port_failed(&vport->port, "its call fd blocked a worker: no calls for %u s", SILENCE_MS / 1000);
    event_loop_start_timer(datapath_loop(vport->port.datapath), &vport->silence, SILENCE_MS, end_silence, vport);
}

/* Logs newly broken queues and tells the front end through VRING_ERR (R27). */
static void vhost_port_inspect(struct port *port)
{
    struct vhost_port *vport = vhost_port_of(port);

    inspect_silence(vport);

    for (unsigned i = 0; vport->open && i < vport->session.vring_count; i++) {
        struct vring *vring = &vport->session.vrings[i];
        uint8_t fault = atomic_load(&vring->ring.fault);

        if (fault == RING_FAULT_NONE || fault == vport->reported[i])
            continue;
        vport->reported[i] = fault;
        port_failed(port, "queue %u is broken: %s (%s, avail index %u)", i, ring_fault_sentence[fault],
                    ring_fault_name[fault], vring->ring.fault_index);
        port_event(port, "queue.broken", ring_fault_name[fault], (int)i, -1);
        atomic_store(&vring->broke, true);
        port_wake(port);
    }
}

static const struct port_ops vhost_port_ops = {
    .poll = vhost_frames_poll,
    .arm = vhost_frames_arm,
    .disarm = vhost_frames_disarm,
    .polled = vhost_frames_polled,
    .deliver = vhost_frames_deliver,
    .start = vhost_port_start,
    .placed = vhost_port_placed,
    .displaced = vhost_port_displaced,
    .stop = vhost_port_stop,
    .destroy = vhost_port_destroy,
    .status = vhost_port_status,
    .inspect = vhost_port_inspect,
};

struct port *vhost_port_create(struct datapath *datapath, const struct port_config *config, struct refusal *refusal)
{
    struct vhost_port *vport = node_alloc(sizeof *vport, -1);

    if (vport == NULL || !port_init(&vport->port, sizeof *vport, &vhost_port_ops, datapath, config)) {
        if (vport != NULL)
            node_free(vport, sizeof *vport);
        refuse(refusal, "limit", "memory for one more port");
        return NULL;
    }
    endpoint_init(&vport->endpoint);
    return &vport->port;
}
