/*
 * session.c - the vhost-user back-end protocol as a state machine.
 *
 * Control thread only. A message is checked against one table (size, fds,
 * negotiated protocol feature) before its handler sees it, so a handler only
 * judges values. Handlers change the description of the rings; one function,
 * session_settle(), then starts, re-points or stops them. Workers are kept out
 * from the first change to the last (R20). What concerns one vring is in session_vring.c.
 */
#include "vhost/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vhost/fd_kind.h"
#include "vhost/session_parts.h"

#define PROTOCOL_FEATURES                                                                             \
    (FEATURE(VHOST_USER_PROTOCOL_F_MQ) | FEATURE(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |                  \
     FEATURE(VHOST_USER_PROTOCOL_F_RARP) | FEATURE(VHOST_USER_PROTOCOL_F_REPLY_ACK) |                \
     FEATURE(VHOST_USER_PROTOCOL_F_NET_MTU))

uint64_t session_features_supported(void)
{
    return FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_CSUM) | FEATURE(VIRTIO_NET_F_MTU) |
           FEATURE(VIRTIO_NET_F_GUEST_TSO4) | FEATURE(VIRTIO_NET_F_GUEST_TSO6) |
           FEATURE(VIRTIO_NET_F_GUEST_ECN) | FEATURE(VIRTIO_NET_F_HOST_TSO4) |
           FEATURE(VIRTIO_NET_F_HOST_TSO6) | FEATURE(VIRTIO_NET_F_HOST_ECN) |
           FEATURE(VIRTIO_NET_F_MRG_RXBUF) | FEATURE(VIRTIO_NET_F_GUEST_ANNOUNCE) |
           FEATURE(VIRTIO_NET_F_MQ) | FEATURE(VHOST_F_LOG_ALL) | FEATURE(VIRTIO_F_ANY_LAYOUT) |
           FEATURE(VIRTIO_F_RING_INDIRECT_DESC) | FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_F_IN_ORDER) |
           FEATURE(VHOST_USER_F_PROTOCOL_FEATURES) | FEATURE(VIRTIO_F_VERSION_1);
}

enum outcome because(struct session *session, enum outcome outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(session->why, sizeof session->why, format, arguments);
    va_end(arguments);
    return outcome;
}

static enum outcome answer_u64(struct incoming *in, uint64_t value)
{
    in->reply->payload.u64 = value;
    in->reply->header.size = sizeof value;
    return ANSWER;
}

static bool protocol_feature(const struct session *session, enum vhost_user_protocol_feature bit)
{
    return session->protocol_features >> bit & 1;
}

/* --- workers out, workers in (R20) --- */

void session_pause(struct session *session)
{
    if (session->paused)
        return;
    session->ops->pause(session->owner);
    session->paused = true;
}

/* Makes one ring what its description says: running, stopped, or pointing somewhere new. */
static void vring_settle(struct session *session, struct vring *vring)
{
    bool wanted = vring->kicked && vring->sized && vring->addressed && session->memory != NULL;

    vring->enabled = vring_wants_frames(session, vring);
    vring->ring.log =
        (session->features & FEATURE(VHOST_F_LOG_ALL)) && session->log.bits != NULL ? &session->log : NULL;
    if (!wanted) {
        vring_stop(vring);
    } else if (!vring->ring.running) {
        vring->why[0] = '\0';
        ring_start(&vring->ring, session->memory, &vring->where, session->features, vring->why,
                   sizeof vring->why);
    } else if (vring->stale) {
        vring->why[0] = '\0';
        if (!ring_rebase(&vring->ring, session->memory, &vring->where, session->features, vring->why,
                         sizeof vring->why))
            vring->base = ring_stop(&vring->ring);
    }
    vring->stale = false;
}

static void session_settle(struct session *session)
{
    if (!session->paused)
        return;
    for (unsigned i = 0; i < session->vring_count; i++)
        vring_settle(session, &session->vrings[i]);
    session->paused = false;
    session->ops->resume(session->owner);
}

static void vrings_stale(struct session *session)
{
    for (unsigned i = 0; i < session->vring_count; i++)
        session->vrings[i].stale = true;
}

/* --- features --- */

static enum outcome on_get_features(struct session *session, struct incoming *in)
{
    return answer_u64(in, session->offered);
}

static enum outcome on_set_features(struct session *session, struct incoming *in)
{
    uint64_t features = in->payload->u64;

    if (features & ~session->offered)
        return because(session, REFUSED, "features: 0x%llx were never offered",
                       (unsigned long long)(features & ~session->offered));
    session_pause(session);
    session->features = features;
    vrings_stale(session);
    return DONE;
}

static enum outcome on_get_protocol_features(struct session *session, struct incoming *in)
{
    (void)session;
    return answer_u64(in, PROTOCOL_FEATURES);
}

static enum outcome on_set_protocol_features(struct session *session, struct incoming *in)
{
    if (in->payload->u64 & ~PROTOCOL_FEATURES)
        return because(session, REFUSED, "protocol features: 0x%llx were never offered",
                       (unsigned long long)(in->payload->u64 & ~PROTOCOL_FEATURES));
    session->protocol_features = in->payload->u64;
    return DONE;
}

static enum outcome on_get_queue_num(struct session *session, struct incoming *in)
{
    return answer_u64(in, session->queue_pairs);
}

/* --- owner --- */

static enum outcome on_set_owner(struct session *session, struct incoming *in)
{
    (void)in;
    session->owned = true;
    return DONE;
}

/* Deprecated; the document says to disable all rings and to keep the connection's state. */
static enum outcome on_reset_owner(struct session *session, struct incoming *in)
{
    (void)in;
    session_pause(session);
    for (unsigned i = 0; i < session->vring_count; i++) {
        session->vrings[i].enable_asked = false;
        session->vrings[i].kicked = false;
    }
    session->owned = false;
    return DONE;
}

/* --- memory and log --- */

/* Bytes of dirty log that the guest's memory needs. */
static uint64_t log_size_needed(const struct memory_map *memory)
{
    const struct memory_region *last = &memory->regions[memory->count - 1];

    return (last->guest_addr + last->size - 1) / GUEST_PAGE_SIZE / 8 + 1;
}

static enum outcome on_set_mem_table(struct session *session, struct incoming *in)
{
    const struct vhost_user_memory *table = &in->payload->memory;
    size_t head = offsetof(struct vhost_user_memory, regions);

    if (table->count > MEMORY_REGIONS_MAX || in->size < head + table->count * sizeof table->regions[0] ||
        in->fd_count != table->count)
        return because(session, BROKEN, "memory table: %u regions, %u fds and %u bytes do not fit together",
                       table->count, in->fd_count, in->size);
    struct memory_map *memory =
        memory_map_create(table->regions, in->fds, table->count, session->credit, session->why, sizeof session->why);
    if (memory == NULL)
        return REFUSED;
    session_pause(session);
    memory_map_destroy(session->memory);
    session->memory = memory;
    vrings_stale(session);
    return DONE;
}

static enum outcome on_set_log_base(struct session *session, struct incoming *in)
{
    const struct vhost_user_log *log = &in->payload->log;

    if (!protocol_feature(session, VHOST_USER_PROTOCOL_F_LOG_SHMFD))
        return because(session, BROKEN, "dirty log: the shared log was not negotiated");
    if (session->memory != NULL && log->size < log_size_needed(session->memory))
        return because(session, REFUSED, "dirty log: wanted at least %llu bytes, found %llu",
                       (unsigned long long)log_size_needed(session->memory), (unsigned long long)log->size);
    session_pause(session);
    if (!dirty_log_map(&session->log, in->fds[0], log->size, log->offset, session->why, sizeof session->why))
        return REFUSED;
    return answer_u64(in, 0);
}

/* The front end offers an fd to be told of log writes by; QEMU polls the log instead, so it is not kept. */
static enum outcome on_set_log_fd(struct session *session, struct incoming *in)
{
    (void)session;
    (void)in;
    return DONE;
}

/* --- network --- */

static enum outcome on_send_rarp(struct session *session, struct incoming *in)
{
    uint8_t mac[6];

    if (!protocol_feature(session, VHOST_USER_PROTOCOL_F_RARP))
        return because(session, BROKEN, "announce: was not negotiated");
    memcpy(mac, &in->payload->u64, sizeof mac);
    session->ops->announce(session->owner, mac);
    return DONE;
}

static enum outcome on_net_set_mtu(struct session *session, struct incoming *in)
{
    if (!protocol_feature(session, VHOST_USER_PROTOCOL_F_NET_MTU))
        return because(session, BROKEN, "MTU: was not negotiated");
    if (in->payload->u64 < 68 || in->payload->u64 > 65535)
        return because(session, REFUSED, "MTU: wanted 68 to 65535, found %llu",
                       (unsigned long long)in->payload->u64);
    session->mtu = (uint16_t)in->payload->u64;
    return DONE;
}

/* --- dispatch --- */

/* What a request may look like; a request without a row is refused (F1, F6). */
struct request_rule {
    request_handler *handle;
    uint16_t size_min, size_max; /* payload bytes */
    uint8_t fds_min, fds_max;
};

#define STATE_SIZE sizeof(struct vhost_user_vring_state)
#define ADDR_SIZE sizeof(struct vhost_user_vring_addr)

static const struct request_rule rules[VHOST_USER_REQUEST_MAX] = {
    [VHOST_USER_GET_FEATURES] = { on_get_features, 0, 0, 0, 0 },
    [VHOST_USER_SET_FEATURES] = { on_set_features, 8, 8, 0, 0 },
    [VHOST_USER_SET_OWNER] = { on_set_owner, 0, 0, 0, 0 },
    [VHOST_USER_RESET_OWNER] = { on_reset_owner, 0, 0, 0, 0 },
    [VHOST_USER_SET_MEM_TABLE] = { on_set_mem_table, 8, sizeof(struct vhost_user_memory), 0, MEMORY_REGIONS_MAX },
    [VHOST_USER_SET_LOG_BASE] = { on_set_log_base, 16, 16, 1, 1 },
    [VHOST_USER_SET_LOG_FD] = { on_set_log_fd, 0, 8, 1, 1 },
    [VHOST_USER_SET_VRING_NUM] = { on_set_vring_num, STATE_SIZE, STATE_SIZE, 0, 0 },
    [VHOST_USER_SET_VRING_ADDR] = { on_set_vring_addr, ADDR_SIZE, ADDR_SIZE, 0, 0 },
    [VHOST_USER_SET_VRING_BASE] = { on_set_vring_base, STATE_SIZE, STATE_SIZE, 0, 0 },
    [VHOST_USER_GET_VRING_BASE] = { on_get_vring_base, STATE_SIZE, STATE_SIZE, 0, 0 },
    [VHOST_USER_SET_VRING_KICK] = { on_set_vring_kick, 8, 8, 0, 1 },
    [VHOST_USER_SET_VRING_CALL] = { on_set_vring_call, 8, 8, 0, 1 },
    [VHOST_USER_SET_VRING_ERR] = { on_set_vring_err, 8, 8, 0, 1 },
    [VHOST_USER_GET_PROTOCOL_FEATURES] = { on_get_protocol_features, 0, 0, 0, 0 },
    [VHOST_USER_SET_PROTOCOL_FEATURES] = { on_set_protocol_features, 8, 8, 0, 0 },
    [VHOST_USER_GET_QUEUE_NUM] = { on_get_queue_num, 0, 0, 0, 0 },
    [VHOST_USER_SET_VRING_ENABLE] = { on_set_vring_enable, STATE_SIZE, STATE_SIZE, 0, 0 },
    [VHOST_USER_SEND_RARP] = { on_send_rarp, 8, 8, 0, 0 },
    [VHOST_USER_NET_SET_MTU] = { on_net_set_mtu, 8, 8, 0, 0 },
};

static const struct request_rule *rule_of(const struct vhost_user_header *header)
{
    const struct request_rule *rule =
        header->request < VHOST_USER_REQUEST_MAX ? &rules[header->request] : NULL;

    return rule != NULL && rule->handle != NULL ? rule : NULL;
}

int session_payload_limit(const struct vhost_user_header *header)
{
    const struct request_rule *rule = rule_of(header);

    if (rule == NULL || (header->flags & VHOST_USER_VERSION_MASK) != VHOST_USER_VERSION ||
        (header->flags & VHOST_USER_REPLY) != 0 || header->size < rule->size_min || header->size > rule->size_max)
        return -1;
    return (int)header->size;
}

static enum outcome session_dispatch(struct session *session, const struct vhost_user_header *header,
                                     struct incoming *in)
{
    const struct request_rule *rule = rule_of(header);

    if (session_payload_limit(header) < 0)
        return because(session, BROKEN, "request %u with flags 0x%x and %u bytes is not one of the protocol",
                       header->request, header->flags, header->size);
    if (in->fd_count < rule->fds_min || in->fd_count > rule->fds_max)
        return because(session, BROKEN, "request %u: wanted %u to %u fds, found %u", header->request,
                       rule->fds_min, rule->fds_max, in->fd_count);
    return rule->handle(session, in);
}

/* The verdict for the connection, and the acknowledgement when one was asked for (REPLY_ACK). */
static enum session_verdict session_conclude(const struct session *session,
                                             const struct vhost_user_header *header, enum outcome outcome,
                                             struct vhost_user_message *reply)
{
    bool acknowledge = (header->flags & VHOST_USER_NEED_REPLY) != 0 &&
                       protocol_feature(session, VHOST_USER_PROTOCOL_F_REPLY_ACK);

    if (outcome == ANSWER)
        return SESSION_REPLY;
    if (!acknowledge)
        return outcome == DONE ? SESSION_OK : SESSION_CLOSE;
    reply->payload.u64 = outcome == DONE ? 0 : 1;
    reply->header.size = sizeof reply->payload.u64;
    return outcome == BROKEN ? SESSION_REPLY_CLOSE : SESSION_REPLY;
}

enum session_verdict session_handle(struct session *session, const struct vhost_user_message *message,
                                    const int *fds, unsigned fd_count, struct vhost_user_message *reply)
{
    memory_guard_bursts++; /* what lies between two messages is nobody's waiting for pages */
    int held[VHOST_USER_FDS_MAX];
    unsigned held_count = fd_count < VHOST_USER_FDS_MAX ? fd_count : VHOST_USER_FDS_MAX;
    struct incoming in = { &message->payload, message->header.size, held, fd_count, reply };

    for (unsigned i = 0; i < held_count; i++)
        held[i] = fds[i];
    session->why[0] = '\0';
    *reply = (struct vhost_user_message){
        .header = { .request = message->header.request, .flags = VHOST_USER_VERSION | VHOST_USER_REPLY },
    };
    enum outcome outcome = session_dispatch(session, &message->header, &in);

    for (unsigned i = 0; i < held_count; i++)
        if (held[i] >= 0)
            fd_discard(held[i]);
    for (unsigned i = held_count; i < fd_count; i++)
        fd_discard(fds[i]);
    session_settle(session);
    return session_conclude(session, &message->header, outcome, reply);
}

/* --- life --- */

void session_open(struct session *session, const struct session_ops *ops, void *owner, uint64_t offered,
                  unsigned queue_pairs, struct page_credit *credit)
{
    /* Only the vrings that are offered: the others' pages are never touched. */
    memset(session, 0, offsetof(struct session, vrings) + 2 * queue_pairs * sizeof session->vrings[0]);
    session->ops = ops;
    session->owner = owner;
    session->credit = session->log.credit = credit;
    session->offered = offered;
    session->queue_pairs = queue_pairs;
    session->vring_count = 2 * queue_pairs;
    for (unsigned i = 0; i < session->vring_count; i++) {
        session->vrings[i].kick_fd = -1;
        session->vrings[i].call_fd = -1;
        session->vrings[i].err_fd = -1;
    }
}

void session_close(struct session *session)
{
    session_pause(session);
    for (unsigned i = 0; i < session->vring_count; i++)
        vring_close(&session->vrings[i]);
    memory_map_destroy(session->memory);
    session->memory = NULL;
    dirty_log_unmap(&session->log);
    session_settle(session);
}
