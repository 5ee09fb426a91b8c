/*
 * switch_capture_test.c - the real program with play VMs, and clients of its control socket that capture.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcapng_reader.h"
#include "switch_client.h"
#include "switch_rig.h"

/* A client, and what it read beyond the answer. */
struct listener {
    int fd;
    char pending[1 << 16];
    size_t pending_length;
};

/* Asks for a capture; the error's reason, or NULL when it began. */
static const char *listen_to(struct switch_rig *rig, struct listener *listener, const char *port, json_t *more)
{
    static char reason[32];
    json_t *params = more ? more : json_object();

    json_object_set_new(params, "port", json_string(port));
    listener->pending_length = 0;
    listener->fd = switch_client_connect(rig->control);
    assert_true(listener->fd >= 0);
    json_t *answer = switch_client_ask(listener->fd, listener->pending, &listener->pending_length, sizeof listener->pending, 1,
                                       "capture.start", params, 5000);

    assert_non_null(answer);
    const char *found = json_string_value(json_object_get(json_object_get(json_object_get(answer, "error"), "data"), "reason"));

    if (found)
        snprintf(reason, sizeof reason, "%s", found);
    json_decref(answer);
    json_decref(params);
    return found ? reason : NULL;
}

static void begin(struct switch_rig *rig, struct listener *listener, const char *port, json_t *more)
{
    const char *reason = listen_to(rig, listener, port, more);

    if (reason)
        fail_msg("the capture was refused: %s", reason);
}

/* All that comes until the switch ends it, as a file. */
static struct pcapng_file read_on(struct switch_rig *rig, struct listener *listener)
{
    struct pcapng_file file;
    char path[96];

    snprintf(path, sizeof path, "%s/stream", rig->folder);
    FILE *stream = fopen(path, "wb");

    assert_non_null(stream);
    assert_int_equal(fwrite(listener->pending, 1, listener->pending_length, stream), listener->pending_length);
    for (ssize_t got; (got = read(listener->fd, listener->pending, sizeof listener->pending)) > 0;)
        assert_int_equal(fwrite(listener->pending, 1, (size_t)got, stream), got);
    fclose(stream);
    close(listener->fd);
    assert_true(pcapng_open(&file, rig->folder, "stream"));
    unlink(path);
    return file;
}

static struct pcapng_file finish(struct switch_rig *rig, struct listener *listener)
{
    shutdown(listener->fd, SHUT_WR);
    return read_on(rig, listener);
}

/* The next frame is number `number` in that direction; 0: there is none, and `received` were counted, none of them lost. */
static void assert_next(struct pcapng_file *file, uint32_t number, uint32_t direction)
{
    struct pcapng_frame frame;

    assert_int_equal(pcapng_next(file, &frame), 1);
    assert_int_equal(packet_number(frame.data, frame.captured), number);
    assert_int_equal(frame.direction, direction);
}

static void assert_end(struct pcapng_file *file, uint64_t received)
{
    struct pcapng_frame frame;

    assert_int_equal(pcapng_next(file, &frame), 0);
    assert_true(file->counted);
    assert_int_equal(file->received, received);
    assert_int_equal(file->dropped, 0);
    pcapng_close(file);
}

static size_t captures_of(struct switch_rig *rig, const char *name)
{
    json_t *port = switch_port(rig, name);
    size_t count = json_array_size(json_object_get(port, "captures"));

    json_decref(port);
    return count;
}

static void wait_captures(struct switch_rig *rig, const char *name, size_t wanted)
{
    for (unsigned i = 0; captures_of(rig, name) != wanted; i++) {
        if (i == 500)
            fail_msg("still %zu captures of %s", captures_of(rig, name), name);
        usleep(10000);
    }
}

static struct switch_rig *open_pair(const char *option)
{
    struct switch_rig *rig = switch_open(option);

    switch_add_machine(rig, (struct machine_options){ 0 });
    switch_add_machine(rig, (struct machine_options){ 0 });
    switch_learn_all(rig);
    return rig;
}

/* What passes the port, with its direction; what passes others is not there. And the last word are the counts. */
static void both_directions(void **state)
{
    struct switch_rig *rig = open_pair(NULL);
    struct listener listener;

    (void)state;
    switch_add_machine(rig, (struct machine_options){ 0 });
    switch_send(rig, 2, SWITCH_EVERYBODY, 9);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(switch_receive(rig, i, 2000), 9);
    begin(rig, &listener, "vm0", NULL);
    switch_pass(rig, 0, 1, 1);
    switch_pass(rig, 1, 0, 2);
    switch_pass(rig, 1, 2, 3);
    assert_int_equal(captures_of(rig, "vm0"), 1);
    struct pcapng_file file = finish(rig, &listener);

    assert_string_equal(file.interface, "vm0");
    assert_next(&file, 1, 1);
    assert_next(&file, 2, 2);
    assert_end(&file, 2);
    wait_captures(rig, "vm0", 0);
    switch_pass(rig, 0, 1, 4);
    switch_close(rig);
}

/* Several at once, each with its own wishes, beside a mirror to a file and one to a port; nobody disturbs another. */
static void beside_others_and_mirrors(void **state)
{
    struct switch_rig *rig = switch_open(NULL);
    struct listener first, second, third;
    struct pcapng_file file;
    struct pcapng_frame frame;
    char folder[96], before[4096], after[4096];

    (void)state;
    switch_add_machine_as(rig, (struct machine_options){ 0 }, json_pack("{s:{s:{s:s}}}", "policy", "mirror", "file", "vm0.pcapng"));
    switch_add_machine_as(rig, (struct machine_options){ 0 }, json_pack("{s:{s:{s:s}}}", "policy", "mirror", "to", "vm2"));
    switch_add_machine(rig, (struct machine_options){ 0 });
    snprintf(folder, sizeof folder, "%s/state", rig->folder);
    FILE *saved = fopen(folder, "rb");

    assert_non_null(saved);
    before[fread(before, 1, sizeof before - 1, saved)] = '\0';
    fclose(saved);
    begin(rig, &first, "vm0", NULL);
    begin(rig, &second, "vm0", json_pack("{s:i}", "count", 1));
    begin(rig, &third, "vm2", NULL); /* the port that is there for a mirror */
    switch_send(rig, 0, 1, 1);
    assert_int_equal(switch_receive(rig, 1, 2000), 1);
    assert_int_equal(switch_receive(rig, 2, 2000), 1);
    file = read_on(rig, &second); /* has what it wanted */
    assert_next(&file, 1, 1);
    assert_end(&file, 1);
    wait_captures(rig, "vm0", 1);
    switch_send(rig, 1, 0, 2);
    assert_int_equal(switch_receive(rig, 0, 2000), 2);
    file = finish(rig, &first);
    assert_next(&file, 1, 1);
    assert_next(&file, 2, 2);
    assert_end(&file, 2);
    file = finish(rig, &third);
    assert_next(&file, 1, 2);
    assert_next(&file, 2, 2);
    assert_end(&file, 2);
    saved = fopen(folder, "rb");
    after[fread(after, 1, sizeof after - 1, saved)] = '\0';
    fclose(saved);
    assert_string_equal(before, after);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm0")));
    snprintf(folder, sizeof folder, "%s/captures", rig->folder);
    assert_true(pcapng_open(&file, folder, "vm0.pcapng"));
    assert_int_equal(pcapng_next(&file, &frame), 1);
    assert_int_equal(pcapng_next(&file, &frame), 1);
    assert_int_equal(pcapng_next(&file, &frame), 0);
    pcapng_close(&file);
    switch_close(rig);
}

/* Ether type 0x88b5 is that of all our frames; a filter for another one keeps none. */
static void filters(void **state)
{
    struct switch_rig *rig = open_pair(NULL);
    struct listener ours, others;
    struct pcapng_file file;

    (void)state;
    begin(rig, &ours, "vm1", json_pack("{s:[[iiii][iiii][iiii][iiii]]}", "filter", 40, 0, 0, 12, 21, 0, 1, 0x88b5, 6, 0, 0, 1, 6, 0, 0, 0));
    begin(rig, &others, "vm1", json_pack("{s:[[iiii][iiii][iiii][iiii]]}", "filter", 40, 0, 0, 12, 21, 0, 1, 0x0800, 6, 0, 0, 1, 6, 0, 0, 0));
    switch_pass(rig, 0, 1, 1);
    file = finish(rig, &ours);
    assert_next(&file, 1, 2);
    assert_end(&file, 1);
    file = finish(rig, &others);
    assert_end(&file, 0);
    switch_close(rig);
}

/* The client's process is killed: the kernel closes its connection, and the switch has forgotten it. */
static void a_client_that_is_killed(void **state)
{
    struct switch_rig *rig = open_pair(NULL);
    unsigned fds = switch_fds(switch_serving_pid(rig));

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        int told[2];
        char byte;

        assert_int_equal(pipe(told), 0);
        pid_t child = fork();

        if (child == 0) {
            struct listener listener;

            begin(rig, &listener, "vm0", NULL);
            if (write(told[1], "x", 1) == 1)
                pause();
            _exit(1);
        }
        close(told[1]);
        assert_int_equal(read(told[0], &byte, 1), 1);
        close(told[0]);
        assert_int_equal(captures_of(rig, "vm0"), 1);
        switch_pass(rig, 0, 1, round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        wait_captures(rig, "vm0", 0);
        switch_pass(rig, 1, 0, round);
    }
    for (unsigned i = 0; switch_fds(switch_serving_pid(rig)) > fds && i < 500; i++)
        usleep(10000);
    assert_true(switch_fds(switch_serving_pid(rig)) <= fds);
    switch_close(rig);
}

/* A client that reads nothing costs a ring and no frame of anybody's; the fifth of a port is refused. */
static void limits(void **state)
{
    struct switch_rig *rig = open_pair(NULL);
    static struct listener listeners[5];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        begin(rig, &listeners[i], "vm0", NULL);
    assert_string_equal(listen_to(rig, &listeners[4], "vm0", NULL), "limit");
    close(listeners[4].fd);
    for (uint32_t i = 0; i < 3000; i++)
        switch_pass(rig, 0, 1, i);
    close(listeners[0].fd);
    wait_captures(rig, "vm0", 3);
    begin(rig, &listeners[0], "vm0", NULL);
    assert_string_equal(listen_to(rig, &listeners[4], "vm7", NULL), "port-unknown");
    close(listeners[4].fd);
    for (unsigned i = 0; i < 4; i++)
        close(listeners[i].fd);
    wait_captures(rig, "vm0", 0);
    switch_close(rig);
}

/* The port goes, or the switch: the client sees the end, with counts where they can be had. */
static void ports_and_switches_that_go(void **state)
{
    struct switch_rig *rig = open_pair("--monitor");
    struct listener listener;
    struct pcapng_file file;
    char byte;

    (void)state;
    begin(rig, &listener, "vm0", NULL);
    switch_pass(rig, 0, 1, 1);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "vm0")));
    file = read_on(rig, &listener);
    assert_next(&file, 1, 1);
    assert_end(&file, 1);
    begin(rig, &listener, "vm1", NULL);
    kill(switch_serving_pid(rig), SIGKILL);
    while (recv(listener.fd, &byte, 1, 0) > 0)
        continue;
    close(listener.fd);
    assert_true(machine_reattach(&rig->machines[1]));
    switch_wait_state(rig, "vm1", "up");
    assert_int_equal(captures_of(rig, "vm1"), 0);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("a capture has both directions and counts", both_directions),
        ROW("captures beside others and mirrors", beside_others_and_mirrors),
        ROW("captures with filters", filters),
        ROW("captures whose client is killed", a_client_that_is_killed),
        ROW("captures have limits", limits),
        ROW("captures of ports and switches that go", ports_and_switches_that_go),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: capture", tests, NULL, NULL);
}
