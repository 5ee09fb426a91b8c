/*
 * notifier.c - see the header. Owned by one thread, no locks.
 *
 * Costs 1.2 µs where write(2) costs 0.4 µs (2026-11), at most once a burst and
 * only when the driver asked for it.
 */
#include "worker/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Completions that may wait to be collected. */
#define COMPLETIONS 128

int notifier_open(struct notifier *notifier)
{
    notifier->context = 0;
    notifier->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (notifier->null_fd < 0)
        return -errno;
    if (syscall(SYS_io_setup, COMPLETIONS, &notifier->context) == 0)
        return 0;
    int error = errno;

    close(notifier->null_fd);
    notifier->null_fd = -1;
    return -error;
}

void notifier_close(struct notifier *notifier)
{
    if (notifier->context != 0)
        syscall(SYS_io_destroy, notifier->context);
    if (notifier->null_fd >= 0)
        close(notifier->null_fd);
    notifier->context = 0;
    notifier->null_fd = -1;
}

static void collect(struct notifier *notifier)
{
    struct io_event events[COMPLETIONS];

    syscall(SYS_io_getevents, notifier->context, 0, COMPLETIONS, events, NULL);
}

bool notifier_signal(struct notifier *notifier, int fd)
{
    struct iocb read_nothing = {
        .aio_fildes = (uint32_t)notifier->null_fd,
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = (uint32_t)fd,
    };
    struct iocb *batch[] = { &read_nothing };

    if (syscall(SYS_io_submit, notifier->context, 1, batch) == 1)
        return true;
    if (errno != EAGAIN)
        return false;
    collect(notifier);
    return syscall(SYS_io_submit, notifier->context, 1, batch) == 1 || errno == EAGAIN;
}
