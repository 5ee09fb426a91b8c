/*
 * mac_by_address.h - the MAC table asked and told about an address in one step, as tests do.
 */
#ifndef MAC_BY_ADDRESS_H
#define MAC_BY_ADDRESS_H

#include "switch/mac_table.h"

static inline void learn(struct mac_table *table, unsigned port, uint64_t mac)
{
    mac_table_learn(table, port, mac_table_home(table, mac), mac);
}

static inline int look_up(const struct mac_table *table, uint64_t mac)
{
    return mac_table_lookup(table, mac_table_home(table, mac), mac);
}

#endif
