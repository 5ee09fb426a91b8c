/*
 * switch_rig.h - the real program under test: vhostkit-switch in a folder of
 * its own, its control socket, and play VMs on its ports.
 *
 * There is one rig a program. A test that fails leaves it open; the next
 * switch_open() ends what was left. What the switch wrote to stderr is shown
 * when it did not end as asked (that is where sanitizers report).
 */
#ifndef VHOSTKIT_TEST_SWITCH_RIG_H
#define VHOSTKIT_TEST_SWITCH_RIG_H

#include <jansson.h>
#include <sys/types.h>

#include "machine.h"
#include "packet.h"
#include "rows.h"

#define SWITCH_RIG_MACHINES 8u

struct switch_rig {
    char folder[64];       /* sockets, state file, log */
    char control[96];      /* path of the control socket */
    pid_t pid;             /* what we started: the switch, or its supervisor */
    int client;            /* connection to the control socket, -1: none */
    unsigned requests;     /* sent, for their ids */
    char pending[1 << 20];  /* bytes read from the control socket beyond the last line */
    size_t pending_length;
    unsigned machine_count;
    struct machine machines[SWITCH_RIG_MACHINES]; /* on ports vm0, vm1, ... */
};

/* The program's path; main() of a test passes it on. */
void switch_program(const char *path);

/* Starts the switch and waits until it answers. `option` is one more argument, or NULL. */
struct switch_rig *switch_open(const char *option);
/* Ends it as a service manager does (SIGTERM); fails unless it ends with exit code 0. Machines and files stay. */
void switch_stop(struct switch_rig *rig);
/* Another one in the same folder, and waits until it answers. `option` as in switch_open(). */
void switch_start_again(struct switch_rig *rig, const char *option);
/* Asks it to end; fails unless it ends with exit code 0. Machines are destroyed. */
void switch_close(struct switch_rig *rig);

/* One request: its result. A refusal fails the test. The caller decrefs. */
json_t *switch_call(struct switch_rig *rig, const char *method, json_t *params);
/* The whole answer within `limit_ms`, or NULL. */
json_t *switch_answer(struct switch_rig *rig, const char *method, json_t *params, int limit_ms);

/* Adds port `name`; options as in PROTOCOL.md on top of kind, network "lan" and socket. */
void switch_add_port(struct switch_rig *rig, const char *name, json_t *more);
/* The port as port.list shows it. */
json_t *switch_port(struct switch_rig *rig, const char *name);
/* Waits until the port is in that state; fails after 5 s. */
void switch_wait_state(struct switch_rig *rig, const char *name, const char *state);

/* stats.get: counter(rig, "vm0", "rx", "frames"), counter(rig, "vm0", "drops", "runt"). */
uint64_t switch_counter(struct switch_rig *rig, const char *port, const char *group, const char *name);
/* Waits until the counter is at least `value`; fails after 5 s. */
void switch_wait_counter(struct switch_rig *rig, const char *port, const char *group, const char *name,
                         uint64_t value);

/* The next machine, on port vm<number>; options.socket is filled in. Attached and up on return. */
struct machine *switch_add_machine(struct switch_rig *rig, struct machine_options options);
/* The same with options of port.add, which is consumed. */
struct machine *switch_add_machine_as(struct switch_rig *rig, struct machine_options options, json_t *more);
/* So many equal machines on a fresh switch. */
struct switch_rig *switch_with_machines(unsigned count, struct machine_options options);

/* Plain frame `number` from machine `from` to the address of machine `to` (SWITCH_EVERYBODY: broadcast). */
#define SWITCH_EVERYBODY 0xffffffu
void switch_send(struct switch_rig *rig, unsigned from, unsigned to, uint32_t number);
/* The number of the next frame that machine `at` gets within `limit_ms`; UINT32_MAX: none. */
#define SWITCH_NONE UINT32_MAX
uint32_t switch_receive(struct switch_rig *rig, unsigned at, int limit_ms);
/* Sends and expects that it arrives, and only there. */
void switch_pass(struct switch_rig *rig, unsigned from, unsigned to, uint32_t number);
/* Every machine says something, so that all addresses are learnt. */
void switch_learn_all(struct switch_rig *rig);

/* User and system time of process `pid`, in milliseconds. */
uint64_t switch_cpu_ms(pid_t pid);
/* Process that serves (not its supervisor). */
pid_t switch_serving_pid(struct switch_rig *rig);
/* Resident memory and open fds of a process. */
unsigned switch_fds(pid_t pid);

#endif
