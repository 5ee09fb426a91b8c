/*
 * control_listener.c - see control_listener.h.
 *
 * Called by main() while the process has one thread. Who holds the flock on
 * PATH.lock owns PATH, so a socket file found under the lock is a dead
 * switch's, and replacing it races with nobody. A connect probe still spares a
 * program that listens there without knowing of the lock. The lock file is
 * removed at the end; as another process may have opened it just before, one
 * that got the lock checks that its file is still the one in the folder.
 */
#include "control/control_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Clients that wait while the switch restarts: as many as are served at once. */
#define BACKLOG 64

#define LOCK_PATH_SIZE (sizeof((struct control_listener *)0)->path + 8)

__attribute__((format(printf, 4, 5))) static enum listener_verdict
say(enum listener_verdict verdict, char *why, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return verdict;
}

static void lock_path(const struct control_listener *listener, char *path)
{
    snprintf(path, LOCK_PATH_SIZE, "%s.lock", listener->path);
}

static bool is_same_file(int fd, const char *path)
{
    struct stat here, there;
    return fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

static enum listener_verdict take_lock(struct control_listener *listener, char *why, size_t size)
{
    char path[LOCK_PATH_SIZE];
    lock_path(listener, path);
    for (;;) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return say(LISTENER_FAILED, why, size, "lock %s cannot be opened: %s", path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            enum listener_verdict verdict = errno == EWOULDBLOCK ? LISTENER_HELD : LISTENER_FAILED;
            say(verdict, why, size, verdict == LISTENER_HELD
                    ? "another switch holds the control socket %s; ask it for switch.info, or choose another"
                    : "the lock of %s cannot be taken", listener->path);
            close(fd);
            return verdict;
        }
        if (is_same_file(fd, path)) {
            listener->lock_fd = fd;
            return LISTENER_OPEN;
        }
        close(fd);
    }
}

static struct sockaddr_un address_of(const struct control_listener *listener)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    memcpy(address.sun_path, listener->path, strlen(listener->path) + 1);
    return address;
}

/* Takes a dead switch's socket file away; spares everything else. */
static enum listener_verdict clear_path(const struct control_listener *listener, char *why, size_t size)
{
    struct stat status;
    if (lstat(listener->path, &status) < 0)
        return LISTENER_OPEN; /* nothing there, or bind() will say why not */
    if (!S_ISSOCK(status.st_mode))
        return say(LISTENER_FAILED, why, size, "%s is there and is not a socket; it is left as it is",
                   listener->path);
    struct sockaddr_un address = address_of(listener);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = connect(probe, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED;
    close(probe);
    if (!refused)
        return say(LISTENER_HELD, why, size, "another program listens on the control socket %s",
                   listener->path);
    unlink(listener->path);
    return LISTENER_OPEN;
}

/* Nobody but the owner can connect before group and mode are right. */
static enum listener_verdict bind_path(struct control_listener *listener, gid_t group, char *why, size_t size)
{
    struct sockaddr_un address = address_of(listener);
    mode_t umask_before = umask(0177);
    int failed = bind(listener->fd, (struct sockaddr *)&address, sizeof address);
    int bind_errno = errno;
    umask(umask_before);
    if (failed)
        return say(LISTENER_FAILED, why, size, "control socket %s cannot be bound: %s", listener->path,
                   strerror(bind_errno));
    struct stat status;
    if ((group != (gid_t)-1 && chown(listener->path, (uid_t)-1, group) < 0) ||
        chmod(listener->path, 0660) < 0 || stat(listener->path, &status) < 0 ||
        listen(listener->fd, BACKLOG) < 0) {
        int kept_errno = errno;
        unlink(listener->path);
        return say(LISTENER_FAILED, why, size, "control socket %s cannot be set up: %s", listener->path,
                   strerror(kept_errno));
    }
    listener->group = status.st_gid;
    return LISTENER_OPEN;
}

static enum listener_verdict group_find(const char *name, gid_t *group, char *why, size_t size)
{
    *group = (gid_t)-1;
    if (!name)
        return LISTENER_OPEN;
    const struct group *entry = getgrnam(name);
    if (!entry)
        return say(LISTENER_FAILED, why, size, "--group: there is no group \"%s\"", name);
    *group = entry->gr_gid;
    return LISTENER_OPEN;
}

/* Leaves the path to whoever has it. */
static void give_up(struct control_listener *listener)
{
    char path[LOCK_PATH_SIZE];
    lock_path(listener, path);
    unlink(path);
    control_listener_close(listener, false);
}

enum listener_verdict control_listener_open(struct control_listener *listener, const char *path,
                                            const char *group, char *why, size_t why_size)
{
    gid_t gid;
    enum listener_verdict verdict = group_find(group, &gid, why, why_size);
    if (verdict != LISTENER_OPEN)
        return verdict;
    listener->fd = -1;
    listener->lock_fd = -1;
    snprintf(listener->path, sizeof listener->path, "%s", path);
    verdict = take_lock(listener, why, why_size);
    if (verdict != LISTENER_OPEN)
        return verdict;
    verdict = clear_path(listener, why, why_size);
    if (verdict == LISTENER_OPEN) {
        listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        verdict = bind_path(listener, gid, why, why_size);
    }
    if (verdict != LISTENER_OPEN)
        give_up(listener);
    return verdict;
}

void control_listener_close(struct control_listener *listener, bool remove)
{
    char path[LOCK_PATH_SIZE];
    lock_path(listener, path);
    if (remove) {
        unlink(listener->path);
        unlink(path);
    }
    if (listener->fd >= 0)
        close(listener->fd);
    close(listener->lock_fd);
}
