/*
 * numa_lab.c - what a switch does on a host with two NUMA nodes, seen from inside
 * that host.
 *
 *   numa-lab SWITCH
 *
 * Runs as root on a machine with CPUs 0 and 1 on node 0, 2 and 3 on node 1, and
 * free hugepages on both (test/system/numa-lab.ts boots one). Each scene starts
 * the switch with other cores; each step of it puts the memory of a play guest
 * on a node, lets it connect, and prints one JSON object a line: what the kernel
 * says of pages and threads beside what the switch says. It judges nothing:
 * that is done by the test that reads the lines. The last one is {"step": "end"}.
 */
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab_frames.h"
#include "lab_switch.h"
#include "machine.h"
#include "whereabouts.h"

static struct lab_switch lab;
static struct machine guest;    /* port "vm1": the one whose memory moves */
static struct machine neighbour; /* port "vm2", with memory on node 0 */

/* From now on this process gets memory on that node only; -1: wherever. */
static void bind_memory(int node)
{
    unsigned long mask = 1ul << (node < 0 ? 0 : node);

    if (set_mempolicy(node < 0 ? MPOL_DEFAULT : MPOL_BIND, node < 0 ? NULL : &mask, node < 0 ? 0 : 8 * sizeof mask) != 0)
        lab_fail("the memory of this process cannot be bound to node %d", node);
}

/* A guest whose memory, all of it, is on a node. */
static void guest_create(struct machine *machine, const char *socket, int node, bool huge)
{
    struct machine_options options = { .socket = socket, .huge = huge };

    bind_memory(node);
    if (!machine_create(machine, &options))
        lab_fail("%s: %s", socket, machine->peer.why);
    machine->peer.timeout_ms = 10000;
    for (unsigned i = 0; i < machine->ram.count; i++)
        memset(machine->ram.regions[i].host, 0, machine->ram.regions[i].size);
    if (!machine_attach(machine))
        lab_fail("%s: %s", socket, machine->peer.why);
    bind_memory(-1);
}

static struct pages guest_pages(const struct machine *machine)
{
    struct pages pages = { 0 };
    json_t *seen = json_object();

    for (unsigned i = 0; i < machine->ram.count; i++)
        pages_of_mapping(getpid(), (unsigned long)machine->ram.regions[i].host, seen, &pages);
    json_decref(seen);
    return pages;
}

/* One line: the guest whose memory moves, and the neighbour where there is one. */
static void report(const char *step, const char *event)
{
    json_t *port = lab_switch_wait_up(&lab, "vm1");

    if (port == NULL)
        lab_fail("%s: the port did not come up", step);
    json_decref(port);
    json_t *events = lab_switch_events(&lab, event);
    pid_t pid = lab_switch_serving(&lab);
    struct pages pages = guest_pages(&guest);
    unsigned passed = lab_frames_pass(&guest, &neighbour, 1, 2);

    passed += lab_frames_pass(&neighbour, &guest, 2, 1);
    port = lab_switch_port(&lab, "vm1");
    json_t *workers = lab_switch_call(&lab, "worker.list", json_object());
    json_t *line = json_pack("{s:s, s:o, s:O, s:O, s:O, s:o, s:o, s:o, s:i, s:o}", "step", step, "guest", pages_json(&pages),
                             "memory", json_object_get(port, "memory"), "rings", json_object_get(port, "rings"),
                             "workers", json_object_get(workers, "workers"), "threads", worker_threads(pid), "state",
                             port_state(pid, LAB_LOG, "vm1"), "neighbour", port_state(pid, LAB_LOG, "vm2"), "passed",
                             (int)passed, "events", events);

    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
    json_decref(workers);
    json_decref(port);
}

static void add_port(const char *name, const char *socket)
{
    json_decref(lab_switch_call(&lab, "port.add", json_pack("{s:s, s:s, s:s, s:s}", "name", name, "kind", "vhost-user",
                                                            "network", "lan", "socket", socket)));
}

static void scene_begin(const char *program, const char *const *options, const cpu_set_t *allowed)
{
    lab_switch_start(&lab, program, options, allowed);
    add_port("vm2", "/run/vm2.sock");
    add_port("vm1", "/run/vm1.sock");
    guest_create(&neighbour, "/run/vm2.sock", 0, false);
    json_decref(lab_switch_wait_up(&lab, "vm2"));
    json_decref(lab_switch_events(&lab, "port.node"));
}

static void scene_end(void)
{
    machine_destroy(&neighbour);
    lab_switch_stop(&lab);
}

static void guest_comes(int node, bool huge)
{
    guest_create(&guest, "/run/vm1.sock", node, huge);
}

static void switch_crashes(void)
{
    lab_switch_crash(&lab);
    if (!machine_reattach(&neighbour) || !machine_reattach(&guest))
        lab_fail("the guests do not come back: %s %s", neighbour.peer.why, guest.peer.why);
}

/* A core on node 0, a spare one on node 1. */
static void scene_spare(const char *program, const cpu_set_t *first_node)
{
    scene_begin(program, (const char *[]){ "--cores", "0", "--spare-cores", "2", NULL }, first_node);
    guest_comes(1, true);
    report("spare: memory on node 1", "port.node");
    machine_destroy(&guest);
    guest_comes(0, true);
    report("spare: back with memory on node 0", "worker.stopped");
    machine_destroy(&guest);
    guest_comes(1, false);
    report("spare: once more on node 1, small pages", "port.node");
    switch_crashes();
    report("spare: after a crash", NULL);
    machine_destroy(&guest);
    scene_end();
}

/* The only core is on node 0. */
static void scene_short(const char *program, const cpu_set_t *first_node)
{
    scene_begin(program, (const char *[]){ "--cores", "0", NULL }, first_node);
    guest_comes(1, true);
    report("no core: memory on node 1", "memory.node");
    switch_crashes();
    report("no core: after a crash", NULL);
    machine_destroy(&guest);
    guest_comes(0, true);
    report("no core: back with memory on node 0", "port.node");
    machine_destroy(&guest);
    scene_end();
}

/* No core is named; the switch may use the CPUs of both nodes, or of one. */
static void scene_unnamed(const char *program, const cpu_set_t *first_node)
{
    const char *const none[] = { NULL };

    scene_begin(program, none, NULL);
    guest_comes(1, true);
    report("unnamed: memory on node 1", "port.node");
    machine_destroy(&guest);
    scene_end();
    scene_begin(program, none, first_node);
    guest_comes(1, true);
    report("confined to node 0: memory on node 1", "memory.node");
    machine_destroy(&guest);
    scene_end();
}

int main(int argc, char **argv)
{
    cpu_set_t first_node;

    if (argc != 2)
        lab_fail("wanted: numa-lab SWITCH");
    if (numa_available() < 0 || numa_num_configured_nodes() != (int)LAB_NODES || numa_node_of_cpu(0) != 0 ||
        numa_node_of_cpu(2) != 1)
        lab_fail("wanted: two nodes, CPU 0 on the first and CPU 2 on the second; found: %d nodes",
                 numa_available() < 0 ? 1 : numa_num_configured_nodes());
    CPU_ZERO(&first_node);
    CPU_SET(0, &first_node);
    CPU_SET(1, &first_node);
    scene_spare(argv[1], &first_node);
    scene_short(argv[1], &first_node);
    scene_unnamed(argv[1], &first_node);
    puts("{\"step\": \"end\"}");
    return 0;
}
