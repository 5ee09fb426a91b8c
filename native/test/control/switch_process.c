/*
 * switch_process.c - see the header.
 */
#include "switch_process.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_MS 5000 /* for anything; sanitizers and a busy host included */

void switch_prepare(struct switch_process *process, const char *program)
{
    memset(process, 0, sizeof *process);
    process->program = program;
    strcpy(process->folder, "/tmp/vhostkit-switch-XXXXXX");
    assert_non_null(mkdtemp(process->folder));
    snprintf(process->control, sizeof process->control, "%s/control", process->folder);
    snprintf(process->state, sizeof process->state, "%s/state", process->folder);
    snprintf(process->log, sizeof process->log, "%s/log", process->folder);
}

void switch_start(struct switch_process *process, const char *const *options)
{
    const char *argv[16] = { process->program, "--control", process->control, "--state", process->state,
                             "--log", process->log };
    for (unsigned i = 0; i < 6 && options && options[i]; i++)
        argv[7 + i] = options[i];
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails leaves no switch behind */
        execv(process->program, (char *const *)argv);
        _exit(127);
    }
}

static bool has_ended(struct switch_process *process, int *status)
{
    for (unsigned i = 0; i < LIMIT_MS / 2; i++) {
        if (waitpid(process->pid, status, WNOHANG) == process->pid) {
            process->pid = 0;
            return true;
        }
        usleep(2000);
    }
    return false;
}

int switch_wait(struct switch_process *process)
{
    int status;
    if (!has_ended(process, &status))
        fail_msg("the switch did not end within %d ms", LIMIT_MS);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Files of mirrors. */
static void remove_captures(const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/captures", folder);
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries)
        closedir(entries);
    rmdir(path);
}

void switch_clean(struct switch_process *process)
{
    int status;
    if (process->pid > 0) {
        kill(process->pid, SIGTERM);
        if (!has_ended(process, &status))
            kill(process->pid, SIGKILL);
    }
    unlink(process->state);
    unlink(process->log);
    remove_captures(process->folder);
    if (rmdir(process->folder) < 0)
        fail_msg("%s: something was left there", process->folder);
}

int switch_connect(const struct switch_process *process)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", process->control);
    for (unsigned i = 0; i < LIMIT_MS; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        close(fd);
        usleep(1000);
    }
    fail_msg("%s: cannot connect: %s", process->control, strerror(errno));
    return -1;
}

void switch_send(int fd, const char *line)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "%s\n", line);
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
        fail_msg("cannot send %s: %s", line, strerror(errno));
}

const char *switch_hear(int fd)
{
    static char line[65536];
    for (size_t used = 0; used < sizeof line - 1; used++) {
        struct pollfd ready = { .fd = fd, .events = POLLIN };
        if (poll(&ready, 1, LIMIT_MS) != 1)
            fail_msg("nothing to read for %d ms", LIMIT_MS);
        if (recv(fd, &line[used], 1, 0) != 1)
            return NULL;
        if (line[used] == '\n') {
            line[used] = 0;
            return line;
        }
    }
    fail_msg("a line without end");
    return NULL;
}

json_t *switch_ask(const struct switch_process *process, const char *method, const char *params)
{
    char line[2048];
    snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
             params);
    int fd = switch_connect(process);
    switch_send(fd, line);
    const char *text = switch_hear(fd);
    close(fd);
    if (!text)
        fail_msg("%s: no answer", method);
    json_t *answer = json_loads(text, 0, NULL);
    assert_non_null(answer);
    json_t *result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return result;
}

long switch_info(const struct switch_process *process, const char *key)
{
    json_t *info = switch_ask(process, "switch.info", "{}");
    long value = (long)json_integer_value(json_object_get(info, key));
    json_decref(info);
    return value;
}

bool switch_log_has(const struct switch_process *process, const char *text)
{
    static char log[65536];
    FILE *file = fopen(process->log, "re");
    if (!file)
        return false;
    log[fread(log, 1, sizeof log - 1, file)] = 0;
    fclose(file);
    return strstr(log, text) != NULL;
}
