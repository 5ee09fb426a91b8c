/*
 * endpoint.c - see the header. Control thread; everything is non-blocking.
 *
 * As a client it connects at once, again whenever something happens in the
 * socket's folder, and else with back-off: 1 ms doubling to 1 s, so that a VM
 * whose socket is bound but not listening yet is met within milliseconds and an
 * absent one costs nothing.
 */
#include "vhost/endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vhost/fd_kind.h"
#include "vhost/session.h"

#define RETRY_FIRST_MS 1u
#define RETRY_LAST_MS 1000u

/* Before the next accept(2) after one that failed. */
#define ACCEPT_RETRY_MS 100u

/*
 * A session that ended before this did not work out: the next one is held back,
 * 1 ms doubling to 1 s, or a VM that refuses us would be asked a thousand times a second.
 */
#define SESSION_SHORT_NS UINT64_C(1000000000)

/* A message must be complete this long after its first byte (F7). */
#define MESSAGE_DEADLINE_MS 2000u

/* Messages handled before other sources of the loop get their turn. */
#define MESSAGES_PER_EVENT 32

static void endpoint_connect(struct endpoint *endpoint);
static void endpoint_disconnect(struct endpoint *endpoint, const char *why);

/* --- receiving --- */

static void incoming_reset(struct endpoint *endpoint)
{
    endpoint->received = 0;
    endpoint->fd_count = 0;
    endpoint->fds_lost = false;
    event_loop_stop_timer(endpoint->loop, &endpoint->deadline);
}

static void incoming_discard(struct endpoint *endpoint)
{
    for (unsigned i = 0; i < endpoint->fd_count; i++)
        fd_discard(endpoint->fds[i]);
    incoming_reset(endpoint);
}

/* Takes the fds that came with a part of a message; what is too much is closed and remembered. */
static void incoming_take_fds(struct endpoint *endpoint, struct msghdr *header)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL; control = CMSG_NXTHDR(header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
            if (endpoint->fd_count < VHOST_USER_FDS_MAX) {
                endpoint->fds[endpoint->fd_count++] = fd;
            } else {
                fd_discard(fd);
                endpoint->fds_lost = true;
            }
        }
    }
    if (header->msg_flags & MSG_CTRUNC)
        endpoint->fds_lost = true;
}

/* Where the next bytes go: on the wire the payload follows the header without the gap of our struct. */
static struct iovec incoming_part(struct endpoint *endpoint, unsigned wanted)
{
    struct vhost_user_message *message = &endpoint->incoming;
    unsigned at = endpoint->received, head = sizeof message->header;

    if (at < head)
        return (struct iovec){ (uint8_t *)&message->header + at, (wanted < head ? wanted : head) - at };
    return (struct iovec){ (uint8_t *)&message->payload + (at - head), wanted - at };
}

/* Reads up to `wanted` bytes of the message in all. 1: there; 0: not yet; -1: closed or failed. */
static int incoming_fill(struct endpoint *endpoint, unsigned wanted)
{
    while (endpoint->received < wanted) {
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * VHOST_USER_FDS_MAX * sizeof(int))];
        struct iovec part = incoming_part(endpoint, wanted);
        struct msghdr header = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control,
        };
        ssize_t length = recvmsg(endpoint->connection.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
        incoming_take_fds(endpoint, &header);
        if (length == 0)
            return -1;
        endpoint->received += (unsigned)length;
    }
    return 1;
}

static void on_deadline(void *owner)
{
    endpoint_disconnect(owner, "half a message for 2 seconds");
}

/* One step: handles a message when it is whole. 1: did; 0: nothing more to read; -1: disconnected. */
static int incoming_step(struct endpoint *endpoint)
{
    const struct vhost_user_header *header = &endpoint->incoming.header;
    int state = incoming_fill(endpoint, sizeof *header);

    if (state == 1 && endpoint->fds_lost) {
        endpoint_disconnect(endpoint, "more file descriptors than a message can have");
        return -1;
    }
    if (state == 1) {
        int size = session_payload_limit(header);

        if (size < 0) {
            char why[96];

            snprintf(why, sizeof why, "request %u with flags 0x%x and %u bytes is not one of the protocol",
                     header->request, header->flags, header->size);
            endpoint_disconnect(endpoint, why);
            return -1;
        }
        state = incoming_fill(endpoint, (unsigned)sizeof *header + (unsigned)size);
    }
    if (state < 0) {
        endpoint_disconnect(endpoint, "closed by the other side");
        return -1;
    }
    if (state == 0) {
        if (endpoint->received > 0 && endpoint->deadline.due_ns == 0)
            event_loop_start_timer(endpoint->loop, &endpoint->deadline, MESSAGE_DEADLINE_MS, on_deadline, endpoint);
        return 0;
    }
    if (endpoint->fds_lost) {
        endpoint_disconnect(endpoint, "more file descriptors than a message can have");
        return -1;
    }
    unsigned fd_count = endpoint->fd_count;

    incoming_reset(endpoint); /* the fds are the session's now */
    if (endpoint->ops->message(endpoint->owner, &endpoint->incoming, endpoint->fds, fd_count))
        return 1;
    endpoint_disconnect(endpoint, "refused");
    return -1;
}

static void on_readable(void *owner, uint32_t events)
{
    struct endpoint *endpoint = owner;

    (void)events;
    for (int i = 0; i < MESSAGES_PER_EVENT; i++)
        if (incoming_step(endpoint) != 1)
            return;
}

bool endpoint_send(struct endpoint *endpoint, const struct vhost_user_message *reply)
{
    struct iovec parts[] = {
        { (void *)&reply->header, sizeof reply->header },
        { (void *)&reply->payload, reply->header.size },
    };
    struct msghdr header = { .msg_iov = parts, .msg_iovlen = 2 };
    ssize_t size = (ssize_t)(sizeof reply->header + reply->header.size);

    return sendmsg(endpoint->connection.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == size;
}

/* --- who is at the other end --- */

/* The owner of the socket's folder, or -1. */
static uid_t folder_owner(const char *path)
{
    char folder[SOCKET_PATH_SIZE];
    struct stat status;

    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder ? 1 : 0] = '\0';
    return stat(folder, &status) == 0 ? status.st_uid : (uid_t)-1;
}

/*
 * Only root, we ourselves and the owner of the socket's folder may be behind a
 * port: whoever else could squat on the path would get the VM's traffic (F11).
 */
static bool peer_allowed(int fd, const char *path, char *why, size_t why_size)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        snprintf(why, why_size, "who is at the other end cannot be told: %s", strerror(errno));
        return false;
    }
    if (peer.uid == 0 || peer.uid == geteuid() || peer.uid == folder_owner(path))
        return true;
    snprintf(why, why_size, "wanted root, uid %u or the owner of the socket's folder at the other end, found uid %u",
             (unsigned)geteuid(), (unsigned)peer.uid);
    return false;
}

/* Takes over a connected fd. False: it was closed. */
static bool endpoint_attach(struct endpoint *endpoint, int fd)
{
    char why[160];

    if (!peer_allowed(fd, endpoint->path, why, sizeof why)) {
        close(fd);
        endpoint->ops->failed(endpoint->owner, why);
        return false;
    }
    if (event_loop_add(endpoint->loop, &endpoint->connection, fd, EPOLLIN, on_readable, endpoint) != 0) {
        close(fd);
        return false;
    }
    endpoint->retry_ms = RETRY_FIRST_MS;
    endpoint->attached = true;
    endpoint->attached_ns = event_loop_now();
    incoming_reset(endpoint);
    endpoint->ops->connected(endpoint->owner);
    return true;
}

/* --- client --- */

static void on_retry(void *owner)
{
    endpoint_connect(owner);
}

static void retry_later(struct endpoint *endpoint)
{
    event_loop_start_timer(endpoint->loop, &endpoint->retry, endpoint->retry_ms, on_retry, endpoint);
    endpoint->retry_ms = endpoint->retry_ms * 2 < RETRY_LAST_MS ? endpoint->retry_ms * 2 : RETRY_LAST_MS;
}

static void on_folder_changed(void *owner)
{
    struct endpoint *endpoint = owner;

    endpoint->retry_ms = RETRY_FIRST_MS;
    endpoint_connect(endpoint);
}

/* A connected fd, or -1; `why` is set when somebody should know. */
static int socket_connect(const char *path, char *why, size_t why_size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat status;

    if (lstat(path, &status) != 0) {
        if (errno != ENOENT) /* not there yet is the normal state of a VM that is off */
            snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (!S_ISSOCK(status.st_mode)) {
        snprintf(why, why_size, "%s: wanted a socket, found another kind of file", path);
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (errno != ECONNREFUSED && errno != EAGAIN) /* bound but not listening, or busy: soon */
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
    close(fd);
    return -1;
}

static void endpoint_connect(struct endpoint *endpoint)
{
    char why[160] = "";

    if (endpoint->attached)
        return;
    event_loop_stop_timer(endpoint->loop, &endpoint->retry);
    socket_watch_add(endpoint->watch, &endpoint->waiter, endpoint->path, on_folder_changed, endpoint);
    int fd = socket_connect(endpoint->path, why, sizeof why);

    if (fd >= 0 && endpoint_attach(endpoint, fd)) {
        socket_watch_remove(endpoint->watch, &endpoint->waiter);
        return;
    }
    if (why[0] != '\0')
        endpoint->ops->failed(endpoint->owner, why);
    retry_later(endpoint);
}

/* --- server --- */

static void on_accept_again(void *owner)
{
    struct endpoint *endpoint = owner;

    event_loop_change(endpoint->loop, &endpoint->listener, EPOLLIN);
}

static void on_connection(void *owner, uint32_t events)
{
    struct endpoint *endpoint = owner;
    int fd = accept4(endpoint->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
        return;
    event_loop_change(endpoint->loop, &endpoint->listener, 0); /* one at a time: the next waits in the backlog */
    if (fd < 0 || !endpoint_attach(endpoint, fd)) /* no fd left, say: the listener would be readable for ever */
        event_loop_start_timer(endpoint->loop, &endpoint->retry, ACCEPT_RETRY_MS, on_accept_again, endpoint);
}

/* A socket file that nobody listens on is left over from a crash of ours: only that is replaced. */
static void unlink_stale(const struct sockaddr_un *address)
{
    struct stat status;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (probe >= 0 && lstat(address->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
        unlink(address->sun_path);
    if (probe >= 0)
        close(probe);
}

/* The socket is for the folder's owner, whom peer_allowed() expects; only root can give it away. */
static bool socket_give(const char *path)
{
    if (geteuid() == 0 && lchown(path, folder_owner(path), (gid_t)-1) != 0)
        return false;
    return chmod(path, 0600) == 0;
}

static bool endpoint_listen(struct endpoint *endpoint, struct refusal *refusal)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, endpoint->path, strlen(endpoint->path) + 1);
    unlink_stale(&address);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && socket_give(endpoint->path) &&
        listen(fd, 4) == 0 &&
        event_loop_add(endpoint->loop, &endpoint->listener, fd, EPOLLIN, on_connection, endpoint) == 0)
        return true;
    int error = errno;

    if (fd >= 0)
        close(fd);
    refuse(refusal, "socket-in-use", "a socket path that can be bound");
    refusal_found(refusal, "%s: %s", endpoint->path, strerror(error));
    refusal_hint(refusal, "make the folder, or end the program that listens there");
    return false;
}

/* --- life --- */

void endpoint_init(struct endpoint *endpoint)
{
    endpoint->connection = (struct event_source)EVENT_SOURCE_NONE;
    endpoint->listener = (struct event_source)EVENT_SOURCE_NONE;
    endpoint->waiter.folder = -1;
    endpoint->retry_ms = RETRY_FIRST_MS;
    endpoint->hold_ms = RETRY_FIRST_MS;
}

bool endpoint_start(struct endpoint *endpoint, struct event_loop *loop, struct socket_watch *watch,
                    const struct endpoint_ops *ops, void *owner, const char *path, enum port_role role,
                    struct refusal *refusal)
{
    endpoint->loop = loop;
    endpoint->watch = watch;
    endpoint->ops = ops;
    endpoint->owner = owner;
    endpoint->role = role;
    snprintf(endpoint->path, sizeof endpoint->path, "%s", path);
    if (role == PORT_ROLE_SERVER)
        return endpoint_listen(endpoint, refusal);
    endpoint_connect(endpoint);
    return true;
}

/* Ends the connection, tells the owner. */
static void endpoint_detach(struct endpoint *endpoint, const char *why)
{
    int fd = endpoint->connection.fd;

    if (!endpoint->attached)
        return;
    endpoint->attached = false;
    incoming_discard(endpoint);
    event_loop_remove(endpoint->loop, &endpoint->connection);
    close(fd);
    endpoint->ops->disconnected(endpoint->owner, why);
}

static void hold_back(struct endpoint *endpoint)
{
    bool worked = event_loop_now() - endpoint->attached_ns >= SESSION_SHORT_NS;
    unsigned wait = worked ? RETRY_FIRST_MS : endpoint->hold_ms;

    endpoint->hold_ms = 2 * wait < RETRY_LAST_MS ? 2 * wait : RETRY_LAST_MS;
    event_loop_start_timer(endpoint->loop, &endpoint->retry, wait,
                           endpoint->role == PORT_ROLE_SERVER ? on_accept_again : on_retry, endpoint);
}

static void endpoint_disconnect(struct endpoint *endpoint, const char *why)
{
    char sentence[128];

    snprintf(sentence, sizeof sentence, "%s", why);
    endpoint_detach(endpoint, sentence);
    hold_back(endpoint);
}

void endpoint_stop(struct endpoint *endpoint)
{
    if (endpoint->loop == NULL)
        return;
    endpoint_detach(endpoint, "port deleted");
    event_loop_stop_timer(endpoint->loop, &endpoint->retry);
    socket_watch_remove(endpoint->watch, &endpoint->waiter);
    if (endpoint->listener.fd >= 0) {
        int fd = endpoint->listener.fd;

        event_loop_remove(endpoint->loop, &endpoint->listener);
        close(fd);
        unlink(endpoint->path); /* ours: we bound it */
    }
}
