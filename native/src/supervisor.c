/*
 * supervisor.c - see supervisor.h.
 *
 * Runs in a process of its own with one thread, before the switch makes any.
 * It waits with sigtimedwait() on blocked signals, so none is lost between two
 * steps. A child is a fork without exec: control socket, lock and log are open
 * in it already, and it is up again about a millisecond after its end.
 */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/event_loop.h"
#include "log.h"

/* A switch that lived this long is taken for sound: its crash is the first one again. */
#define SOUND_LIFE_MS 1000

/* Second crash in a row: 10 ms, then twice as long each time. */
#define BACK_OFF_FIRST_MS 10
#define BACK_OFF_MAX_MS 1000

/* After a passed-on signal the switch has this long to close its ports; the CLI waits 2 s for both of us. */
#define END_LIMIT_MS 1500

struct supervisor {
    pid_t child;
    uint64_t started_ns;   /* of the child */
    unsigned starts;
    unsigned short_lives;  /* in a row */
    char last_crash[sizeof((struct supervision *)0)->last_crash];
    bool ending;           /* a signal was passed on */
    sigset_t signals;      /* that it waits for; blocked */
    sigset_t signals_before;
};

static int run_child(struct supervisor *supervisor, pid_t parent,
                     int (*run)(void *owner, const struct supervision *supervision), void *owner)
{
    /* Should the supervisor be killed, the switch ends cleanly; the check closes the gap before prctl(). */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        return EXIT_DONE;
    sigprocmask(SIG_SETMASK, &supervisor->signals_before, NULL);
    struct supervision supervision = {
        .supervisor = parent,
        .starts = supervisor->starts,
        .crashes_in_a_row = supervisor->short_lives,
    };
    memcpy(supervision.last_crash, supervisor->last_crash, sizeof supervision.last_crash);
    return run(owner, &supervision);
}

/* The next signal, or 0 after the time; -1 milliseconds: without limit. */
static int wait_signal(const struct supervisor *supervisor, int milliseconds)
{
    struct timespec limit = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L };
    int signal;
    do
        signal = sigtimedwait(&supervisor->signals, NULL, milliseconds < 0 ? NULL : &limit);
    while (signal < 0 && errno == EINTR);
    return signal < 0 ? 0 : signal;
}

/* Until the child has ended; its wait status. */
static int watch_child(struct supervisor *supervisor)
{
    int status;
    while (waitpid(supervisor->child, &status, WNOHANG) != supervisor->child) {
        int signal = wait_signal(supervisor, supervisor->ending ? END_LIMIT_MS : -1);
        if (signal == 0) {
            log_error("supervisor: the switch (pid %d) did not end within %d ms; it is killed",
                      (int)supervisor->child, END_LIMIT_MS);
            kill(supervisor->child, SIGKILL);
        } else if (signal != SIGCHLD && !supervisor->ending) {
            supervisor->ending = true;
            kill(supervisor->child, SIGTERM);
        }
    }
    return status;
}

/* Whether this is the end of both; otherwise the switch is to be started again. */
static bool is_final(struct supervisor *supervisor, int status, uint64_t lived_ms, int *exit_code)
{
    if (WIFEXITED(status)) {
        *exit_code = WEXITSTATUS(status);
        bool crashed = *exit_code == EXIT_FAILED || *exit_code > EXIT_HELD;
        bool never_ran = supervisor->starts == 1 && lived_ms < SOUND_LIFE_MS;
        if (!crashed || never_ran || supervisor->ending)
            return true;
        snprintf(supervisor->last_crash, sizeof supervisor->last_crash, "exit code %d after %llu ms", *exit_code,
                 (unsigned long long)lived_ms);
        log_error("supervisor: the switch (pid %d) failed: %s", (int)supervisor->child, supervisor->last_crash);
        return false;
    }
    *exit_code = EXIT_FAILED;
    snprintf(supervisor->last_crash, sizeof supervisor->last_crash, "SIG%s%s after %llu ms",
             sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?",
             WCOREDUMP(status) ? " (core dumped)" : "", (unsigned long long)lived_ms);
    log_error("supervisor: the switch (pid %d) was ended by %s", (int)supervisor->child, supervisor->last_crash);
    return supervisor->ending;
}

/* How long to wait before the next start. */
static int back_off(struct supervisor *supervisor, uint64_t lived_ms)
{
    supervisor->short_lives = lived_ms < SOUND_LIFE_MS ? supervisor->short_lives + 1 : 0;
    if (supervisor->short_lives < 2)
        return 0;
    int delay = BACK_OFF_FIRST_MS;
    for (unsigned i = 2; i < supervisor->short_lives && delay < BACK_OFF_MAX_MS; i++)
        delay *= 2;
    return delay < BACK_OFF_MAX_MS ? delay : BACK_OFF_MAX_MS;
}

/* Sleeps; true when a signal asks for the end meanwhile. */
static bool rest(const struct supervisor *supervisor, int milliseconds)
{
    uint64_t until = event_loop_now() + (uint64_t)milliseconds * 1000000u;
    for (;;) {
        uint64_t now = event_loop_now();
        int left = now < until ? (int)((until - now + 999999u) / 1000000u) : 0;
        int signal = wait_signal(supervisor, left);
        if (signal == 0)
            return false;
        if (signal != SIGCHLD)
            return true;
    }
}

/* A host that is short of memory or processes when the switch has crashed may have some again soon. False: that is final. */
static bool may_fork_later(struct supervisor *supervisor)
{
    int delay = back_off(supervisor, 0);

    if (delay < BACK_OFF_FIRST_MS)
        delay = BACK_OFF_FIRST_MS;
    log_error("supervisor: cannot fork: %s", strerror(errno));
    supervisor->starts--;
    if (supervisor->starts == 0)
        return false;
    log_info("supervisor: that is tried again in %d ms", delay);
    return !rest(supervisor, delay);
}

static void take_signals(struct supervisor *supervisor)
{
    signal(SIGCHLD, SIG_DFL); /* ignored by our parent, it would hide how the switch ended */
    sigemptyset(&supervisor->signals);
    sigaddset(&supervisor->signals, SIGCHLD);
    sigaddset(&supervisor->signals, SIGTERM);
    sigaddset(&supervisor->signals, SIGINT);
    sigaddset(&supervisor->signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &supervisor->signals, &supervisor->signals_before);
}

int supervise(int (*run)(void *owner, const struct supervision *supervision), void *owner)
{
    struct supervisor supervisor = { .child = -1 };
    pid_t parent = getpid();
    take_signals(&supervisor);
    for (;;) {
        supervisor.starts++;
        supervisor.started_ns = event_loop_now();
        supervisor.child = fork();
        if (supervisor.child == 0)
            exit(run_child(&supervisor, parent, run, owner));
        if (supervisor.child < 0) {
            if (!may_fork_later(&supervisor))
                return EXIT_FAILED;
            continue;
        }
        int status = watch_child(&supervisor), exit_code;
        uint64_t lived_ms = (event_loop_now() - supervisor.started_ns) / 1000000u;
        if (is_final(&supervisor, status, lived_ms, &exit_code))
            return exit_code;
        int delay = back_off(&supervisor, lived_ms);
        log_info("supervisor: the switch is started again in %d ms", delay);
        if (rest(&supervisor, delay))
            return EXIT_DONE;
    }
}
