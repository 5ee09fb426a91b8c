/*
 * lab_switch.c - see the header. One thread; every wait has a limit.
 */
#include "lab_switch.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "switch_client.h"

/* A machine without KVM on a busy host: what takes a millisecond elsewhere may take a second here. */
#define LIMIT_MS 10000

void lab_fail(const char *format, ...)
{
    char why[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    json_t *line = json_pack("{s:s}", "failed", why);

    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    exit(1);
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

static void run_switch(const char *program, const char *const *options, const cpu_set_t *allowed)
{
    const char *arguments[16] = { program,     "--control", LAB_CONTROL,   "--state", LAB_STATE,
                                  "--monitor", "--log",     LAB_LOG,       "--log-level", "debug" };
    unsigned count = 10;

    while (*options != NULL && count < 15)
        arguments[count++] = *options++;
    if (allowed != NULL)
        sched_setaffinity(0, sizeof *allowed, allowed);
    execv(program, (char **)arguments);
    _exit(127);
}

static void client_close(struct lab_client *client)
{
    if (client->socket >= 0)
        close(client->socket);
    client->socket = -1;
    client->length = 0;
}

/* The answer, or NULL when there is none. */
static json_t *ask(struct lab_switch *lab, struct lab_client *client, const char *method, json_t *params)
{
    json_t *answer = NULL;

    if (client->socket < 0)
        client->socket = switch_client_connect(LAB_CONTROL);
    if (client->socket >= 0)
        answer = switch_client_ask(client->socket, client->pending, &client->length, sizeof client->pending,
                                   ++lab->requests, method, params, LIMIT_MS);
    json_decref(params);
    if (answer == NULL)
        client_close(client);
    return answer;
}

/* Until it answers, and tells of events. */
static void meet(struct lab_switch *lab)
{
    json_t *answer = NULL;

    client_close(&lab->asking);
    client_close(&lab->events);
    for (uint64_t limit = machine_clock_ms() + LIMIT_MS; answer == NULL; nap()) {
        if (machine_clock_ms() > limit)
            lab_fail("the switch does not answer");
        answer = ask(lab, &lab->events, "events.subscribe", json_object());
    }
    json_decref(answer);
}

void lab_switch_start(struct lab_switch *lab, const char *program, const char *const *options, const cpu_set_t *allowed)
{
    memset(lab, 0, sizeof *lab);
    lab->asking.socket = lab->events.socket = -1;
    unlink(LAB_LOG);
    unlink(LAB_STATE);
    fflush(NULL);
    lab->pid = fork();
    if (lab->pid == 0)
        run_switch(program, options, allowed);
    meet(lab);
}

void lab_switch_stop(struct lab_switch *lab)
{
    int status = 0;

    json_decref(ask(lab, &lab->asking, "switch.shutdown", json_object()));
    client_close(&lab->asking);
    client_close(&lab->events);
    for (uint64_t limit = machine_clock_ms() + LIMIT_MS; waitpid(lab->pid, &status, WNOHANG) == 0; nap())
        if (machine_clock_ms() > limit)
            lab_fail("the switch does not end");
    if (status != 0)
        lab_fail("the switch ended with status 0x%x", (unsigned)status);
}

void lab_switch_crash(struct lab_switch *lab)
{
    kill(lab_switch_serving(lab), SIGKILL);
    meet(lab);
}

json_t *lab_switch_call(struct lab_switch *lab, const char *method, json_t *params)
{
    json_t *answer = ask(lab, &lab->asking, method, params);
    json_t *result = json_incref(json_object_get(answer, "result"));

    if (result == NULL) {
        char *text = json_dumps(answer, JSON_COMPACT);

        lab_fail("%s: %s", method, text != NULL ? text : "no answer");
    }
    json_decref(answer);
    return result;
}

pid_t lab_switch_serving(struct lab_switch *lab)
{
    json_t *info = lab_switch_call(lab, "switch.info", json_object());
    pid_t pid = (pid_t)json_integer_value(json_object_get(info, "pid"));

    json_decref(info);
    return pid;
}

json_t *lab_switch_port(struct lab_switch *lab, const char *name)
{
    json_t *result = lab_switch_call(lab, "port.list", json_pack("{s:s}", "name", name));
    json_t *port = json_incref(json_array_get(json_object_get(result, "ports"), 0));

    json_decref(result);
    return port;
}

json_t *lab_switch_wait_up(struct lab_switch *lab, const char *name)
{
    for (uint64_t limit = machine_clock_ms() + LIMIT_MS; machine_clock_ms() < limit; nap()) {
        json_t *port = lab_switch_port(lab, name);
        const char *state = json_string_value(json_object_get(port, "state"));

        if (state != NULL && strcmp(state, "up") == 0)
            return port;
        json_decref(port);
    }
    return NULL;
}

json_t *lab_switch_events(struct lab_switch *lab, const char *type)
{
    struct lab_client *client = &lab->events;
    uint64_t limit = machine_clock_ms() + LIMIT_MS;
    json_t *events = json_array();
    bool came = type == NULL;

    for (;;) {
        int wait_ms = came ? 100 : (int)(limit - machine_clock_ms());
        json_t *line = wait_ms <= 0 ? NULL : switch_client_line(client->socket, client->pending, &client->length,
                                                                sizeof client->pending, wait_ms);
        json_t *params = json_object_get(line, "params");

        if (line == NULL)
            return events;
        if (params != NULL)
            json_array_append(events, params);
        came = came || strcmp(json_string_value(json_object_get(params, "type")), type) == 0;
        json_decref(line);
    }
}
