/*
 * tap_port.c - a port with the host's own network stack behind it: a persistent
 * tap that the CLI made and addressed. Frames carry the virtio net header in
 * both directions, so checksum and TSO requests pass through.
 *
 * The worker of the port reads; any worker writes, under the port's lock. The
 * tap outlives the switch, so after a crash the host keeps its address.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "port/port.h"
#include "switch/copy.h"
#include "switch/forward.h"
#include "vhost/session.h"
#include "worker/cycles.h"
#include "worker/numa.h"
#include "vhost/memory_guard.h"
#include "worker/worker.h"

/*
 * A read(2) of an empty tap costs about as much as switching three frames, so
 * a tap that was empty is looked at again only after this many rounds. Before
 * a worker sleeps it always looks.
 */
#define TAP_QUIET_ROUNDS 16u

/* Pieces of one frame in one writev(2); more are joined first. */
#define TAP_PIECES 64u

/* What does not fit a frame's private head. */
#define TAP_BUFFER_SIZE (FRAME_LENGTH_MAX - FRAME_HEAD_MAX)

struct tap_port {
    struct port port;
    int fd;                          /* -1: not attached */
    _Atomic uint64_t next_round;     /* of the worker: not to be read before */
    atomic_bool gone;                /* the interface was deleted under us */
    bool told;                       /* that was reported */
    atomic_flag lock;                /* of tx counters and linear */
    uint8_t linear[FRAME_LENGTH_MAX];           /* a frame of very many pieces, joined */
    uint8_t buffers[BURST_MAX][TAP_BUFFER_SIZE]; /* rest of each frame of a burst; pages that no frame needs stay untouched */
};

static struct tap_port *tap_port_of(const struct port *port)
{
    return (struct tap_port *)port; /* port is the first member */
}

/* The host's stack takes and gives everything that a tap can (TUN_OFFLOADS below). */
#define TAP_FEATURES                                                                            \
    (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_HOST_TSO6) | \
     FEATURE(VIRTIO_NET_F_HOST_ECN))
#define TUN_OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

/* --- workers --- */

/* Errors after which no frame will ever come again. */
static bool tap_lost(int error)
{
    return error == EBADFD || error == ENODEV || error == EIO || error == EBADF;
}

/* One frame from the tap into frames[index], also a bad one, with `drop` set. False: none is there. */
static bool tap_read(struct tap_port *tap, struct burst *burst, unsigned index)
{
    struct frame *frame = &burst->frames[index];
    struct iovec parts[] = {
        { &frame->net, NET_HEADER_SIZE + FRAME_HEAD_MAX },
        { tap->buffers[index], TAP_BUFFER_SIZE },
    };
    ssize_t length = readv(tap->fd, parts, 2);

    if (length < 0) {
        atomic_store_explicit(&tap->gone, tap_lost(errno), memory_order_relaxed);
        return false;
    }
    frame->segment_count = 0;
    frame->drop = DROP_RUNT;
    if (length < (ssize_t)(NET_HEADER_SIZE + FRAME_LENGTH_MIN))
        return true;
    frame->drop = DROP_NONE;
    frame->length = (uint32_t)length - NET_HEADER_SIZE;
    frame->head_length = (uint16_t)(frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);
    burst->segments[index] = (struct segment){ tap->buffers[index], frame->length - frame->head_length };
    frame->segments = &burst->segments[index];
    frame->segment_count = frame->length > frame->head_length ? 1 : 0;
    return true;
}

static unsigned tap_port_poll(struct port *port, unsigned pair, struct worker *worker)
{
    struct tap_port *tap = tap_port_of(port);
    unsigned count = 0;

    if (worker->round < tap->next_round || atomic_load_explicit(&tap->gone, memory_order_relaxed))
        return 0;
    memory_guard_bursts++; /* it may go into a guest's memory */
    while (count < BURST_MAX && tap_read(tap, worker->burst, count))
        count++;
    worker->more = count == BURST_MAX;
    if (count == 0)
        tap->next_round = worker->round + TAP_QUIET_ROUNDS;
    else
        forward_burst(worker, port, pair, TAP_FEATURES, worker->burst->frames, count);
    if (atomic_load_explicit(&tap->gone, memory_order_relaxed))
        worker_report(worker);
    return count;
}

/* The fd is watched edge-triggered: looking once more after that is all it takes not to miss a frame. */
static bool tap_port_arm(struct port *port, unsigned pair, struct worker *worker)
{
    tap_port_of(port)->next_round = 0;
    return tap_port_poll(port, pair, worker) > 0;
}

static void tap_port_disarm(struct port *port, unsigned pair)
{
    (void)port;
    (void)pair;
}

static bool tap_port_polled(const struct port *port, unsigned pair)
{
    (void)port;
    (void)pair;
    return false;
}

static bool tap_write(struct tap_port *tap, const struct frame *frame)
{
    struct net_header net = frame->net;
    struct iovec parts[2 + TAP_PIECES] = { { &net, sizeof net }, { (void *)frame->head, frame->head_length } };
    int count = 2;
    ssize_t length;

    net.num_buffers = 0;
    if (frame->segment_count > TAP_PIECES) {
        copy_frame_linear(tap->linear, frame);
        parts[1] = (struct iovec){ tap->linear, frame->length };
    } else {
        for (uint32_t i = 0; i < frame->segment_count; i++)
            parts[count++] = (struct iovec){ frame->segments[i].data, frame->segments[i].length };
    }
    do
        length = writev(tap->fd, parts, count);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EFAULT) { /* pages that are missing are made for us, not for the kernel (memory_guard.h) */
        copy_frame_linear(tap->linear, frame);
        parts[1] = (struct iovec){ tap->linear, frame->length };
        length = writev(tap->fd, parts, 2);
    }
    return length >= 0;
}

static unsigned tap_port_deliver(struct port *port, unsigned pair, struct worker *worker,
                                 struct frame *const *frames, unsigned count, enum attempt attempt)
{
    struct tap_port *tap = tap_port_of(port);
    struct queue_stats *stats = &port->tx[0];

    (void)pair;
    (void)worker;
    (void)attempt;
    while (atomic_flag_test_and_set_explicit(&tap->lock, memory_order_acquire))
        cpu_relax();
    for (unsigned i = 0; i < count; i++) {
        bool too_big = frames[i]->net.gso_type == NET_HEADER_GSO_NONE &&
                       frames[i]->length > port->config.mtu + FRAME_OVERHEAD;

        if (too_big || !tap_write(tap, frames[i])) {
            counter_add(&stats->drops[too_big ? DROP_MTU : DROP_TAP], 1);
            continue;
        }
        counter_add(&stats->frames, 1);
        counter_add(&stats->bytes, frames[i]->length);
    }
    atomic_flag_clear_explicit(&tap->lock, memory_order_release);
    return count;
}

/* --- control thread --- */

static bool tap_refused(struct refusal *refusal, const char *reason, const char *ifname, const char *found)
{
    refuse(refusal, reason, "a persistent tap named %s", ifname);
    refusal_found(refusal, "%s", found);
    refusal_hint(refusal, "make it first: ip tuntap add dev %s mode tap vnet_hdr", ifname);
    return false;
}

static bool tap_attach(struct tap_port *tap, const char *ifname, struct refusal *refusal)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int header_size = NET_HEADER_SIZE;

    /* Attaching to a name that is not there would make a tap that dies with us. */
    if (if_nametoindex(ifname) == 0)
        return tap_refused(refusal, "tap-missing", ifname, "no such network interface");
    tap->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->fd < 0)
        return tap_refused(refusal, "tap-failed", ifname, strerror(errno));
    memcpy(request.ifr_name, ifname, strlen(ifname) + 1);
    if (ioctl(tap->fd, TUNSETIFF, &request) != 0)
        return tap_refused(refusal, errno == EINVAL ? "tap-missing" : "tap-failed", ifname,
                           errno == EINVAL ? "an interface that is not a tap" : strerror(errno));
    if (ioctl(tap->fd, TUNSETVNETHDRSZ, &header_size) != 0 || ioctl(tap->fd, TUNSETOFFLOAD, TUN_OFFLOADS) != 0)
        return tap_refused(refusal, "tap-failed", ifname, strerror(errno));
    return true;
}

static bool tap_port_start(struct port *port, struct refusal *refusal)
{
    (void)port;
    (void)refusal;
    return true;
}

static void tap_port_placed(struct port *port)
{
    struct tap_port *tap = tap_port_of(port);
    tap->next_round = 0; /* rounds are counted by each worker for itself */
    int error = port->workers[0] != NULL ? worker_watch(port->workers[0], tap->fd, port->id, 0) : 0;

    if (error != 0 && error != -EEXIST)
        port_failed(port, "tap %s cannot be waited for: %s", port->config.ifname, strerror(-error));
}

static void tap_port_displaced(struct port *port)
{
    if (port->workers[0] != NULL)
        worker_unwatch(port->workers[0], tap_port_of(port)->fd);
}

static void tap_port_destroy(struct port *port)
{
    struct tap_port *tap = tap_port_of(port);

    if (tap->fd >= 0)
        close(tap->fd);
    port_deinit(port);
    node_free(tap, sizeof *tap);
}

static void tap_port_status(const struct port *port, struct port_status *status)
{
    status->state = atomic_load(&tap_port_of(port)->gone) ? PORT_BROKEN : PORT_UP;
}

static void tap_port_inspect(struct port *port)
{
    struct tap_port *tap = tap_port_of(port);

    if (tap->told || !atomic_load(&tap->gone))
        return;
    tap->told = true;
    port_failed(port, "tap %s is gone: delete the port, make the tap again, add the port", port->config.ifname);
}

static const struct port_ops tap_port_ops = {
    .poll = tap_port_poll,
    .arm = tap_port_arm,
    .disarm = tap_port_disarm,
    .polled = tap_port_polled,
    .deliver = tap_port_deliver,
    .start = tap_port_start,
    .placed = tap_port_placed,
    .displaced = tap_port_displaced,
    .stop = tap_port_displaced,
    .destroy = tap_port_destroy,
    .status = tap_port_status,
    .inspect = tap_port_inspect,
};

struct port *tap_port_create(struct datapath *datapath, const struct port_config *config, struct refusal *refusal)
{
    struct tap_port *tap = node_alloc(sizeof *tap, -1);

    if (tap == NULL || !port_init(&tap->port, sizeof *tap, &tap_port_ops, datapath, config)) {
        if (tap != NULL)
            node_free(tap, sizeof *tap);
        refuse(refusal, "limit", "memory for one more port");
        return NULL;
    }
    tap->fd = -1;
    if (tap_attach(tap, config->ifname, refusal))
        return &tap->port;
    tap_port_destroy(&tap->port);
    return NULL;
}
