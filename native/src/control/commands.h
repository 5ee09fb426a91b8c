/*
 * commands.h - the methods of the control protocol over a datapath, and the
 * saving of what they change.
 *
 * Control thread only. Needs no socket: tests and fuzzers hand in lines.
 */
#ifndef VHOSTKIT_COMMANDS_H
#define VHOSTKIT_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/control_socket.h"
#include "control/state_file.h"
#include "datapath.h"
#include "supervisor.h"

/* Everything the methods work on; filled in by its owner. */
struct commander {
    struct event_loop *loop;        /* stopped by switch.shutdown */
    struct datapath *datapath;
    const char *state_path;
    struct supervision supervision;
    bool poll;                      /* --idle poll */
    bool service;                   /* started by a service manager (service_notify.h) */
    unsigned watchdog_ms;           /* fed for the manager at least that often; 0: none */
    uint64_t started_ns;            /* CLOCK_MONOTONIC */
    uint64_t event_seq;             /* of the last event */
    struct state lost;              /* ports of the state file that are not in the datapath (yet) */
};

/* Answers one request (a line without its '\n') with a line, malloc'ed; NULL when out of memory. *effect is all zero before. */
char *command_handle(struct commander *commander, const char *line, size_t length,
                     struct answer_effect *effect);

/*
 * Adds the ports of the state that was read. Those that cannot be added stay
 * in `lost`, and so in the state file, until port.add or port.del names them.
 */
void commander_load(struct commander *commander, struct state *state);
void commander_free(struct commander *commander);

/* Writes the state file; false and a sentence. */
bool commander_save(struct commander *commander, char *why, size_t why_size);

/* The line of an event for subscribers; arguments as in struct datapath_listener. */
char *command_event_line(struct commander *commander, const char *type, const char *port, const char *why,
                         int a, int b);

#endif
