/*
 * mac_table_parts.h - how the MAC table lies in memory, and where an address is looked for.
 *
 * An entry is one 64-bit word: 48-bit address, 10-bit port, 6-bit tick of the
 * last frame seen. A bucket is a cache line of eight slots. An address may stand in
 * either of two buckets and stands in one slot at the most. Its hash names its home, a slot
 * of the first bucket: there it stands, or beside it, if that was free when it was learnt.
 */
#ifndef VHOSTKIT_MAC_TABLE_PARTS_H
#define VHOSTKIT_MAC_TABLE_PARTS_H

#include "switch/mac_table.h"

#include <stdatomic.h>

#define BUCKET_SLOTS 8u /* a cache line */

#define TICK_BITS 6u
#define TICK_MASK ((1u << TICK_BITS) - 1)
#define PORT_SHIFT TICK_BITS
#define PORT_MASK (MAC_PORTS_MAX - 1)
#define MAC_SHIFT 16u
#define AGE_LIMIT_TICKS (MAC_AGE_LIMIT_S / MAC_TICK_S)

/* Ageing runs at every tick, so no entry is ever older than limit + 1: far from going round. */
_Static_assert(AGE_LIMIT_TICKS + 1 < TICK_MASK, "the age must not wrap");
_Static_assert(MAC_PORTS_MAX == 1u << (MAC_SHIFT - TICK_BITS), "port and tick fill 16 bits");

#define SLOT_NONE UINT32_MAX

/* A slot's neighbours in its port's list. */
struct links {
    uint32_t older; /* slot learnt just before this one */
    uint32_t newer; /* and just after */
};

/* The addresses of one port in the order of learning. */
struct port_list {
    uint32_t oldest;        /* slot, or SLOT_NONE */
    uint32_t newest;        /* slot, or SLOT_NONE */
    uint32_t limit;         /* addresses it may hold */
    _Atomic uint32_t count; /* addresses it holds */
    bool known;             /* between add_port and remove_port */
};

struct mac_table {
    _Atomic uint64_t *slots; /* slot_count entries; 0: free, for address 0 is never learnt */
    struct links *links;     /* one a slot; under the lock */
    uint64_t seed;           /* random, mixed into the address */
    uint64_t multiplier;     /* random and odd */
    uint32_t slot_count;     /* a power of two, two buckets or more */
    uint32_t home_shift;     /* a hash shifted down by so much is a slot */
    _Atomic uint32_t tick;   /* now, 0 to TICK_MASK */

    /* Below: written by learners, so not in the line that every lookup reads. */
    _Alignas(64) _Atomic bool locked;       /* the lock */
    _Atomic uint32_t count;                 /* addresses held */
    struct port_list ports[MAC_PORTS_MAX];  /* under the lock, but for count */
};

/* A slot and what it held when it was read. */
struct hit {
    uint32_t slot; /* number of the slot */
    uint64_t word; /* the entry; 0: not found */
};

static inline uint64_t entry_make(uint64_t mac, uint32_t port, uint32_t tick)
{
    return mac << MAC_SHIFT | (uint64_t)port << PORT_SHIFT | tick;
}

static inline uint32_t entry_port(uint64_t word)
{
    return (uint32_t)(word >> PORT_SHIFT) & PORT_MASK;
}

static inline uint32_t entry_age(uint64_t word, uint32_t tick)
{
    return (tick - (uint32_t)word) & TICK_MASK;
}

static inline uint64_t slot_load(const struct mac_table *table, uint32_t slot)
{
    return atomic_load_explicit(&table->slots[slot], memory_order_relaxed);
}

static inline void slot_store(const struct mac_table *table, uint32_t slot, uint64_t word)
{
    atomic_store_explicit(&table->slots[slot], word, memory_order_relaxed);
}

/* False: it is no longer what was expected. */
static inline bool slot_swap(const struct mac_table *table, uint32_t slot, uint64_t expected, uint64_t word)
{
    return atomic_compare_exchange_strong_explicit(&table->slots[slot], &expected, word, memory_order_relaxed,
                                                   memory_order_relaxed);
}

/*
 * A product with a random factor: without knowing it nobody can aim at a bucket. The second,
 * fixed product is for addresses in a row, as hosts hand them out: with some
 * factors one table in 200 spread them badly and lost up to a tenth of them (2026-11, 1024 addresses).
 */
static inline uint64_t hash_of(const struct mac_table *table, uint64_t mac)
{
    uint64_t hash = (mac ^ table->seed) * table->multiplier;

    return (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The slot in which the address stands at best: of the hash the highest bits, which every bit of the address reaches. */
static inline uint32_t home_of(const struct mac_table *table, uint64_t mac)
{
    return (uint32_t)(hash_of(table, mac) >> table->home_shift);
}

/* Where an address may stand: its home and the rest of that bucket, and another bucket. */
struct candidates {
    uint32_t home;  /* a slot */
    uint32_t other; /* first slot of the other bucket */
};

#define CANDIDATES (2 * BUCKET_SLOTS)

static inline struct candidates candidates_of(const struct mac_table *table, uint64_t mac)
{
    uint32_t home = home_of(table, mac), buckets = table->slot_count / BUCKET_SLOTS;
    uint32_t by = ((uint32_t)(hash_of(table, mac) >> 16) & (buckets - 1)) | 1;

    return (struct candidates){home, (home / BUCKET_SLOTS ^ by) * BUCKET_SLOTS};
}

/* The i-th of them: the home is first, and the slot beside it the second. */
static inline uint32_t candidate(struct candidates of, uint32_t i)
{
    return i < BUCKET_SLOTS ? of.home ^ i : of.other + i % BUCKET_SLOTS;
}

/* Where the address stands, wherever that is. */
static inline struct hit find(const struct mac_table *table, uint64_t mac)
{
    struct candidates in = candidates_of(table, mac);

    for (uint32_t i = 0; i < CANDIDATES; i++) {
        uint64_t word = slot_load(table, candidate(in, i));

        if (word >> MAC_SHIFT == mac)
            return (struct hit){candidate(in, i), word};
    }
    return (struct hit){SLOT_NONE, 0};
}

static inline uint32_t count_read(const _Atomic uint32_t *count)
{
    return atomic_load_explicit((_Atomic uint32_t *)count, memory_order_relaxed);
}

/* The address was not seen at its home with this port and tick: learns, moves or refreshes it. Not inlined, as next to no frame comes here. */
__attribute__((noinline, cold)) void mac_table_change(struct mac_table *table, uint32_t port, uint64_t mac, uint32_t tick);

#endif
