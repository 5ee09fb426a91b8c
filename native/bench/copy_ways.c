/*
 * copy_ways.c - see the header. Each way is compiled for its instructions; one program runs everywhere.
 */
#include "copy_ways.h"

#include <string.h>

#include "switch/copy.h"

const char *const copy_way_name[COPY_WAY_COUNT] = {
#define X(id, name) [id] = name,
    COPY_WAYS(X)
#undef X
};

bool copy_way_is_there(enum copy_way way)
{
    if (way == COPY_AVX2)
        return __builtin_cpu_supports("avx2");
    return way != COPY_AVX512 || __builtin_cpu_supports("avx512f");
}

#define COPY_INLINE static inline __attribute__((always_inline))

/* What one load or store moves; at any address, over any type. */
typedef uint8_t copy_v16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t copy_v32 __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint8_t copy_v64 __attribute__((vector_size(64), aligned(1), may_alias));

/*
 * At least one vector: the first where it begins, then from the next vector border of `to` on four at a time, the
 * last one overlapping. Both guests' buffers mostly begin alike, so that the loads are on borders too.
 */
#define COPY_VECTORS(type, to, from, length)                                     \
    do {                                                                         \
        const uint32_t size = sizeof(type);                                      \
        uint32_t i = size - (uint32_t)((uintptr_t)(to) & (size - 1));            \
                                                                                 \
        *(type *)(to) = *(const type *)(from);                                   \
        for (; i + 4 * size <= (length); i += 4 * size) {                        \
            type a = *(const type *)((from) + i);                                \
            type b = *(const type *)((from) + i + size);                         \
            type c = *(const type *)((from) + i + 2 * size);                     \
            type d = *(const type *)((from) + i + 3 * size);                     \
                                                                                 \
            *(type *)((to) + i) = a;                                             \
            *(type *)((to) + i + size) = b;                                      \
            *(type *)((to) + i + 2 * size) = c;                                  \
            *(type *)((to) + i + 3 * size) = d;                                  \
        }                                                                        \
        for (; i + size < (length); i += size)                                   \
            *(type *)((to) + i) = *(const type *)((from) + i);                   \
        *(type *)((to) + (length) - size) = *(const type *)((from) + (length) - size); \
    } while (0)

COPY_INLINE void copy_string(uint8_t *to, const uint8_t *from, uint32_t length)
{
    uint64_t count = length;

    __asm__ __volatile__("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* Copies `length` bytes; the two do not overlap, or it does not matter what comes of it. */
COPY_INLINE void copy_as(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t length)
{
    if (way == COPY_LIBC)
        memcpy(to, from, length);
    else if (way == COPY_STRING)
        copy_string(to, from, length);
    else if (way == COPY_AVX512 && length >= 64)
        COPY_VECTORS(copy_v64, to, from, length);
    else if (way != COPY_SSE2 && length >= 32)
        COPY_VECTORS(copy_v32, to, from, length);
    else if (length >= 16)
        COPY_VECTORS(copy_v16, to, from, length);
    else
        copy_short(to, from, length);
}

__attribute__((target("avx2"))) static void bytes_avx2(uint8_t *to, const uint8_t *from, uint32_t length)
{
    copy_as(COPY_AVX2, to, from, length);
}

__attribute__((target("avx512f"))) static void bytes_avx512(uint8_t *to, const uint8_t *from, uint32_t length)
{
    copy_as(COPY_AVX512, to, from, length);
}

void copy_bytes(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t length)
{
    switch (way) {
    case COPY_SSE2: copy_as(COPY_SSE2, to, from, length); break;
    case COPY_AVX2: bytes_avx2(to, from, length); break;
    case COPY_AVX512: bytes_avx512(to, from, length); break;
    case COPY_STRING: copy_as(COPY_STRING, to, from, length); break;
    default: copy_as(COPY_LIBC, to, from, length);
    }
}
