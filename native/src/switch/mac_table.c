/*
 * mac_table.c - which port of a network an Ethernet address was last seen on.
 *
 * An entry is one 64-bit word: 48-bit address, 10-bit port, 6-bit tick of the
 * last frame seen. A bucket is a cache line of eight. An address may stand in
 * either of two buckets and stands in one slot at the most.
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
#include "switch/mac_table.h"

#include <emmintrin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

#define BUCKET_SLOTS 8u

/* A new address goes to its first bucket, the one a lookup reads first, while it is at most
 * this full; then to the emptier of the two. The second is not fetched ahead: with a limit of 4, look-ups of
 * 100 000 addresses took a tenth more. Half full is what the table is sized for. */
#define FIRST_BUCKET_FILL 5u

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

struct bucket {
    _Alignas(64) _Atomic uint64_t slot[BUCKET_SLOTS]; /* entries; 0: free, for address 0 is never learnt */
};

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
    struct bucket *buckets; /* bucket_mask + 1 of them */
    struct links *links;    /* one a slot; under the lock */
    uint64_t seed;          /* random, mixed into the address */
    uint64_t multiplier;    /* random and odd */
    uint32_t bucket_mask;   /* number of buckets - 1, a power of two - 1 */
    _Atomic uint32_t tick;  /* now, 0 to TICK_MASK */

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

static inline _Atomic uint64_t *slot_at(const struct mac_table *table, uint32_t slot)
{
    return &table->buckets[slot / BUCKET_SLOTS].slot[slot % BUCKET_SLOTS];
}

static inline uint64_t slot_load(const struct mac_table *table, uint32_t slot)
{
    return atomic_load_explicit(slot_at(table, slot), memory_order_relaxed);
}

static inline void slot_store(const struct mac_table *table, uint32_t slot, uint64_t word)
{
    atomic_store_explicit(slot_at(table, slot), word, memory_order_relaxed);
}

/*
 * A product with a random factor, folded: without knowing it nobody can aim at a bucket. The second,
 * fixed product costs two cycles and is for addresses in a row, as hosts hand them out: with some
 * factors one table in 200 spread them badly and lost up to a tenth of them (2026-11, 1024 addresses).
 */
static inline struct mac_place place_of(const struct mac_table *table, uint64_t mac)
{
    unsigned __int128 product = (unsigned __int128)(mac ^ table->seed) * table->multiplier;
    uint64_t hash = (uint64_t)(product >> 64) ^ (uint64_t)product;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
    uint32_t first = (uint32_t)hash & table->bucket_mask;
    return (struct mac_place){first, first ^ (((uint32_t)(hash >> 32) & table->bucket_mask) | 1)};
}

/*
 * ThreadSanitizer knows only whole atomic words. A register's load is of two aligned ones, each of which is old or new, and
 * what is found is read once more.
 */
#ifdef __SANITIZE_THREAD__
#define VECTOR_LOADS __attribute__((no_sanitize("thread")))
#else
#define VECTOR_LOADS
#endif

/*
 * All eight slots are compared at once, for which one hits cannot be predicted: two words a register, and
 * each 32-bit half that is equal becomes a byte of ones, so two bits of the mask for each slot.
 */
VECTOR_LOADS static inline struct hit find_in_bucket(const struct mac_table *table, uint32_t bucket, uint64_t mac)
{
    const __m128i *at = (const __m128i *)&table->buckets[bucket];
    __m128i key = _mm_set1_epi64x((long long)mac);
    __m128i a = _mm_cmpeq_epi32(_mm_srli_epi64(_mm_load_si128(at), MAC_SHIFT), key);
    __m128i b = _mm_cmpeq_epi32(_mm_srli_epi64(_mm_load_si128(at + 1), MAC_SHIFT), key);
    __m128i c = _mm_cmpeq_epi32(_mm_srli_epi64(_mm_load_si128(at + 2), MAC_SHIFT), key);
    __m128i d = _mm_cmpeq_epi32(_mm_srli_epi64(_mm_load_si128(at + 3), MAC_SHIFT), key);
    unsigned halves = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d)));
    unsigned same = halves & halves >> 1 & 0x5555;

    if (__builtin_expect(same == 0, 0))
        return (struct hit){SLOT_NONE, 0};
    uint32_t slot = bucket * BUCKET_SLOTS + (uint32_t)__builtin_ctz(same) / 2;
    uint64_t word = slot_load(table, slot); /* it may have changed meanwhile */

    return word >> MAC_SHIFT == mac ? (struct hit){slot, word} : (struct hit){SLOT_NONE, 0};
}

static inline struct hit find(const struct mac_table *table, struct mac_place in, uint64_t mac)
{
    struct hit hit = find_in_bucket(table, in.first, mac);
    if (__builtin_expect(hit.word == 0, 0))
        hit = find_in_bucket(table, in.second, mac);
    return hit;
}

int mac_table_lookup(const struct mac_table *table, struct mac_place place, uint64_t mac)
{
    struct hit hit = find(table, place, mac);
    return hit.word != 0 ? (int)entry_port(hit.word) : MAC_PORT_NONE;
}

struct mac_place mac_table_place(const struct mac_table *table, uint64_t mac)
{
    struct mac_place place = place_of(table, mac);
    __builtin_prefetch(&table->buckets[place.first]);
    return place;
}

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

static uint32_t count_read(const _Atomic uint32_t *count)
{
    return atomic_load_explicit((_Atomic uint32_t *)count, memory_order_relaxed);
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

/* Lock held. A free slot in the fitting bucket, or SLOT_NONE. */
static uint32_t find_free(const struct mac_table *table, struct mac_place in)
{
    uint32_t bucket[2] = {in.first, in.second};
    uint32_t used[2] = {0, 0};
    uint32_t free_slot[2] = {SLOT_NONE, SLOT_NONE};
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < BUCKET_SLOTS; i++) {
            uint32_t slot = bucket[side] * BUCKET_SLOTS + i;
            if (slot_load(table, slot) != 0)
                used[side]++;
            else if (free_slot[side] == SLOT_NONE)
                free_slot[side] = slot;
        }
    }
    return used[0] <= FIRST_BUCKET_FILL || used[0] <= used[1] ? free_slot[0] : free_slot[1];
}

/* Lock held, both buckets full. The port in them that holds most addresses, if it has at least two more than this one; else this one. */
static uint32_t find_richest(const struct mac_table *table, struct mac_place in, uint32_t port)
{
    uint32_t bucket[2] = {in.first, in.second};
    uint32_t richest = port;
    uint32_t most = count_read(&table->ports[port].count) + 1;
    for (uint32_t i = 0; i < 2 * BUCKET_SLOTS; i++) {
        uint32_t other = entry_port(slot_load(table, bucket[i / BUCKET_SLOTS] * BUCKET_SLOTS + i % BUCKET_SLOTS));
        if (count_read(&table->ports[other].count) > most) {
            richest = other;
            most = count_read(&table->ports[other].count);
        }
    }
    return richest;
}

/* Lock held, both buckets full. The longest silent entry of the port in them, or SLOT_NONE. */
static uint32_t find_oldest(const struct mac_table *table, struct mac_place in, uint32_t port, uint32_t tick)
{
    uint32_t bucket[2] = {in.first, in.second};
    uint32_t oldest = SLOT_NONE;
    uint32_t oldest_age = 0;
    for (uint32_t i = 0; i < 2 * BUCKET_SLOTS; i++) {
        uint32_t slot = bucket[i / BUCKET_SLOTS] * BUCKET_SLOTS + i % BUCKET_SLOTS;
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
static uint32_t find_way(const struct mac_table *table, struct mac_place in, uint32_t port, bool at_limit, uint32_t tick)
{
    uint32_t own = at_limit ? find_oldest(table, in, port, tick) : SLOT_NONE;
    return own != SLOT_NONE ? own : find_oldest(table, in, find_richest(table, in, port), tick);
}

/* Lock held, address not in the table. Not learnt if nobody in its buckets has to make room. */
static void insert(struct mac_table *table, uint32_t port, struct mac_place in, uint64_t mac, uint32_t tick)
{
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

static __attribute__((noinline)) void learn_or_move(struct mac_table *table, uint32_t port, struct mac_place in,
                                                    uint64_t mac, uint32_t tick)
{
    table_lock(table);
    if (table->ports[port].limit != 0) {
        struct hit hit = find(table, in, mac); /* again: another worker may have come first */
        if (hit.word == 0)
            insert(table, port, in, mac, tick);
        else if (entry_port(hit.word) != port)
            move(table, port, hit, entry_make(mac, port, tick));
    }
    table_unlock(table);
}

void mac_table_learn(struct mac_table *table, unsigned port, struct mac_place place, uint64_t mac)
{
    uint32_t tick = atomic_load_explicit(&table->tick, memory_order_relaxed);
    uint64_t seen = entry_make(mac, port, tick);
    struct hit hit = find(table, place, mac);
    if (__builtin_expect(hit.word == seen, 1))
        return;
    if (hit.word != 0 && entry_port(hit.word) == port) {
        /* Failure means that the entry was refreshed, moved or dropped just now: the next frame will see. */
        atomic_compare_exchange_strong_explicit(slot_at(table, hit.slot), &hit.word, seen,
                                                memory_order_relaxed, memory_order_relaxed);
        return;
    }
    if (mac != 0 && port < MAC_PORTS_MAX)
        learn_or_move(table, port, place, mac, tick);
}

void mac_table_tick(struct mac_table *table)
{
    uint32_t tick = (atomic_load_explicit(&table->tick, memory_order_relaxed) + 1) & TICK_MASK;
    atomic_store_explicit(&table->tick, tick, memory_order_relaxed);

    for (uint32_t slot = 0; slot < (table->bucket_mask + 1) * BUCKET_SLOTS; slot++) {
        uint64_t word = slot_load(table, slot);
        if (word == 0 || entry_age(word, tick) <= AGE_LIMIT_TICKS)
            continue;
        table_lock(table); /* for each entry anew, so that learners never wait for the whole sweep */
        if (atomic_compare_exchange_strong_explicit(slot_at(table, slot), &word, 0, memory_order_relaxed,
                                                    memory_order_relaxed))
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
    for (uint32_t slot = 0; slot < (table->bucket_mask + 1) * BUCKET_SLOTS; slot++) {
        uint64_t word = slot_load(table, slot);
        if (word != 0)
            visit(context, word >> MAC_SHIFT, entry_port(word), entry_age(word, tick) * MAC_TICK_S);
    }
}

/* Buckets so that `capacity` addresses fill at most half of the slots. */
static uint32_t bucket_count_for(unsigned capacity)
{
    uint32_t count = 2; /* an address has two different buckets */
    while (count < UINT32_C(1) << 24 && (uint64_t)count * BUCKET_SLOTS < (uint64_t)capacity * 2)
        count *= 2;
    return count;
}

/* Frames with many addresses look up all over the table: on small pages each look-up would miss the TLB, too. */
#define HUGE_PAGE (UINT64_C(2) << 20)

/* On a huge page if there are enough for one and the kernel has one; else on small ones. */
static struct bucket *buckets_create(uint32_t count)
{
    size_t size = sizeof(struct bucket) * count;
    struct bucket *buckets = aligned_alloc(size % HUGE_PAGE == 0 ? HUGE_PAGE : _Alignof(struct bucket), size);

    if (buckets != NULL && size % HUGE_PAGE == 0)
        (void)madvise(buckets, size, MADV_HUGEPAGE);
    return buckets;
}

struct mac_table *mac_table_create(unsigned capacity)
{
    uint32_t bucket_count = bucket_count_for(capacity);
    struct mac_table *table = aligned_alloc(_Alignof(struct mac_table), sizeof *table);
    if (table == NULL)
        return NULL;
    *table = (struct mac_table){.bucket_mask = bucket_count - 1};
    for (unsigned port = 0; port < MAC_PORTS_MAX; port++)
        table->ports[port].oldest = table->ports[port].newest = SLOT_NONE;

    uint64_t random[2];
    table->buckets = buckets_create(bucket_count);
    table->links = calloc((size_t)bucket_count * BUCKET_SLOTS, sizeof *table->links);
    if (table->buckets == NULL || table->links == NULL ||
        getrandom(random, sizeof random, 0) != sizeof random) {
        mac_table_destroy(table);
        return NULL;
    }
    for (uint32_t slot = 0; slot < bucket_count * BUCKET_SLOTS; slot++)
        slot_store(table, slot, 0);
    table->seed = random[0];
    table->multiplier = random[1] | 1;
    return table;
}

void mac_table_destroy(struct mac_table *table)
{
    if (table == NULL)
        return;
    free(table->buckets);
    free(table->links);
    free(table);
}
