/*
 * mac_table_change.c - new addresses, moves, ageing, ports that come and leave.
 *
 * Who writes what:
 *  - a refresh (same port, newer tick) is a compare-and-swap by any worker, at
 *    most once per address and MAC_TICK_S, so the line stays shared between cores. It
 *    expects the very word it read, so it can neither bring back an entry that
 *    was dropped meanwhile nor undo a move.
 *  - everything else (a new address, a move, ageing, a port that leaves) holds the lock.
 *    Each step under it is of constant cost: what a port has learnt hangs, in
 *    the order of learning, in a doubly linked list through `links`, so the
 *    oldest address of a port is found, and any address dropped, without a search.
 * A reader therefore sees in each slot a whole entry, the old or the new one.
 *
 * A guest chooses the addresses it sends, so two things bound what it can do:
 * the buckets depend on random numbers that it does not know, and a new address only
 * ever pushes out one of a port that has more, or, between equals, of the same port (H40).
 */
#include "switch/mac_table_parts.h"

/* A new address goes to its first bucket, the one a lookup reads first, while it is at most
 * this full; then to the emptier of the two. The second is not fetched ahead: with a limit of 4, look-ups of
 * 100 000 addresses took a tenth more. Half full is what the table is sized for. */
#define FIRST_BUCKET_FILL 5u

/* A spin lock, as its holders do a few dozen loads and stores and never sleep. */
static void table_lock(struct mac_table *table)
{
    while (atomic_exchange_explicit(&table->locked, true, memory_order_acquire))
        while (atomic_load_explicit(&table->locked, memory_order_relaxed))
            __builtin_ia32_pause();
}

static void table_unlock(struct mac_table *table)
{
    atomic_store_explicit(&table->locked, false, memory_order_release);
}

static void count_change(_Atomic uint32_t *count, uint32_t by)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* Lock held. Puts the slot at the new end of the port's list. */
static void list_append(struct mac_table *table, uint32_t port, uint32_t slot)
{
    struct port_list *list = &table->ports[port];
    table->links[slot] = (struct links){.older = list->newest, .newer = SLOT_NONE};
    if (list->newest != SLOT_NONE)
        table->links[list->newest].newer = slot;
    else
        list->oldest = slot;
    list->newest = slot;
    count_change(&list->count, 1);
    count_change(&table->count, 1);
}

/* Lock held. */
static void list_remove(struct mac_table *table, uint32_t port, uint32_t slot)
{
    struct port_list *list = &table->ports[port];
    struct links links = table->links[slot];
    if (links.older != SLOT_NONE)
        table->links[links.older].newer = links.newer;
    else
        list->oldest = links.newer;
    if (links.newer != SLOT_NONE)
        table->links[links.newer].older = links.older;
    else
        list->newest = links.older;
    count_change(&list->count, -1u);
    count_change(&table->count, -1u);
}

/* Lock held. Drops the address that the port learnt first. */
static void forget_oldest(struct mac_table *table, uint32_t port)
{
    uint32_t slot = table->ports[port].oldest;
    list_remove(table, port, slot);
    slot_store(table, slot, 0);
}

/* Lock held. A free slot in the fitting bucket, as near to the home as there is one, or SLOT_NONE. */
static uint32_t find_free(const struct mac_table *table, struct candidates in)
{
    uint32_t used[2] = {0, 0};
    uint32_t free_slot[2] = {SLOT_NONE, SLOT_NONE};
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        uint32_t side = i / BUCKET_SLOTS;
        if (slot_load(table, candidate(in, i)) != 0)
            used[side]++;
        else if (free_slot[side] == SLOT_NONE)
            free_slot[side] = candidate(in, i);
    }
    return used[0] <= FIRST_BUCKET_FILL || used[0] <= used[1] ? free_slot[0] : free_slot[1];
}

/* Lock held, both buckets full. The port in them that holds most addresses, if it has at least two more than this one; else this one. */
static uint32_t find_richest(const struct mac_table *table, struct candidates in, uint32_t port)
{
    uint32_t richest = port;
    uint32_t most = count_read(&table->ports[port].count) + 1;
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        uint32_t other = entry_port(slot_load(table, candidate(in, i)));
        if (count_read(&table->ports[other].count) > most) {
            richest = other;
            most = count_read(&table->ports[other].count);
        }
    }
    return richest;
}

/* Lock held, both buckets full. The longest silent entry of the port in them, or SLOT_NONE. */
static uint32_t find_oldest(const struct mac_table *table, struct candidates in, uint32_t port, uint32_t tick)
{
    uint32_t oldest = SLOT_NONE;
    uint32_t oldest_age = 0;
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        uint32_t slot = candidate(in, i);
        uint64_t word = slot_load(table, slot);
        if (entry_port(word) == port && (oldest == SLOT_NONE || entry_age(word, tick) > oldest_age)) {
            oldest = slot;
            oldest_age = entry_age(word, tick);
        }
    }
    return oldest;
}

/*
 * Lock held, both buckets full. The slot of the entry that gives way, or SLOT_NONE: one of a port that has more, so that ports
 * that fill the table together keep no others' addresses out of it; between equals, and of a port at its limit, one of its own.
 */
static uint32_t find_way(const struct mac_table *table, struct candidates in, uint32_t port, bool at_limit, uint32_t tick)
{
    uint32_t own = at_limit ? find_oldest(table, in, port, tick) : SLOT_NONE;
    return own != SLOT_NONE ? own : find_oldest(table, in, find_richest(table, in, port), tick);
}

/* Lock held, address not in the table. Not learnt if nobody in its buckets has to make room. */
static void insert(struct mac_table *table, uint32_t port, uint64_t mac, uint32_t tick)
{
    struct candidates in = candidates_of(table, mac);
    bool at_limit = count_read(&table->ports[port].count) >= table->ports[port].limit;
    uint32_t slot = find_free(table, in);
    if (slot == SLOT_NONE) {
        slot = find_way(table, in, port, at_limit, tick);
        if (slot == SLOT_NONE)
            return;
        uint32_t loser = entry_port(slot_load(table, slot));
        list_remove(table, loser, slot);
        at_limit = at_limit && loser != port;
    }
    if (at_limit)
        forget_oldest(table, port);
    slot_store(table, slot, entry_make(mac, port, tick));
    list_append(table, port, slot);
}

/* Lock held, address in the slot for another port. */
static void move(struct mac_table *table, uint32_t port, struct hit hit, uint64_t word)
{
    if (count_read(&table->ports[port].count) >= table->ports[port].limit)
        forget_oldest(table, port);
    list_remove(table, entry_port(hit.word), hit.slot);
    slot_store(table, hit.slot, word);
    list_append(table, port, hit.slot);
}

static void learn_or_move(struct mac_table *table, uint32_t port, uint64_t mac, uint32_t tick)
{
    table_lock(table);
    if (table->ports[port].limit != 0) {
        struct hit hit = find(table, mac); /* again: another worker may have come first */
        if (hit.word == 0)
            insert(table, port, mac, tick);
        else if (entry_port(hit.word) != port)
            move(table, port, hit, entry_make(mac, port, tick));
    }
    table_unlock(table);
}

void mac_table_change(struct mac_table *table, uint32_t port, uint64_t mac, uint32_t tick)
{
    struct hit hit = find(table, mac);
    uint64_t seen = entry_make(mac, port, tick);
    if (hit.word == seen || mac == 0 || port >= MAC_PORTS_MAX)
        return;
    if (hit.word == 0 || entry_port(hit.word) != port)
        learn_or_move(table, port, mac, tick);
    else
        slot_swap(table, hit.slot, hit.word, seen); /* fails if it changed just now: the next frame will see */
}

void mac_table_tick(struct mac_table *table)
{
    uint32_t tick = (atomic_load_explicit(&table->tick, memory_order_relaxed) + 1) & TICK_MASK;
    atomic_store_explicit(&table->tick, tick, memory_order_relaxed);

    for (uint32_t slot = 0; slot < table->slot_count; slot++) {
        uint64_t word = slot_load(table, slot);
        if (word == 0 || entry_age(word, tick) <= AGE_LIMIT_TICKS)
            continue;
        table_lock(table); /* for each entry anew, so that learners never wait for the whole sweep */
        if (slot_swap(table, slot, word, 0))
            list_remove(table, entry_port(word), slot);
        table_unlock(table);
    }
}

bool mac_table_add_port(struct mac_table *table, unsigned port, unsigned limit)
{
    if (port >= MAC_PORTS_MAX || table->ports[port].known)
        return false;
    table_lock(table);
    table->ports[port].known = true;
    table->ports[port].limit = limit;
    table_unlock(table);
    return true;
}

void mac_table_remove_port(struct mac_table *table, unsigned port)
{
    if (port >= MAC_PORTS_MAX)
        return;
    struct port_list *list = &table->ports[port];
    table_lock(table);
    list->known = false;
    list->limit = 0; /* nothing new from here on, so the loop below ends */
    while (list->oldest != SLOT_NONE) {
        forget_oldest(table, port);
        table_unlock(table); /* let learners in between */
        table_lock(table);
    }
    table_unlock(table);
}
