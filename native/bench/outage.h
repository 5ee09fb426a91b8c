/*
 * outage.h - how long a load stands still when its switch is killed.
 */
#ifndef VHOSTKIT_BENCH_OUTAGE_H
#define VHOSTKIT_BENCH_OUTAGE_H

#include "load.h"

/*
 * Keeps the load running for `ms`, lets a switch that comes back attach again, and
 * prints one JSON object with the longest time without a frame. Says {"warm": true}
 * when the load runs: then the caller kills. False: the switch did not come back.
 */
bool outage_run(struct load *load, uint32_t bytes, unsigned ms);

#endif
