/*
 * notifier.h - signals a front end's eventfd, and is not held up by it for long.
 *
 * write(2) to an eventfd blocks when its counter is full and O_NONBLOCK is not
 * set. We set that flag, but it belongs to the open file, which the front end
 * shares and may change at any time (H50, H51). So only workers signal, and the
 * control thread watches them: whoever stays in one write for two looks of the
 * watch is interrupted, and the port is silenced (port/vhost_frames.c).
 *
 * The kernel could signal without ever blocking (AIO with IOCB_FLAG_RESFD), but a
 * process with an AIO context takes 25 ms longer to die, which every VM would
 * wait for when the switch crashes (measured 2026-11: outage 43 ms instead of 17 ms).
 */
#ifndef VHOSTKIT_NOTIFIER_H
#define VHOSTKIT_NOTIFIER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One for each worker. */
struct notifier {
    atomic_uint entered; /* writes begun; by the worker */
    atomic_uint left;    /* and ended */
    unsigned seen;       /* `entered` at the last look; by the control thread */
};

/* Between two looks of the control thread: while a worker is awake, and while all sleep. */
#define NOTIFIER_LOOK_MS 20
#define NOTIFIER_LOOK_ASLEEP_MS 200

/* Installs the signal that interrupts a write. 0 or -errno. Before any worker starts. */
int notifier_install(void);
/* The calling worker can be interrupted from now on. */
void notifier_join(void);

/* Adds 1 to the eventfd's counter unless it is full. False: it blocked, or is no eventfd any more. Worker. */
bool notifier_signal(struct notifier *notifier, int fd);
/* Interrupts `thread` if it is in the same write as at the last look. Control thread. */
void notifier_look(struct notifier *notifier, pthread_t thread);

#endif
