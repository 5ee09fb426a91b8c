/*
 * latency.h - the time of a frame from one play VM to the other, at a low rate.
 */
#ifndef VHOSTKIT_BENCH_LATENCY_H
#define VHOSTKIT_BENCH_LATENCY_H

#include "load.h"

/* The frame carries its time of sending behind the Ethernet header. */
#define LATENCY_BYTES_MIN 64u

/*
 * Sends `rate` frames a second, all VMs together, for `ms`, and prints one JSON
 * object with the spread of their times. False: a VM received what it did not expect.
 */
bool latency_run(struct load *load, uint32_t bytes, unsigned rate, unsigned ms);

#endif
