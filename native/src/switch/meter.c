/*
 * meter.c - a token bucket kept as one time (GCRA, ITU-T I.371): the only state is when the bucket
 * would be full again, so one compare-and-swap takes a token. Workers; pure but for the meter.
 */
#include "switch/meter.h"

#define SECOND_NS 1000000000u

bool meter_take(struct meter *meter, uint64_t now_ns, unsigned rate)
{
    uint64_t interval = SECOND_NS / rate;
    uint64_t burst = rate / 10 > 1 ? rate / 10 : 1;
    uint64_t due = atomic_load_explicit(&meter->due_ns, memory_order_relaxed);
    uint64_t next;

    do {
        uint64_t from = due > now_ns ? due : now_ns;

        if (from - now_ns > (burst - 1) * interval)
            return false;
        next = from + interval;
    } while (!atomic_compare_exchange_weak_explicit(&meter->due_ns, &due, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}
