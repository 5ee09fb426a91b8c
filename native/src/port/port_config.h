/*
 * port_config.h - what a port is, as asked for by port.add and as kept in the
 * state file.
 */
#ifndef VHOSTKIT_PORT_CONFIG_H
#define VHOSTKIT_PORT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port_policy.h"

#define PORT_NAME_SIZE 64     /* 63 characters and the end */
#define NETWORK_NAME_SIZE 64
#define SOCKET_PATH_SIZE 108  /* sun_path */
#define IFNAME_SIZE 16

#define PORT_QUEUES_MAX 64u
#define PORT_MTU_MIN 68u
#define PORT_MTU_MAX 65535u
#define PORT_MAC_LIMIT_MAX 65536u
#define PORT_MAC_LIMIT_DEFAULT 1024u

enum port_kind { PORT_VHOST_USER, PORT_TAP };
enum port_role { PORT_ROLE_CLIENT, PORT_ROLE_SERVER };

struct port_config {
    char name[PORT_NAME_SIZE];
    char network[NETWORK_NAME_SIZE];
    enum port_kind kind;
    char socket[SOCKET_PATH_SIZE]; /* vhost-user: absolute path */
    enum port_role role;           /* vhost-user */
    char ifname[IFNAME_SIZE];      /* tap */
    unsigned queues;               /* vhost-user: queue pairs offered; tap: 1 */
    unsigned mtu;
    unsigned mac_limit;
    struct port_policy policy;
    bool has_offered;              /* a front end has been offered `offered` (R26) */
    uint64_t offered;
};

/* ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$ */
bool name_valid(const char *name);

/* Checks every field of a config for itself (not against other ports). */
bool port_config_valid(const struct port_config *config, struct refusal *refusal);

#endif
