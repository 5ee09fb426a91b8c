/*
 * quiesce.c - liburcu's grace period with a limit, since synchronize_rcu()
 * itself has none. Control thread only.
 *
 * A burst takes microseconds. The limit is 2 s and not the 100 ms one might
 * hope for, because a worker that is not pinned shares its core with vCPUs, and on an
 * overcommitted host may not run at all for longer than that; a false alarm would cost
 * every VM a reconnect. Waits above 100 ms are logged.
 *
 * A program that was stopped as a whole (SIGSTOP, a virtual machine that was paused) finds the limit passed although
 * its workers could not run: so there is a grace after it.
 */
#include "quiesce.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "worker/cycles.h"

#define QUIESCE_SLOW_NS 100000000u
#define QUIESCE_GRACE_MS 250

#if defined(__SANITIZE_THREAD__)
char quiesce_to_control, quiesce_to_workers;
#endif

static timer_t watchdog;
static bool watchdog_ready;
static volatile sig_atomic_t in_grace;

static void watchdog_set(long milliseconds)
{
    struct itimerspec when = {
        .it_value = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 },
    };

    timer_settime(watchdog, 0, &when, NULL);
}

/* Async-signal-safe. */
static void on_late(int number)
{
    static const char text[] = "vhostkit-switch: a worker did not reach its quiet point in 2 s; giving up\n";

    (void)number;
    if (!in_grace) {
        in_grace = true;
        watchdog_set(QUIESCE_GRACE_MS);
        return;
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(1);
    abort();
}

int quiesce_init(void)
{
    struct sigaction action = { .sa_handler = on_late };
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };

    if (watchdog_ready)
        return 0;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGRTMIN, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &watchdog) != 0)
        return -errno;
    watchdog_ready = true;
    return 0;
}

void quiesce_wait(void)
{
    uint64_t begin = monotonic_ns();

    in_grace = false;
    watchdog_set(QUIESCE_LIMIT_MS);
    QUIESCE_SHOWN(workers);
    synchronize_rcu();
    QUIESCE_SEEN(control);
    watchdog_set(0);
    uint64_t waited = monotonic_ns() - begin;

    if (waited > QUIESCE_SLOW_NS)
        log_warn("a worker took %llu ms to its quiet point: is its core shared?",
                 (unsigned long long)(waited / 1000000));
}
