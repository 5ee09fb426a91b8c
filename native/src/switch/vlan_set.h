/*
 * vlan_set.h - the VLANs of one network: a MAC table for each that some port names, so that
 * the same address may live in two VLANs on different ports.
 *
 * A network has none before its first port with VLAN settings, and a frame there costs nothing for it.
 * The control thread makes and frees tables; workers find them by VLAN between two quiet points.
 */
#ifndef VHOSTKIT_VLAN_SET_H
#define VHOSTKIT_VLAN_SET_H

#include <stdatomic.h>

#include "port/port_vlan.h"
#include "switch/mac_table.h"

/* Addresses that one VLAN's table has room for: 4 ports at their default limit. */
#ifndef VLAN_MAC_CAPACITY
#define VLAN_MAC_CAPACITY 4096u
#endif

struct vlan_set {
    unsigned ports;                            /* of the network that have VLAN settings */
    uint16_t users[VLAN_IDS];                  /* ports that name the VLAN */
    struct mac_table *_Atomic macs[VLAN_IDS];  /* NULL: no port names it */
    unsigned gone_count;
    struct mac_table *gone[VLAN_IDS];          /* out of workers' sight, to be freed after the quiet point */
};

/* NULL: no memory. */
struct vlan_set *vlan_set_create(void);
/* No worker knows it any more. */
void vlan_set_destroy(struct vlan_set *set);

/*
 * Makes tables for the VLANs that the port names. Afterwards each port of the network is to be added
 * with vlan_set_add_port(). False: no memory for all of them; vlan_set_leave() then takes it back.
 */
bool vlan_set_join(struct vlan_set *set, const struct port_vlan *vlan);
/* Takes back what join did. Tables that no port names any more go out of workers' sight; then vlan_set_reap() is due. */
void vlan_set_leave(struct vlan_set *set, const struct port_vlan *vlan);
/* Frees those tables. A quiet point has passed since. */
void vlan_set_reap(struct vlan_set *set);

/* The port may be learnt in every VLAN that it carries; known ones stay as they are. */
void vlan_set_add_port(struct vlan_set *set, unsigned port, unsigned limit, const struct port_vlan *vlan);
/* The port's addresses leave all VLANs. After its last frame, or before a new policy. */
void vlan_set_remove_port(struct vlan_set *set, unsigned port);
void vlan_set_tick(struct vlan_set *set);

/* The VLAN's table; `otherwise` for one that no port names: only ports that carry all VLANs are in it. Any worker. */
static inline struct mac_table *vlan_set_macs(struct vlan_set *set, unsigned id, struct mac_table *otherwise)
{
    struct mac_table *macs = atomic_load_explicit(&set->macs[id], memory_order_acquire);

    return macs != NULL ? macs : otherwise;
}

#endif
