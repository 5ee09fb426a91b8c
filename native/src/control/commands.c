/*
 * commands.c - see commands.h.
 *
 * Owns the list of lost ports; everything else belongs to main(). Control
 * thread only. A method is one row of the table: its parameters are checked
 * against the row before its function runs, and the function returns a result,
 * or NULL with the error filled in.
 *
 * A change is answered only when it is on disk. port.add writes after the port
 * is there and removes it again when that fails; port.del and port.set write
 * the state first, so a failure has changed nothing.
 */
#include "control/commands.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/capture.h"
#include "control/capture_json.h"
#include "control/event_loop.h"
#include "control/json_rpc.h"
#include "control/policy_json.h"
#include "control/port_json.h"
#include "log.h"
#include "options.h"

/* What a method is given. */
struct call {
    struct commander *commander;
    const json_t *params;   /* an object that fits the method's row; or NULL */
    struct rpc_error *error;
    struct answer_effect *effect; /* set by events.subscribe and capture.start */
};

struct method {
    const char *name;
    json_t *(*run)(struct call *call);
    const struct rpc_param *params;
};

static const char *param_text(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(call->params, name));
}

static json_t *refuse_unknown(struct call *call, const char *name)
{
    refuse(&call->error->refusal, "port-unknown", "the name of a port");
    refusal_found(&call->error->refusal, "\"%.80s\"", name);
    refusal_hint(&call->error->refusal, "see the names that port.list answers");
    return rpc_refuse(call->error);
}

/* ---- what is kept on disk ---- */

static int lost_index(const struct commander *commander, const char *name)
{
    for (unsigned i = 0; i < commander->lost.count; i++) {
        if (strcmp(commander->lost.ports[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

static void forget_lost(struct commander *commander, const char *name)
{
    int index = lost_index(commander, name);
    if (index < 0)
        return;
    struct state *lost = &commander->lost;
    lost->count--;
    memmove(&lost->ports[index], &lost->ports[index + 1],
            (lost->count - (unsigned)index) * sizeof lost->ports[0]);
}

/* The ports of the datapath and the lost ones; for the one named, `instead`, or without it (NULL). */
static bool save_as(struct commander *commander, const char *name, const struct port_config *instead, char *why,
                    size_t why_size)
{
    unsigned there = datapath_port_count(commander->datapath), count = 0;
    const struct port_config **ports = calloc(there + commander->lost.count + 1, sizeof *ports);
    if (!ports) {
        snprintf(why, why_size, "no memory for the list of ports");
        return false;
    }
    for (unsigned i = 0; i < there; i++) {
        const struct port_config *config = port_config_of(datapath_port_at(commander->datapath, i));
        if (!name || strcmp(config->name, name) != 0)
            ports[count++] = config;
        else if (instead)
            ports[count++] = instead;
    }
    for (unsigned i = 0; i < commander->lost.count; i++) {
        const struct port_config *config = &commander->lost.ports[i];
        if ((!name || strcmp(config->name, name) != 0) &&
            !datapath_find_port(commander->datapath, config->name))
            ports[count++] = config;
    }
    bool good = state_write(commander->state_path, ports, count, why, why_size);
    free(ports);
    return good;
}

bool commander_save(struct commander *commander, char *why, size_t why_size)
{
    return save_as(commander, NULL, NULL, why, why_size);
}

/* The change was undone; the file too, should its writing have failed only at the last step. */
static json_t *refuse_unsaved(struct call *call, const char *why)
{
    char again[sizeof call->error->refusal.found];
    commander_save(call->commander, again, sizeof again);
    refuse(&call->error->refusal, "state-failed", "the change in the state file");
    refusal_found(&call->error->refusal, "%s", why);
    refusal_hint(&call->error->refusal, "make room, or the folder writable,"
                                        " and ask again; nothing was changed");
    return rpc_refuse(call->error);
}

/*
 * All ports start as lost, so that whatever is saved meanwhile names all of
 * them: a session may begin, and save its feature set, at any step.
 */
void commander_load(struct commander *commander, struct state *state)
{
    commander->lost = *state;
    memset(state, 0, sizeof *state);
    unsigned tried = 0;
    while (tried < commander->lost.count) {
        struct port_config config = commander->lost.ports[tried];
        struct refusal refusal;
        if (datapath_restore_port(commander->datapath, &config, &refusal)) {
            forget_lost(commander, config.name);
            continue;
        }
        log_error("port %s of the state file is not back: %s: wanted %s, found %s; it is kept in the file",
                  config.name, refusal.reason, refusal.wanted, refusal.found);
        tried++;
    }
}

void commander_free(struct commander *commander)
{
    state_free(&commander->lost);
}

/* ---- ports ---- */

/* Parameters of the other kind are unknown ones. */
static bool kind_fits(struct call *call)
{
    static const char *const of_vhost_user[] = { "socket", "role", "queues", NULL };
    static const char *const of_tap[] = { "ifname", NULL };
    const char *kind = param_text(call, "kind");
    if (strcmp(kind, "vhost-user") != 0 && strcmp(kind, "tap") != 0) {
        rpc_fail(call->error, RPC_PARAMS, "\"kind\" must be \"vhost-user\" or \"tap\", found \"%.60s\"",
                 kind);
        return false;
    }
    bool tap = strcmp(kind, "tap") == 0;
    for (const char *const *name = tap ? of_vhost_user : of_tap; *name; name++) {
        if (json_object_get(call->params, *name)) {
            rpc_fail(call->error, RPC_PARAMS, "there is no parameter \"%s\" for kind \"%s\"", *name, kind);
            return false;
        }
    }
    const char *needed = tap ? "ifname" : "socket";
    if (!json_object_get(call->params, needed)) {
        rpc_fail(call->error, RPC_PARAMS, "\"%s\" is missing", needed);
        return false;
    }
    return true;
}

static bool has_room(struct call *call, const struct port_config *config)
{
    struct commander *commander = call->commander;
    unsigned count = datapath_port_count(commander->datapath) + commander->lost.count;
    if (count < PORTS_MAX || lost_index(commander, config->name) >= 0)
        return true;
    refuse(&call->error->refusal, "limit", "at most %u ports", PORTS_MAX);
    refusal_found(&call->error->refusal, "%u, and one more", count);
    refusal_hint(&call->error->refusal, "delete a port first");
    return false;
}

static bool is_new(struct call *call, const struct port_config *config)
{
    if (!datapath_find_port(call->commander->datapath, config->name))
        return true;
    refuse(&call->error->refusal, "port-exists", "a new name");
    refusal_found(&call->error->refusal, "a port \"%s\"", config->name);
    refusal_hint(&call->error->refusal, "compare with port.list; delete the port first to change it");
    return false;
}

static json_t *port_add(struct call *call)
{
    struct commander *commander = call->commander;
    struct port_config config;
    struct refusal *refusal = &call->error->refusal;
    if (!kind_fits(call))
        return NULL;
    if (!port_config_from_json(call->params, &config, refusal) || !is_new(call, &config) ||
        !has_room(call, &config))
        return rpc_refuse(call->error);
    struct port *port = datapath_add_port(commander->datapath, &config, refusal);
    if (!port)
        return rpc_refuse(call->error);
    char why[sizeof refusal->found];
    if (!commander_save(commander, why, sizeof why)) {
        datapath_undo_port(commander->datapath, port);
        return refuse_unsaved(call, why);
    }
    forget_lost(commander, config.name);
    return json_pack("{s:o}", "port", port_json(port));
}

static json_t *port_del(struct call *call)
{
    struct commander *commander = call->commander;
    const char *name = param_text(call, "name");
    struct port *port = datapath_find_port(commander->datapath, name);
    if (!port && lost_index(commander, name) < 0)
        return refuse_unknown(call, name);
    char why[sizeof call->error->refusal.found];
    if (!save_as(commander, name, NULL, why, sizeof why))
        return refuse_unsaved(call, why);
    forget_lost(commander, name);
    if (port)
        datapath_remove_port(commander->datapath, port);
    return json_object();
}

static json_t *port_set(struct call *call)
{
    struct commander *commander = call->commander;
    struct refusal *refusal = &call->error->refusal;
    const char *name = param_text(call, "name");
    struct port *port = datapath_find_port(commander->datapath, name);
    if (!port)
        return refuse_unknown(call, name);
    struct port_config config = *port_config_of(port);
    if (!policy_from_json(json_object_get(call->params, "policy"), &config.policy, refusal) ||
        !port_config_valid(&config, refusal))
        return rpc_refuse(call->error);
    char why[sizeof refusal->found];
    if (!save_as(commander, name, &config, why, sizeof why))
        return refuse_unsaved(call, why);
    if (!datapath_set_policy(commander->datapath, port, &config.policy, refusal)) {
        if (!commander_save(commander, why, sizeof why))
            log_error("port %s keeps its policy, but the state file has the refused one: %s", name, why);
        return rpc_refuse(call->error);
    }
    return json_pack("{s:o}", "port", port_json(port));
}

/* {"ports": [...]} of the port that the parameter names, or of all. */
static json_t *ports_as(struct call *call, const char *name, json_t *(*render)(const struct port *))
{
    struct datapath *datapath = call->commander->datapath;
    const struct port *one = name ? datapath_find_port(datapath, name) : NULL;
    if (name && !one)
        return refuse_unknown(call, name);
    json_t *list = json_array();
    if (one)
        json_array_append_new(list, render(one));
    for (unsigned i = 0; !one && i < datapath_port_count(datapath); i++)
        json_array_append_new(list, render(datapath_port_at(datapath, i)));
    return json_pack("{s:o}", "ports", list);
}

static json_t *port_list(struct call *call)
{
    return ports_as(call, param_text(call, "name"), port_json);
}

static json_t *stats_get(struct call *call)
{
    return ports_as(call, param_text(call, "port"), port_stats_json);
}

/* ---- the rest ---- */

static void append_mac(void *list, const char *network, const uint8_t mac[6], unsigned vlan, const char *port,
                       unsigned age_s)
{
    json_t *text = json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                                mac[5]);
    json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:s, s:I}", "network", network, "mac", text,
                                          "vlan", (int)vlan, "port", port, "age_s", (json_int_t)age_s));
}

static json_t *mac_list(struct call *call)
{
    json_t *list = json_array();
    datapath_visit_macs(call->commander->datapath, param_text(call, "network"), append_mac, list);
    return json_pack("{s:o}", "macs", list);
}

static void append_queue(void *list, const char *port, unsigned queue, unsigned load)
{
    json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "port", port, "queue", (int)queue, "load", (int)load));
}

static json_t *worker_json(const struct datapath *datapath, const struct worker_status *status)
{
    json_t *queues = json_array();
    datapath_visit_queues(datapath, status->id, append_queue, queues);
    return json_pack("{s:i, s:i, s:i, s:i, s:I, s:I, s:i, s:I, s:s, s:o}", "id", (int)status->id, "core",
                     status->core, "node", status->node, "sources", (int)status->sources, "rounds",
                     (json_int_t)status->rounds, "busy_ms", (json_int_t)status->busy_ms, "load",
                     (int)status->load, "sleeps", (json_int_t)status->sleeps, "state",
                     status->sleeping ? "sleeping" : "polling", "queues", queues);
}

static json_t *worker_list(struct call *call)
{
    const struct datapath *datapath = call->commander->datapath;
    json_t *list = json_array();
    for (unsigned i = 0; i < datapath_worker_count(datapath); i++) {
        struct worker_status status;
        datapath_worker_status(datapath, i, &status);
        json_array_append_new(list, worker_json(datapath, &status));
    }
    return json_pack("{s:o}", "workers", list);
}

static json_t *lost_json(const struct commander *commander)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < commander->lost.count; i++)
        json_array_append_new(names, json_string(commander->lost.ports[i].name));
    return names;
}

static json_t *switch_info(struct call *call)
{
    const struct commander *commander = call->commander;
    uint64_t uptime_ms = (event_loop_now() - commander->started_ns) / 1000000u;
    const struct datapath *datapath = commander->datapath;
    const char *crash = commander->supervision.last_crash;
    return json_pack("{s:s, s:i, s:i, s:I, s:i, s:i, s:o, s:o, s:o, s:s, s:i, s:i, s:i, s:o}",
                     "version", VHOSTKIT_VERSION,
                     "pid", (int)getpid(),
                     "supervisor_pid", (int)commander->supervision.supervisor,
                     "uptime_ms", (json_int_t)uptime_ms,
                     "starts", (int)commander->supervision.starts,
                     "crashes_in_a_row", (int)commander->supervision.crashes_in_a_row,
                     "last_crash", crash[0] ? json_string(crash) : json_null(),
                     "service", commander->service
                         ? json_pack("{s:i}", "watchdog_ms", (int)commander->watchdog_ms) : json_null(),
                     "state_file", rpc_text(commander->state_path),
                     "idle", commander->poll ? "poll" : "adaptive",
                     "ports", (int)datapath_port_count(datapath),
                     "networks", (int)datapath_network_count(datapath),
                     "workers", (int)datapath_worker_count(datapath),
                     "lost", lost_json(commander));
}

static json_t *switch_shutdown(struct call *call)
{
    log_info("shutdown asked over the control socket");
    event_loop_stop(call->commander->loop);
    return json_object();
}

static json_t *events_subscribe(struct call *call)
{
    call->effect->subscribe = true;
    return json_object();
}

static json_t *capture_start(struct call *call)
{
    struct refusal *refusal = &call->error->refusal;
    const char *name = param_text(call, "port");
    struct port *port = datapath_find_port(call->commander->datapath, name);
    struct capture_options options;
    if (!port)
        return refuse_unknown(call, name);
    if (capture_options_from_json(call->params, &options, refusal))
        call->effect->live = datapath_capture_begin(call->commander->datapath, port, &options, refusal);
    return call->effect->live ? json_object() : rpc_refuse(call->error);
}

char *command_event_line(struct commander *commander, const char *type, const char *port, const char *why,
                         int a, int b)
{
    json_t *params = json_pack("{s:I, s:I, s:s}", "seq", (json_int_t)++commander->event_seq, "time_ms",
                               (json_int_t)(event_loop_now() / 1000000u), "type", type);
    if (port)
        json_object_set_new(params, "port", json_string(port));
    if (strcmp(type, "queue.broken") == 0)
        json_object_set_new(params, "queue", json_integer(a));
    if (strcmp(type, "events.left_out") == 0)
        json_object_set_new(params, "count", json_integer(a));
    if (strcmp(type, "queue.moved") == 0) {
        json_object_set_new(params, "queue", json_integer(a));
        json_object_set_new(params, "worker", json_integer(b));
    }
    if (strcmp(type, "memory.node") == 0 || strcmp(type, "port.node") == 0) {
        json_object_set_new(params, "node", json_integer(a));
        json_object_set_new(params, "worker_node", json_integer(b));
    }
    if (strncmp(type, "worker.", strlen("worker.")) == 0) {
        json_object_set_new(params, "worker", json_integer(a));
        json_object_set_new(params, "worker_node", json_integer(b));
    }
    if (why)
        json_object_set_new(params, "why", rpc_text(why));
    return rpc_notification_line("event", params);
}

/* ---- the table ---- */

#define PARAMS_END { NULL, RPC_STRING, false }

static const struct rpc_param no_params[] = { PARAMS_END };
static const struct rpc_param port_add_params[] = {
    { "name", RPC_STRING, true },     { "kind", RPC_STRING, true },     { "network", RPC_STRING, true },
    { "socket", RPC_STRING, false },  { "role", RPC_STRING, false },    { "ifname", RPC_STRING, false },
    { "queues", RPC_INTEGER, false }, { "mtu", RPC_INTEGER, false },    { "mac_limit", RPC_INTEGER, false },
    { "policy", RPC_OBJECT, false },
    PARAMS_END,
};
static const struct rpc_param port_del_params[] = { { "name", RPC_STRING, true }, PARAMS_END };
static const struct rpc_param port_set_params[] = {
    { "name", RPC_STRING, true }, { "policy", RPC_OBJECT, true }, PARAMS_END,
};
static const struct rpc_param port_list_params[] = { { "name", RPC_STRING, false }, PARAMS_END };
static const struct rpc_param mac_list_params[] = { { "network", RPC_STRING, false }, PARAMS_END };
static const struct rpc_param capture_start_params[] = {
    { "port", RPC_STRING, true },    { "snaplen", RPC_INTEGER, false },
    { "count", RPC_INTEGER, false }, { "filter", RPC_ARRAY, false },
    PARAMS_END,
};
static const struct rpc_param stats_get_params[] = { { "port", RPC_STRING, false }, PARAMS_END };

static const struct method methods[] = {
    { "switch.info", switch_info, no_params },
    { "port.add", port_add, port_add_params },
    { "port.del", port_del, port_del_params },
    { "port.set", port_set, port_set_params },
    { "port.list", port_list, port_list_params },
    { "mac.list", mac_list, mac_list_params },
    { "stats.get", stats_get, stats_get_params },
    { "worker.list", worker_list, no_params },
    { "events.subscribe", events_subscribe, no_params },
    { "capture.start", capture_start, capture_start_params },
    { "switch.shutdown", switch_shutdown, no_params },
};

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

static char *run_request(struct call *call, const struct rpc_request *request)
{
    const struct method *method = find_method(request->method);
    if (!method) {
        rpc_fail(call->error, RPC_NO_METHOD, "there is no method \"%.60s\"", request->method);
        return rpc_error_line(request->id, call->error);
    }
    if (!rpc_params_fit(request->params, method->params, call->error))
        return rpc_error_line(request->id, call->error);
    call->params = request->params;
    json_t *result = method->run(call);
    return call->error->code ? rpc_error_line(request->id, call->error)
                             : rpc_result_line(request->id, result);
}

char *command_handle(struct commander *commander, const char *line, size_t length, struct answer_effect *effect)
{
    struct rpc_error error = { 0 };
    struct rpc_request request;
    struct call call = { .commander = commander, .error = &error, .effect = effect };
    char *answer = rpc_parse(line, length, &request, &error) ? run_request(&call, &request)
                                                             : rpc_error_line(request.id, &error);
    rpc_request_free(&request);
    return answer;
}
