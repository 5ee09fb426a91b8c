/*
 * double_fetch.h - the corpora of ring and session once more, with every load from guest memory counted and each
 * byte changed behind its first load (rule R1, goal G3).
 *
 * The fuzzers mark each call of the device's ring code. Nothing happens there but in the programs that double_fetch_main.c
 * is the main() of: those run every input three times, and judge.
 */
#ifndef VHOSTKIT_FUZZ_DOUBLE_FETCH_H
#define VHOSTKIT_FUZZ_DOUBLE_FETCH_H

#include "vhost/ring.h"

/*
 * Around one call that may load from guest memory. What the driver has made available is looked at
 * before: only where chains share bytes may a byte be loaded more than once. `alone`: no two of the map's regions are the same memory.
 */
void double_fetch_begin(const struct ring *ring, bool writable, bool alone);
void double_fetch_end(void);

/* To be called behind each load, after whoever reads or changes the bytes. */
void double_fetch_saw(const volatile void *address, size_t size);

/* Something that must not come out differently because of what was changed. */
void double_fetch_result(const void *bytes, size_t size);

/* The private parts of a frame that was taken. */
void double_fetch_frame(const struct frame *frame);

#endif
