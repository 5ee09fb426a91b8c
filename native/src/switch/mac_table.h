/*
 * mac_table.h - which port of a network an Ethernet address was last seen on.
 *
 * One 64-bit word per entry (48-bit address, 10-bit port, 6-bit age), in buckets
 * of one cache line, two buckets for an address, chosen by a hash with a random
 * seed. Workers look up without a lock (one line, two at the most), refresh with
 * one compare-and-swap in MAC_TICK_S; learning a new address takes the table's lock. The
 * control thread ages. Each port may hold `limit` addresses; beyond it the port's own oldest
 * learnt address goes; another port's only where the table is full, and if that has more (H40).
 */
#ifndef VHOSTKIT_MAC_TABLE_H
#define VHOSTKIT_MAC_TABLE_H

#include <stdbool.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

struct mac_table;

/* Seconds without a frame after which an address is forgotten, as in 802.1Q's default. */
#define MAC_AGE_LIMIT_S 300u
/* mac_table_tick() is to be called once each so many seconds. */
#define MAC_TICK_S 10u

#define MAC_PORTS_MAX 1024u
#define MAC_PORT_NONE (-1)

/* Room for `capacity` addresses, with half of the slots to spare. NULL: no memory. */
struct mac_table *mac_table_create(unsigned capacity);
void mac_table_destroy(struct mac_table *table);

/*
 * Control thread, before the port's first frame / after its last one (quiet point passed).
 * Limit 0: the port learns nothing. False: no such port id, or the port is there already.
 */
bool mac_table_add_port(struct mac_table *table, unsigned port, unsigned limit);
void mac_table_remove_port(struct mac_table *table, unsigned port);

/* The 48-bit address in the low bits, first byte on the wire highest. */
static inline uint64_t mac_load(const uint8_t *at)
{
    uint32_t high;
    uint16_t low;

    memcpy(&high, at, sizeof high);
    memcpy(&low, at + sizeof high, sizeof low);
    return (uint64_t)be32toh(high) << 16 | be16toh(low);
}
static inline bool mac_is_multicast(uint64_t mac)
{
    return mac >> 40 & 1;
}

/* The slot in which the address stands at best, for the two functions below; fetches its line into the cache. */
uint32_t mac_table_home(const struct mac_table *table, uint64_t mac);
/* Port id or MAC_PORT_NONE. Any worker. */
int mac_table_lookup(const struct mac_table *table, uint32_t home, uint64_t mac);
/*
 * The address was seen on the port: learns, moves or refreshes it. Any worker.
 * Never called with a multicast or zero address.
 */
void mac_table_learn(struct mac_table *table, unsigned port, uint32_t home, uint64_t mac);
/* Ages all entries by MAC_TICK_S. Control thread. */
void mac_table_tick(struct mac_table *table);
/* Addresses held now, in all and for a port. */
unsigned mac_table_count(const struct mac_table *table);
unsigned mac_table_port_count(const struct mac_table *table, unsigned port);
/* Every entry once; a snapshot while workers go on. */
void mac_table_visit(const struct mac_table *table,
                     void (*visit)(void *context, uint64_t mac, unsigned port, unsigned age_s),
                     void *context);

#endif
