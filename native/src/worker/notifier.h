/*
 * notifier.h - signals a front end's eventfd without ever blocking.
 *
 * write(2) to an eventfd blocks when its counter is full and O_NONBLOCK is not
 * set, and that flag belongs to the open file, which the front end shares and
 * may change at any time (H50, H51). The kernel's own way to signal an eventfd,
 * the completion of an asynchronous read of nothing, cannot block.
 */
#ifndef VHOSTKIT_NOTIFIER_H
#define VHOSTKIT_NOTIFIER_H

#include <stdbool.h>

/* One for each thread that signals. */
struct notifier {
    unsigned long context; /* kernel AIO context; 0: none */
    int null_fd;           /* /dev/null, to read nothing from */
};

/* 0 or -errno (io_setup's, open's). */
int notifier_open(struct notifier *notifier);
void notifier_close(struct notifier *notifier);

/* Adds 1 to the eventfd's counter unless it is full. False: it is no eventfd any more. */
bool notifier_signal(struct notifier *notifier, int fd);

#endif
