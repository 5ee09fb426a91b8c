/*
 * copy_bench.c - which way of copying is the fastest on this CPU (switch/copy.c has the table).
 *
 *   bench-copy MS [BYTES...]
 *
 * Each way that the CPU has copies BYTES between two slots again and again ("hot"), and from the slots of one
 * ring of 1024 buffers into those of another ("ring"), for MS milliseconds, in turn; five rounds, and of those
 * the median. Both begin 140 bytes into their buffers, as what follows a frame's private head does. One JSON
 * object a line: cycles of the time stamp counter for one copy. Pin it to a quiet core.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "copy_ways.h"
#include "switch/frame.h"
#include "worker/cycles.h"

#define SLOTS 1024u
#define ROUNDS 5u
#define AT (NET_HEADER_SIZE + FRAME_HEAD_MAX)

static uint8_t *slots_create(size_t size)
{
    uint8_t *at = mmap(NULL, size + (2u << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED) {
        fprintf(stderr, "bench-copy: memory: %s\n", strerror(errno));
        exit(1);
    }
    at = (uint8_t *)(((uintptr_t)at + (2u << 20) - 1) & ~(uintptr_t)((2u << 20) - 1));
    madvise(at, size, MADV_HUGEPAGE); /* a guest's memory is on large pages where speed matters */
    memset(at, 1, size);
    return at;
}

/* Cycles for one copy, from and to `slots` slots in turn. */
static double measure(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t slot, uint32_t bytes,
                      unsigned slots, unsigned ms)
{
    uint64_t end = monotonic_ns() + (uint64_t)ms * 1000000, copies = 0, begin = cycles_now();

    for (unsigned at = 0; monotonic_ns() < end; copies += 64)
        for (unsigned i = 0; i < 64; i++, at = (at + 1) % slots)
            copy_bytes(way, to + (size_t)at * slot + AT, from + (size_t)at * slot + AT, bytes);
    return (double)(cycles_now() - begin) / (double)copies;
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return (first > second) - (first < second);
}

static void measure_all(uint32_t bytes, unsigned ms)
{
    static double hot[COPY_WAY_COUNT][ROUNDS], ring[COPY_WAY_COUNT][ROUNDS];
    uint32_t slot = (bytes + AT + 2047) & ~2047u;
    uint8_t *from = slots_create((size_t)SLOTS * slot), *to = slots_create((size_t)SLOTS * slot);

    for (unsigned round = 0; round < ROUNDS; round++)
        for (enum copy_way way = 0; way < COPY_WAY_COUNT; way++) {
            if (!copy_way_is_there(way))
                continue;
            hot[way][round] = measure(way, to, from, slot, bytes, 1, ms);
            ring[way][round] = measure(way, to, from, slot, bytes, SLOTS, ms);
        }
    for (enum copy_way way = 0; way < COPY_WAY_COUNT; way++) {
        if (!copy_way_is_there(way))
            continue;
        qsort(hot[way], ROUNDS, sizeof hot[way][0], compare);
        qsort(ring[way], ROUNDS, sizeof ring[way][0], compare);
        printf("{\"size\": %u, \"way\": \"%s\", \"hot\": %.1f, \"ring\": %.1f}\n", bytes, copy_way_name[way],
               hot[way][ROUNDS / 2], ring[way][ROUNDS / 2]);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = { 64, 128, 256, 512, 1024, 1518, 9000 };

    if (argc < 2 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: bench-copy MS [BYTES...]\n");
        return 1;
    }
    for (int i = 2; i < argc; i++)
        measure_all((uint32_t)atoi(argv[i]), (unsigned)atoi(argv[1]));
    for (unsigned i = 0; argc == 2 && i < sizeof sizes / sizeof sizes[0]; i++)
        measure_all(sizes[i], (unsigned)atoi(argv[1]));
    return 0;
}
