/*
 * network.c - see the header. Control thread.
 */
#include "switch/network.h"

#include <stdio.h>
#include <stdlib.h>

#include "quiesce.h"

/*
 * Addresses that one network's table has room for: 64 ports at twice their default limit, which fills a huge page.
 * Fuzzers, which make many, set less.
 */
#ifndef NETWORK_MAC_CAPACITY
#define NETWORK_MAC_CAPACITY 131072u
#endif

struct network *network_create(const char *name, unsigned id)
{
    struct network *network = calloc(1, sizeof *network);

    if (network == NULL)
        return NULL;
    snprintf(network->name, sizeof network->name, "%s", name);
    network->id = id;
    network->macs = mac_table_create(NETWORK_MAC_CAPACITY);
    if (network->macs != NULL)
        return network;
    free(network);
    return NULL;
}

void network_destroy(struct network *network)
{
    if (network == NULL)
        return;
    vlan_set_destroy(network->vlans);
    mac_table_destroy(network->macs);
    free(network);
}

/* The first port with VLAN settings makes the network one with VLANs. */
static bool join_vlans(struct network *network, const struct port *port, struct port *const *ports, unsigned count)
{
    struct vlan_set *set = network->vlans;
    const struct port_vlan *vlan = &port->policy->vlan;

    if (set == NULL && vlan->mode != VLAN_PLAIN)
        set = vlan_set_create();
    if (set == NULL)
        return vlan->mode == VLAN_PLAIN;
    bool joined = vlan_set_join(set, vlan);

    for (unsigned i = 0; i < count; i++)
        if (ports[i]->network == network)
            vlan_set_add_port(set, ports[i]->id, ports[i]->config.mac_limit, &ports[i]->policy->vlan);
    vlan_set_add_port(set, port->id, port->config.mac_limit, vlan);
    atomic_store(&network->vlans, set);
    return joined;
}

/* Tables of VLANs that no port names any more are freed; the last one's set, too. */
static void leave_vlans(struct network *network, const struct port *port, const struct port_vlan *vlan)
{
    struct vlan_set *set = network->vlans;

    if (set == NULL)
        return;
    vlan_set_remove_port(set, port->id);
    vlan_set_leave(set, vlan);
    bool last = set->ports == 0;

    if (last)
        atomic_store(&network->vlans, NULL);
    if (last || set->gone_count > 0)
        quiesce_wait();
    vlan_set_reap(set);
    if (last)
        vlan_set_destroy(set);
}

bool network_join(struct network *network, struct port *port, struct port *const *ports, unsigned count)
{
    if (!mac_table_add_port(network->macs, port->id, port->config.mac_limit))
        return false;
    if (join_vlans(network, port, ports, count))
        return true;
    network_leave(network, port);
    return false;
}

void network_leave(struct network *network, struct port *port)
{
    leave_vlans(network, port, &port->policy->vlan);
    mac_table_remove_port(network->macs, port->id);
}

bool network_change_policy(struct network *network, struct port *port, const struct port_policy *next,
                           struct port *const *ports, unsigned count)
{
    const struct port_policy *last = port->policy;

    atomic_store(&port->policy, next);
    bool joined = join_vlans(network, port, ports, count);

    leave_vlans(network, port, joined ? &last->vlan : &next->vlan);
    if (!joined)
        atomic_store(&port->policy, last);
    network_forget(network, port);
    return joined;
}

void network_forget(struct network *network, struct port *port)
{
    mac_table_remove_port(network->macs, port->id);
    mac_table_add_port(network->macs, port->id, port->config.mac_limit);
    if (network->vlans == NULL)
        return;
    vlan_set_remove_port(network->vlans, port->id);
    vlan_set_add_port(network->vlans, port->id, port->config.mac_limit, &port->policy->vlan);
}

void network_tick(struct network *network)
{
    mac_table_tick(network->macs);
    if (network->vlans != NULL)
        vlan_set_tick(network->vlans);
}

/* Carries a visit through mac_table_visit(). */
struct table_visit {
    void (*visit)(void *context, uint64_t mac, unsigned vlan, unsigned port, unsigned age_s);
    void *context;
    unsigned vlan;
};

static void visit_entry(void *context, uint64_t mac, unsigned port, unsigned age_s)
{
    const struct table_visit *carried = context;

    carried->visit(carried->context, mac, carried->vlan, port, age_s);
}

void network_visit_macs(struct network *network,
                        void (*visit)(void *context, uint64_t mac, unsigned vlan, unsigned port, unsigned age_s),
                        void *context)
{
    struct table_visit carried = { visit, context, 0 };
    struct vlan_set *set = network->vlans;

    mac_table_visit(network->macs, visit_entry, &carried);
    while (set != NULL && ++carried.vlan < VLAN_IDS)
        if (set->macs[carried.vlan] != NULL)
            mac_table_visit(set->macs[carried.vlan], visit_entry, &carried);
}
