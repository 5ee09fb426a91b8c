/*
 * meter.h - at most so many frames a second, from any number of workers.
 */
#ifndef VHOSTKIT_METER_H
#define VHOSTKIT_METER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define METER_RATE_MAX 10000000u

/* All zero: nothing was taken yet. */
struct meter {
    _Atomic uint64_t due_ns; /* when a meter that never allows a burst would take the next frame */
};

/*
 * Whether one more frame fits at `now_ns` (monotonic), at `rate` frames a second, 1 to METER_RATE_MAX.
 * A tenth of a second's frames may come at once, at least one. What is refused counts for nothing.
 */
bool meter_take(struct meter *meter, uint64_t now_ns, unsigned rate);

#endif
