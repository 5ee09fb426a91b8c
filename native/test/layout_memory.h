/*
 * layout_memory.h - the guest memory that layouts are laid into, and the model of
 * what a right device makes of it.
 *
 * All of it is noise at first, and lies between guard pages. The guest writes into memory
 * and model; the device into memory; what the device should have written
 * is written into the model. At the end both must be equal, byte for byte, and so
 * must be the dirty log.
 */
#ifndef VHOSTKIT_TEST_LAYOUT_MEMORY_H
#define VHOSTKIT_TEST_LAYOUT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_ram.h"
#include "vhost/dirty_log.h"

/* Noise everywhere, nothing dirty. The same noise each time. */
void layout_memory_reset(void);

struct memory_map *layout_memory_map(void);
/* A log that is big enough for the memory; its bits are cleared by a reset. */
struct dirty_log *layout_memory_log(void);
/* Our address, for the ring areas. */
void *layout_memory_at(uint64_t guest, uint64_t length);

/* The guest writes; bytes at addresses that are no memory are lost. */
void guest_put(uint64_t guest, const void *bytes, size_t length);
void guest_put16(uint64_t guest, uint16_t value);
/* Reads what is in memory. False: not all of it is memory. */
bool guest_get(uint64_t guest, void *bytes, size_t length);
/* The same from the model: what is there when nobody changes it. */
bool model_get(uint64_t guest, void *bytes, size_t length);

/* What the device is expected to write. */
void model_put(uint64_t guest, const void *bytes, size_t length);
void model_put16(uint64_t guest, uint16_t value);

/* Whether the device wrote what was expected and nothing else; else the first other guest address. */
bool model_holds(uint64_t *where);
/* The same, when what the device may write is known and no more. */
bool nothing_else_changed(const struct guest_ram_range *writable, unsigned count, uint64_t *where);
/* Whether the log says what the model says; else the first wrong page. */
bool model_log_holds(uint64_t *page);

#endif
