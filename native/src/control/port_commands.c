/*
 * port_commands.c - the methods that change ports. Control thread only.
 *
 * A change is answered only when it is on disk. port.add writes after the port
 * is there and removes it again when that fails; port.del and port.set write
 * the state first, so a failure has changed nothing.
 */
#include <string.h>

#include "control/command_parts.h"
#include "control/policy_json.h"
#include "control/port_json.h"
#include "log.h"

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

json_t *port_add(struct call *call)
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

json_t *port_del(struct call *call)
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

json_t *port_set(struct call *call)
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
