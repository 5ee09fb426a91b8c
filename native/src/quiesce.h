/*
 * quiesce.h - waits for the workers' quiet point, but never for ever (R20).
 */
#ifndef VHOSTKIT_QUIESCE_H
#define VHOSTKIT_QUIESCE_H

/* Prepares the watchdog. 0 or -errno. Call once, before the first wait. */
int quiesce_init(void);

/*
 * Returns after each worker has passed a quiet point or sleeps. A worker that
 * does not come for QUIESCE_LIMIT_MS ends the program: a restart is better than
 * memory that is unmapped while it is written to.
 */
void quiesce_wait(void);

#define QUIESCE_LIMIT_MS 2000

#endif
