/*
 * program_test.c - the life of the real program: start, crash, end, and the
 * state that outlives it. argv[1] is the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/event_loop.h"
#include "control/state_file.h"
#include "switch_process.h"

static const char *program;
static struct switch_process vswitch;
static const char *const monitor[] = { "--monitor", NULL };

static int set_up(void **state)
{
    (void)state;
    switch_prepare(&vswitch, program);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    switch_clean(&vswitch);
    return 0;
}

static void add_port(const char *name)
{
    char params[256];
    snprintf(params, sizeof params, "{\"name\":\"%s\",\"kind\":\"vhost-user\",\"network\":\"lan\","
                                    "\"socket\":\"%s/%s.sock\"}",
             name, vswitch.folder, name);
    json_t *result = switch_ask(&vswitch, "port.add", params);
    assert_non_null(result);
    json_decref(result);
}

static void shutdown_switch(void)
{
    json_decref(switch_ask(&vswitch, "switch.shutdown", "{}"));
}

/* Ends the test program rather than pass when the files are still there. */
static void assert_gone(const char *what)
{
    char lock[80];
    snprintf(lock, sizeof lock, "%s.lock", vswitch.control);
    for (unsigned i = 0; i < 2500 && (access(vswitch.control, F_OK) == 0 || access(lock, F_OK) == 0); i++)
        usleep(2000);
    if (access(vswitch.control, F_OK) == 0 || access(lock, F_OK) == 0)
        fail_msg("%s left %s or its lock", what, vswitch.control);
}

static void it_is_soon_ready_and_ends_when_asked(void **state)
{
    (void)state;
    uint64_t start = event_loop_now();
    switch_start(&vswitch, NULL);
    assert_int_equal(switch_info(&vswitch, "starts"), 1);
    print_message("ready after %.1f ms\n", (double)(event_loop_now() - start) / 1e6);
    assert_int_equal(switch_info(&vswitch, "pid"), vswitch.pid);
    assert_int_equal(switch_info(&vswitch, "supervisor_pid"), 0);
    shutdown_switch();
    assert_int_equal(switch_wait(&vswitch), 0);
    assert_gone("switch.shutdown");
}

static void shutdown_ends_the_supervisor_too_and_keeps_the_state(void **state)
{
    struct state kept;
    char why[256];
    (void)state;
    switch_start(&vswitch, monitor);
    assert_int_equal(switch_info(&vswitch, "supervisor_pid"), vswitch.pid);
    add_port("vm1");
    shutdown_switch();
    assert_int_equal(switch_wait(&vswitch), 0);
    assert_gone("switch.shutdown");
    assert_true(state_read(vswitch.state, &kept, why, sizeof why));
    assert_int_equal(kept.count, 1);
    assert_string_equal(kept.ports[0].name, "vm1");
    state_free(&kept);
}

static void signals_end_it_cleanly(void **state)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        switch_start(&vswitch, i < 3 ? monitor : NULL);
        switch_info(&vswitch, "pid");
        kill(vswitch.pid, signals[i % 3]);
        assert_int_equal(switch_wait(&vswitch), 0);
        assert_gone("a signal");
    }
}

static void a_killed_switch_is_back_with_its_ports(void **state)
{
    (void)state;
    switch_start(&vswitch, monitor);
    add_port("vm1");
    add_port("vm2");
    for (int kills = 1; kills <= 3; kills++) {
        kill((pid_t)switch_info(&vswitch, "pid"), kills == 2 ? SIGABRT : SIGKILL);
        uint64_t start = event_loop_now();
        assert_int_equal(switch_info(&vswitch, "starts"), kills + 1); /* waits; is not refused */
        print_message("back after %.1f ms\n", (double)(event_loop_now() - start) / 1e6);
        assert_int_equal(switch_info(&vswitch, "ports"), 2);
        assert_int_equal(switch_info(&vswitch, "supervisor_pid"), vswitch.pid);
    }
    assert_true(switch_log_has(&vswitch, "was ended by SIGKILL"));
    assert_true(switch_log_has(&vswitch, "was ended by SIGABRT"));
    assert_true(switch_log_has(&vswitch, "started again in 0 ms"));
    assert_true(switch_log_has(&vswitch, "started again in 10 ms"));
    assert_true(switch_log_has(&vswitch, "started again in 20 ms"));
}

#define PROCESSES_OF_NOBODY 40u

/* Processes of the user nobody, until the limit that this process and its children have is met. */
static void use_up_processes(pid_t *idle)
{
    const struct passwd *nobody = getpwnam("nobody");
    assert_non_null(nobody);
    for (unsigned i = 0; i < PROCESSES_OF_NOBODY; i++) {
        idle[i] = fork();
        assert_true(idle[i] >= 0);
        if (idle[i] > 0)
            continue;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || setuid(nobody->pw_uid) != 0)
            _exit(1);
        for (;;)
            pause();
    }
}

/* A host that has no process to give, just when the switch has crashed. */
static void a_fork_that_fails_is_tried_again(void **state)
{
    static const char *const as_nobody[] = { "--monitor", "--user", "nobody", NULL };
    pid_t idle[PROCESSES_OF_NOBODY];
    struct rlimit before;
    (void)state;
    if (geteuid() != 0) {
        print_message("# SKIPPED: needs root, to start processes of another user\n");
        skip();
    }
    assert_int_equal(getrlimit(RLIMIT_NPROC, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NPROC, &(struct rlimit){ PROCESSES_OF_NOBODY, before.rlim_max }), 0);
    assert_int_equal(chmod(vswitch.folder, 0777), 0);
    switch_start(&vswitch, as_nobody);
    pid_t pid = (pid_t)switch_info(&vswitch, "pid");
    use_up_processes(idle);
    usleep(100 * 1000); /* until they are nobody's */
    kill(pid, SIGKILL);
    for (unsigned i = 0; i < 2500 && !switch_log_has(&vswitch, "tried again in 20 ms"); i++)
        usleep(2000);
    bool refused = switch_log_has(&vswitch, "cannot fork: Resource temporarily unavailable");
    for (unsigned i = 0; i < PROCESSES_OF_NOBODY; i++) {
        kill(idle[i], SIGKILL);
        waitpid(idle[i], NULL, 0);
    }
    assert_true(refused);
    assert_int_equal(switch_info(&vswitch, "starts"), 2);
    assert_int_equal(switch_info(&vswitch, "supervisor_pid"), vswitch.pid);
    shutdown_switch();
    assert_int_equal(switch_wait(&vswitch), 0);
    assert_int_equal(setrlimit(RLIMIT_NPROC, &before), 0);
}

static void a_killed_supervisor_takes_the_switch_with_it(void **state)
{
    (void)state;
    switch_start(&vswitch, monitor);
    switch_info(&vswitch, "pid");
    kill(vswitch.pid, SIGKILL);
    assert_int_equal(switch_wait(&vswitch), 128 + SIGKILL);
    assert_gone("an orphaned switch");
}

static void a_switch_that_hangs_is_killed_at_the_end(void **state)
{
    (void)state;
    switch_start(&vswitch, monitor);
    kill((pid_t)switch_info(&vswitch, "pid"), SIGSTOP);
    kill(vswitch.pid, SIGTERM);
    assert_int_equal(switch_wait(&vswitch), 1);
    assert_true(switch_log_has(&vswitch, "did not end within"));
    assert_gone("the supervisor");
}

static void a_second_switch_is_turned_away(void **state)
{
    struct switch_process second = vswitch;
    (void)state;
    switch_start(&vswitch, monitor);
    add_port("vm1");
    switch_start(&second, NULL);
    assert_int_equal(switch_wait(&second), 4);
    switch_start(&second, monitor);
    assert_int_equal(switch_wait(&second), 4);
    assert_int_equal(switch_info(&vswitch, "ports"), 1);
    assert_int_equal(switch_info(&vswitch, "starts"), 1);
}

static void the_socket_of_a_dead_switch_is_replaced(void **state)
{
    (void)state;
    switch_start(&vswitch, NULL);
    add_port("vm1");
    kill(vswitch.pid, SIGKILL);
    assert_int_equal(switch_wait(&vswitch), 128 + SIGKILL);
    assert_int_equal(access(vswitch.control, F_OK), 0);
    switch_start(&vswitch, NULL);
    while (switch_info(&vswitch, "pid") != vswitch.pid)
        fail_msg("another switch answers");
    assert_int_equal(switch_info(&vswitch, "ports"), 1);
}

static void a_damaged_state_file_is_refused_and_left(void **state)
{
    static const char damaged[] = "{\"vhostkit_state\":1,\"checksum\":\"00\",\"ports\":[]}\n";
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        char found[sizeof damaged] = "";
        int fd = open(vswitch.state, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_int_equal(write(fd, damaged, strlen(damaged)), strlen(damaged));
        close(fd);
        switch_start(&vswitch, i ? monitor : NULL);
        assert_int_equal(switch_wait(&vswitch), 3);
        assert_gone("a refused start");
        fd = open(vswitch.state, O_RDONLY);
        assert_int_equal(read(fd, found, sizeof found), strlen(damaged));
        close(fd);
        assert_string_equal(found, damaged);
    }
    assert_true(switch_log_has(&vswitch, "is refused: expected checksum"));
}

static void wrong_starts_have_their_exit_codes(void **state)
{
    static const struct {
        const char *options[4];
        int code;
    } rows[] = {
        { { "--nonsense", NULL }, 2 },
        { { "--cores", "x", NULL }, 2 },
        { { "--version", NULL }, 0 },
        { { "--control", "/nowhere/at/all", NULL }, 1 },
        { { "--group", "no such group", NULL }, 1 },
        { { "--user", "no such user", NULL }, 1 },
        { { "--cores", "1023", NULL }, 1 },
        { { "--cores", "1023", "--monitor", NULL }, 1 },
    };
    (void)state;
    int null = open("/dev/null", O_WRONLY), out = dup(1), err = dup(2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        dup2(null, 1), dup2(null, 2);
        switch_start(&vswitch, rows[i].options);
        dup2(out, 1), dup2(err, 2);
        assert_int_equal(switch_wait(&vswitch), rows[i].code);
        assert_gone("a start that failed");
    }
    close(null), close(out), close(err);
}

static void a_port_that_does_not_come_back_stays_in_the_state(void **state)
{
    const struct port_config tap = { .name = "host", .network = "lan", .kind = PORT_TAP,
                                     .ifname = "vhostkit-none",
                                     .queues = 1, .mtu = 1500, .mac_limit = 1024 };
    const struct port_config *const list[] = { &tap };
    struct state kept;
    char why[256];
    (void)state;
    assert_true(state_write(vswitch.state, list, 1, why, sizeof why));
    switch_start(&vswitch, NULL);
    add_port("vm1");
    assert_int_equal(switch_info(&vswitch, "ports"), 1);
    assert_true(switch_log_has(&vswitch, "port host of the state file is not back: tap-missing"));
    assert_true(state_read(vswitch.state, &kept, why, sizeof why));
    assert_int_equal(kept.count, 2);
    state_free(&kept);
}

static void a_state_that_cannot_be_written_undoes_port_add(void **state)
{
    char in_the_way[80];
    (void)state;
    snprintf(in_the_way, sizeof in_the_way, "%s/.state.new", vswitch.folder);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    switch_start(&vswitch, NULL);
    assert_null(switch_ask(&vswitch, "port.add", "{\"name\":\"a\",\"kind\":\"vhost-user\",\"network\":"
                                                 "\"n\",\"socket\":\"/tmp/a\"}"));
    assert_int_equal(switch_info(&vswitch, "ports"), 0);
    rmdir(in_the_way);
    add_port("a");
    assert_int_equal(switch_info(&vswitch, "ports"), 1);
}

int main(int argc, char **argv)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(it_is_soon_ready_and_ends_when_asked),
        ROW(shutdown_ends_the_supervisor_too_and_keeps_the_state),
        ROW(signals_end_it_cleanly),
        ROW(a_killed_switch_is_back_with_its_ports),
        ROW(a_fork_that_fails_is_tried_again),
        ROW(a_killed_supervisor_takes_the_switch_with_it),
        ROW(a_switch_that_hangs_is_killed_at_the_end),
        ROW(a_second_switch_is_turned_away),
        ROW(the_socket_of_a_dead_switch_is_replaced),
        ROW(a_damaged_state_file_is_refused_and_left),
        ROW(wrong_starts_have_their_exit_codes),
        ROW(a_port_that_does_not_come_back_stays_in_the_state),
        ROW(a_state_that_cannot_be_written_undoes_port_add),
    };
    if (argc < 2)
        return 2;
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
