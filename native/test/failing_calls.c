/*
 * failing_calls.c - see the header. One thread asks; the calls themselves may
 * come from any. With 64-bit file offsets, which meson asks for, some have other symbols.
 */
#include "failing_calls.h"

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct {
    atomic_int left; /* calls until it happens, that one included; 0: nothing is asked for */
    int error;       /* 0: it says something else */
    unsigned value;
} asked[CALL_COUNT];

void call_fails(enum failing_call call, unsigned before, int error)
{
    asked[call].error = error;
    atomic_store(&asked[call].left, (int)before + 1);
}

void call_says(enum failing_call call, unsigned value)
{
    asked[call].value = value;
    call_fails(call, 0, 0);
}

bool call_happened(enum failing_call call)
{
    return atomic_exchange(&asked[call].left, 0) == 0;
}

/* Whether it is this call that is different. */
static bool is_now(enum failing_call call)
{
    int left = atomic_load(&asked[call].left);

    return left > 0 && atomic_fetch_sub(&asked[call].left, 1) == 1;
}

/* A wrapper that only fails: result, name and symbol, parameters, arguments, what it returns then. */
#define WRAP_AS(type, name, symbol, parameters, arguments, failure) \
    type __real_##symbol parameters;                                \
    type __wrap_##symbol parameters;                                \
    type __wrap_##symbol parameters                                 \
    {                                                               \
        if (!is_now(CALL_##name))                                   \
            return __real_##symbol arguments;                       \
        errno = asked[CALL_##name].error;                           \
        return failure;                                             \
    }
#define WRAP(type, name, parameters, arguments, failure) WRAP_AS(type, name, name, parameters, arguments, failure)

WRAP_AS(void *, mmap, mmap64, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
     (at, size, prot, flags, fd, offset), MAP_FAILED)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP_AS(int, fstat, fstat64, (int fd, struct stat *status), (fd, status), -1)
WRAP(int, pipe2, (int *fds, int flags), (fds, flags), -1)
WRAP(int, pthread_create, (pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *context),
     (thread, how, run, context), asked[CALL_pthread_create].error)
WRAP(int, sigaction, (int number, const struct sigaction *action, struct sigaction *old), (number, action, old), -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), -1)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1)
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags), -1)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), -1)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1)
WRAP_AS(int, stat, stat64, (const char *path, struct stat *status), (path, status), -1)
WRAP_AS(int, lstat, lstat64, (const char *path, struct stat *status), (path, status), -1)
WRAP(int, lchown, (const char *path, uid_t owner, gid_t group), (path, owner, group), -1)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
WRAP(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event), (epoll, what, fd, event), -1)
WRAP(int, inotify_init1, (int flags), (flags), -1)
WRAP(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask), -1)

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return is_now(CALL_geteuid) ? asked[CALL_geteuid].value : __real_geteuid();
}

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    bool now = is_now(CALL_getsockopt);

    if (now && asked[CALL_getsockopt].error != 0) {
        errno = asked[CALL_getsockopt].error;
        return -1;
    }
    int result = __real_getsockopt(fd, level, name, value, size);

    if (now)
        ((struct ucred *)value)->uid = asked[CALL_getsockopt].value;
    return result;
}

int __real_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs)
{
    bool now = is_now(CALL_fstatfs);

    if (now && asked[CALL_fstatfs].error != 0) {
        errno = asked[CALL_fstatfs].error;
        return -1;
    }
    int result = __real_fstatfs64(fd, fs);

    if (now) {
        fs->f_type = HUGETLBFS_MAGIC;
        fs->f_bsize = asked[CALL_fstatfs].value;
    }
    return result;
}

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
    bool now = is_now(CALL_recvmsg);

    if (now && asked[CALL_recvmsg].error != 0) {
        errno = asked[CALL_recvmsg].error;
        return -1;
    }
    ssize_t result = __real_recvmsg(fd, message, flags);

    if (now && result >= 0) {
        struct cmsghdr *control = message->msg_control;

        *control = (struct cmsghdr){ .cmsg_len = CMSG_LEN(0), .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = (int)asked[CALL_recvmsg].value };
        message->msg_controllen = CMSG_SPACE(0);
    }
    return result;
}
