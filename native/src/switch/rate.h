/*
 * rate.h - how much may come from a port, or go to it: bytes a second with a burst and a peak, and frames a
 * second. What is beyond is dropped (policing), nothing is queued.
 */
#ifndef VHOSTKIT_RATE_H
#define VHOSTKIT_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "port/refusal.h"

#define RATE_BYTES_MIN 1000u
#define RATE_BYTES_MAX UINT64_C(12500000000) /* 100 Gbit/s */
#define RATE_BURST_MAX UINT64_C(1073741824)
#define RATE_FRAMES_MAX 100000000u

/* The limits of one direction. All zero: none. */
struct rate_limit {
    uint64_t bytes;  /* a second, on average; 0: any number */
    uint64_t burst;  /* bytes at once; 0: a tenth of a second's, at least 64 KiB */
    uint64_t peak;   /* bytes a second while a burst lasts; 0: any number */
    unsigned frames; /* a second, a tenth of that at once; 0: any number */
};

/* How far each limit is used up. All zero: not at all. Any number of workers. */
struct rate_meter {
    _Atomic uint64_t average; /* when the bucket would be full again; in sixteenths of a ns (rate.c) */
    _Atomic uint64_t peak;
    _Atomic uint64_t frames;
};

static inline bool rate_limited(const struct rate_limit *limit)
{
    return (limit->bytes | limit->frames) != 0;
}

/*
 * Whether a frame of `length` bytes may pass at `now_ns` (monotonic). It may while there is anything left, and
 * what it takes beyond that is owed by the next ones: so frames longer than a burst pass, too,
 * and the average holds. A frame that is refused takes nothing.
 */
bool rate_take(struct rate_meter *meter, const struct rate_limit *limit, uint64_t now_ns, uint32_t length);

/* `direction` is the word in the protocol. */
bool rate_limit_valid(const struct rate_limit *limit, const char *direction, struct refusal *refusal);

#endif
