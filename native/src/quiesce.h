/*
 * quiesce.h - waits for the workers' quiet point, but never for ever (R20).
 */
#ifndef VHOSTKIT_QUIESCE_H
#define VHOSTKIT_QUIESCE_H

#include <urcu-qsbr.h>

/* Prepares the watchdog. 0 or -errno. Call once, before the first wait. */
int quiesce_init(void);

/*
 * Returns after each worker has passed a quiet point or sleeps. A worker that
 * does not come for QUIESCE_LIMIT_MS, and a moment of grace, ends the program: a restart is better than
 * memory that is unmapped while it is written to.
 */
void quiesce_wait(void);

#define QUIESCE_LIMIT_MS 2000

/*
 * What a grace period orders, for ThreadSanitizer, which does not see into liburcu: all that a worker did before its
 * quiet point comes before the end of a wait, all that the control thread did before the wait comes before what the worker
 * does next. Nothing is ordered between two workers.
 */
#if defined(__SANITIZE_THREAD__)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
extern char quiesce_to_control, quiesce_to_workers;
#define QUIESCE_SEEN(by) __tsan_acquire(&quiesce_to_##by)
#define QUIESCE_SHOWN(to) __tsan_release(&quiesce_to_##to)
#else
#define QUIESCE_SEEN(by) ((void)0)
#define QUIESCE_SHOWN(to) ((void)0)
#endif

/* The worker's quiet point. */
static inline void quiesce_pass(void)
{
    QUIESCE_SHOWN(control);
    rcu_quiescent_state();
    QUIESCE_SEEN(workers);
}

/* The worker is about to sleep, and has slept: in between nobody waits for it. */
static inline void quiesce_leave(void)
{
    QUIESCE_SHOWN(control);
    rcu_thread_offline();
}

static inline void quiesce_return(void)
{
    rcu_thread_online();
    QUIESCE_SEEN(workers);
}

#endif
