/*
 * service_test.c - the real program under a service manager: a datagram socket in NOTIFY_SOCKET, and what comes out
 * of it. argv[1] is the program.
 *
 * A worker is made to hang by ptrace(2), which stops one thread and leaves the others alone; nothing is built into the program
 * for that.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/event_loop.h"
#include "control/state_file.h"
#include "switch_process.h"

/* For anything that is to come. */
#define LIMIT_MS 10000
/* Long enough that a busy host feeds in time, since what is judged is that it stops. */
#define WATCHDOG_MS 400

static const char *program;
static struct switch_process vswitch;
static int manager = -1;
static const char *const monitor[] = { "--monitor", NULL };
static const char *const two_workers[] = { "--cores", "0,1", NULL };

/* `abstract`: in the namespace without files. */
static void open_manager(bool abstract)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char text[100];
    int length = snprintf(text, sizeof text, "%s%s/notify", abstract ? "@" : "", vswitch.folder);

    memcpy(address.sun_path, text, (size_t)length);
    if (abstract)
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + !abstract)), 0);
    setenv("NOTIFY_SOCKET", text, 1);
}

static void want_watchdog(unsigned milliseconds, pid_t pid)
{
    char text[24];

    snprintf(text, sizeof text, "%u000", milliseconds);
    setenv("WATCHDOG_USEC", text, 1);
    snprintf(text, sizeof text, "%d", (int)pid);
    if (pid > 0)
        setenv("WATCHDOG_PID", text, 1);
}

static int set_up(void **state)
{
    (void)state;
    switch_prepare(&vswitch, program);
    return 0;
}

static int tear_down(void **state)
{
    char path[80];

    (void)state;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    close(manager);
    snprintf(path, sizeof path, "%s/notify", vswitch.folder);
    unlink(path);
    switch_clean(&vswitch);
    return 0;
}

/* The next message, static; NULL: none within the time. */
static const char *hear(int limit_ms)
{
    static char message[512];
    struct pollfd ready = { .fd = manager, .events = POLLIN };

    if (poll(&ready, 1, limit_ms) != 1)
        return NULL;
    ssize_t size = recv(manager, message, sizeof message - 1, 0);

    assert_true(size >= 0);
    message[size] = '\0';
    return message;
}

static void expect(const char *start)
{
    const char *message = hear(LIMIT_MS);

    if (message == NULL || strncmp(message, start, strlen(start)) != 0)
        fail_msg("wanted a message %s, found %s", start, message ? message : "none");
}

/* Whether the watchdog is fed within the time; other messages are passed over. */
static bool is_fed(int limit_ms)
{
    uint64_t end = event_loop_now() + (uint64_t)limit_ms * 1000000u;

    for (uint64_t now; (now = event_loop_now()) < end;) {
        const char *message = hear((int)((end - now) / 1000000u) + 1);

        if (message != NULL && strcmp(message, "WATCHDOG=1\n") == 0)
            return true;
    }
    return false;
}

/* Forgets what has come by now. */
static void forget_messages(void)
{
    while (hear(0) != NULL)
        continue;
}

/* One try, without waiting: somebody listens, and answers. */
static void it_answers_at_once(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", vswitch.control);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    switch_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.info\"}");
    assert_non_null(strstr(switch_hear(fd), "\"ports\":1,"));
    close(fd);
}

static void keep_one_port(void)
{
    struct port_config port = { .name = "vm1", .network = "lan", .kind = PORT_VHOST_USER, .queues = 1, .mtu = 1500,
                                .mac_limit = 1024 };
    const struct port_config *const list[] = { &port };
    char why[256];

    snprintf(port.socket, sizeof port.socket, "%s/vm1.sock", vswitch.folder);
    assert_true(state_write(vswitch.state, list, 1, why, sizeof why));
}

static void ready_when_it_listens_and_has_its_ports(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) { /* both kinds of socket, with and without a supervisor */
        open_manager(i & 1);
        keep_one_port();
        switch_start(&vswitch, i & 2 ? monitor : NULL);
        expect("READY=1\nSTATUS=serving, 1 ports came back\n");
        it_answers_at_once();
        kill(vswitch.pid, SIGTERM);
        expect("STOPPING=1\n");
        assert_int_equal(switch_wait(&vswitch), 0);
        assert_null(hear(0));
        close(manager);
        unlink(getenv("NOTIFY_SOCKET"));
    }
}

static void a_refused_start_is_never_ready(void **state)
{
    FILE *file = fopen(vswitch.state, "we");

    (void)state;
    fputs("{}\n", file);
    fclose(file);
    open_manager(true);
    switch_start(&vswitch, NULL);
    assert_int_equal(switch_wait(&vswitch), 3);
    assert_null(hear(0));
}

static void ready_again_after_a_crash(void **state)
{
    (void)state;
    open_manager(true);
    switch_start(&vswitch, monitor);
    expect("READY=1\n");
    kill((pid_t)switch_info(&vswitch, "pid"), SIGKILL);
    expect("READY=1\n");
    assert_int_equal(switch_info(&vswitch, "starts"), 2);
}

static void fed_four_times_while_idle(void **state)
{
    (void)state;
    open_manager(true);
    want_watchdog(WATCHDOG_MS, 0);
    switch_start(&vswitch, two_workers);
    expect("READY=1\n");
    uint64_t begin = event_loop_now();

    for (unsigned i = 0; i < 12; i++)
        assert_true(is_fed(LIMIT_MS));
    uint64_t took_ms = (event_loop_now() - begin) / 1000000u;

    print_message("fed 12 times in %llu ms, the limit being %u ms each\n", (unsigned long long)took_ms, WATCHDOG_MS);
    assert_in_range(took_ms, 10 * WATCHDOG_MS / 4, LIMIT_MS); /* not from a loop that feeds whatever happens */
}

/* The id of the thread of that name; 0: there is none. */
static pid_t thread_of(pid_t pid, const char *name)
{
    char path[64], text[32];
    pid_t found = 0;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);

    for (struct dirent *task; tasks && !found && (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/comm", (int)pid, task->d_name);
        FILE *file = fopen(path, "re");

        if (file && fgets(text, sizeof text, file) && strncmp(text, name, strlen(name)) == 0)
            found = (pid_t)atoi(task->d_name);
        if (file)
            fclose(file);
    }
    if (tasks)
        closedir(tasks);
    return found;
}

static void a_worker_that_hangs_ends_the_feeding(void **state)
{
    int status;

    (void)state;
    open_manager(true);
    want_watchdog(WATCHDOG_MS, 0);
    switch_start(&vswitch, two_workers);
    expect("READY=1\n");
    assert_true(is_fed(LIMIT_MS));
    pid_t worker = thread_of(vswitch.pid, "worker-1");

    assert_true(worker > 0);
    assert_int_equal(ptrace(PTRACE_SEIZE, worker, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, worker, NULL, NULL), 0);
    assert_int_equal(waitpid(worker, &status, __WALL), worker);
    is_fed(WATCHDOG_MS / 2); /* it may have moved since the last one */
    forget_messages();
    assert_false(is_fed(2 * WATCHDOG_MS));
    assert_int_equal(switch_info(&vswitch, "workers"), 2); /* the control thread is well */
    assert_true(switch_log_has(&vswitch, "the watchdog is not fed: a worker makes no rounds any more"));
    assert_int_equal(ptrace(PTRACE_DETACH, worker, NULL, NULL), 0);
    assert_true(is_fed(LIMIT_MS));
}

static void a_control_thread_that_hangs_ends_the_feeding(void **state)
{
    int status;

    (void)state;
    open_manager(true);
    want_watchdog(WATCHDOG_MS, 0);
    switch_start(&vswitch, NULL);
    expect("READY=1\n");
    assert_int_equal(ptrace(PTRACE_SEIZE, vswitch.pid, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, vswitch.pid, NULL, NULL), 0);
    assert_int_equal(waitpid(vswitch.pid, &status, __WALL), vswitch.pid);
    forget_messages();
    assert_false(is_fed(2 * WATCHDOG_MS));
    assert_int_equal(ptrace(PTRACE_DETACH, vswitch.pid, NULL, NULL), 0);
    assert_true(is_fed(LIMIT_MS));
}

/* An environment that was handed on, and one that is nonsense: the switch serves, and says what it left. */
static void what_is_not_for_us_is_left(void **state)
{
    static const char *const nonsense[] = { "", "relative", "@", "/", "vsock:2:1" };

    (void)state;
    open_manager(true);
    want_watchdog(WATCHDOG_MS, getpid());
    switch_start(&vswitch, NULL);
    expect("READY=1\n");
    assert_false(is_fed(WATCHDOG_MS));
    kill(vswitch.pid, SIGTERM);
    assert_int_equal(switch_wait(&vswitch), 0);
    for (unsigned i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        setenv("NOTIFY_SOCKET", nonsense[i], 1);
        switch_start(&vswitch, NULL);
        assert_int_equal(switch_info(&vswitch, "ports"), 0);
        kill(vswitch.pid, SIGTERM);
        assert_int_equal(switch_wait(&vswitch), 0);
    }
    assert_true(switch_log_has(&vswitch, "NOTIFY_SOCKET wants a path"));
}

/* A manager that is slow to read costs the switch nothing, and hears of it in the end. */
static void ready_is_said_until_it_is_taken(void **state)
{
    unsigned in_front = 0;

    (void)state;
    open_manager(true);
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address;
    socklen_t length = sizeof address;

    assert_int_equal(getsockname(manager, (struct sockaddr *)&address, &length), 0);
    while (sendto(other, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, length) == 1)
        in_front++;
    close(other);
    assert_true(in_front > 0);
    switch_start(&vswitch, NULL);
    assert_int_equal(switch_info(&vswitch, "ports"), 0);
    for (unsigned i = 0; i < in_front; i++)
        expect("x");
    expect("READY=1\n");
}

static void info_names_the_manager_and_the_last_crash(void **state)
{
    (void)state;
    open_manager(true);
    want_watchdog(5000, 0);
    switch_start(&vswitch, monitor);
    expect("READY=1\n");
    for (unsigned i = 0; i < 2; i++)
        kill((pid_t)switch_info(&vswitch, "pid"), SIGKILL);
    json_t *info = switch_ask(&vswitch, "switch.info", "{}");

    assert_int_equal(json_integer_value(json_object_get(json_object_get(info, "service"), "watchdog_ms")), 5000);
    assert_int_equal(json_integer_value(json_object_get(info, "crashes_in_a_row")), 2);
    assert_int_equal(strncmp(json_string_value(json_object_get(info, "last_crash")), "SIGKILL after ", 14), 0);
    json_decref(info);
}

int main(int argc, char **argv)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(ready_when_it_listens_and_has_its_ports),
        ROW(a_refused_start_is_never_ready),
        ROW(ready_again_after_a_crash),
        ROW(fed_four_times_while_idle),
        ROW(a_worker_that_hangs_ends_the_feeding),
        ROW(a_control_thread_that_hangs_ends_the_feeding),
        ROW(what_is_not_for_us_is_left),
        ROW(ready_is_said_until_it_is_taken),
        ROW(info_names_the_manager_and_the_last_crash),
    };
    if (argc < 2)
        return 2;
    program = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
