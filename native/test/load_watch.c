/*
 * load_watch.c - counts guest loads and changes memory behind the first one.
 * Single-threaded, as the ring is in these tests.
 */
#include "load_watch.h"

#include <stdbool.h>
#include <string.h>

#include "rows.h"
#include "vhost/guest_memory.h"

#define LOADS_MAX 4096
#define FLIPS_MAX 16

static struct { uintptr_t at; size_t size; } loads[LOADS_MAX];
static unsigned load_count;
static struct { uint8_t *at; uint8_t bytes[64]; size_t size; bool done; } flips[FLIPS_MAX];
static unsigned flip_count, flipped;

static bool overlap(uintptr_t a, size_t a_size, uintptr_t b, size_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static void on_load(const volatile void *address, size_t size)
{
    uintptr_t at = (uintptr_t)address;

    if (load_count < LOADS_MAX) {
        loads[load_count].at = at;
        loads[load_count++].size = size;
    }
    for (unsigned i = 0; i < flip_count; i++) {
        if (flips[i].done || !overlap(at, size, (uintptr_t)flips[i].at, flips[i].size))
            continue;
        memcpy(flips[i].at, flips[i].bytes, flips[i].size);
        flips[i].done = true;
        flipped++;
    }
}

void load_watch_start(void)
{
    load_count = flip_count = flipped = 0;
    guest_load_hook = on_load;
}

void load_watch_stop(void)
{
    guest_load_hook = NULL;
}

void load_watch_flip(void *at, const void *bytes, size_t size)
{
    assert_true(flip_count < FLIPS_MAX && size <= sizeof flips[0].bytes);
    flips[flip_count].at = at;
    flips[flip_count].size = size;
    flips[flip_count].done = false;
    memcpy(flips[flip_count++].bytes, bytes, size);
}

unsigned load_watch_flipped(void)
{
    return flipped;
}

unsigned load_watch_count(const void *at, size_t size)
{
    unsigned count = 0;

    for (unsigned i = 0; i < load_count; i++)
        count += overlap(loads[i].at, loads[i].size, (uintptr_t)at, size);
    return count;
}

void load_watch_check_once(void)
{
    assert_true(load_count < LOADS_MAX);
    for (unsigned i = 0; i < load_count; i++)
        for (unsigned j = 0; j < i; j++)
            if (overlap(loads[i].at, loads[i].size, loads[j].at, loads[j].size))
                fail_msg("load %u of %zu bytes reads again what load %u read", i, loads[i].size, j);
}
