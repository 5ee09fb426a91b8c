/*
 * session_vring.c - the messages that concern one vring: its size, addresses and base, its fds, and
 * whether it is enabled. They change its description; session_settle() does the rest. Control thread.
 */
#include <fcntl.h>
#include <unistd.h>

#include "vhost/fd_kind.h"
#include "vhost/session_parts.h"

/* The vring of a message, or NULL with why (F2). */
static struct vring *vring_of(struct session *session, uint64_t index)
{
    if (index < session->vring_count)
        return &session->vrings[index];
    because(session, BROKEN, "vring index: wanted below %u, found %llu", session->vring_count,
            (unsigned long long)index);
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void vring_stop(struct vring *vring)
{
    if (vring->ring.running)
        vring->base = ring_stop(&vring->ring);
}

void vring_close(struct vring *vring)
{
    vring->kicked = false;
    vring_stop(vring);
    close_fd(&vring->kick_fd);
    close_fd(&vring->call_fd);
    close_fd(&vring->err_fd);
}

enum outcome on_set_vring_num(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->state.index);
    uint32_t size = in->payload->state.num;

    if (vring == NULL)
        return BROKEN;
    if (vring->ring.running)
        return because(session, REFUSED, "vring %u: its size cannot change while it runs", in->payload->state.index);
    if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)) != 0)
        return because(session, REFUSED, "vring size: wanted a power of two up to %u, found %u", VRING_SIZE_MAX,
                       size);
    session_pause(session);
    vring->where.size = size;
    vring->sized = true;
    return DONE;
}

enum outcome on_set_vring_addr(struct session *session, struct incoming *in)
{
    const struct vhost_user_vring_addr *addr = &in->payload->addr;
    struct vring *vring = vring_of(session, addr->index);

    if (vring == NULL)
        return BROKEN;
    session_pause(session);
    if (vring->ring.running && !ring_usable(&vring->ring))
        vring_stop(vring); /* new addresses are a driver's reset: a broken ring may begin again (R27) */
    vring->where.desc_user = addr->desc_user;
    vring->where.avail_user = addr->avail_user;
    vring->where.used_user = addr->used_user;
    vring->where.used_log_guest = addr->log_guest;
    vring->where.log_used = addr->flags & VHOST_VRING_F_LOG;
    vring->addressed = true;
    vring->stale = true;
    return DONE;
}

enum outcome on_set_vring_base(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->state.index);

    if (vring == NULL)
        return BROKEN;
    if (in->payload->state.num > UINT16_MAX)
        return because(session, REFUSED, "vring base: wanted below 65536, found %u", in->payload->state.num);
    if (vring->ring.running)
        return because(session, REFUSED, "vring %u: its base cannot change while it runs", in->payload->state.index);
    vring->base = (uint16_t)in->payload->state.num;
    return DONE;
}

enum outcome on_get_vring_base(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->state.index);

    if (vring == NULL)
        return BROKEN;
    session_pause(session);
    vring->kicked = false;
    vring_stop(vring);
    close_fd(&vring->kick_fd);
    vring->why[0] = '\0';
    in->reply->payload.state.index = in->payload->state.index;
    in->reply->payload.state.num = vring->base;
    in->reply->header.size = sizeof in->reply->payload.state;
    return ANSWER;
}

enum outcome on_set_vring_enable(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->state.index);

    if (vring == NULL)
        return BROKEN;
    /* QEMU 7.2 sends this before SET_FEATURES, so whether the bit is negotiated cannot be asked here. */
    if (!(session->offered & FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)))
        return because(session, BROKEN, "vring enable: the protocol features bit was not offered");
    if (in->payload->state.num > 1)
        return because(session, REFUSED, "vring enable: wanted 0 or 1, found %u", in->payload->state.num);
    vring->enable_asked = in->payload->state.num == 1;
    bool wanted = vring_wants_frames(session, vring);

    if (vring->enabled == wanted)
        return DONE;
    /* It is enabled before workers are sent to it, and disabled after they are sent elsewhere: no frame meets it off. */
    if (wanted)
        vring->enabled = true;
    session->ops->enable(session->owner);
    vring->enabled = wanted;
    return DONE;
}

/*
 * Takes the fd of a KICK, CALL or ERR message into *slot; -1 with the NOFD bit.
 * Only eventfds are taken: waiting for or signalling anything else could block (H51).
 */
static enum outcome vring_take_fd(struct session *session, struct incoming *in, int *slot)
{
    unsigned wanted = in->payload->u64 & VHOST_USER_VRING_NOFD ? 0 : 1;

    if (in->fd_count != wanted)
        return because(session, BROKEN, "vring fd: wanted %u, found %u", wanted, in->fd_count);
    if (wanted == 1 && !fd_is_eventfd(in->fds[0]))
        return because(session, BROKEN, "vring fd: wanted an eventfd, found something else");
    session_pause(session);
    close_fd(slot);
    if (wanted == 1) {
        fcntl(in->fds[0], F_SETFL, O_NONBLOCK); /* the front end may clear it again: see notifier.h */
        *slot = in->fds[0];
        in->fds[0] = -1;
    }
    return DONE;
}

enum outcome on_set_vring_kick(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->u64 & VHOST_USER_VRING_INDEX_MASK);
    enum outcome outcome = vring == NULL ? BROKEN : vring_take_fd(session, in, &vring->kick_fd);

    if (outcome == DONE)
        vring->kicked = true;
    return outcome;
}

enum outcome on_set_vring_call(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->u64 & VHOST_USER_VRING_INDEX_MASK);
    enum outcome outcome = vring == NULL ? BROKEN : vring_take_fd(session, in, &vring->call_fd);

    if (outcome == DONE)
        vring->ring.signalled_valid = false; /* a call may have been lost with the old fd */
    return outcome;
}

enum outcome on_set_vring_err(struct session *session, struct incoming *in)
{
    struct vring *vring = vring_of(session, in->payload->u64 & VHOST_USER_VRING_INDEX_MASK);

    return vring == NULL ? BROKEN : vring_take_fd(session, in, &vring->err_fd);
}
