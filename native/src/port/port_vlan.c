/*
 * port_vlan.c - see port_vlan.h. Pure; any thread.
 */
#include "port/port_vlan.h"

unsigned port_vlan_count(const struct port_vlan *vlan)
{
    unsigned count = 0;

    for (unsigned i = 0; i < VLAN_IDS / 64; i++)
        count += (unsigned)__builtin_popcountll(vlan->tagged[i]);
    return count;
}

static bool refuse_vlan(struct refusal *refusal, const char *wanted, unsigned found)
{
    refuse(refusal, "value-invalid", "policy.vlan: %s", wanted);
    refusal_found(refusal, "%u", found);
    refusal_hint(refusal, "give {\"tag\": N}, or {\"trunk\": [N, …]} and maybe \"native\": N");
    return false;
}

bool port_vlan_valid(const struct port_vlan *vlan, struct refusal *refusal)
{
    unsigned count = port_vlan_count(vlan);

    if (vlan->untagged > VLAN_ID_MAX || (vlan->mode == VLAN_ACCESS && vlan->untagged == 0))
        return refuse_vlan(refusal, "a VLAN id, 1 to 4094", vlan->untagged);
    if (port_vlan_listed(vlan, 0) || port_vlan_listed(vlan, VLAN_IDS - 1))
        return refuse_vlan(refusal, "VLAN ids, 1 to 4094", port_vlan_listed(vlan, 0) ? 0 : VLAN_IDS - 1);
    if (vlan->mode == VLAN_TRUNK ? count == 0 || count > VLAN_TRUNK_MAX : count != 0)
        return refuse_vlan(refusal, "a trunk of 1 to 256 VLANs", count);
    return true;
}
