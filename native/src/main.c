/*
 * main.c - vhostkit-switch from its command line to its exit code.
 *
 * Owns what lives as long as the program: the control listener (in front of
 * the supervisor), and in the process that serves the loop, the datapath, the
 * clients and the commander between them. All of it on the one thread that
 * becomes the control thread; the workers are started by the datapath.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/control_listener.h"
#include "control/control_socket.h"
#include "control/event_loop.h"
#include "control/service_notify.h"
#include "control/state_file.h"
#include "datapath.h"
#include "heartbeat.h"
#include "log.h"
#include "options.h"
#include "run_as.h"
#include "supervisor.h"

/* Between two tries to write the state file. */
#define SAVE_AGAIN_MS 1000

/* Everything of one run. */
struct program {
    struct options options;
    char captures[4096 + 16];         /* folder of mirrors' files */
    struct control_listener listener;
    int inotify_fd;                   /* for the datapath; 0: it makes its own */
    struct event_loop *loop;
    struct event_source signals;      /* a signalfd */
    struct control_socket *control;
    struct service_notify notify;     /* who started us, if it wants to know how we are */
    struct heartbeat heartbeat;
    struct commander commander;
    bool unsaved;                     /* the state file could not be written when it had to be */
    struct event_timer save_again;    /* runs then */
    bool closing;                     /* ports go because the switch ends: the state file stays */
};

static enum exit_code start(int argc, char **argv, struct options *options, bool *go_on);
static enum exit_code hold_control_socket(struct program *program);
static int stay_in_front(struct program *program);
static int serve(void *owner, const struct supervision *supervision);

int main(int argc, char **argv)
{
    struct program program = { .signals = EVENT_SOURCE_NONE };
    bool go_on;
    int code = start(argc, argv, &program.options, &go_on);
    if (!go_on)
        return code;
    service_notify_read(&program.notify);
    code = hold_control_socket(&program);
    if (code != EXIT_DONE)
        return code;
    if (program.options.monitor)
        code = stay_in_front(&program);
    else
        code = serve(&program, &(struct supervision){ .supervisor = 0, .starts = 1 });
    control_listener_close(&program.listener, true);
    return code;
}

/* ---- before anything is there ---- */

/* A guest's rings and memory regions each take an fd. */
static void raise_fd_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum exit_code start(int argc, char **argv, struct options *options, bool *go_on)
{
    char why[512];
    *go_on = false;
    switch (options_parse(argc, argv, options, why, sizeof why)) {
    case OPTIONS_HELP: fputs(options_help, stdout); return EXIT_DONE;
    case OPTIONS_VERSION: puts("vhostkit-switch " VHOSTKIT_VERSION); return EXIT_DONE;
    case OPTIONS_WRONG: fprintf(stderr, "vhostkit-switch: %s (see --help)\n", why); return EXIT_USAGE;
    case OPTIONS_RUN: break;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_fd_limit();
    if (options->user && !run_as(options->user, why, sizeof why)) {
        fprintf(stderr, "vhostkit-switch: %s\n", why);
        return EXIT_FAILED;
    }
    int error = log_open(options->log, options->log_level);
    if (error < 0) {
        fprintf(stderr, "vhostkit-switch: log %s cannot be opened: %s\n", options->log, strerror(-error));
        return EXIT_FAILED;
    }
    *go_on = true;
    return EXIT_DONE;
}

static enum exit_code hold_control_socket(struct program *program)
{
    char why[512];
    enum listener_verdict verdict = control_listener_open(&program->listener, program->options.control,
                                                          program->options.group, why, sizeof why);
    if (verdict == LISTENER_OPEN)
        return EXIT_DONE;
    log_error("%s", why);
    return verdict == LISTENER_HELD ? EXIT_HELD : EXIT_FAILED;
}

/*
 * The supervisor holds the inotify instance together with the switch. The last
 * close of one that watches a folder takes the kernel 8 to 20 ms (it waits for
 * a grace period), which every restart would wait for: a killed switch was back
 * after 10 to 19 ms without this, after 3 ms with it (Linux 6.18, 2026-11).
 */
static int stay_in_front(struct program *program)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    program->inotify_fd = fd > 0 ? fd : 0;
    return supervise(serve, program);
}

/* ---- what the datapath and the clients call ---- */

static char *answer(void *owner, const char *line, size_t length, struct answer_effect *effect)
{
    struct program *program = owner;
    return command_handle(&program->commander, line, length, effect);
}

static void hand_over(struct live_capture *live, int fd)
{
    if (fd >= 0)
        datapath_capture_attach(live, fd);
    else
        datapath_capture_cancel(live);
}

static void tell_event(void *owner, const char *type, const char *port, const char *why, int a, int b)
{
    struct program *program = owner;
    char *line = command_event_line(&program->commander, type, port, why, a, b);
    if (line)
        control_socket_publish(program->control, line);
    free(line);
}

/* Nobody waits for an answer, so it is tried until it is done: a guest's features must be the same for as long as it lives. */
static void save_config(void *owner)
{
    struct program *program = owner;
    bool before = program->unsaved;
    char why[256];
    if (program->closing)
        return;
    program->unsaved = !commander_save(&program->commander, why, sizeof why);
    if (program->unsaved && !before)
        log_error("state file: %s; a crash before it can be written would lose the features offered since", why);
    if (program->unsaved)
        event_loop_start_timer(program->loop, &program->save_again, SAVE_AGAIN_MS, save_config, program);
}

static void take_signal(void *owner, uint32_t events)
{
    struct program *program = owner;
    struct signalfd_siginfo signal;
    (void)events;
    if (read(program->signals.fd, &signal, sizeof signal) != (ssize_t)sizeof signal)
        return;
    log_info("SIG%s from pid %u: ending", sigabbrev_np((int)signal.ssi_signo), signal.ssi_pid);
    event_loop_stop(program->loop);
}

/* ---- one life of the switch ---- */

static bool open_loop(struct program *program)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL); /* before the workers, so that it holds for them too */
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    program->loop = event_loop_create();
    if (fd >= 0 && program->loop &&
        event_loop_add(program->loop, &program->signals, fd, EPOLLIN, take_signal, program) == 0) {
        program->control = control_socket_create(program->loop, &program->listener, answer, hand_over,
                                                 program);
        return program->control != NULL;
    }
    return false;
}

/* A folder beside the state file, unless another one was asked for. */
static void choose_captures(struct program *program)
{
    const char *state = program->options.state, *end = strrchr(state, '/');
    int folder = end ? (int)(end - state) + 1 : 0;
    if (program->options.captures)
        snprintf(program->captures, sizeof program->captures, "%s", program->options.captures);
    else
        snprintf(program->captures, sizeof program->captures, "%.*scaptures", folder, state);
}

static bool open_datapath(struct program *program)
{
    choose_captures(program);
    const struct datapath_options options = {
        .cores = program->options.cores.cores,
        .core_count = program->options.cores.count,
        .spare_cores = program->options.spare.cores,
        .spare_core_count = program->options.spare.count,
        .poll = program->options.poll,
        .inotify_fd = program->inotify_fd,
        .captures = program->captures,
    };
    const struct datapath_listener listener = { tell_event, save_config, program };
    program->commander.datapath = datapath_create(program->loop, &options, &listener);
    return program->commander.datapath != NULL;
}

static enum exit_code serve_until_asked(struct program *program, struct state *state)
{
    if (!open_loop(program)) {
        log_error("the control loop cannot be set up: %s", strerror(errno));
        return EXIT_FAILED;
    }
    program->commander.loop = program->loop;
    if (!open_datapath(program)) {
        log_error("no worker can be started: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (state->count > 0)
        datapath_hold(program->commander.datapath);
    commander_load(&program->commander, state);
    datapath_hold_check(program->commander.datapath);
    log_info("vhostkit-switch " VHOSTKIT_VERSION " serves %s: start %u, %u ports", program->listener.path,
             program->commander.supervision.starts, datapath_port_count(program->commander.datapath));
    heartbeat_start(&program->heartbeat, &program->notify, program->loop, program->commander.datapath);
    int error = event_loop_run(program->loop);
    heartbeat_end(&program->heartbeat);
    if (error < 0)
        log_error("the control loop failed: %s", strerror(-error));
    return error < 0 ? EXIT_FAILED : EXIT_DONE;
}

static void close_all(struct program *program)
{
    program->closing = true;
    if (program->loop)
        event_loop_stop_timer(program->loop, &program->save_again);
    if (program->commander.datapath)
        datapath_destroy(program->commander.datapath);
    control_socket_destroy(program->control);
    if (program->signals.fd >= 0)
        close(program->signals.fd);
    event_loop_destroy(program->loop);
    commander_free(&program->commander);
}

static int serve(void *owner, const struct supervision *supervision)
{
    struct program *program = owner;
    struct state state;
    char why[1024];
    program->commander = (struct commander){
        .state_path = program->options.state,
        .supervision = *supervision,
        .poll = program->options.poll,
        .service = program->notify.wanted,
        .watchdog_ms = program->notify.watchdog_ms,
        .started_ns = event_loop_now(),
    };
    if (!state_read(program->options.state, &state, why, sizeof why)) {
        log_error("%s", why);
        return EXIT_STATE;
    }
    enum exit_code code = serve_until_asked(program, &state);
    close_all(program);
    state_free(&state);
    if (supervision->supervisor != 0 && getppid() != supervision->supervisor)
        control_listener_close(&program->listener, true); /* the supervisor was killed: nobody else can */
    log_info("ended with exit code %d", code);
    return code;
}
