/*
 * commands.c - see commands.h.
 *
 * Owns nothing. Control thread only. A method is one row of the table: its parameters are checked
 * against the row before its function runs, and the function returns a result,
 * or NULL with the error filled in. Those that change ports are in port_commands.c.
 */
#include "control/commands.h"

#include <string.h>
#include <unistd.h>

#include "control/capture_json.h"
#include "control/command_parts.h"
#include "control/event_loop.h"
#include "control/port_json.h"
#include "log.h"
#include "options.h"

struct method {
    const char *name;
    json_t *(*run)(struct call *call);
    const struct rpc_param *params;
};

json_t *refuse_unknown(struct call *call, const char *name)
{
    refuse(&call->error->refusal, "port-unknown", "the name of a port");
    refusal_found(&call->error->refusal, "\"%.80s\"", name);
    refusal_hint(&call->error->refusal, "see the names that port.list answers");
    return rpc_refuse(call->error);
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
