/*
 * command_parts.h - what the parts of the methods share: commands.c (the table, and methods that tell), port_commands.c
 * (methods that change ports) and saved_ports.c (what is kept on disk). Nobody else includes it.
 */
#ifndef VHOSTKIT_COMMAND_PARTS_H
#define VHOSTKIT_COMMAND_PARTS_H

#include <jansson.h>

#include "control/commands.h"
#include "control/json_rpc.h"

/* What a method is given. */
struct call {
    struct commander *commander;
    const json_t *params;   /* an object that fits the method's row; or NULL */
    struct rpc_error *error;
    struct answer_effect *effect; /* set by events.subscribe and capture.start */
};

static inline const char *param_text(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(call->params, name));
}

/* No port has that name. NULL. */
json_t *refuse_unknown(struct call *call, const char *name);

/* Methods: a result, or NULL and the error. */
json_t *port_add(struct call *call);
json_t *port_del(struct call *call);
json_t *port_set(struct call *call);

/* Where the lost port of that name is; -1: there is none. */
int lost_index(const struct commander *commander, const char *name);
void forget_lost(struct commander *commander, const char *name);
/* Writes the ports of the datapath and the lost ones; for the one named, `instead`, or without it (NULL). False and why. */
bool save_as(struct commander *commander, const char *name, const struct port_config *instead, char *why, size_t why_size);

#endif
