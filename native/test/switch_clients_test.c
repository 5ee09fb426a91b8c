/*
 * switch_clients_test.c - a control socket full of idle clients, and one that another user knocks at (G26).
 * SHARE_WANTED: what is left of the throughput is measured (switch_neighbours_test.c).
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "innocent_pair.h"
#include "switch_client.h"

#define CLIENTS 1000u
#define PASSED_WANTED 3000u
#define LIMIT_MS 20000u

static void idle_clients(void **state)
{
    static int clients[CLIENTS];
    struct switch_rig *rig = switch_with_machines(2, (struct machine_options){ .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) });
    const char *wanted = getenv("SHARE_WANTED");
    unsigned found[PAIR_TURNS], turns = wanted ? PAIR_TURNS : 1;

    (void)state;
    switch_learn_all(rig);
    pair.sent = pair.next = pair.settled = 0;
    for (unsigned turn = 0; turn < turns; turn++) {
        uint64_t alone = pair_turn(rig, 0), among;

        for (unsigned i = 0; i < CLIENTS; i++) { /* the kernel takes them all, the switch sends away those beyond its limit */
            clients[i] = switch_client_connect(rig->control);
            assert_true(clients[i] >= 0);
        }
        json_decref(switch_call(rig, "switch.info", json_object())); /* who was there is served on */
        among = pair_turn(rig, 0);
        for (unsigned i = 0; i < CLIENTS; i++)
            close(clients[i]);
        found[turn] = (unsigned)(among * 100 / (alone > 0 ? alone : 1));
    }
    unsigned median = pair_median(found, turns);

    if (wanted != NULL)
        printf("# %u %% of the throughput is left with 1000 idle clients\n", median);
    if (wanted != NULL && median < 95)
        fail_msg("%u %% is left, wanted 95", median);
    uint64_t begin = machine_clock_ms();

    for (uint64_t passed = 0; passed < PASSED_WANTED;) {
        passed += pair_turn(rig, 0);
        assert_true(machine_clock_ms() - begin < LIMIT_MS);
    }
    switch_close(rig);
}

static void foreign_user(void **state)
{
    struct switch_rig *rig;
    int status = 0;
    pid_t child;

    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "# SKIPPED G26: needs root, to become another user\n");
        skip();
    }
    rig = switch_open(NULL);
    assert_int_equal(chmod(rig->folder, 0755), 0);
    for (unsigned opened = 0; opened < 2; opened++) { /* by the socket's mode, and by who it is */
        assert_int_equal(chmod(rig->control, opened ? 0666 : 0660), 0);
        fflush(NULL);
        child = fork();
        if (child == 0) {
            static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.shutdown\",\"params\":{}}\n";
            char answer[100];

            if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
                _exit(3);
            int fd = switch_client_connect(rig->control);

            if (fd < 0)
                _exit(opened ? 4 : 0);
            if (!opened)
                _exit(5);
            _exit(send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) > 0 && recv(fd, answer, sizeof answer, 0) > 0 ? 6 : 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    json_decref(switch_call(rig, "switch.info", json_object())); /* it still serves us */
    switch_close(rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ROW("G26 a thousand idle clients at the control socket", idle_clients),
        ROW("G26 another user at the control socket", foreign_user),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: clients", tests, NULL, NULL);
}
