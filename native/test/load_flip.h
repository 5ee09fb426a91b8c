/*
 * load_flip.h - finds double fetches by changing, right behind the first load,
 * every byte that the device loads from guest memory (rule R1, goal G3).
 *
 * An operation is one call of the device's code. Between load_flip_begin() and
 * load_flip_end() each load goes to load_flip_saw(): it counts loads byte by
 * byte and inverts the bits of `mask` in a byte when it was loaded. The end puts back
 * what was changed, but for bytes that the device has written meanwhile. So code
 * that reads a value once behaves as if nothing had happened, whether it reads
 * through the hook or past it.
 */
#ifndef VHOSTKIT_TEST_LOAD_FLIP_H
#define VHOSTKIT_TEST_LOAD_FLIP_H

#include <stddef.h>
#include <stdint.h>

/* What one operation loaded. */
struct load_flip_count {
    unsigned bytes;       /* different bytes */
    unsigned most;        /* loads of the byte that was loaded most */
    unsigned most_fields; /* the same among 16-bit fields: those of the avail ring */
};

/* mask 0: only counts. */
void load_flip_begin(uint8_t mask);
/* To be called after each load; may be guest_load_hook itself. */
void load_flip_saw(const volatile void *address, size_t size);
struct load_flip_count load_flip_end(void);

#endif
