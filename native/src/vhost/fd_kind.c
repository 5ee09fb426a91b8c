/*
 * fd_kind.c - see the header. Control thread, and one closing thread that is
 * started by the first strange fd. The kind is read from /proc/self/fd (a name
 * made by the kernel) and with F_GET_SEALS, which only shared memory knows.
 */
#include "vhost/fd_kind.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t closer_once = PTHREAD_ONCE_INIT;
static int closer_pipe[2] = { -1, -1 }; /* fds to close, as ints */
static atomic_uint closer_given;        /* fds put into the pipe */
static atomic_uint closer_closed;       /* fds closed by the thread */

bool fd_is_eventfd(int fd)
{
    static const char eventfd_name[] = "anon_inode:[eventfd]";
    char path[32], name[sizeof eventfd_name];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, name, sizeof name);
    return length == (ssize_t)sizeof eventfd_name - 1 && memcmp(name, eventfd_name, (size_t)length) == 0;
}

bool fd_is_memory(int fd)
{
    return fcntl(fd, F_GET_SEALS) >= 0;
}

size_t fd_memory_page(int fd)
{
    struct statfs fs;
    bool huge = fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == HUGETLBFS_MAGIC;

    return huge ? (size_t)fs.f_bsize : (size_t)sysconf(_SC_PAGESIZE);
}

static void *closer_main(void *unused)
{
    int fd;

    (void)unused;
    while (read(closer_pipe[0], &fd, sizeof fd) == (ssize_t)sizeof fd) {
        close(fd);
        atomic_fetch_add(&closer_closed, 1);
    }
    return NULL;
}

static void closer_start(void)
{
    pthread_t thread;
    sigset_t all, before;

    if (pipe2(closer_pipe, O_CLOEXEC) != 0)
        return;
    fcntl(closer_pipe[1], F_SETFL, O_NONBLOCK);
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, closer_main, NULL) == 0) {
        pthread_detach(thread);
    } else {
        close(closer_pipe[1]);
        closer_pipe[1] = -1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fd_discard(int fd)
{
    if (!fd_is_eventfd(fd) && !fd_is_memory(fd)) {
        pthread_once(&closer_once, closer_start);
        if (closer_pipe[1] >= 0 && write(closer_pipe[1], &fd, sizeof fd) == (ssize_t)sizeof fd) {
            atomic_fetch_add(&closer_given, 1);
            return;
        }
    }
    close(fd);
}

void fd_discard_wait(void)
{
    const struct timespec moment = { .tv_nsec = 100000 };

    while (atomic_load(&closer_closed) != atomic_load(&closer_given))
        nanosleep(&moment, NULL);
}
