/*
 * switch_mirror_test.c - the real program with play VMs, of which some look at what others send and get.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcapng_reader.h"
#include "switch_rig.h"

static void add_machine(struct switch_rig *rig, json_t *mirror)
{
    switch_add_machine_as(rig, (struct machine_options){ 0 },
                          mirror ? json_pack("{s:{s:o}}", "policy", "mirror", mirror) : json_object());
}

static void assert_state(struct switch_rig *rig, const char *name, const char *state)
{
    json_t *port = switch_port(rig, name);

    assert_string_equal(json_string_value(json_object_get(json_object_get(port, "mirror"), "state")), state);
    json_decref(port);
}

/* Numbers that machine `at` gets, in their order, and no more. */
static void assert_receives(struct switch_rig *rig, unsigned at, const uint32_t *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(switch_receive(rig, at, 2000), numbers[i]);
    assert_int_equal(switch_receive(rig, at, 20), SWITCH_NONE);
}

/* Machine 2 looks at machine 0, in each direction alone and in both. */
static void to_a_port(void **state)
{
    static const char *const directions[] = { "rx", "tx", "both" };

    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        struct switch_rig *rig = switch_open(NULL);
        bool rx = kind != 1, tx = kind != 0;

        add_machine(rig, json_pack("{s:s, s:s}", "to", "vm2", "direction", directions[kind]));
        add_machine(rig, NULL);
        assert_state(rig, "vm0", "waiting");
        switch_pass(rig, 0, SWITCH_EVERYBODY, 1); /* nobody looks yet */
        switch_pass(rig, 1, SWITCH_EVERYBODY, 2);
        add_machine(rig, NULL);
        assert_state(rig, "vm0", "on");
        switch_send(rig, 0, 1, 3);
        assert_receives(rig, 1, &(uint32_t){ 3 }, 1);
        assert_receives(rig, 2, &(uint32_t){ 3 }, rx);
        switch_send(rig, 1, 0, 4);
        assert_receives(rig, 0, &(uint32_t){ 4 }, 1);
        assert_receives(rig, 2, &(uint32_t){ 4 }, tx);
        switch_send(rig, 1, SWITCH_EVERYBODY, 5); /* once: as a copy, and not as a port of the network */
        assert_receives(rig, 0, &(uint32_t){ 5 }, 1);
        assert_receives(rig, 2, &(uint32_t){ 5 }, tx);
        switch_send(rig, 0, 7, 6); /* to an address that nobody has */
        assert_receives(rig, 1, &(uint32_t){ 6 }, 1);
        assert_receives(rig, 2, &(uint32_t){ 6 }, rx);
        switch_close(rig);
    }
}

/* The port that looks is there for that alone: it is not heard, not learnt, not written to; also not by its old address. */
static void claimed_ports(void **state)
{
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    add_machine(rig, NULL);
    add_machine(rig, NULL);
    switch_learn_all(rig);
    switch_pass(rig, 0, 1, 1);
    add_machine(rig, json_pack("{s:s}", "to", "vm1"));
    switch_send(rig, 1, SWITCH_EVERYBODY, 2);
    switch_wait_counter(rig, "vm1", "drops", "mirror", 1);
    switch_send(rig, 0, 1, 3); /* its address was known once: the frame is flooded, to machine 2 and so to its mirror */
    assert_receives(rig, 2, &(uint32_t){ 3 }, 1);
    assert_receives(rig, 1, &(uint32_t){ 3 }, 1);
    assert_receives(rig, 0, NULL, 0);
    json_t *macs = switch_call(rig, "mac.list", json_object());
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(macs, "macs"), index, entry)
        assert_string_not_equal(json_string_value(json_object_get(entry, "port")), "vm1");
    json_decref(macs);
    /* Without the mirror it is an ordinary port again. */
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm2")));
    switch_send(rig, 1, 0, 4);
    assert_receives(rig, 0, &(uint32_t){ 4 }, 1);
    switch_send(rig, 0, 1, 5);
    assert_receives(rig, 1, &(uint32_t){ 5 }, 1);
    switch_close(rig);
}

/* The port that looks goes: the others go on, and it is looked at again when there is one of its name. */
static void a_target_that_goes(void **state)
{
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    add_machine(rig, json_pack("{s:s}", "to", "mon"));
    add_machine(rig, NULL);
    switch_learn_all(rig);
    switch_add_port(rig, "mon", json_pack("{s:s}", "network", "elsewhere"));
    assert_state(rig, "vm0", "on");
    switch_pass(rig, 0, 1, 1);
    switch_wait_counter(rig, "mon", "drops", "rx_not_ready", 1); /* nobody is attached to it */
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "mon")));
    assert_state(rig, "vm0", "waiting");
    switch_pass(rig, 0, 1, 2);
    switch_pass(rig, 1, 0, 3);
    switch_add_port(rig, "mon", json_object());
    switch_pass(rig, 1, 0, 4);
    switch_wait_counter(rig, "mon", "drops", "rx_not_ready", 1);
    switch_close(rig);
}

static void assert_refused(struct switch_rig *rig, const char *name, const char *to)
{
    json_t *params = json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:s}}}", "name", name, "kind", "vhost-user", "network", "lan",
                               "socket", "/tmp/vhostkit-test-none", "policy", "mirror", "to", to);
    json_t *answer = switch_answer(rig, "port.add", params, 5000);
    json_t *data = json_object_get(json_object_get(answer, "error"), "data");

    assert_string_equal(json_string_value(json_object_get(data, "reason")), "mirror-loop");
    json_decref(answer);
}

static unsigned files_of(const struct switch_rig *rig)
{
    char folder[96];
    struct dirent *entry;
    unsigned count = 0;

    snprintf(folder, sizeof folder, "%s/captures", rig->folder);
    DIR *open_folder = opendir(folder);
    assert_non_null(open_folder);
    while ((entry = readdir(open_folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(open_folder);
    return count;
}

/* A request that is refused leaves no file behind: ten of them, and the name would be used up. */
static void refused_with_a_file(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    char block[96];

    (void)state;
    for (unsigned i = 0; i < 12; i++) { /* a socket that cannot be bound */
        json_t *answer = switch_answer(rig, "port.add", json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:{s:s}}}", "name", "vm1", "kind",
            "vhost-user", "network", "lan", "role", "server", "socket", "/proc/none", "policy", "mirror", "file", "a.pcapng"), 5000);

        assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(answer, "error"), "data"), "reason")),
                            "socket-in-use");
        json_decref(answer);
        assert_int_equal(files_of(rig), 0);
    }
    snprintf(block, sizeof block, "%s/.state.new", rig->folder); /* then a state file that cannot be written */
    assert_int_equal(mkdir(block, 0700), 0);
    for (unsigned i = 0; i < 12; i++) {
        json_t *answer = switch_answer(rig, "port.add", json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:s}}}", "name", "vm1", "kind",
            "vhost-user", "network", "lan", "socket", "/tmp/vhostkit-test-none", "policy", "mirror", "file", "a.pcapng"), 5000);

        assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(answer, "error"), "data"), "reason")),
                            "state-failed");
        json_decref(answer);
        assert_int_equal(files_of(rig), 0);
    }
    assert_int_equal(rmdir(block), 0);
    switch_close(rig);
}

static void loops(void **state)
{
    struct switch_rig *rig = switch_open(NULL);

    (void)state;
    assert_refused(rig, "a", "a");
    switch_add_port(rig, "a", json_pack("{s:{s:{s:s}}}", "policy", "mirror", "to", "b"));
    assert_refused(rig, "c", "a"); /* a mirror of a mirror */
    assert_refused(rig, "b", "c"); /* the port that looks is looked at */
    assert_refused(rig, "b", "a");
    switch_close(rig);
}

/* A TSO frame goes whole to a port that can take it, cut to one that cannot, and whole to the file. */
static void offloads(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    static uint8_t frame[8000], found[8000];
    uint8_t to[6], from[6];
    struct net_header net;
    char folder[96];
    struct pcapng_file file;
    struct pcapng_frame kept;

    (void)state;
    switch_add_machine_as(rig, (struct machine_options){ .features = FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4),
                                                         .tx_buffer = 8192 },
                          json_pack("{s:{s:{s:s}}}", "policy", "mirror", "to", "vm2"));
    switch_add_machine_as(rig, (struct machine_options){ .features = FEATURE(VIRTIO_NET_F_GUEST_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_TSO4),
                                                         .rx_buffer = 8192 },
                          json_pack("{s:{s:{s:s, s:s}}}", "policy", "mirror", "file", "vm1.pcapng", "direction", "tx"));
    add_machine(rig, NULL);
    packet_mac(to, 1);
    packet_mac(from, 0);
    uint32_t length = packet_tcp(frame, to, from, false, 4000, 1000, &net);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, length));
    assert_int_equal(machine_receive(&rig->machines[1], 0, &net, found, sizeof found, 2000), length);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(machine_receive(&rig->machines[2], 0, &net, found, sizeof found, 2000), PACKET_TCP4 + 1000);
        assert_true(packet_tcp_valid(found, PACKET_TCP4 + 1000));
    }
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm1")));
    snprintf(folder, sizeof folder, "%s/captures", rig->folder);
    assert_true(pcapng_open(&file, folder, "vm1.pcapng"));
    assert_string_equal(file.interface, "vm1");
    assert_int_equal(pcapng_next(&file, &kept), 1);
    assert_int_equal(kept.direction, 2);
    assert_int_equal(kept.length, length);
    assert_memory_equal(kept.data, frame, length);
    assert_int_equal(pcapng_next(&file, &kept), 0);
    pcapng_close(&file);
    switch_close(rig);
}

/* What is not in order is not copied, neither to a port nor to a file; what only has nowhere to go is. */
static void what_is_copied(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    uint8_t frame[200], to[6], from[6] = { 3, 0, 0, 0, 0, 1 }; /* multicast */
    struct net_header net = { 0 };

    (void)state;
    add_machine(rig, json_pack("{s:s}", "to", "vm1"));
    add_machine(rig, NULL);
    packet_mac(to, 5);
    packet_plain(frame, sizeof frame, to, from, 0x88b5, 1);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, sizeof frame));
    switch_wait_counter(rig, "vm0", "drops", "source_mac", 1);
    switch_send(rig, 0, 5, 2);
    assert_receives(rig, 1, &(uint32_t){ 2 }, 1);
    assert_int_equal(switch_counter(rig, "vm0", "drops", "no_destination"), 1);
    switch_close(rig);
}

/* After a crash the mirror to a port goes on, and one to a file with a new file. */
static void after_a_crash(void **state)
{
    struct switch_rig *rig = switch_open("--monitor");
    char folder[96];
    struct pcapng_file file;
    struct pcapng_frame kept;

    (void)state;
    add_machine(rig, json_pack("{s:s}", "to", "vm2"));
    add_machine(rig, json_pack("{s:s}", "file", "vm1.pcapng"));
    add_machine(rig, NULL);
    switch_send(rig, 0, 1, 1);
    assert_receives(rig, 1, &(uint32_t){ 1 }, 1);
    assert_receives(rig, 2, &(uint32_t){ 1 }, 1);
    kill(switch_serving_pid(rig), SIGKILL);
    for (unsigned i = 0; i < 3; i++) {
        char name[8];

        assert_true(machine_reattach(&rig->machines[i]));
        snprintf(name, sizeof name, "vm%u", i);
        switch_wait_state(rig, name, "up");
    }
    switch_send(rig, 0, 1, 2);
    assert_receives(rig, 1, &(uint32_t){ 2 }, 1);
    assert_receives(rig, 2, &(uint32_t){ 2 }, 1);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm1")));
    snprintf(folder, sizeof folder, "%s/captures", rig->folder);
    assert_true(pcapng_open(&file, folder, "vm1.pcapng"));
    pcapng_close(&file);
    assert_true(pcapng_open(&file, folder, "vm1.pcapng.1"));
    assert_int_equal(pcapng_next(&file, &kept), 1);
    assert_int_equal(packet_number(kept.data, kept.captured), 2);
    pcapng_close(&file);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("mirror to a port, each direction", to_a_port),
        ROW("a mirror's port is there for it alone", claimed_ports),
        ROW("a mirror's port that goes and comes", a_target_that_goes),
        ROW("mirrors that make a loop are refused", loops),
        ROW("what is refused leaves no file", refused_with_a_file),
        ROW("frames with offloads to a port and a file", offloads),
        ROW("what is mirrored and what is not", what_is_copied),
        ROW("mirrors after a crash", after_a_crash),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: mirror", tests, NULL, NULL);
}
