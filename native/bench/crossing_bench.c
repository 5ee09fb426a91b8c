/*
 * crossing_bench.c - how long a cache line takes from one core to another.
 *
 *   bench-crossing CORE
 *
 * A thread on CORE and this one, which the caller pins to another core, hand a line to and fro; prints one JSON
 * object: nanoseconds of one way, the median of many short series. Guests and switch hand each other nearly all they
 * touch, so this figure moves every switch; on a virtual machine it changes when the host moves a vCPU to another
 * cache cluster.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "worker/cycles.h"

#define SERIES 41u
#define TURNS 500u /* of both sides, in a series */

/* Odd: it is the other side's turn. */
static _Alignas(64) _Atomic unsigned turn;

static void await(unsigned number)
{
    while (atomic_load_explicit(&turn, memory_order_acquire) != number)
        cpu_relax();
}

static void *answer(void *unused)
{
    (void)unused;
    for (unsigned number = 1; number < 2 * TURNS * SERIES; number += 2) {
        await(number);
        atomic_store_explicit(&turn, number + 1, memory_order_release);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
    double took_ns[SERIES];
    pthread_attr_t attributes;
    pthread_t thread;
    cpu_set_t cores;
    unsigned number = 0;

    CPU_ZERO(&cores);
    if (argc == 2)
        CPU_SET((size_t)atoi(argv[1]), &cores);
    pthread_attr_init(&attributes);
    if (argc != 2 || pthread_attr_setaffinity_np(&attributes, sizeof cores, &cores) != 0 ||
        pthread_create(&thread, &attributes, answer, NULL) != 0) {
        fprintf(stderr, "bench-crossing: CORE is wanted, and a thread on it\n");
        return 1;
    }
    for (unsigned series = 0; series < SERIES; series++) {
        uint64_t begin = monotonic_ns();

        for (unsigned i = 0; i < TURNS; i++, number += 2) {
            atomic_store_explicit(&turn, number + 1, memory_order_release);
            await(number + 2);
        }
        took_ns[series] = (double)(monotonic_ns() - begin) / (2 * TURNS);
    }
    pthread_join(thread, NULL);
    qsort(took_ns, SERIES, sizeof *took_ns, compare);
    printf("{\"ns\": %.1f}\n", took_ns[SERIES / 2]);
    return 0;
}
