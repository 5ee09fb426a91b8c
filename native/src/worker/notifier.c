/*
 * notifier.c - see the header.
 */
#include "worker/notifier.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

/* SIGRTMIN is the quiesce watchdog's. */
#define INTERRUPT (SIGRTMIN + 1)

static void on_interrupt(int number)
{
    (void)number; /* that it was delivered is enough: write(2) returns EINTR */
}

int notifier_install(void)
{
    struct sigaction action = { .sa_handler = on_interrupt }; /* without SA_RESTART */

    sigemptyset(&action.sa_mask);
    return sigaction(INTERRUPT, &action, NULL) == 0 ? 0 : -errno;
}

void notifier_join(void)
{
    sigset_t interrupt;

    sigemptyset(&interrupt);
    sigaddset(&interrupt, INTERRUPT);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

bool notifier_signal(struct notifier *notifier, int fd)
{
    uint64_t one = 1;
    unsigned number = atomic_load_explicit(&notifier->entered, memory_order_relaxed) + 1;

    atomic_store_explicit(&notifier->entered, number, memory_order_relaxed);
    bool sent = write(fd, &one, sizeof one) == (ssize_t)sizeof one || errno == EAGAIN;
    atomic_store_explicit(&notifier->left, number, memory_order_relaxed);
    return sent;
}

void notifier_look(struct notifier *notifier, pthread_t thread)
{
    unsigned entered = atomic_load_explicit(&notifier->entered, memory_order_relaxed);
    bool inside = atomic_load_explicit(&notifier->left, memory_order_relaxed) != entered;

    if (inside && entered == notifier->seen)
        pthread_kill(thread, INTERRUPT);
    notifier->seen = entered;
}
