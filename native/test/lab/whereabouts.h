/*
 * whereabouts.h - what the kernel says of where things are: pages of a process
 * on nodes, threads on CPUs. Nothing here asks the switch.
 */
#ifndef VHOSTKIT_LAB_WHEREABOUTS_H
#define VHOSTKIT_LAB_WHEREABOUTS_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#define LAB_NODES 2u

/* Pages by node. */
struct pages {
    unsigned on[LAB_NODES]; /* there, on that node */
    unsigned absent;        /* not there (never touched), or not to be told */
};

/* Adds the pages of [start, start + size) in a process, by move_pages(2). */
void pages_of_range(pid_t pid, const char *start, size_t size, struct pages *pages);
/* Adds the pages of the mapping around `at`, by /proc/PID/numa_maps; of each mapping once: `seen` keeps their starts. */
void pages_of_mapping(pid_t pid, unsigned long at, json_t *seen, struct pages *pages);
/* {"on": [n, m], "absent": k} */
json_t *pages_json(const struct pages *pages);

/* [{"name": "worker-0", "cpus": "2"}, …]: the worker threads of a process and the CPUs they may use. */
json_t *worker_threads(pid_t pid);

/*
 * Where the ring state of a port of the switch is: {"parts": {NAME: pages_json}, "maps": pages_json}. The parts and their
 * addresses come from the switch's debug log, what is there from the kernel.
 */
json_t *port_state(pid_t pid, const char *log, const char *port);

#endif
