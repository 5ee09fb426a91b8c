/*
 * port_json.h - ports as JSON: the config as port.add takes it and the state
 * file keeps it, and the fuller picture of port.list and stats.get.
 */
#ifndef VHOSTKIT_PORT_JSON_H
#define VHOSTKIT_PORT_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "datapath.h"
#include "port/port_config.h"

/* {name, kind, network, socket, role, ifname, queues, mtu, mac_limit}; null what the kind does not have. */
json_t *port_config_json(const struct port_config *config);

/*
 * The reverse: left out or null means the default. Values must have their JSON
 * types already. The config is fully checked; false and the refusal otherwise.
 */
bool port_config_from_json(const json_t *object, struct port_config *config, struct refusal *refusal);

/* As port.list shows it. */
json_t *port_json(const struct port *port);
/* As stats.get shows it. */
json_t *port_stats_json(const struct port *port);

/* "0x…", as feature sets are written. */
json_t *feature_set_json(uint64_t features);

#endif
