/*
 * port_policy.c - see port_policy.h. Pure; any thread.
 */
#include "port/port_policy.h"

static bool refuse_address(struct refusal *refusal, const char *list, unsigned index, const char *wanted,
                           uint64_t found)
{
    refuse(refusal, "value-invalid", "policy.%s: %s", list, wanted);
    refusal_found(refusal, "0x%llx at index %u", (unsigned long long)found, index);
    refusal_hint(refusal, "list the addresses that the guest itself sends from");
    return false;
}

static bool count_valid(const char *list, unsigned count, struct refusal *refusal)
{
    if (count <= POLICY_ADDRESSES_MAX)
        return true;
    refuse(refusal, "value-invalid", "policy.%s: at most %u addresses", list, POLICY_ADDRESSES_MAX);
    refusal_found(refusal, "%u", count);
    refusal_hint(refusal, "leave %s out to allow any address", list);
    return false;
}

static bool macs_valid(const struct port_policy *policy, struct refusal *refusal)
{
    for (unsigned i = 0; i < policy->mac_count; i++) {
        uint64_t mac = policy->macs[i];

        if (mac == 0 || mac >> 40 & 1 || mac >> 48 != 0)
            return refuse_address(refusal, "macs", i, "unicast addresses", mac);
        for (unsigned j = 0; j < i; j++)
            if (policy->macs[j] == mac)
                return refuse_address(refusal, "macs", i, "each address once", mac);
    }
    return true;
}

static bool ipv4_valid(const struct port_policy *policy, struct refusal *refusal)
{
    for (unsigned i = 0; i < policy->ipv4_count; i++) {
        uint32_t address = policy->ipv4[i];

        if (address == 0 || address >> 28 >= 0xe)
            return refuse_address(refusal, "ipv4", i, "unicast addresses", address);
        for (unsigned j = 0; j < i; j++)
            if (policy->ipv4[j] == address)
                return refuse_address(refusal, "ipv4", i, "each address once", address);
    }
    return true;
}

/* On a wire there is nobody to be told apart from, and nothing is flooded. */
static bool link_valid(const struct port_policy *policy, struct refusal *refusal)
{
    const char *with = policy->isolated ? "isolated" : policy->storm != 0 ? "storm" : "vlan";

    if (!policy->link || (!policy->isolated && policy->storm == 0 && policy->vlan.mode == VLAN_PLAIN))
        return true;
    refuse(refusal, "value-invalid", "policy.link: without isolated, storm and vlan");
    refusal_found(refusal, "link and %s", with);
    refusal_hint(refusal, "leave %s out: a link has two ports and no lookup", with);
    return false;
}

bool port_policy_valid(const struct port_policy *policy, struct refusal *refusal)
{
    return link_valid(policy, refusal) && port_vlan_valid(&policy->vlan, refusal) && rate_limit_valid(&policy->rx_rate, "rx", refusal) &&
           rate_limit_valid(&policy->tx_rate, "tx", refusal) && count_valid("macs", policy->mac_count, refusal) &&
           count_valid("ipv4", policy->ipv4_count, refusal) && macs_valid(policy, refusal) && ipv4_valid(policy, refusal) &&
           port_mirror_valid(&policy->mirror, refusal);
}
