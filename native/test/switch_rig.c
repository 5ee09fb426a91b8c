/*
 * switch_rig.c - the real program under test. One thread; every wait has a limit.
 */
#include "switch_rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "switch_client.h"

static struct switch_rig the_rig;
static bool is_open;
static const char *program;

void switch_program(const char *path)
{
    program = path;
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void show_log(struct switch_rig *rig)
{
    char path[96], line[400];
    FILE *log;

    snprintf(path, sizeof path, "%s/log", rig->folder);
    log = fopen(path, "r");
    while (log && fgets(line, sizeof line, log))
        fprintf(stderr, "# switch: %s", line);
    if (log)
        fclose(log);
}

static void remove_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;

    while (entries && (entry = readdir(entries))) {
        if (strcmp(entry->d_name, "captures") == 0) { /* files of mirrors */
            char path[96];

            snprintf(path, sizeof path, "%s/captures", folder);
            remove_folder(path);
        }
        unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
    rmdir(folder);
}

/* Exit code of the process we started, or -1 when it does not end; it is killed then. */
static int wait_for_end(struct switch_rig *rig)
{
    int status = 0;

    for (unsigned i = 0; i < 5000; i++) {
        if (waitpid(rig->pid, &status, WNOHANG) == rig->pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        nap();
    }
    kill(rig->pid, SIGTERM);
    nap();
    kill(rig->pid, SIGKILL);
    waitpid(rig->pid, &status, 0);
    return -1;
}

static void release(struct switch_rig *rig)
{
    for (unsigned i = 0; i < rig->machine_count; i++)
        machine_destroy(&rig->machines[i]);
    if (rig->client >= 0)
        close(rig->client);
    remove_folder(rig->folder);
    is_open = false;
}

/* After a failed test. */
static void clean_up(void)
{
    if (!is_open)
        return;
    show_log(&the_rig);
    kill(the_rig.pid, SIGTERM);
    wait_for_end(&the_rig);
    release(&the_rig);
}

static void run_switch(struct switch_rig *rig, const char *option)
{
    char state[96], log[96];
    const char *more = getenv("SWITCH_OPTION"); /* for every switch, beside what its test asks for */
    const char *arguments[] = { program, "--control", rig->control, "--state", state, "--log-level",
                                "info", option ? option : more, option ? more : NULL, NULL };
    int fd;

    snprintf(state, sizeof state, "%s/state", rig->folder);
    snprintf(log, sizeof log, "%s/log", rig->folder);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    for (int i = 3; i < 1024; i++)
        close(i);
    execv(program, (char **)arguments);
    _exit(127);
}

struct switch_rig *switch_open(const char *option)
{
    struct switch_rig *rig = &the_rig;
    static bool registered;

    clean_up();
    if (!registered)
        atexit(clean_up);
    registered = true;
    memset(rig, 0, sizeof *rig);
    rig->client = -1;
    strcpy(rig->folder, "/tmp/vhostkit-test-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->control, sizeof rig->control, "%s/control", rig->folder);
    switch_start_again(rig, option);
    return rig;
}

void switch_start_again(struct switch_rig *rig, const char *option)
{
    json_t *info = NULL;

    fflush(NULL);
    rig->pid = fork();
    assert_true(rig->pid >= 0);
    if (rig->pid == 0)
        run_switch(rig, option);
    is_open = true;
    for (uint64_t limit = machine_clock_ms() + 10000; !info && machine_clock_ms() < limit; nap())
        info = switch_answer(rig, "switch.info", json_object(), 2000);
    if (!info)
        fail_msg("%s does not answer", program);
    json_decref(info);
}

void switch_stop(struct switch_rig *rig)
{
    kill(rig->pid, SIGTERM);
    int code = wait_for_end(rig);

    if (code != 0)
        show_log(rig);
    is_open = false; /* nothing is left to end after a failure */
    assert_int_equal(code, 0);
}

void switch_close(struct switch_rig *rig)
{
    int code;

    json_decref(switch_answer(rig, "switch.shutdown", json_object(), 5000));
    code = wait_for_end(rig);
    if (code != 0)
        show_log(rig);
    release(rig);
    assert_int_equal(code, 0);
}

static json_t *answer_once(struct switch_rig *rig, const char *method, json_t *params, int limit_ms)
{
    json_t *answer = NULL;

    if (rig->client < 0)
        rig->client = switch_client_connect(rig->control);
    if (rig->client >= 0)
        answer = switch_client_ask(rig->client, rig->pending, &rig->pending_length, sizeof rig->pending,
                                   ++rig->requests, method, params, limit_ms);
    if (!answer && rig->client >= 0) {
        close(rig->client);
        rig->client = -1;
        rig->pending_length = 0;
    }
    return answer;
}

json_t *switch_answer(struct switch_rig *rig, const char *method, json_t *params, int limit_ms)
{
    bool had_connection = rig->client >= 0;
    json_t *answer = answer_once(rig, method, params, limit_ms);

    if (!answer && had_connection) /* it may have died with a killed switch */
        answer = answer_once(rig, method, params, limit_ms);
    json_decref(params);
    return answer;
}

json_t *switch_call(struct switch_rig *rig, const char *method, json_t *params)
{
    json_t *answer = switch_answer(rig, method, params, 5000);
    json_t *result = json_incref(json_object_get(answer, "result"));

    if (!result) {
        char *text = json_dumps(answer, 0);

        fail_msg("%s: %s", method, text ? text : "no answer");
    }
    json_decref(answer);
    return result;
}

void switch_add_port(struct switch_rig *rig, const char *name, json_t *more)
{
    char path[96];
    json_t *params;

    snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    params = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "kind", "vhost-user", "network", "lan",
                       "socket", path);
    json_object_update(params, more);
    json_decref(more);
    json_decref(switch_call(rig, "port.add", params));
}

json_t *switch_port(struct switch_rig *rig, const char *name)
{
    json_t *result = switch_call(rig, "port.list", json_pack("{s:s}", "name", name));
    json_t *port = json_incref(json_array_get(json_object_get(result, "ports"), 0));

    json_decref(result);
    assert_non_null(port);
    return port;
}

void switch_wait_state(struct switch_rig *rig, const char *name, const char *state)
{
    uint64_t limit = machine_clock_ms() + 5000;

    for (;;) {
        json_t *port = switch_port(rig, name);
        const char *found = json_string_value(json_object_get(port, "state"));
        bool there = found && strcmp(found, state) == 0;

        if (!there && machine_clock_ms() > limit) {
            char *text = json_dumps(port, 0);
            fail_msg("%s is not %s: %s", name, state, text);
        }
        json_decref(port);
        if (there)
            return;
        nap();
    }
}

uint64_t switch_counter(struct switch_rig *rig, const char *port, const char *group, const char *name)
{
    json_t *result = switch_call(rig, "stats.get", json_pack("{s:s}", "port", port));
    json_t *stats = json_array_get(json_object_get(result, "ports"), 0);
    json_t *value = json_object_get(json_object_get(stats, group), name);
    uint64_t count = (uint64_t)json_integer_value(value);

    if (!json_is_integer(value))
        fail_msg("stats.get has no %s.%s of %s", group, name, port);
    json_decref(result);
    return count;
}

void switch_wait_counter(struct switch_rig *rig, const char *port, const char *group, const char *name,
                         uint64_t value)
{
    uint64_t limit = machine_clock_ms() + 5000;
    uint64_t found;

    while ((found = switch_counter(rig, port, group, name)) < value) {
        if (machine_clock_ms() > limit)
            fail_msg("%s.%s of %s is %llu, not %llu", group, name, port, (unsigned long long)found,
                     (unsigned long long)value);
        nap();
    }
}

struct machine *switch_add_machine(struct switch_rig *rig, struct machine_options options)
{
    return switch_add_machine_as(rig, options, json_object());
}

struct machine *switch_add_machine_as(struct switch_rig *rig, struct machine_options options, json_t *more)
{
    unsigned number = rig->machine_count++;
    struct machine *machine = &rig->machines[number];
    char name[16], path[96];

    assert_true(number < SWITCH_RIG_MACHINES);
    snprintf(name, sizeof name, "vm%u", number);
    snprintf(path, sizeof path, "%s/%s", rig->folder, name);
    options.socket = path;
    assert_true(machine_create(machine, &options));
    json_object_set_new(more, "queues", json_integer(machine->options.pairs));
    json_object_set_new(more, "role", json_string(options.connects ? "server" : "client"));
    switch_add_port(rig, name, more);
    if (!machine_attach(machine))
        fail_msg("%s: %s", name, machine->peer.why);
    machine->options.socket = NULL; /* it was ours */
    switch_wait_state(rig, name, "up");
    return machine;
}

struct switch_rig *switch_with_machines(unsigned count, struct machine_options options)
{
    struct switch_rig *rig = switch_open(NULL);

    for (unsigned i = 0; i < count; i++)
        switch_add_machine(rig, options);
    return rig;
}

void switch_send(struct switch_rig *rig, unsigned from, unsigned to, uint32_t number)
{
    static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };
    struct net_header header = { 0 };
    uint8_t frame[200], to_mac[6], from_mac[6];

    packet_mac(to_mac, to);
    packet_mac(from_mac, from);
    packet_plain(frame, sizeof frame, to == SWITCH_EVERYBODY ? everybody : to_mac, from_mac, 0x88b5, number);
    if (!machine_send(&rig->machines[from], 0, &header, frame, sizeof frame))
        fail_msg("the transmit ring of machine %u stays full", from);
}

uint32_t switch_receive(struct switch_rig *rig, unsigned at, int limit_ms)
{
    static uint8_t frame[70000];
    struct net_header header;
    int length = machine_receive(&rig->machines[at], 0, &header, frame, sizeof frame, limit_ms);

    if (length == DRIVER_NOTHING)
        return SWITCH_NONE;
    assert_int_equal(length, 200);
    assert_int_equal(header.flags | header.gso_type, 0);
    assert_int_equal(header.num_buffers, 1);
    return packet_number(frame, (uint32_t)length);
}

void switch_pass(struct switch_rig *rig, unsigned from, unsigned to, uint32_t number)
{
    switch_send(rig, from, to, number);
    for (unsigned i = 0; i < rig->machine_count; i++) {
        bool expected = i == to || (to == SWITCH_EVERYBODY && i != from);
        uint32_t found = switch_receive(rig, i, expected ? 2000 : 0);

        if (found != (expected ? number : SWITCH_NONE))
            fail_msg("frame %u from %u to %u: machine %u got %u", number, from, to, i, found);
    }
}

void switch_learn_all(struct switch_rig *rig)
{
    for (unsigned i = 0; i < rig->machine_count; i++)
        switch_pass(rig, i, SWITCH_EVERYBODY, 1000 + i);
}

pid_t switch_serving_pid(struct switch_rig *rig)
{
    json_t *info = switch_call(rig, "switch.info", json_object());
    pid_t pid = (pid_t)json_integer_value(json_object_get(info, "pid"));

    json_decref(info);
    assert_true(pid > 0);
    return pid;
}

uint64_t switch_cpu_ms(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, kernel = 0;
    FILE *file;
    char *after;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    after = strrchr(text, ')');
    assert_int_equal(sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                            &kernel), 2);
    return (user + kernel) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
}

unsigned switch_fds(pid_t pid)
{
    char path[64];
    unsigned count = 0;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    folder = opendir(path);
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}
