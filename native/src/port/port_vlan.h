/*
 * port_vlan.h - which VLANs a port belongs to, and how its frames show them (802.1Q).
 * Part of the port's policy; constant once workers see it.
 */
#ifndef VHOSTKIT_PORT_VLAN_H
#define VHOSTKIT_PORT_VLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "port/refusal.h"

/* 12 bits in a tag; 0 says "priority only", 4095 is reserved. */
#define VLAN_IDS 4096u
#define VLAN_ID_MAX 4094u

/*
 * Tagged VLANs of one trunk port. Each VLAN of a network has a MAC table (vlan_set.h), so
 * that this bounds what one port can make the switch allocate: to about 40 MB.
 */
#define VLAN_TRUNK_MAX 256u

enum vlan_mode {
    VLAN_PLAIN,  /* no VLAN settings: where others have some, every VLAN tagged, and untagged frames apart */
    VLAN_ACCESS, /* one VLAN, never tagged on the port */
    VLAN_TRUNK,  /* a list of VLANs, tagged, and maybe one untagged */
};

/* All zero: VLAN_PLAIN. */
struct port_vlan {
    enum vlan_mode mode;
    uint16_t untagged;               /* VLAN of frames without a tag; 0: none (trunk), or apart from all VLANs (plain) */
    uint64_t tagged[VLAN_IDS / 64];  /* trunk: a bit for each VLAN of its list */
};

static inline bool port_vlan_listed(const struct port_vlan *vlan, unsigned id)
{
    return vlan->tagged[id / 64] >> id % 64 & 1;
}

static inline void port_vlan_list(struct port_vlan *vlan, unsigned id)
{
    vlan->tagged[id / 64] |= UINT64_C(1) << id % 64;
}

/* Whether frames of the VLAN may go to the port. 0: untagged frames of plain ports. */
static inline bool port_vlan_carries(const struct port_vlan *vlan, unsigned id)
{
    if (vlan->mode == VLAN_PLAIN)
        return true;
    return (id == vlan->untagged && id != 0) || port_vlan_listed(vlan, id);
}

/* How many VLANs are on its list. */
unsigned port_vlan_count(const struct port_vlan *vlan);

bool port_vlan_valid(const struct port_vlan *vlan, struct refusal *refusal);

#endif
