/*
 * load_watch.h - sees every load that the device makes from guest memory (the
 * core is compiled with VHOSTKIT_LOAD_HOOK for it), counts them, and changes the
 * memory right behind the first one: what a guest with perfect timing would do.
 */
#ifndef VHOSTKIT_TEST_LOAD_WATCH_H
#define VHOSTKIT_TEST_LOAD_WATCH_H

#include <stddef.h>

/* Forgets all loads and changes, and begins to watch. */
void load_watch_start(void);
void load_watch_stop(void);

/* After the first load that covers a byte of [at, at + size), those bytes become `bytes`. */
void load_watch_flip(void *at, const void *bytes, size_t size);
/* How many changes were made. */
unsigned load_watch_flipped(void);

/* Loads that cover a byte of [at, at + size). */
unsigned load_watch_count(const void *at, size_t size);
/* Fails the test when any byte was loaded twice since the start. */
void load_watch_check_once(void);

#endif
