/*
 * port_policy.h - what a port may do on its network, beyond what every port may.
 * Part of the port's config. Workers read a copy that does not change (struct port).
 */
#ifndef VHOSTKIT_PORT_POLICY_H
#define VHOSTKIT_PORT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port_mirror.h"
#include "port/port_vlan.h"
#include "port/refusal.h"
#include "switch/rate.h"

/* Frames a second at which storm control can be set. */
#define POLICY_STORM_MAX 10000000u

/* Allowed addresses of one kind for a port. */
#define POLICY_ADDRESSES_MAX 16u

/* All zero: no policy. */
struct port_policy {
    bool isolated;                       /* exchanges no frames with the network's other isolated ports */
    bool link;                           /* wired straight to the one other port of its network */
    unsigned storm;                      /* frames a second that may be flooded from it; 0: any number */
    struct port_vlan vlan;               /* which VLANs, and how they look */
    struct rate_limit rx_rate;           /* of what comes from it */
    struct rate_limit tx_rate;           /* of what goes to it */
    unsigned mac_count;                  /* 0: any source address */
    unsigned ipv4_count;                 /* 0: any IPv4 source and ARP sender */
    uint64_t macs[POLICY_ADDRESSES_MAX]; /* as mac_load() gives them; unicast, each once */
    uint32_t ipv4[POLICY_ADDRESSES_MAX]; /* host byte order; not 0, each once */
    struct port_mirror mirror;           /* who gets a copy of its frames; workers look into the topology for that */
};

/* Whether source addresses of frames from the port are to be checked. */
static inline bool port_policy_checks_sources(const struct port_policy *policy)
{
    return (policy->mac_count | policy->ipv4_count) != 0;
}

/* Whether there is any policy at all. */
static inline bool port_policy_any(const struct port_policy *policy)
{
    return policy->isolated || policy->link || policy->storm != 0 || policy->vlan.mode != VLAN_PLAIN ||
           rate_limited(&policy->rx_rate) || rate_limited(&policy->tx_rate) || port_policy_checks_sources(policy) ||
           policy->mirror.kind != MIRROR_NONE;
}

/* Checks what goes together, VLANs and rates, and the addresses: how many, of what sort, each once. */
bool port_policy_valid(const struct port_policy *policy, struct refusal *refusal);

#endif
