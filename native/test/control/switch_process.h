/*
 * switch_process.h - the real program in a folder of its own, and a client of
 * it that waits for nothing longer than a few seconds. Failures are cmocka's.
 */
#ifndef VHOSTKIT_SWITCH_PROCESS_H
#define VHOSTKIT_SWITCH_PROCESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct switch_process {
    const char *program;   /* path of vhostkit-switch */
    char folder[40];       /* temporary; everything below is in it */
    char control[64];
    char state[64];
    char log[64];
    pid_t pid;             /* 0: not running */
};

/* Makes the folder. */
void switch_prepare(struct switch_process *process, const char *program);
/* Starts with --control, --state, --log and the options given (at most 6, then NULL). */
void switch_start(struct switch_process *process, const char *const *options);
/* Ends it, if need be by force, and removes the folder, which must hold only state and log by then. */
void switch_clean(struct switch_process *process);

/* Waits for its end: the exit code, or 128 + the signal. */
int switch_wait(struct switch_process *process);

/* A connection; waits for the socket to be there. */
int switch_connect(const struct switch_process *process);
void switch_send(int fd, const char *line);
/* The next line without its '\n', static; NULL at the end of the connection. */
const char *switch_hear(int fd);
/* The result of one request on a connection of its own; NULL when it is an error. */
json_t *switch_ask(const struct switch_process *process, const char *method, const char *params);
/* A number in the answer of switch.info. */
long switch_info(const struct switch_process *process, const char *key);

bool switch_log_has(const struct switch_process *process, const char *text);

#endif
