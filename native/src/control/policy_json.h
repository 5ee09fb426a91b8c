/*
 * policy_json.h - the `policy` of a port as JSON: {isolated, link, storm, vlan, rate, macs, ipv4, mirror}, each left out when not set.
 */
#ifndef VHOSTKIT_POLICY_JSON_H
#define VHOSTKIT_POLICY_JSON_H

#include <jansson.h>

#include "port/port_policy.h"

/* NULL when there is no policy (or no memory). */
json_t *policy_json(const struct port_policy *policy);
/* `object` NULL: no policy. False and the refusal for unknown keys and for what is not an address. */
bool policy_from_json(const json_t *object, struct port_policy *policy, struct refusal *refusal);

#endif
