/*
 * vlan_set.c - see the header. Control thread.
 */
#include "switch/vlan_set.h"

#include <stdlib.h>

struct vlan_set *vlan_set_create(void)
{
    return calloc(1, sizeof(struct vlan_set));
}

void vlan_set_destroy(struct vlan_set *set)
{
    if (set == NULL)
        return;
    for (unsigned id = 0; id < VLAN_IDS; id++)
        mac_table_destroy(set->macs[id]);
    vlan_set_reap(set);
    free(set);
}

/* Whether the settings name the VLAN; a plain port carries all and names none. */
static bool names(const struct port_vlan *vlan, unsigned id)
{
    return vlan->mode != VLAN_PLAIN && port_vlan_carries(vlan, id);
}

bool vlan_set_join(struct vlan_set *set, const struct port_vlan *vlan)
{
    bool all = true;

    set->ports += vlan->mode != VLAN_PLAIN;
    for (unsigned id = 1; id < VLAN_IDS; id++) {
        if (!names(vlan, id))
            continue;
        set->users[id]++;
        if (set->macs[id] == NULL)
            atomic_store(&set->macs[id], mac_table_create(VLAN_MAC_CAPACITY));
        all &= set->macs[id] != NULL;
    }
    return all;
}

void vlan_set_leave(struct vlan_set *set, const struct port_vlan *vlan)
{
    set->ports -= vlan->mode != VLAN_PLAIN;
    for (unsigned id = 1; id < VLAN_IDS; id++) {
        if (!names(vlan, id) || --set->users[id] > 0 || set->macs[id] == NULL)
            continue;
        set->gone[set->gone_count++] = atomic_exchange(&set->macs[id], NULL);
    }
}

void vlan_set_reap(struct vlan_set *set)
{
    while (set->gone_count > 0)
        mac_table_destroy(set->gone[--set->gone_count]);
}

void vlan_set_add_port(struct vlan_set *set, unsigned port, unsigned limit, const struct port_vlan *vlan)
{
    for (unsigned id = 1; id < VLAN_IDS; id++)
        if (set->macs[id] != NULL && port_vlan_carries(vlan, id))
            mac_table_add_port(set->macs[id], port, limit); /* false: known already */
}

void vlan_set_remove_port(struct vlan_set *set, unsigned port)
{
    for (unsigned id = 1; id < VLAN_IDS; id++)
        if (set->macs[id] != NULL)
            mac_table_remove_port(set->macs[id], port);
}

void vlan_set_tick(struct vlan_set *set)
{
    for (unsigned id = 1; id < VLAN_IDS; id++)
        if (set->macs[id] != NULL)
            mac_table_tick(set->macs[id]);
}
