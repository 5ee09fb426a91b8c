/*
 * steering.c - see the header.
 *
 * An entry is one 64-bit word, so reading and writing it need no lock. Workers
 * that learn the same new flow at once may enter it twice: the first entry found
 * counts, the other one ages away. A full bucket takes no new flow until one of
 * its entries is old: a flow that is not known has one queue, too, the hashed one, and
 * keeps it; whereas flows that push each other out would change queues, and so reorder, with every frame.
 */
#include "switch/steering.h"

#include "worker/numa.h"

#define PAIR_BITS 8u
#define AGE_BITS 24u
#define AGE_MASK ((1u << AGE_BITS) - 1)

static uint64_t entry_of(uint32_t hash, uint32_t now, unsigned pair)
{
    return (uint64_t)hash << 32 | (uint64_t)(now & AGE_MASK) << PAIR_BITS | (pair + 1);
}

static bool entry_is_old(uint64_t entry, uint32_t now)
{
    return ((now - (uint32_t)(entry >> PAIR_BITS)) & AGE_MASK) > STEERING_AGE_S;
}

struct steering *steering_create(void)
{
    return node_alloc(sizeof(struct steering), -1);
}

void steering_destroy(struct steering *steering)
{
    if (steering != NULL)
        node_free(steering, sizeof *steering);
}

void steering_tick(struct steering *steering)
{
    atomic_fetch_add_explicit(&steering->now, 1, memory_order_relaxed);
}

void steering_set_receivers(struct steering *steering, uint64_t receivers)
{
    atomic_store_explicit(&steering->receivers, receivers, memory_order_relaxed);
}

void steering_learn(struct steering *steering, uint32_t hash, unsigned pair)
{
    _Atomic uint64_t *bucket = steering->flows[hash % STEERING_BUCKETS];
    uint32_t now = atomic_load_explicit(&steering->now, memory_order_relaxed);
    uint64_t fresh = entry_of(hash, now, pair);
    _Atomic uint64_t *room = NULL;

    for (unsigned i = 0; i < STEERING_WAYS; i++) {
        uint64_t entry = atomic_load_explicit(&bucket[i], memory_order_relaxed);

        if (entry != 0 && entry >> 32 == hash) {
            if (entry != fresh)
                atomic_store_explicit(&bucket[i], fresh, memory_order_relaxed);
            return;
        }
        if (room == NULL && (entry == 0 || entry_is_old(entry, now)))
            room = &bucket[i];
    }
    if (room != NULL)
        atomic_store_explicit(room, fresh, memory_order_relaxed);
}

/* The nth pair of the set, n below their number. */
static unsigned nth_pair(uint64_t receivers, unsigned n)
{
    while (n-- > 0)
        receivers &= receivers - 1;
    return (unsigned)__builtin_ctzll(receivers);
}

unsigned steering_choose(const struct steering *steering, uint64_t receivers, uint32_t hash)
{
    const _Atomic uint64_t *bucket = steering->flows[hash % STEERING_BUCKETS];
    uint32_t now = atomic_load_explicit(&steering->now, memory_order_relaxed);

    for (unsigned i = 0; i < STEERING_WAYS; i++) {
        uint64_t entry = atomic_load_explicit(&bucket[i], memory_order_relaxed);
        unsigned pair = (entry & ((1u << PAIR_BITS) - 1)) - 1;

        if (entry == 0 || entry >> 32 != hash)
            continue;
        if (!entry_is_old(entry, now) && (receivers >> pair & 1) != 0)
            return pair;
        break;
    }
    /* Bits that did not choose the bucket. */
    return nth_pair(receivers, (uint32_t)(((uint64_t)hash * (unsigned)__builtin_popcountll(receivers)) >> 32));
}
