/*
 * endpoint_test.c - the socket of a port and its folder, in process: connecting,
 * listening, coming back, and what the machine or the other side refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/event_loop.h"
#include "failing_calls.h"
#include "port/refusal.h"
#include "rows.h"
#include "vhost/endpoint.h"
#include "vhost/fd_kind.h"

/* What the endpoint under test has told us. */
static struct {
    struct event_loop *loop;
    struct socket_watch *watch;
    struct endpoint endpoint;
    char folder[64], path[96], why[200];
    unsigned connected, disconnected, failed, messages, fds;
    bool refuse; /* the next message is one to end the connection for */
} it;

static void on_connected(void *owner)
{
    (void)owner;
    it.connected++;
}

static bool on_message(void *owner, const struct vhost_user_message *message, const int *fds, unsigned fd_count)
{
    (void)owner;
    (void)message;
    it.messages++;
    it.fds += fd_count;
    for (unsigned i = 0; i < fd_count; i++)
        close(fds[i]);
    return !it.refuse;
}

static void on_disconnected(void *owner, const char *why)
{
    (void)owner;
    it.disconnected++;
    snprintf(it.why, sizeof it.why, "%s", why);
}

static void on_failed(void *owner, const char *why)
{
    (void)owner;
    it.failed++;
    snprintf(it.why, sizeof it.why, "%s", why);
}

static const struct endpoint_ops ops = { on_connected, on_message, on_disconnected, on_failed };

static void on_pause_over(void *owner)
{
    event_loop_stop(owner);
}

/* Lets the loop run. */
static void run_for(unsigned milliseconds)
{
    struct event_timer timer = { 0 };

    event_loop_start_timer(it.loop, &timer, milliseconds, on_pause_over, it.loop);
    assert_int_equal(event_loop_run(it.loop), 0);
    event_loop_stop_timer(it.loop, &timer);
}

/* Until *count is more than `before`; two seconds at most. */
static void run_until_more(const unsigned *count, unsigned before, const char *what)
{
    for (unsigned i = 0; i < 400 && *count <= before; i++)
        run_for(5);
    if (*count <= before)
        fail_msg("%s did not come in two seconds; last reason: %s", what, it.why);
}

static int open_it(void **state)
{
    (void)state;
    memset(&it, 0, sizeof it);
    snprintf(it.folder, sizeof it.folder, "%s/vhostkit-endpoint-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(it.folder) == NULL)
        return -1;
    snprintf(it.path, sizeof it.path, "%s/socket", it.folder);
    it.loop = event_loop_create();
    it.watch = socket_watch_create(it.loop, 0);
    endpoint_init(&it.endpoint);
    return it.loop && it.watch ? 0 : -1;
}

static int close_it(void **state)
{
    (void)state;
    endpoint_stop(&it.endpoint);
    socket_watch_destroy(it.watch);
    event_loop_destroy(it.loop);
    unlink(it.path);
    rmdir(it.folder);
    for (enum failing_call call = 0; call < CALL_COUNT; call++)
        if (!call_happened(call))
            return -1; /* a failure that was asked for never came */
    return 0;
}

static bool start(enum port_role role)
{
    struct refusal refusal = { 0 };

    return endpoint_start(&it.endpoint, it.loop, it.watch, &ops, NULL, it.path, role, &refusal);
}

static struct sockaddr_un address(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };

    memcpy(at.sun_path, it.path, strlen(it.path) + 1);
    return at;
}

static int bound(void)
{
    struct sockaddr_un at = address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static int dialled(void)
{
    struct sockaddr_un at = address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void send_with_fds(int to, const void *bytes, size_t size, unsigned count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(40 * sizeof(int))] = { 0 };
    struct iovec part = { (void *)(uintptr_t)bytes, size };
    struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
    int fd = eventfd(0, EFD_CLOEXEC);

    if (count > 0) {
        struct cmsghdr *first = (struct cmsghdr *)control;

        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(count * sizeof fd);
        *first = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof fd), .cmsg_level = SOL_SOCKET,
                                   .cmsg_type = SCM_RIGHTS };
        for (unsigned i = 0; i < count; i++)
            memcpy(CMSG_DATA(first) + i * sizeof fd, &fd, sizeof fd);
    }
    assert_int_equal(sendmsg(to, &header, 0), size);
    close(fd);
}

static const struct vhost_user_header get_features = { VHOST_USER_GET_FEATURES, VHOST_USER_VERSION, 0 };

/* A client that is connected; returns the front end's end, and its listener in *listener. */
static int connected_client(int *listener)
{
    *listener = bound();
    assert_int_equal(listen(*listener, 4), 0);
    assert_true(start(PORT_ROLE_CLIENT));
    int fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(it.connected, 1);
    return fd;
}

/* --- client --- */

static void waits_for_the_socket(void **state)
{
    int listener;

    (void)state;
    assert_int_equal(rmdir(it.folder), 0); /* not even the folder is there: then it only asks again and again */
    assert_true(start(PORT_ROLE_CLIENT));
    run_for(20);
    assert_int_equal(it.connected + it.failed, 0); /* that is the normal state of a VM that is off */
    assert_int_equal(mkdir(it.folder, 0700), 0);
    run_for(5);
    listener = bound();
    run_for(30); /* bound, not listening yet: nothing to complain about */
    assert_int_equal(it.connected + it.failed, 0);
    assert_int_equal(listen(listener, 1), 0);
    run_until_more(&it.connected, 0, "the connection");
    close(listener);
}

static void something_else_is_there(void **state)
{
    char inside[120];
    int fd = open(it.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    (void)state;
    close(fd);
    assert_true(start(PORT_ROLE_CLIENT));
    assert_int_equal(it.failed, 1);
    assert_non_null(strstr(it.why, "wanted a socket"));
    endpoint_stop(&it.endpoint);
    snprintf(inside, sizeof inside, "%s/deeper", it.path); /* the folder is a file */
    endpoint_init(&it.endpoint);
    struct refusal refusal = { 0 };

    assert_true(endpoint_start(&it.endpoint, it.loop, it.watch, &ops, NULL, inside, PORT_ROLE_CLIENT, &refusal));
    assert_int_equal(it.failed, 2);
    assert_non_null(strstr(it.why, strerror(ENOTDIR)));
}

static void connecting_fails(void **state)
{
    static const struct { enum failing_call call; int error; unsigned failed; } steps[] = {
        { CALL_socket, EMFILE, 1 },  { CALL_connect, EACCES, 1 }, { CALL_connect, EAGAIN, 0 },
        { CALL_epoll_ctl, ENOSPC, 0 }, { CALL_getsockopt, EIO, 1 },
    };
    int listener;

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        listener = bound();
        assert_int_equal(listen(listener, 4), 0);
        it.failed = it.connected = 0;
        endpoint_init(&it.endpoint);
        call_fails(steps[i].call, 0, steps[i].error);
        assert_true(start(PORT_ROLE_CLIENT));
        assert_int_equal(it.failed, steps[i].failed);
        assert_int_equal(it.connected, 0);
        run_until_more(&it.connected, 0, "the second try");
        endpoint_stop(&it.endpoint);
        close(listener);
        unlink(it.path);
    }
}

static void wrong_peer(void **state)
{
    int listener = bound();

    (void)state;
    assert_int_equal(listen(listener, 4), 0);
    call_says(CALL_getsockopt, 12345);
    call_fails(CALL_stat, 0, EACCES); /* nor can it be told whose folder that is */
    assert_true(start(PORT_ROLE_CLIENT));
    assert_int_equal(it.failed, 1);
    assert_non_null(strstr(it.why, "found uid 12345"));
    run_until_more(&it.connected, 0, "the true peer");
    endpoint_stop(&it.endpoint);
    endpoint_init(&it.endpoint);
    if (chown(it.folder, 12345, (gid_t)-1) == 0) { /* the owner of the folder may */
        call_says(CALL_getsockopt, 12345);
        assert_true(start(PORT_ROLE_CLIENT));
        assert_int_equal(it.connected, 2);
    }
    close(listener);
}

static void messages_come_in(void **state)
{
    int listener, fd = connected_client(&listener);
    struct vhost_user_header two[100];
    const uint8_t *bytes = (const uint8_t *)&get_features;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        two[i] = get_features;
    send_with_fds(fd, two, sizeof two, 0); /* more than are handled at a time */
    run_for(30);
    assert_int_equal(it.messages, 100);
    send_with_fds(fd, bytes, 5, 0); /* in two halves */
    run_for(10);
    call_fails(CALL_recvmsg, 0, EINTR);
    send_with_fds(fd, bytes + 5, 7, 0);
    run_for(10);
    assert_int_equal(it.messages, 101);
    call_says(CALL_recvmsg, SCM_CREDENTIALS); /* nothing that was asked for */
    send_with_fds(fd, bytes, 12, 0);
    run_for(10);
    assert_int_equal(it.messages, 102);
    assert_int_equal(it.fds, 0);
    assert_int_equal(it.disconnected, 0);
    assert_true(endpoint_send(&it.endpoint, &(struct vhost_user_message){ .header = get_features }));
    call_fails(CALL_sendmsg, 0, EAGAIN);
    assert_false(endpoint_send(&it.endpoint, &(struct vhost_user_message){ .header = get_features }));
    call_fails(CALL_recvmsg, 0, ECONNRESET);
    send_with_fds(fd, bytes, 12, 0);
    run_until_more(&it.disconnected, 0, "the end");
    assert_string_equal(it.why, "closed by the other side");
    close(fd);
    close(listener);
}

static void too_many_fds(void **state)
{
    const struct vhost_user_header kick = { VHOST_USER_SET_VRING_KICK, VHOST_USER_VERSION, 8 };
    int listener, fd = connected_client(&listener);
    uint64_t vring = 0;

    (void)state;
    send_with_fds(fd, &kick, sizeof kick, 8); /* all that a message can have */
    run_for(10);
    assert_int_equal(it.disconnected, 0);
    send_with_fds(fd, &vring, sizeof vring, 1); /* and one more with the payload */
    run_until_more(&it.disconnected, 0, "the end");
    assert_string_equal(it.why, "more file descriptors than a message can have");
    close(fd);
    close(listener);
}

/* A session that ends at once is not begun anew at once, whatever happens in the folder. */
static void held_back(void **state)
{
    int listener, fd = connected_client(&listener), other;
    char name[120];
    unsigned before;

    (void)state;
    it.refuse = true;
    for (unsigned i = 0; i < 6; i++) {
        send_with_fds(fd, &get_features, sizeof get_features, 0);
        run_until_more(&it.disconnected, i, "the refusal");
        assert_string_equal(it.why, "refused");
        close(fd);
        if (i == 5)
            break;
        run_until_more(&it.connected, i + 1, "the next session");
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    }
    before = it.connected;
    snprintf(name, sizeof name, "%s/other", it.folder);
    other = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(other);
    unlink(name);
    run_for(5);
    assert_int_equal(it.connected, before);
    run_until_more(&it.connected, before, "the next session"); /* 32 ms by now */
    close(listener);
}

/* --- server --- */

static void serves_one_at_a_time(void **state)
{
    int first, second;

    (void)state;
    assert_true(start(PORT_ROLE_SERVER));
    first = dialled();
    run_until_more(&it.connected, 0, "the first");
    second = dialled();
    run_for(20);
    assert_int_equal(it.connected, 1);
    close(first);
    run_until_more(&it.connected, 1, "the second");
    assert_int_equal(it.disconnected, 1);
    close(second);
}

static void accepting_fails(void **state)
{
    static const int errors[] = { EAGAIN, ECONNABORTED, EINTR, EMFILE };

    (void)state;
    assert_true(start(PORT_ROLE_SERVER));
    for (unsigned i = 0; i < 4; i++) {
        unsigned before = it.connected;
        int fd;

        call_fails(CALL_accept4, 0, errors[i]);
        fd = dialled();
        run_until_more(&it.connected, before, "the connection");
        close(fd);
        run_until_more(&it.disconnected, before, "its end");
    }
    call_says(CALL_getsockopt, 12345);
    int fd = dialled();

    run_until_more(&it.failed, 0, "the stranger");
    close(fd);
}

static void cannot_listen(void **state)
{
    static const struct { enum failing_call call; int error; } steps[] = {
        { CALL_bind, EACCES }, { CALL_chmod, EPERM }, { CALL_listen, ENOBUFS }, { CALL_epoll_ctl, ENOSPC },
        { CALL_socket, EMFILE },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        call_fails(steps[i].call, 0, steps[i].error);
        assert_false(start(PORT_ROLE_SERVER));
        unlink(it.path);
    }
    if (geteuid() == 0) {
        call_fails(CALL_lchown, 0, EPERM);
        assert_false(start(PORT_ROLE_SERVER));
        unlink(it.path);
        call_says(CALL_geteuid, 1000); /* who is not root cannot give it away, and need not */
        assert_true(start(PORT_ROLE_SERVER));
    }
}

static void left_over_sockets(void **state)
{
    struct stat before, after;
    int fd = bound(), file;

    (void)state;
    close(fd); /* a socket file without a listener: of a switch that was killed */
    assert_true(start(PORT_ROLE_SERVER));
    close(dialled());
    endpoint_stop(&it.endpoint);

    fd = bound();
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(lstat(it.path, &before), 0);
    assert_false(start(PORT_ROLE_SERVER)); /* somebody lives there */
    assert_int_equal(lstat(it.path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    close(fd);
    unlink(it.path);

    file = open(it.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(file);
    assert_false(start(PORT_ROLE_SERVER)); /* and a file that is no socket is not ours to remove */
    assert_int_equal(lstat(it.path, &after), 0);
    call_fails(CALL_connect, 0, EACCES);
    unlink(it.path);
    close(bound());
    assert_false(start(PORT_ROLE_SERVER)); /* it cannot be told whether it is left over */
    call_fails(CALL_socket, 1, EMFILE);
    assert_false(start(PORT_ROLE_SERVER)); /* nor can it be asked */
    endpoint_stop(&it.endpoint);
    endpoint_init(&it.endpoint);
}

static void stopped_before_it_began(void **state)
{
    struct endpoint endpoint = { 0 };

    (void)state;
    endpoint_init(&endpoint);
    endpoint_stop(&endpoint);
    assert_int_equal(it.disconnected, 0);
}

/* --- the folder --- */

struct waiting {
    struct socket_waiter waiter;
    unsigned told;
    struct socket_waiter *removes; /* when it is told */
};

static void on_changed(void *owner)
{
    struct waiting *waiting = owner;

    waiting->told++;
    if (waiting->removes)
        socket_watch_remove(it.watch, waiting->removes);
}

static void touch(const char *folder, unsigned number)
{
    char name[160];

    snprintf(name, sizeof name, "%s/new%u", folder, number);
    close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    unlink(name);
}

static void two_folders(void **state)
{
    struct waiting one = { .waiter.folder = -1 }, two = one, three = one, four = one;
    char deeper[140], path[180];

    (void)state;
    snprintf(deeper, sizeof deeper, "%s/deeper", it.folder);
    snprintf(path, sizeof path, "%s/socket", deeper);
    assert_false(socket_watch_add(it.watch, &two.waiter, path, on_changed, &two)); /* no such folder */
    assert_int_equal(mkdir(deeper, 0700), 0);
    assert_true(socket_watch_add(it.watch, &four.waiter, it.path, on_changed, &four));
    assert_true(socket_watch_add(it.watch, &two.waiter, path, on_changed, &two));
    assert_true(socket_watch_add(it.watch, &one.waiter, it.path, on_changed, &one));
    assert_true(socket_watch_add(it.watch, &one.waiter, it.path, on_changed, &one)); /* it waits already */
    assert_true(socket_watch_add(it.watch, &three.waiter, it.path, on_changed, &three));
    three.removes = &one.waiter; /* three is told first, and one would be next */
    touch(it.folder, 0);
    run_for(10);
    assert_int_equal(one.told, 0);
    assert_int_equal(two.told, 0);
    assert_true(three.told > 0);
    assert_int_equal(four.told, three.told); /* those behind it are told all the same */
    assert_int_equal(rmdir(deeper), 0); /* its folder went away: told, and to be added anew */
    run_for(10);
    assert_true(two.told > 0);
    assert_int_equal(two.waiter.folder, -1);
    socket_watch_remove(it.watch, &two.waiter);
    socket_watch_remove(it.watch, &three.waiter);
    socket_watch_remove(it.watch, &four.waiter);
    assert_true(socket_watch_add(it.watch, &one.waiter, "/socket", on_changed, &one)); /* the root folder */
    socket_watch_remove(it.watch, &one.waiter);
}

static void no_inotify(void **state)
{
    struct waiting one = { .waiter.folder = -1 };

    (void)state;
    call_fails(CALL_inotify_init1, 0, EMFILE);
    assert_null(socket_watch_create(it.loop, 0));
    call_fails(CALL_epoll_ctl, 0, ENOSPC);
    assert_null(socket_watch_create(it.loop, 0));
    call_fails(CALL_calloc, 0, ENOMEM);
    assert_null(socket_watch_create(it.loop, 0));
    assert_false(socket_watch_add(NULL, &one.waiter, it.path, on_changed, &one));
    assert_false(socket_watch_add(it.watch, &one.waiter, "socket", on_changed, &one)); /* a path without a folder */
    socket_watch_remove(NULL, &one.waiter);
    socket_watch_destroy(NULL);
}

/* The kernel's queue ran over: then everybody looks, also those in whose folder nothing happened. */
static void overflow(void **state)
{
    struct waiting one = { .waiter.folder = -1 }, two = one;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    unsigned events = 0;
    char deeper[140], path[180];

    (void)state;
    assert_non_null(limit);
    assert_int_equal(fscanf(limit, "%u", &events), 1);
    fclose(limit);
    snprintf(deeper, sizeof deeper, "%s/deeper", it.folder);
    snprintf(path, sizeof path, "%s/socket", deeper);
    assert_int_equal(mkdir(deeper, 0700), 0);
    assert_true(socket_watch_add(it.watch, &one.waiter, it.path, on_changed, &one));
    assert_true(socket_watch_add(it.watch, &two.waiter, path, on_changed, &two));
    for (unsigned i = 0; i <= events; i++) /* the same event twice in a row would count once */
        touch(it.folder, i & 1);
    for (unsigned i = 0; i < 400 && two.told == 0; i++)
        run_for(5);
    assert_int_equal(two.told, 1);
    assert_true(one.told > 1000);
    socket_watch_remove(it.watch, &one.waiter);
    socket_watch_remove(it.watch, &two.waiter);
    rmdir(deeper);
}

#define CASE(name, function) { name, function, open_it, close_it, NULL }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE("a client waits for folder, socket and listener", waits_for_the_socket),
        CASE("something else stands where the socket should", something_else_is_there),
        CASE("connecting fails, and is tried again", connecting_fails),
        CASE("F11 a stranger is at the other end", wrong_peer),
        CASE("messages whole, in halves, and a hundred at once", messages_come_in),
        CASE("F3 one file descriptor too many, with the payload", too_many_fds),
        CASE("F10 a session that is refused at once is held back", held_back),
        CASE("a server serves one at a time", serves_one_at_a_time),
        CASE("accepting fails, and is tried again", accepting_fails),
        CASE("a server cannot listen", cannot_listen),
        CASE("sockets that were left over, and those that were not", left_over_sockets),
        CASE("stopped before it began", stopped_before_it_began),
        CASE("waiters in two folders, removed and gone", two_folders),
        CASE("no inotify to be had", no_inotify),
        CASE("inotify lost events", overflow),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
