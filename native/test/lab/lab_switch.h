/*
 * lab_switch.h - the real switch inside a lab's machine: started with the options
 * of one scene, asked over its control socket, its events kept.
 *
 * There is one at a time. Whatever cannot be done ends the lab with one line
 * that says why (lab_fail): nobody is there to look after it.
 */
#ifndef VHOSTKIT_LAB_SWITCH_H
#define VHOSTKIT_LAB_SWITCH_H

#include <jansson.h>
#include <sched.h>
#include <sys/types.h>

/* Where the switch's files are: where a real one has them, so that rules about paths hold. */
#define LAB_FOLDER "/run/vhostkit"
#define LAB_CONTROL LAB_FOLDER "/switch.sock"
#define LAB_STATE LAB_FOLDER "/switch-state.json"
#define LAB_LOG LAB_FOLDER "/switch.log"

/* One connection to the control socket. */
struct lab_client {
    int socket;            /* -1: none */
    char pending[1 << 18]; /* read beyond the last line */
    size_t length;         /* bytes of it */
};

struct lab_switch {
    pid_t pid;                /* what we started: the supervisor */
    unsigned requests;        /* sent, for their ids */
    struct lab_client asking; /* for requests */
    struct lab_client events; /* subscribed */
};

/* Prints {"failed": …} and ends the program with exit code 1. */
__attribute__((format(printf, 1, 2), noreturn)) void lab_fail(const char *format, ...);

/*
 * Starts it with `options` (NULL at the end) and waits until it answers. It may use these CPUs only, where
 * options do not say otherwise; NULL: all.
 */
void lab_switch_start(struct lab_switch *lab, const char *program, const char *const *options, const cpu_set_t *allowed);
/* Asks it to end, and waits. */
void lab_switch_stop(struct lab_switch *lab);
/* Kills the process that serves; returns when the next one answers. */
void lab_switch_crash(struct lab_switch *lab);

/* One request; params are consumed. The result is the caller's. */
json_t *lab_switch_call(struct lab_switch *lab, const char *method, json_t *params);
/* The process that serves, not its supervisor. */
pid_t lab_switch_serving(struct lab_switch *lab);
/* Port `name` as port.list has it. */
json_t *lab_switch_port(struct lab_switch *lab, const char *name);
/* Waits until the port is up; NULL: it is not within 10 s. */
json_t *lab_switch_wait_up(struct lab_switch *lab, const char *name);
/* Events since the last call; waits until one of this type came (NULL: none in particular), 10 s at most. */
json_t *lab_switch_events(struct lab_switch *lab, const char *type);

#endif
