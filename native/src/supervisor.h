/*
 * supervisor.h - --monitor: a process in front that starts the switch again
 * after a crash. It has one thread, no guest memory and no JSON, so there is
 * little in it that could fail.
 */
#ifndef VHOSTKIT_SUPERVISOR_H
#define VHOSTKIT_SUPERVISOR_H

#include <sys/types.h>

/* Exit codes of the program, as in PROTOCOL.md. */
enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STATE = 3, EXIT_HELD = 4 };

/* What a supervised switch knows of its place. */
struct supervision {
    pid_t supervisor;  /* 0: not supervised */
    unsigned starts;   /* starts so far, this one included */
    unsigned crashes_in_a_row; /* of switches that did not live for a second, just before this start */
    char last_crash[64];       /* "SIGSEGV after 3 ms"; "": none since the supervisor began */
};

/*
 * Runs `run` in a child, again after every crash, until it ends as asked or
 * cannot go on (EXIT_USAGE, EXIT_STATE, EXIT_HELD; EXIT_FAILED at its first
 * start). SIGTERM, SIGINT and SIGHUP are passed on. The exit code to end with.
 */
int supervise(int (*run)(void *owner, const struct supervision *supervision), void *owner);

#endif
