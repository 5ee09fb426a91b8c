/*
 * fd_kind.h - what a file descriptor from a front end really is, found out
 * without asking the file itself: a file of a FUSE server answers fstat(2),
 * write(2) and even close(2) when its server likes to, and a socket may linger.
 */
#ifndef VHOSTKIT_FD_KIND_H
#define VHOSTKIT_FD_KIND_H

#include <stdbool.h>
#include <stddef.h>

/* An eventfd: the only thing taken for kick, call and error. */
bool fd_is_eventfd(int fd);

/* Memory of tmpfs, a memfd or hugetlbfs: the only thing that is mapped. */
bool fd_is_memory(int fd);

/* Page size of such memory: what a mapping of it is aligned to. */
size_t fd_memory_page(int fd);

/*
 * Closes a front end's fd without waiting for whoever is behind it: eventfds and
 * memory at once, anything else on a thread of its own.
 */
void fd_discard(int fd);

/* Returns when that thread has closed what it was given so far. For tests that count fds. */
void fd_discard_wait(void);

#endif
