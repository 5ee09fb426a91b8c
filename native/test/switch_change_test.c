/*
 * switch_change_test.c - what a running VM changes while numbered frames flow to and from it: its memory (a
 * module is plugged and pulled again), the number of its queues; and what the host changes: the policy of its port.
 * Nothing may be lost or come twice.
 *
 * MEMORY_CHANGES, QUEUE_CHANGES and POLICY_CHANGES in the environment: how many of each (100, 500 and 500 before a release).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "switch_rig.h"

#define MEMORY_CHANGES "20"
#define QUEUE_CHANGES "60"
#define POLICY_CHANGES "60"
#define CHANGES_MAX 1000u
/* What a busy machine may take; the figures are printed. */
#define CHANGE_LIMIT_NS UINT64_C(5000000000)
/* A front end may hold the others up for a twentieth of the time: this one keeps to it. */
#define REST_FACTOR 25u

static const struct machine_options two_pairs = {
    .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_NET_F_MQ), .pairs = 2,
};
static struct flow flow;
static uint64_t gaps[CHANGES_MAX];

/* An even number: what is done is undone. */
static unsigned changes_wanted(const char *name, const char *usual)
{
    const char *text = getenv(name) ? getenv(name) : usual;
    unsigned count = (unsigned)strtoul(text, NULL, 10);

    if (count == 0 || count > CHANGES_MAX || count % 2 != 0)
        fail_msg("%s: wanted an even number up to %u, found \"%s\"", name, CHANGES_MAX, text);
    return count;
}

/* A memory module. Its place in the guest differs each time, and its address here. */
#define MODULE_BYTES UINT64_C(0x200000)
#define MODULE_AT UINT64_C(0x40000000)

/* What the flow's thread is asked to do with a transmit buffer of machine 0, between two of its rounds. */
enum buffer_place { AT_HOME, TO_MODULE, IN_MODULE, TO_HOME };

static struct {
    _Atomic enum buffer_place place;
    uint16_t slot;          /* whose buffer it is */
    uint8_t *home;          /* where the buffer was */
    uint8_t *module;        /* where it goes to */
    uint64_t module_guest;
    unsigned moved;         /* into the module, so far */
} buffer;

static bool slot_is_free(const struct driver_queue *queue, uint16_t slot)
{
    for (uint16_t i = 0; i < queue->free_count; i++)
        if (queue->free_slots[i] == slot)
            return true;
    return false;
}

/* As a guest does that allocates from new memory, and frees it before the module is pulled. */
static void move_buffer(struct flow *running, void *owner)
{
    struct driver_queue *queue = machine_tx(running->machines[0], 0);

    (void)owner;
    if (atomic_load(&buffer.place) == TO_MODULE && queue->free_count > 0) {
        buffer.slot = queue->free_slots[queue->free_count - 1]; /* the next that is used */
        buffer.home = queue->buffers[buffer.slot];
        queue->buffers[buffer.slot] = buffer.module;
        queue->tables[buffer.slot]->addr = buffer.module_guest;
        buffer.moved++;
        atomic_store(&buffer.place, IN_MODULE);
    } else if (atomic_load(&buffer.place) == TO_HOME && slot_is_free(queue, buffer.slot)) {
        queue->buffers[buffer.slot] = buffer.home;
        queue->tables[buffer.slot]->addr = guest_ram_address(queue->ram, buffer.home);
        atomic_store(&buffer.place, AT_HOME);
    }
}

static void ask_buffer(enum buffer_place wanted, enum buffer_place expected)
{
    uint64_t limit = machine_clock_ms() + 5000;

    atomic_store(&buffer.place, wanted);
    while (atomic_load(&buffer.place) != expected) {
        if (machine_clock_ms() > limit)
            fail_msg("the buffer did not move within 5 s");
        usleep(50);
    }
}

static void begin_flow(struct switch_rig *rig)
{
    flow = (struct flow){ .round = move_buffer };
    flow_start(&flow, &rig->machines[0], 0, &rig->machines[1], 1);
    flow_wait(&flow, 1000);
}

static int end_flow(void **state)
{
    (void)state;
    flow_abandon(&flow);
    return 0;
}

/* The change is made; frames flow again. */
static void change_done(unsigned number)
{
    flow_wait(&flow, 100);
    gaps[number] = flow_gap_ns(&flow);
}

static void rest(unsigned number)
{
    usleep((unsigned)(gaps[number] / 1000) * REST_FACTOR);
}

static void end_changes(const char *what, unsigned count, struct switch_rig *rig)
{
    flow_end(&flow);
    assert_int_equal(flow_repeated(&flow), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(switch_counter(rig, i ? "vm1" : "vm0", "drops", "rx_not_ready"), 0);
    print_message("# %u changes of %s: %llu frames, 0 lost, 0 corrupt, 0 twice\n", count, what,
                  (unsigned long long)flow_received(&flow));
    flow_print_times("times without a frame around them", gaps, count);
    assert_in_range(gaps[count - 1], 0, CHANGE_LIMIT_NS);
    switch_close(rig);
}

static void memory_table(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    struct machine *machine;
    unsigned count = changes_wanted("MEMORY_CHANGES", MEMORY_CHANGES);

    (void)state;
    machine = switch_add_machine(rig, two_pairs);
    switch_add_machine(rig, two_pairs);
    begin_flow(rig);
    for (unsigned i = 0; i < count; i += 2) {
        struct guest_ram_layout layout = { .guest_addr = MODULE_AT + i * MODULE_BYTES, .size = MODULE_BYTES };
        struct guest_ram module, with_module = machine->ram;

        assert_true(guest_ram_create(&module, &layout, 1, GUEST_RAM_SEALED));
        with_module.regions[with_module.count++] = module.regions[0];
        flow_gap_begin(&flow);
        if (!vhost_peer_set_memory(&machine->peer, &with_module))
            fail_msg("plug %u: %s", i / 2, machine->peer.why);
        change_done(i);
        rest(i);

        buffer.module_guest = layout.guest_addr + i * 64;
        buffer.module = guest_ram_at(&module, buffer.module_guest, 2048);
        ask_buffer(TO_MODULE, IN_MODULE);
        flow_wait(&flow, 100);
        ask_buffer(TO_HOME, AT_HOME);

        flow_gap_begin(&flow);
        if (!vhost_peer_set_memory(&machine->peer, &machine->ram))
            fail_msg("pull %u: %s", i / 2, machine->peer.why);
        guest_ram_destroy(&module);
        change_done(i + 1);
        rest(i + 1);
    }
    assert_int_equal(buffer.moved, count / 2);
    end_changes("the memory table", count, rig);
}

static void set_pair(struct machine *machine, unsigned pair, bool on)
{
    for (unsigned i = 2 * pair; i < 2 * pair + 2; i++)
        if (!vhost_peer_enable_ring(&machine->peer, i, on))
            fail_msg("enable: %s", machine->peer.why);
}

/* Machine 0 uses one queue pair and two in turn, as `ethtool -L` has QEMU do it: its driver leaves a queue first. */
static void queue_count(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    struct machine *machine;
    unsigned count = changes_wanted("QUEUE_CHANGES", QUEUE_CHANGES);

    (void)state;
    machine = switch_add_machine(rig, two_pairs);
    switch_add_machine(rig, two_pairs);
    begin_flow(rig);
    struct flow_stream *second = &flow.streams[1]; /* from machine 0 on pair 1 */

    for (unsigned i = 0; i < count; i++) {
        bool on = i & 1;

        if (!on)
            flow_drain(&flow, second);
        flow_gap_begin(&flow);
        set_pair(machine, 1, on);
        if (on)
            atomic_store(&second->paused, false);
        change_done(i);
    }
    end_changes("the number of queues", count, rig);
}

/* One that lets the flow pass, whole; each turns something of the last one off. */
static json_t *policy_of(unsigned number)
{
    switch (number % 4) {
    case 0:
        return json_pack("{s:b, s:i}", "isolated", 1, "storm", 1000);
    case 1:
        return json_pack("{s:{s:{s:I}, s:{s:i}}}", "rate", "rx", "bytes", (json_int_t)12500000000, "tx", "frames", 100000000);
    case 2:
        return json_pack("{s:{s:s}}", "mirror", "to", "nobody");
    default:
        return json_object();
    }
}

static void policy(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    unsigned count = changes_wanted("POLICY_CHANGES", POLICY_CHANGES);

    (void)state;
    switch_add_machine(rig, two_pairs);
    switch_add_machine(rig, two_pairs);
    begin_flow(rig);
    for (unsigned i = 0; i < count; i++) {
        flow_gap_begin(&flow);
        json_decref(switch_call(rig, "port.set", json_pack("{s:s, s:o}", "name", "vm0", "policy", policy_of(i))));
        change_done(i);
    }
    end_changes("a port's policy", count, rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        { "R20 memory plugged and pulled under load: nothing lost", memory_table, NULL, end_flow, NULL },
        { "R21 number of queues changed under load: nothing lost", queue_count, NULL, end_flow, NULL },
        { "the policy of a port changed under load: nothing lost", policy, NULL, end_flow, NULL },
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: changes", tests, NULL, NULL);
}
