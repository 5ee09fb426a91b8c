/*
 * failing_calls.h - lets a system call of the code under test fail once, as it
 * does on a machine that has run out of something. The linker puts these
 * functions in the place of the real ones (--wrap, see meson.build), so the
 * code itself has no seam for it.
 */
#ifndef VHOSTKIT_TEST_FAILING_CALLS_H
#define VHOSTKIT_TEST_FAILING_CALLS_H

#include <stdbool.h>

#define FAILING_CALLS(X)                                                                                     \
    X(mmap) X(calloc) X(fstat) X(fstatfs) X(pipe2) X(pthread_create) X(sigaction) X(socket) X(bind) X(listen) X(accept4)    \
    X(connect) X(getsockopt) X(recvmsg) X(sendmsg) X(stat) X(lstat) X(lchown) X(chmod) X(epoll_ctl)          \
    X(inotify_init1) X(inotify_add_watch) X(geteuid)

enum failing_call {
#define X(name) CALL_##name,
    FAILING_CALLS(X)
#undef X
    CALL_COUNT
};

/* The call fails with `error` after `before` more that do not; pthread_create returns it. */
void call_fails(enum failing_call call, unsigned before, int error);
/*
 * The next call works, but says something else: getsockopt that the peer is user `value`, fstatfs that the
 * file is on hugepages of `value` bytes, geteuid that we are user `value`, recvmsg that the control message
 * is of type `value`.
 */
void call_says(enum failing_call call, unsigned value);
/* Whether what was asked for has happened; forgets it otherwise. */
bool call_happened(enum failing_call call);

#endif
