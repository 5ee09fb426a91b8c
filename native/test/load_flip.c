/*
 * load_flip.c - see the header. One thread. Bytes are kept in a hash table by
 * address, so that it does not matter whose memory they are in; only what an
 * operation used of it is cleared behind it.
 */
#include "load_flip.h"

#include <stdbool.h>
#include <stdlib.h>

#define SLOTS (1u << 21)
#define FULL (SLOTS / 2)

struct loaded {
    uint8_t *at;          /* NULL: free slot */
    uint8_t before;       /* what was loaded */
    bool changed;         /* and is inverted now */
    unsigned short loads; /* by any load */
    unsigned short fields; /* by 16-bit loads */
};

static struct loaded *slots;
static unsigned used[FULL], used_count;
static uint8_t inverted;

static struct loaded *slot_of(uint8_t *at)
{
    unsigned i = (unsigned)(((uintptr_t)at * UINT64_C(0x9e3779b97f4a7c15)) >> 43);

    while (slots[i].at != NULL && slots[i].at != at)
        i = (i + 1) & (SLOTS - 1);
    if (slots[i].at == NULL) {
        if (used_count == FULL)
            abort(); /* an operation that loads a megabyte is wrong in itself */
        used[used_count++] = i;
        slots[i] = (struct loaded){ .at = at };
    }
    return &slots[i];
}

void load_flip_begin(uint8_t mask)
{
    if (slots == NULL)
        slots = calloc(SLOTS, sizeof *slots);
    if (slots == NULL)
        abort();
    inverted = mask;
}

void load_flip_saw(const volatile void *address, size_t size)
{
    uint8_t *at = (uint8_t *)(uintptr_t)address;

    for (size_t i = 0; i < size; i++) {
        struct loaded *byte = slot_of(at + i);

        if (byte->loads++ == 0) {
            byte->before = at[i];
            byte->changed = inverted != 0;
            __atomic_store_n(&at[i], (uint8_t)(at[i] ^ inverted), __ATOMIC_RELAXED);
        }
        byte->fields = (unsigned short)(byte->fields + (size == sizeof(uint16_t)));
    }
}

struct load_flip_count load_flip_end(void)
{
    struct load_flip_count count = { .bytes = used_count };

    for (unsigned i = 0; i < used_count; i++) {
        struct loaded *byte = &slots[used[i]];

        count.most = byte->loads > count.most ? byte->loads : count.most;
        count.most_fields = byte->fields > count.most_fields ? byte->fields : count.most_fields;
        if (byte->changed && *byte->at == (uint8_t)(byte->before ^ inverted))
            *byte->at = byte->before;
        byte->at = NULL;
    }
    used_count = 0;
    return count;
}
