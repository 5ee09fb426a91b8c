/*
 * vhost_frames.c - what workers do with a vhost-user port: take bursts from its
 * transmit rings, deliver to its receive rings, ask for kicks before they sleep.
 *
 * All of it only while the port is `live`; the control thread clears that and
 * waits for the workers' quiet point before it changes a ring. A transmit ring
 * belongs to one worker; a receive ring to the holder of its lock.
 */
#include <string.h>

#include "port/vhost_port.h"
#include "switch/copy.h"
#include "switch/forward.h"
#include "switch/mac_table.h"
#include "switch/offload.h"
#include "vhost/memory_guard.h"
#include "worker/cycles.h"
#include "worker/worker.h"

/* Signals an eventfd of the front end; one that blocks silences the whole port for a while (H50, H51). */
static void port_signal(struct vhost_port *vport, int fd, struct worker *worker)
{
    if (fd < 0 || atomic_load_explicit(&vport->silent, memory_order_relaxed))
        return;
    if (notifier_signal(&worker->notifier, fd))
        return;
    atomic_store(&vport->silent, true);
    worker_report(worker);
}

static void vring_call(struct vhost_port *vport, struct vring *vring, struct queue_stats *stats,
                       struct worker *worker)
{
    if (vring->call_fd >= 0)
        counter_add(&stats->calls, 1);
    port_signal(vport, vring->call_fd, worker);
}

/* What the control thread left to us, since signalling may block: calls that are due, errors. */
static void vring_attend(struct vhost_port *vport, struct vring *vring, struct worker *worker)
{
    if (atomic_load_explicit(&vring->call_due, memory_order_relaxed) && atomic_exchange(&vring->call_due, false))
        port_signal(vport, vring->call_fd, worker);
    if (atomic_load_explicit(&vring->broke, memory_order_relaxed) && atomic_exchange(&vring->broke, false))
        port_signal(vport, vring->err_fd, worker);
}

static void burst_drop(struct queue_stats *stats, enum drop_reason reason, unsigned count)
{
    counter_add(&stats->drops[reason], count);
}

/* A RARP request from `mac`, as QEMU itself would send it after a migration (RFC 903). */
static void rarp_frame(struct frame *frame, uint64_t mac)
{
    static const uint8_t fixed[] = { 0x80, 0x35, 0, 1, 8, 0, 6, 4, 0, 3 };
    uint8_t *at = frame->head;

    *frame = (struct frame){ .length = 60, .head_length = 60 };
    memset(at, 0xff, 6);
    for (unsigned i = 0; i < 6; i++)
        at[6 + i] = (uint8_t)(mac >> (40 - 8 * i));
    memcpy(at + 12, fixed, sizeof fixed);
    memcpy(at + 22, at + 6, 6);
    memcpy(at + 32, at + 6, 6);
}

static void vhost_port_announce(struct vhost_port *vport, struct worker *worker)
{
    uint64_t mac = atomic_exchange(&vport->announce, 0);

    if (mac == 0 || mac_is_multicast(mac))
        return;
    rarp_frame(&worker->burst->frames[0], mac);
    forward_burst(worker, &vport->port, 0, 0, worker->burst->frames, 1);
}

/* Whether making missing pages of its memory has taken the time that it may; what it sends waits, what is sent to it is dropped. */
static inline bool vhost_port_rests(struct vhost_port *vport)
{
    return __builtin_expect(atomic_load_explicit(&vport->page_credit.as_of_ns, memory_order_relaxed) != 0, 0) &&
           page_credit_rests(&vport->page_credit);
}

unsigned vhost_frames_poll(struct port *port, unsigned pair, struct worker *worker)
{
    struct vhost_port *vport = vhost_port_of(port);

    if (!vhost_port_live(vport) || vhost_port_rests(vport))
        return 0;
    struct vring *vring = transmit_ring(vport, pair);
    struct queue_stats *stats = &port->rx[pair];
    bool usable = ring_usable(&vring->ring);

    if (pair == 0 && atomic_load_explicit(&vport->announce, memory_order_relaxed) != 0)
        vhost_port_announce(vport, worker);
    vring_attend(vport, receive_ring(vport, pair), worker);
    vring_attend(vport, vring, worker);
    if (!usable)
        return 0;
    memory_guard_bursts++;
    unsigned count = ring_take(&vring->ring, worker->burst);

    if (count > 0) {
        worker->more = count == BURST_MAX || ring_left(&vring->ring) > 0;
        if (atomic_load_explicit(&vring->enabled, memory_order_relaxed))
            forward_burst(worker, port, pair, vport->session.features, worker->burst->frames, count);
        else
            burst_drop(stats, DROP_TX_DISABLED, count); /* started but disabled: processed and discarded (R21) */
        ring_complete(&vring->ring, worker->burst);
        if (ring_notify(&vring->ring))
            vring_call(vport, vring, stats, worker);
    }
    if (!ring_usable(&vring->ring))
        worker_report(worker);
    return count;
}

bool vhost_frames_arm(struct port *port, unsigned pair, struct worker *worker)
{
    struct vhost_port *vport = vhost_port_of(port);
    struct vring *vring = transmit_ring(vport, pair);

    (void)worker;
    if (!vhost_port_live(vport) || !ring_usable(&vring->ring))
        return false;
    return ring_arm(&vring->ring) || atomic_load(&vport->announce) != 0;
}

void vhost_frames_disarm(struct port *port, unsigned pair)
{
    struct vhost_port *vport = vhost_port_of(port);
    struct vring *vring = transmit_ring(vport, pair);

    if (vhost_port_live(vport) && ring_usable(&vring->ring))
        ring_disarm(&vring->ring);
}

bool vhost_frames_polled(const struct port *port, unsigned pair)
{
    struct vhost_port *vport = vhost_port_of(port);
    const struct vring *vring = transmit_ring(vport, pair);

    return vhost_port_live(vport) && !vport->watched[pair] && ring_usable(&vring->ring);
}

/*
 * Frames that one delivery may be cut into. A burst of 32 frames of 64 KiB makes 1440 pieces
 * at an MTU of 1500; a sender that asks for pieces of 8 bytes must not keep a worker busy (R28).
 */
#define DELIVERY_PIECES 2048u

/* One delivery to a locked ring. */
struct delivery {
    struct vhost_port *vport;
    struct worker *worker;
    struct ring *ring;
    struct queue_stats *stats;
    uint64_t frames, bytes; /* delivered so far */
    uint64_t before;        /* frames, when the present one began */
    unsigned pieces;        /* that may still be made by cutting */
    bool may_wait;          /* what finds too few buffers may be tried again */
    bool waits;             /* the present frame found too few, and nothing of it was delivered */
};

/* False: it was not delivered. */
static bool deliver_frame(void *context, const struct frame *frame)
{
    struct delivery *delivery = context;
    enum drop_reason reason = ring_deliver(delivery->ring, frame, delivery->worker->scratch);

    if (__builtin_expect(reason != DROP_NONE, 0)) {
        delivery->waits = delivery->may_wait && reason == DROP_RX_NO_ROOM && !delivery->ring->short_limit &&
                          delivery->frames == delivery->before;
        if (!delivery->waits)
            counter_add(&delivery->stats->drops[reason], 1);
        return false;
    }
    delivery->frames++;
    delivery->bytes += frame->length;
    return true;
}

/* A piece of a frame that was cut: what follows one that is lost would be thrown away by TCP anyway. */
static bool deliver_piece(void *context, const struct frame *frame)
{
    struct delivery *delivery = context;

    if (delivery->pieces == 0) {
        burst_drop(delivery->stats, DROP_RX_OFFLOAD, 1);
        return false;
    }
    delivery->pieces--;
    return deliver_frame(delivery, frame);
}

/* Longest frame that the port's MTU allows, also as a piece of a frame with GSO. */
static bool mtu_allows(const struct port *port, const struct frame *frame)
{
    uint32_t length = frame->net.gso_type == NET_HEADER_GSO_NONE
                          ? frame->length
                          : (uint32_t)frame->net.hdr_len + frame->net.gso_size;

    return length <= port->config.mtu + FRAME_OVERHEAD;
}

static void deliver_one(struct delivery *delivery, const struct frame *frame)
{
    uint64_t features = delivery->vport->session.features;

    delivery->before = delivery->frames;
    if (!mtu_allows(&delivery->vport->port, frame)) {
        burst_drop(delivery->stats, DROP_MTU, 1);
    } else if (offload_passes(frame, features)) {
        deliver_frame(delivery, frame);
    } else {
        enum drop_reason reason =
            offload_apply(delivery->worker->offload, frame, features, deliver_piece, delivery);

        if (reason != DROP_NONE)
            burst_drop(delivery->stats, reason, 1);
    }
}

/* The frame behind the one that is copied now; not one that will hardly be delivered: what is lost costs nobody anything (H45). */
static void fetch_next(const struct delivery *delivery, const struct frame *frame)
{
    if (delivery->ring->short_need == 0 && ring_usable(delivery->ring) && mtu_allows(&delivery->vport->port, frame))
        copy_fetch_frame(frame);
}

/* Frames from `at` on; returns where it ended: at `until`, or at a frame that waits. */
static unsigned deliver_frames(struct delivery *delivery, struct frame *const *frames, unsigned at, unsigned until)
{
    uint32_t longest = delivery->vport->port.config.mtu + FRAME_OVERHEAD;

    while (at < until) {
        unsigned plain = ring_deliver_plain(delivery->ring, frames + at, until - at, longest, &delivery->bytes);

        delivery->frames += plain;
        at += plain;
        if (at == until)
            break;
        if (at + 1 < until)
            fetch_next(delivery, frames[at + 1]);
        deliver_one(delivery, frames[at]);
        if (__builtin_expect(delivery->waits, 0))
            break;
        at++;
    }
    return at;
}

/*
 * A receiver for which waiting brought nothing so often is not waited for any more, but once in so
 * many bursts: one that never posts buffers, or far too few, costs the others next to nothing (H45).
 */
#define WAITS_IN_VAIN 4u
#define PASSED_OVER 64u

static bool vring_is_worth_it(struct vring *vring)
{
    if (vring->waits_in_vain < WAITS_IN_VAIN) {
        vring->waits_in_vain++;
        return true;
    }
    vring->passed_over = (uint8_t)((vring->passed_over + 1) % PASSED_OVER);
    return vring->passed_over == 0;
}

/*
 * Too few buffers for what is left from `done` on, or from `allowed` on none that nobody else has a right to
 * (share.h). Returns how many frames are done with: the others may be tried again, or all are dropped.
 */
static unsigned deliver_short(struct delivery *delivery, struct vring *vring, struct frame *const *frames,
                              unsigned done, unsigned allowed, unsigned count, enum attempt attempt)
{
    share_short(&vring->share, delivery->worker->sender, count, monotonic_ns());
    if (attempt == ATTEMPT_AGAIN && ring_usable(&vring->ring))
        return done;
    if (attempt == ATTEMPT_FIRST && ring_usable(&vring->ring) && vring_is_worth_it(vring)) {
        counter_add(&delivery->stats->retried, count - done);
        return done;
    }
    delivery->may_wait = delivery->waits = false;
    done = deliver_frames(delivery, frames, done, allowed); /* a shorter one may fit */
    burst_drop(delivery->stats, DROP_RX_NO_ROOM, count - done);
    return count;
}

/* False: who holds it makes pages of the port's memory, for more than the port's credit. That may take long: nobody waits for it. */
static bool vring_lock(struct vhost_port *vport, struct vring *vring)
{
    while (atomic_flag_test_and_set_explicit(&vring->lock, memory_order_acquire)) {
        if (vhost_port_rests(vport))
            return false;
        cpu_relax();
    }
    return true;
}

static void vring_unlock(struct vring *vring)
{
    atomic_flag_clear_explicit(&vring->lock, memory_order_release);
}

/*
 * How many of the frames may be delivered while several senders compete: only what is there now. With nothing there none is
 * tried either, for what the driver posts meanwhile would be this sender's, whoever has a right to it; a sender that is tried often
 * got nearly all so. It finds it at the next attempt. Why a broken ring takes nothing, ring_deliver() says.
 */
static unsigned vring_allows(struct vring *vring, struct worker *worker, unsigned count, enum attempt attempt)
{
    unsigned room = ring_room(&vring->ring);
    uint32_t allowed = attempt == ATTEMPT_FIRST
                           ? share_allow(&vring->share, worker->sender, count, room, monotonic_ns())
                           : share_allow_again(&vring->share, worker->sender, count, room);

    return ring_usable(&vring->ring) ? allowed : count;
}

/* What only matters where buffers are short: who got how many, and whether waiting was worth it. */
static void deliver_account(struct delivery *delivery, struct vring *vring, uint16_t first, enum attempt attempt)
{
    if (vring->share.contested)
        share_took(&vring->share, delivery->worker->sender, (uint16_t)(vring->ring.last_avail - first));
    if (attempt == ATTEMPT_FIRST || delivery->frames == 0)
        return;
    vring->waits_in_vain = 0;
    counter_add(&delivery->stats->late, delivery->frames);
}

unsigned vhost_frames_deliver(struct port *port, unsigned pair, struct worker *worker, struct frame *const *frames,
                              unsigned count, enum attempt attempt)
{
    struct vhost_port *vport = vhost_port_of(port);
    struct vring *vring = receive_ring(vport, pair);

    if (!vhost_port_live(vport) || !vring->ring.running ||
        !atomic_load_explicit(&vring->enabled, memory_order_relaxed)) {
        /* No ring, so no lock: any worker may be here. */
        atomic_fetch_add_explicit(&port->tx[0].drops[DROP_RX_NOT_READY], count, memory_order_relaxed);
        return count;
    }
    if (vhost_port_rests(vport) || !vring_lock(vport, vring)) {
        atomic_fetch_add_explicit(&port->tx[0].drops[DROP_RX_PAGES], count, memory_order_relaxed);
        return count;
    }
    struct delivery delivery = {
        .vport = vport,
        .worker = worker,
        .ring = &vring->ring,
        .stats = &port->tx[pair],
        .pieces = DELIVERY_PIECES,
        .may_wait = attempt != ATTEMPT_LAST,
    };
    bool usable = ring_usable(&vring->ring);
    uint16_t first = vring->ring.last_avail;
    unsigned allowed = count;

    ring_expect(&vring->ring, count);
    if (__builtin_expect(vring->share.contested, 0))
        allowed = vring_allows(vring, worker, count, attempt);
    unsigned done = deliver_frames(&delivery, frames, 0, allowed);

    if (__builtin_expect(done < count, 0))
        done = deliver_short(&delivery, vring, frames, done, allowed, count, attempt);
    ring_publish(&vring->ring);
    bool call = delivery.frames > 0 && ring_notify(&vring->ring);
    if (delivery.frames > 0) {
        counter_add(&delivery.stats->frames, delivery.frames);
        counter_add(&delivery.stats->bytes, delivery.bytes);
    }
    if (__builtin_expect(vring->share.contested, 0))
        deliver_account(&delivery, vring, first, attempt);
    bool broke = usable && !ring_usable(&vring->ring);
    if (call)
        vring_call(vport, vring, delivery.stats, worker);
    vring_unlock(vring);
    if (broke)
        worker_report(worker);
    return done;
}
