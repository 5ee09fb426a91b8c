/*
 * mac_table.c - which port of a network an Ethernet address was last seen on.
 *
 * A frame that costs a hundred cycles in all looks for two addresses, so what is here for each has no branch
 * between an address's home and the slot beside it, which nobody could predict. Only what stands elsewhere is searched
 * for: nothing at all in a table that is nearly empty, an eighth of the addresses in one that is half full.
 */
#include "switch/mac_table_parts.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#define SLOTS_MAX (UINT32_C(1) << 27)

uint32_t mac_table_home(const struct mac_table *table, uint64_t mac)
{
    uint32_t home = home_of(table, mac);

    __builtin_prefetch((const void *)&table->slots[home]);
    return home;
}

static __attribute__((noinline, cold)) int look_elsewhere(const struct mac_table *table, uint64_t mac)
{
    struct hit hit = find(table, mac);

    return hit.word != 0 ? (int)entry_port(hit.word) : MAC_PORT_NONE;
}

int mac_table_lookup(const struct mac_table *table, uint32_t home, uint64_t mac)
{
    uint32_t beside = slot_load(table, home) >> MAC_SHIFT != mac; /* 1: not at home */
    uint64_t word = slot_load(table, home ^ beside);

    if (__builtin_expect(word >> MAC_SHIFT == mac && mac != 0, 1))
        return (int)entry_port(word);
    return look_elsewhere(table, mac);
}

void mac_table_learn(struct mac_table *table, unsigned port, uint32_t home, uint64_t mac)
{
    uint32_t tick = atomic_load_explicit(&table->tick, memory_order_relaxed);
    uint64_t seen = entry_make(mac, port, tick);
    uint32_t beside = slot_load(table, home) != seen;

    if (__builtin_expect(slot_load(table, home ^ beside) != seen, 0))
        mac_table_change(table, port, mac, tick);
}

unsigned mac_table_count(const struct mac_table *table)
{
    return count_read(&table->count);
}

unsigned mac_table_port_count(const struct mac_table *table, unsigned port)
{
    return port < MAC_PORTS_MAX ? count_read(&table->ports[port].count) : 0;
}

void mac_table_visit(const struct mac_table *table,
                     void (*visit)(void *context, uint64_t mac, unsigned port, unsigned age_s), void *context)
{
    uint32_t tick = atomic_load_explicit(&table->tick, memory_order_relaxed);
    for (uint32_t slot = 0; slot < table->slot_count; slot++) {
        uint64_t word = slot_load(table, slot);
        if (word != 0)
            visit(context, word >> MAC_SHIFT, entry_port(word), entry_age(word, tick) * MAC_TICK_S);
    }
}

/* So many that `capacity` addresses fill at most half of them; an address has two different buckets. */
static uint32_t slot_count_for(unsigned capacity)
{
    uint32_t count = 2 * BUCKET_SLOTS;

    while (count < SLOTS_MAX && count / 2 < capacity)
        count *= 2;
    return count;
}

/* Frames with many addresses look up all over the table: on small pages each look-up would miss the TLB, too. */
#define HUGE_PAGE (UINT64_C(2) << 20)

/* On a huge page if there are enough for one and the kernel has one; else on small ones. */
static _Atomic uint64_t *slots_create(uint32_t count)
{
    size_t size = sizeof(uint64_t) * count;
    _Atomic uint64_t *slots = aligned_alloc(size % HUGE_PAGE == 0 ? HUGE_PAGE : BUCKET_SLOTS * sizeof *slots, size);

    if (slots != NULL && size % HUGE_PAGE == 0)
        (void)madvise((void *)slots, size, MADV_HUGEPAGE);
    return slots;
}

struct mac_table *mac_table_create(unsigned capacity)
{
    uint32_t slot_count = slot_count_for(capacity);
    struct mac_table *table = aligned_alloc(_Alignof(struct mac_table), sizeof *table);
    if (table == NULL)
        return NULL;
    *table = (struct mac_table){.slot_count = slot_count, .home_shift = 64 - (uint32_t)__builtin_ctz(slot_count)};
    for (unsigned port = 0; port < MAC_PORTS_MAX; port++)
        table->ports[port].oldest = table->ports[port].newest = SLOT_NONE;

    uint64_t random[2];
    table->slots = slots_create(slot_count);
    table->links = calloc(slot_count, sizeof *table->links);
    if (table->slots == NULL || table->links == NULL ||
        getrandom(random, sizeof random, 0) != sizeof random) {
        mac_table_destroy(table);
        return NULL;
    }
    for (uint32_t slot = 0; slot < slot_count; slot++)
        slot_store(table, slot, 0);
    table->seed = random[0];
    table->multiplier = random[1] | 1;
    return table;
}

void mac_table_destroy(struct mac_table *table)
{
    if (table == NULL)
        return;
    free((void *)table->slots);
    free(table->links);
    free(table);
}
