/*
 * vhost_peer.c - the front-end side of a vhost-user connection.
 *
 * One thread a connection. The socket is blocking; each wait is a poll with a
 * limit before the read or write.
 */
#include "vhost_peer.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vhost/virtio.h"

__attribute__((format(printf, 2, 3))) static bool failed(struct vhost_peer *peer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(peer->why, sizeof peer->why, format, arguments);
    va_end(arguments);
    return false;
}

static bool wait_for(struct vhost_peer *peer, int fd, short events, const char *what)
{
    struct pollfd entry = { .fd = fd, .events = events };
    int ready = poll(&entry, 1, peer->timeout_ms);

    if (ready > 0)
        return true;
    return failed(peer, "%s: %s after %d ms", what, ready == 0 ? "nothing" : strerror(errno),
                  peer->timeout_ms);
}

static bool socket_address(struct vhost_peer *peer, const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return failed(peer, "%s: too long for a socket", path);
    strcpy(address->sun_path, path);
    strcpy(peer->path, path);
    return true;
}

bool vhost_peer_listen(struct vhost_peer *peer, const char *path)
{
    struct sockaddr_un address;

    if (!socket_address(peer, path, &address))
        return false;
    unlink(path);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer->listener < 0 || bind(peer->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(peer->listener, 8) < 0)
        return failed(peer, "%s: cannot listen: %s", path, strerror(errno));
    return true;
}

bool vhost_peer_accept(struct vhost_peer *peer)
{
    vhost_peer_disconnect(peer);
    if (!wait_for(peer, peer->listener, POLLIN, "waiting for the back end to connect"))
        return false;
    peer->socket = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
    return peer->socket >= 0 || failed(peer, "accept: %s", strerror(errno));
}

bool vhost_peer_connect(struct vhost_peer *peer, const char *path)
{
    struct sockaddr_un address;

    if (!socket_address(peer, path, &address))
        return false;
    for (int waited = 0;; waited += 5) {
        peer->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (peer->socket >= 0 && connect(peer->socket, (struct sockaddr *)&address, sizeof address) == 0)
            return true;
        failed(peer, "%s: cannot connect: %s", path, strerror(errno));
        vhost_peer_disconnect(peer);
        if (waited >= peer->timeout_ms)
            return false;
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    }
}

void vhost_peer_disconnect(struct vhost_peer *peer)
{
    if (peer->socket >= 0)
        close(peer->socket);
    peer->socket = -1;
}

void vhost_peer_close(struct vhost_peer *peer)
{
    vhost_peer_disconnect(peer);
    if (peer->listener >= 0) {
        close(peer->listener);
        unlink(peer->path);
    }
    peer->listener = -1;
}

bool vhost_peer_send_raw(struct vhost_peer *peer, const void *bytes, size_t length, const int *fds,
                         unsigned fd_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64 * sizeof(int))] = { 0 };
    struct iovec iov = { .iov_base = (void *)bytes, .iov_len = length };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd_count > 64)
        return failed(peer, "cannot send %u file descriptors", fd_count);
    if (fd_count) {
        struct cmsghdr *part;

        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, fd_count * sizeof(int));
    }
    while (iov.iov_len) {
        ssize_t sent;

        if (!wait_for(peer, peer->socket, POLLOUT, "waiting to send"))
            return false;
        sent = sendmsg(peer->socket, &header, MSG_NOSIGNAL);
        if (sent < 0)
            return failed(peer, "send: %s", strerror(errno));
        iov.iov_base = (char *)iov.iov_base + sent;
        iov.iov_len -= (size_t)sent;
        header.msg_control = NULL;
        header.msg_controllen = 0;
    }
    return true;
}

bool vhost_peer_send(struct vhost_peer *peer, uint32_t request, uint32_t flags, const void *payload,
                     uint32_t size, const int *fds, unsigned fd_count)
{
    struct vhost_user_header header = { request, VHOST_USER_VERSION | flags, size };
    uint8_t bytes[sizeof header + sizeof(union vhost_user_payload)]; /* no gap between them on the wire */

    if (size > sizeof(union vhost_user_payload))
        return failed(peer, "payload of %u bytes does not fit a message", size);
    memcpy(bytes, &header, sizeof header);
    if (size)
        memcpy(bytes + sizeof header, payload, size);
    return vhost_peer_send_raw(peer, bytes, sizeof header + size, fds, fd_count);
}

static bool read_all(struct vhost_peer *peer, void *to, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t got;

        if (!wait_for(peer, peer->socket, POLLIN, "waiting for a reply"))
            return false;
        got = recv(peer->socket, (char *)to + done, length - done, 0);
        if (got <= 0)
            return failed(peer, "reply: %s", got == 0 ? "the back end closed" : strerror(errno));
        done += (size_t)got;
    }
    return true;
}

bool vhost_peer_receive(struct vhost_peer *peer, struct vhost_user_message *message)
{
    memset(message, 0, sizeof *message);
    if (!read_all(peer, &message->header, sizeof message->header))
        return false;
    if (message->header.size > sizeof message->payload)
        return failed(peer, "reply of %u bytes", message->header.size);
    return read_all(peer, &message->payload, message->header.size);
}

bool vhost_peer_ask(struct vhost_peer *peer, uint32_t request, const void *payload, uint32_t size,
                    struct vhost_user_message *reply)
{
    if (!vhost_peer_send(peer, request, 0, payload, size, NULL, 0) || !vhost_peer_receive(peer, reply))
        return false;
    if (reply->header.request != request || !(reply->header.flags & VHOST_USER_REPLY))
        return failed(peer, "request %u got reply %u, flags %#x", request, reply->header.request,
                      reply->header.flags);
    return true;
}

bool vhost_peer_command(struct vhost_peer *peer, uint32_t request, const void *payload, uint32_t size,
                        const int *fds, unsigned fd_count)
{
    bool acknowledged = peer->protocol_features & FEATURE(VHOST_USER_PROTOCOL_F_REPLY_ACK);
    struct vhost_user_message reply;
    uint32_t flags = acknowledged ? VHOST_USER_NEED_REPLY : 0;

    if (!vhost_peer_send(peer, request, flags, payload, size, fds, fd_count))
        return false;
    if (!acknowledged)
        return true;
    if (!vhost_peer_receive(peer, &reply))
        return false;
    if (reply.header.request != request || reply.header.size != 8 || reply.payload.u64 != 0)
        return failed(peer, "request %u refused: %llu", request, (unsigned long long)reply.payload.u64);
    return true;
}

bool vhost_peer_closed(struct vhost_peer *peer)
{
    char thrown_away[256];

    for (;;) {
        ssize_t got;

        if (!wait_for(peer, peer->socket, POLLIN, "waiting for the back end to close"))
            return false;
        got = recv(peer->socket, thrown_away, sizeof thrown_away, 0);
        if (got <= 0)
            return true;
    }
}

bool vhost_peer_greet(struct vhost_peer *peer, uint64_t protocol_wanted)
{
    struct vhost_user_message reply;

    peer->protocol_features = 0;
    peer->queue_pairs = 1;
    if (!vhost_peer_ask(peer, VHOST_USER_GET_FEATURES, NULL, 0, &reply))
        return false;
    peer->offered = reply.payload.u64;
    if (peer->offered & FEATURE(VHOST_USER_F_PROTOCOL_FEATURES)) {
        uint64_t wanted;

        if (!vhost_peer_ask(peer, VHOST_USER_GET_PROTOCOL_FEATURES, NULL, 0, &reply))
            return false;
        peer->protocol_offered = reply.payload.u64;
        wanted = protocol_wanted & peer->protocol_offered;
        if (!vhost_peer_send(peer, VHOST_USER_SET_PROTOCOL_FEATURES, 0, &wanted, sizeof wanted, NULL, 0))
            return false;
        peer->protocol_features = wanted;
        if (wanted & FEATURE(VHOST_USER_PROTOCOL_F_MQ)) {
            if (!vhost_peer_ask(peer, VHOST_USER_GET_QUEUE_NUM, NULL, 0, &reply))
                return false;
            peer->queue_pairs = (unsigned)reply.payload.u64;
        }
    }
    return vhost_peer_command(peer, VHOST_USER_SET_OWNER, NULL, 0, NULL, 0);
}

bool vhost_peer_set_features(struct vhost_peer *peer, uint64_t features)
{
    return vhost_peer_command(peer, VHOST_USER_SET_FEATURES, &features, sizeof features, NULL, 0);
}

bool vhost_peer_set_memory(struct vhost_peer *peer, const struct guest_ram *ram)
{
    struct vhost_user_memory table = { .count = ram->count };
    int fds[GUEST_RAM_REGIONS_MAX];

    guest_ram_describe(ram, table.regions, fds);
    return vhost_peer_command(peer, VHOST_USER_SET_MEM_TABLE, &table,
                              (uint32_t)(8 + ram->count * sizeof table.regions[0]), fds, ram->count);
}

static bool set_ring_fd(struct vhost_peer *peer, uint32_t request, unsigned index, int fd)
{
    uint64_t value = index | (fd < 0 ? VHOST_USER_VRING_NOFD : 0);

    return vhost_peer_command(peer, request, &value, sizeof value, &fd, fd < 0 ? 0 : 1);
}

bool vhost_peer_start_ring(struct vhost_peer *peer, const struct vhost_peer_ring *ring)
{
    struct vhost_user_vring_state size = { ring->index, ring->size };
    struct vhost_user_vring_state base = { ring->index, ring->base };
    struct vhost_user_vring_addr where = {
        .index = ring->index, .desc_user = ring->desc, .avail_user = ring->avail, .used_user = ring->used,
    };

    return vhost_peer_command(peer, VHOST_USER_SET_VRING_NUM, &size, sizeof size, NULL, 0) &&
           vhost_peer_command(peer, VHOST_USER_SET_VRING_BASE, &base, sizeof base, NULL, 0) &&
           vhost_peer_command(peer, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0) &&
           set_ring_fd(peer, VHOST_USER_SET_VRING_CALL, ring->index, ring->call_fd) &&
           set_ring_fd(peer, VHOST_USER_SET_VRING_KICK, ring->index, ring->kick_fd);
}

bool vhost_peer_enable_ring(struct vhost_peer *peer, unsigned index, bool enabled)
{
    struct vhost_user_vring_state state = { index, enabled };

    return vhost_peer_command(peer, VHOST_USER_SET_VRING_ENABLE, &state, sizeof state, NULL, 0);
}

bool vhost_peer_stop_ring(struct vhost_peer *peer, unsigned index, uint16_t *base)
{
    struct vhost_user_vring_state state = { index, 0 };
    struct vhost_user_message reply;

    if (!vhost_peer_ask(peer, VHOST_USER_GET_VRING_BASE, &state, sizeof state, &reply))
        return false;
    *base = (uint16_t)reply.payload.state.num;
    return true;
}
