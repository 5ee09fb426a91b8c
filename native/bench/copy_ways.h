/*
 * copy_ways.h - the ways to copy a frame's bytes, one for each set of vector instructions, that were measured
 * against the C library's memcpy (see switch/copy.c).
 */
#ifndef VHOSTKIT_COPY_WAYS_H
#define VHOSTKIT_COPY_WAYS_H

#include <stdbool.h>
#include <stdint.h>

/* Enum name, name in the output. */
#define COPY_WAYS(X)            \
    X(COPY_LIBC, "libc")        \
    X(COPY_SSE2, "sse2")        \
    X(COPY_AVX2, "avx2")        \
    X(COPY_AVX512, "avx512")    \
    X(COPY_STRING, "string")

enum copy_way {
#define X(id, name) id,
    COPY_WAYS(X)
#undef X
    COPY_WAY_COUNT
};

extern const char *const copy_way_name[COPY_WAY_COUNT];

/* Whether this CPU, and its system, have the instructions. */
bool copy_way_is_there(enum copy_way way);

/* Copies `length` bytes, which do not overlap, in a way that is there. */
void copy_bytes(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t length);

#endif
