/*
 * fuzz_control.c - what a client of the control socket may ask, on a real datapath: ports, networks, MAC
 * tables and a worker's thread are there.
 *
 * The first record of an input chooses the ports of a state file that the switch begins with. Each other record
 * is one step: a request that the grammar makes (port.add mostly, of a port on which several records may
 * work), one spoilt as JSON-RPC or byte by byte, the state file's folder gone or back, a turn of the loop in which
 * front ends take connections and hang up, or a restart of the switch.
 *
 * Checked: each answer is one line of JSON-RPC with the request's id, a refusal has its four parts; what is
 * refused, and what only asks, changes neither ports nor networks nor the file; port.add and port.del change their port
 * and no other, the port shows what was asked; the file says what the datapath holds; after a
 * restart all is as before; and at the end, without ports, nothing is left: no network, no fd.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/commands.h"
#include "control/event_loop.h"
#include "control_model.h"
#include "log.h"
#include "port_grammar.h"
#include "scratch.h"
#include "vhost/fd_kind.h"

#define LINE_ROOM 8192u
#define FRONT_ENDS 2u
#define FDS_SEEN 128
/* Longest that an fd may take to be closed. */
#define FDS_WAIT_MS 5000u
#define REQUESTS_MAX 40u /* of one input */

static struct commander commander;
static char state_path[256], missing_path[256];
static int front_ends[FRONT_ENDS];    /* listening: a client port there is connected at once */
static struct pollfd before[FDS_SEEN], after[FDS_SEEN];
static bool unsaved;                  /* features were offered while the state file could not be written */
static json_t *draft;                 /* parameters of the next port.add */
static char last[LINE_ROOM];          /* the last request's text */
static size_t last_length;
static unsigned requests;

/* Ports are large: keeping a quarter of a gigabyte of freed ones in quarantine costs more page faults than finds. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16:malloc_context_size=8";
}

/* ---- the world around ---- */

static void on_event(void *owner, const char *type, const char *port, const char *why, int a, int b)
{
    (void)owner;
    model_check_event(command_event_line(&commander, type, port, why, a, b));
}

static void on_config_changed(void *owner)
{
    char why[256];

    (void)owner;
    unsaved = !commander_save(&commander, why, sizeof why);
}

static struct event_timer turning;
static unsigned rounds;
static bool turned;

static void stop_turn(void *owner)
{
    turned = true;
    event_loop_stop(owner);
}

/* The loop's timers come before its sources, so the end is for a later round; two, as libFuzzer's alarm may cut one short. */
static void end_turn(void *owner)
{
    event_loop_start_timer(owner, &turning, 0, ++rounds < 2 ? end_turn : stop_turn, owner);
}

/* Whatever is ready is handled once. A switch.shutdown of before, maybe in another input, ends the loop before it begins: then again. */
static void turn(void)
{
    rounds = 0;
    turned = false;
    event_loop_start_timer(commander.loop, &turning, 0, end_turn, commander.loop);
    while (!turned)
        FUZZ_CHECK(event_loop_run(commander.loop) == 0, "the loop failed");
    event_loop_stop_timer(commander.loop, &turning);
}

static void hang_up(unsigned front_end, unsigned count)
{
    for (int fd; count > 0 && (fd = accept4(front_ends[front_end], NULL, NULL, SOCK_CLOEXEC)) >= 0; count--)
        close(fd);
}

static void make_front_ends(void)
{
    for (unsigned i = 0; i < FRONT_ENDS; i++) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof address.sun_path, "%s/s%u", grammar_folder, i);
        front_ends[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        FUZZ_CHECK(front_ends[i] >= 0 && bind(front_ends[i], (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(front_ends[i], 64) == 0, "no socket %s", address.sun_path);
    }
}

/* Taps in a network namespace of our own. Where that may not be made, no tap may be attached either: all are refused. */
static void make_taps(void)
{
    if (unshare(CLONE_NEWNET) != 0)
        return;
    for (unsigned i = 0; i < 2; i++) {
        struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
        int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

        snprintf(request.ifr_name, sizeof request.ifr_name, "vkfuzz%u", i);
        if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0)
            ioctl(fd, TUNSETPERSIST, 1);
        if (fd >= 0)
            close(fd);
    }
}

static void set_up(void)
{
    static const struct datapath_options options = { 0 };
    static const struct datapath_listener listener = { on_event, on_config_changed, NULL };

    grammar_folder = scratch_folder();
    snprintf(state_path, sizeof state_path, "%s/state", grammar_folder);
    snprintf(missing_path, sizeof missing_path, "%s/none/state", grammar_folder);
    FUZZ_CHECK(log_open("/dev/null", LOG_LEVEL_ERROR) == 0, "no /dev/null");
    signal(SIGPIPE, SIG_IGN);
    make_taps();
    make_front_ends();
    commander.loop = event_loop_create();
    commander.supervision.starts = 1;
    commander.started_ns = event_loop_now();
    commander.state_path = state_path;
    commander.datapath = datapath_create(commander.loop, &options, &listener);
    FUZZ_CHECK(commander.datapath, "no datapath");
    /* A fuzzer that was stopped for a while is no worker that hangs; libFuzzer's own limit finds that. */
    signal(SIGRTMIN, SIG_IGN);
    fd_discard(open("/dev/null", O_RDONLY | O_CLOEXEC)); /* starts the closing thread, which has fds of its own */
    fd_discard_wait();
    turn(); /* the loop's first look at its own sources */
}

/* ---- what is there ---- */

static json_t *ask_plainly(const char *line)
{
    struct answer_effect effect = { 0 };
    char *answer = command_handle(&commander, line, strlen(line), &effect);
    json_t *root = answer ? json_loads(answer, 0, NULL) : NULL;
    json_t *result = json_incref(json_object_get(root, "result"));

    FUZZ_CHECK(result, "no result of %s: %s", line, answer);
    free(answer);
    json_decref(root);
    return result;
}

static char *file_text(void)
{
    static char text[1u << 18];
    FILE *file = fopen(state_path, "r");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

    if (file)
        fclose(file);
    text[size] = '\0';
    return strdup(text);
}

static struct model look(void)
{
    json_t *list = ask_plainly("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"port.list\"}");
    json_t *info = ask_plainly("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"switch.info\"}");
    struct model seen = {
        .ports = json_incref(json_object_get(list, "ports")),
        .lost = json_incref(json_object_get(info, "lost")),
        .port_count = (unsigned)json_integer_value(json_object_get(info, "ports")),
        .network_count = (unsigned)json_integer_value(json_object_get(info, "networks")),
        .file = file_text(),
    };

    json_decref(list);
    json_decref(info);
    return seen;
}

/* The text that a state file of what is there has. */
static char *held_text(void)
{
    static const struct port_config *list[PORTS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < datapath_port_count(commander.datapath); i++)
        list[count++] = port_config_of(datapath_port_at(commander.datapath, i));
    for (unsigned i = 0; i < commander.lost.count; i++)
        if (!datapath_find_port(commander.datapath, commander.lost.ports[i].name))
            list[count++] = &commander.lost.ports[i];
    return state_text(list, count);
}

static void check_saved(void)
{
    char *held = held_text(), *file = file_text();
    struct state state;
    char why[512];

    FUZZ_CHECK(strcmp(held, file) == 0, "held is %s, saved is %s", held, file);
    FUZZ_CHECK(state_read(state_path, &state, why, sizeof why), "%s", why);
    state_free(&state);
    free(held);
    free(file);
}

/* ---- requests ---- */

/* No port may reach out of our folder: a path that was spoilt could be somebody's socket. */
static bool reaches_out(const json_t *request)
{
    const char *path = json_string_value(json_object_get(json_object_get(request, "params"), "socket"));

    return path && path[0] == '/' && (strncmp(path, grammar_folder, strlen(grammar_folder)) != 0 || strstr(path, ".."));
}

/* What a capture is for goes at once, with a connection or without. True: the loop made a turn, so front ends may have come and gone. */
static bool end_capture(const struct answer_effect *effect)
{
    int pair[2];

    if (effect->live == NULL)
        return false;
    if (requests % 2 == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        datapath_capture_cancel(effect->live);
        return false;
    }
    datapath_capture_attach(effect->live, pair[0]);
    close(pair[1]);
    turn();
    return true;
}

static void check_no_captures(const json_t *ports)
{
    const json_t *port;
    size_t i;

    json_array_foreach((json_t *)ports, i, port)
        FUZZ_CHECK(json_object_get(port, "captures") == NULL, "a capture whose client is gone is still there");
}

static void ask(const char *text, size_t length)
{
    json_t *request = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    struct answer_effect effect = { 0 };

    memmove(last, text, length);
    last_length = length;
    if (++requests > REQUESTS_MAX || reaches_out(request)) {
        json_decref(request);
        return;
    }
    struct model old = look();
    char *exact = malloc(length ? length : 1); /* so that a byte too far is seen */

    memcpy(exact, text, length);
    char *answer = command_handle(&commander, exact, length, &effect);
    enum model_outcome outcome = model_check_answer(request, answer, &effect);

    bool turned = end_capture(&effect);
    struct model now = look();

    if (outcome == MODEL_ADDED || outcome == MODEL_DELETED) {
        model_check_change(request, answer, outcome, &old, &now);
        unsaved = false; /* what was offered meanwhile was saved with it */
        check_saved();
    } else if (turned) {
        check_no_captures(now.ports);
    } else {
        model_check_same(&old, &now, commander.state_path == state_path);
    }
    model_free(&old);
    model_free(&now);
    free(exact);
    free(answer);
    json_decref(request);
}

static void ask_json(json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);

    if (text && strlen(text) < LINE_ROOM)
        ask(text, strlen(text));
    free(text);
    json_decref(request);
}

/* Takes the reference to params. */
static void call(const char *method, json_t *params)
{
    json_t *id = requests % 2 ? json_string("seven") : json_integer(7);

    ask_json(json_pack("{s:s, s:o, s:s, s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params", params));
}

/* Of a port that is there, mostly, with a program that is right in some inputs. */
static void capture_port(struct input *in)
{
    static const int codes[] = { 6, 22, 40, 48, 32, 80, 177, 21, 37, 5, 0, 7, 135, 20, 96, 2, 52, 255 };
    unsigned count = datapath_port_count(commander.datapath), rows = input_choice(in, 4);
    const char *name = count > 0 ? port_config_of(datapath_port_at(commander.datapath, 0))->name : grammar_name(in);
    json_t *params = json_pack("{s:s}", "port", name), *filter = json_array();

    for (unsigned i = 0; i < rows; i++)
        json_array_append_new(filter, json_pack("[i, i, i, i]", codes[input_choice(in, 18)], input_choice(in, 3),
                                                input_choice(in, 3), input_byte(in) - 1));
    if (rows > 0)
        json_object_set(params, "filter", filter);
    if (input_seldom(in, 4))
        json_object_set_new(params, input_byte(in) & 1 ? "count" : "snaplen", json_integer((json_int_t)input_number(in, 1) * 4));
    json_decref(filter);
    call("capture.start", params);
}

static void call_lister(struct input *in)
{
    static const char *const methods[] = {
        "port.list", "mac.list", "stats.get", "worker.list", "switch.info", "events.subscribe", "switch.shutdown",
    };
    static const char *const keys[] = { "name", "network", "port" };
    unsigned method = input_choice(in, 7), how = input_byte(in);
    json_t *params = json_object();

    if (how >= 192 && how < 224) {
        json_decref(params);
        capture_port(in);
        return;
    }
    if (method < 3 && how & 1)
        json_object_set_new(params, keys[how & 2 ? (how >> 2) % 3 : method], json_string(method == 1 ? "lan" : grammar_name(in)));
    if (how >= 224)
        json_object_set_new(params, keys[how % 3], grammar_value(in));
    call(methods[method], params);
}

/* A request that is wrong as such, or has an odd id. */
static void call_oddly(struct input *in)
{
    static const char *const members[] = { "jsonrpc", "id", "method", "params", "colour" };
    json_t *request = json_pack("{s:s, s:i, s:s, s:O}", "jsonrpc", "2.0", "id", 7, "method", "port.add", "params", draft);
    unsigned member = input_choice(in, 5), how = input_byte(in);

    if (how >= 192)
        json_object_del(request, members[member]);
    else
        json_object_set_new(request, members[member], grammar_value(in));
    ask_json(request);
}

static void ask_again(struct input *in)
{
    static char text[LINE_ROOM];
    size_t length = last_length;

    memcpy(text, last, length);
    length = grammar_scramble(text, length, LINE_ROOM, in);
    if (input_byte(in) & 1)
        length = grammar_scramble(text, length, LINE_ROOM, in);
    ask(text, length);
}

static void delete_port(struct input *in)
{
    unsigned count = datapath_port_count(commander.datapath), how = input_byte(in);

    if (how < 160 && count > 0)
        call("port.del", json_pack("{s:s}", "name", port_config_of(datapath_port_at(commander.datapath, how % count))->name));
    else
        call("port.del", json_pack("{s:s}", "name", grammar_name(in)));
}

/* ---- life ---- */

/* The ports go, as when the switch ends, and come back from the file. */
static void restart(void)
{
    struct state state;
    char why[512];

    if (unsaved || commander.state_path != state_path || access(state_path, F_OK) != 0)
        return;
    char *held = held_text();
    unsigned count = datapath_port_count(commander.datapath);

    commander.state_path = missing_path; /* nothing is saved while ports go */
    while (datapath_port_count(commander.datapath) > 0)
        datapath_remove_port(commander.datapath, datapath_port_at(commander.datapath, 0));
    commander.state_path = state_path;
    commander_free(&commander);
    unsaved = false;
    for (unsigned i = 0; i < FRONT_ENDS; i++)
        hang_up(i, UINT32_MAX);
    FUZZ_CHECK(state_read(state_path, &state, why, sizeof why), "%s", why);
    datapath_hold(commander.datapath);
    commander_load(&commander, &state);
    datapath_hold_check(commander.datapath);
    char *back = held_text();

    FUZZ_CHECK(datapath_port_count(commander.datapath) >= count, "%u ports are back of %u",
               datapath_port_count(commander.datapath), count);
    model_check_restart(held, back);
    free(held);
    free(back);
}

/* Ports that the switch finds in its state file; some of them cannot be had. */
static void begin(struct input *in)
{
    struct state state = { calloc(4, sizeof *state.ports), 0 };
    unsigned count = input_choice(in, 4);

    unlink(state_path);
    for (unsigned i = 0; i < count; i++) {
        struct port_config *port = &state.ports[state.count++];

        *port = (struct port_config){ .kind = PORT_VHOST_USER, .queues = 1, .mtu = 1500, .mac_limit = 1024, .network = "lan" };
        snprintf(port->name, sizeof port->name, "vm%u", i + 1);
        snprintf(port->socket, sizeof port->socket, "%s/s%u", grammar_folder, input_choice(in, 6));
        port->policy.link = input_seldom(in, 4);
        port->has_offered = input_byte(in) & 1;
        port->offered = port->has_offered ? input_number(in, 2) << 16 : 0;
    }
    const struct port_config *list[] = { &state.ports[0], &state.ports[1], &state.ports[2] };
    char why[256];

    FUZZ_CHECK(state_write(state_path, list, state.count, why, sizeof why), "%s", why);
    commander_load(&commander, &state);
}

static void end(void)
{
    char line[256];

    commander.state_path = state_path;
    for (unsigned left = datapath_port_count(commander.datapath) + commander.lost.count; left > 0; left--) {
        const char *name = commander.lost.count > 0 ? commander.lost.ports[0].name
                                                    : port_config_of(datapath_port_at(commander.datapath, 0))->name;

        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"port.del\",\"params\":{\"name\":\"%s\"}}", name);
        json_decref(ask_plainly(line));
        FUZZ_CHECK(datapath_port_count(commander.datapath) + commander.lost.count < left, "still there after %s", line);
    }
    unsaved = false;
    check_saved();
    FUZZ_CHECK(datapath_network_count(commander.datapath) == 0, "%u networks are left",
               datapath_network_count(commander.datapath));
    commander_free(&commander);
    for (unsigned i = 0; i < FRONT_ENDS; i++)
        hang_up(i, UINT32_MAX);
}

static void look_at_fds(struct pollfd *fds)
{
    for (int fd = 0; fd < FDS_SEEN; fd++)
        fds[fd] = (struct pollfd){ .fd = fd };
    FUZZ_CHECK(poll(fds, FDS_SEEN, 0) >= 0, "no poll");
}

/* The first fd that is open and was not, or the other way round; -1: there is none. */
static int changed_fd(void)
{
    look_at_fds(after);
    for (int fd = 0; fd < FDS_SEEN; fd++)
        if ((before[fd].revents ^ after[fd].revents) & POLLNVAL)
            return fd;
    return -1;
}

/* A leak stays; what a thread of a capture that has ended still holds does not. */
static void check_fds(void)
{
    fd_discard_wait();
    for (unsigned i = 0; i < FDS_WAIT_MS && changed_fd() >= 0; i++)
        usleep(1000);
    int fd = changed_fd();

    FUZZ_CHECK(fd < 0, "fd %d was %s", fd, after[fd].revents & POLLNVAL ? "closed, and is not a port's" : "leaked");
}

static void new_draft(struct input *in)
{
    json_decref(draft);
    draft = grammar_port(in);
}

static void step(struct input *in)
{
    switch (input_choice(in, 20)) {
    case 0:
    case 1:
    case 2:
        new_draft(in);
        call("port.add", json_incref(draft));
        break;
    case 3: new_draft(in); break;
    case 4:
    case 5:
    case 6: grammar_change(draft, in); break;
    case 7:
    case 8:
    case 9:
    case 10:
        grammar_change(draft, in);
        call("port.add", json_incref(draft));
        break;
    case 11:
    case 12: delete_port(in); break;
    case 13: call_lister(in); break;
    case 14: call_oddly(in); break;
    case 15: ask_again(in); break;
    case 16: ask((const char *)in->at, in->left); break;
    case 17: commander.state_path = commander.state_path == state_path ? missing_path : state_path; break;
    case 18:
        hang_up(input_choice(in, FRONT_ENDS), input_choice(in, 4));
        turn();
        break;
    default: restart(); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = { data, size }, in;

    if (!commander.datapath)
        set_up();
    look_at_fds(before);
    unsaved = false;
    requests = 0;
    last_length = 0;
    draft = json_object();
    input_record(&all, &in);
    begin(&in);
    while (input_record(&all, &in))
        step(&in);
    restart();
    end();
    json_decref(draft);
    draft = NULL;
    check_fds();
    return 0;
}
