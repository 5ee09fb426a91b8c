/*
 * layout_place.h - lays one layout, in one of its combinations, into guest memory.
 */
#ifndef VHOSTKIT_TEST_LAYOUT_PLACE_H
#define VHOSTKIT_TEST_LAYOUT_PLACE_H

#include "layout.h"
#include "layout_memory.h"

/* A layout in one combination. */
struct layout_case {
    const struct layout *layout;
    bool indirect;  /* its descriptors are in a table */
    bool receives;  /* on a receive ring, all of them device-writable */
    bool event_idx;
    bool mergeable;
};

/* Why this combination is left out; NULL: it is run. */
const char *layout_left_out(const struct layout_case *which);
/* "H10 self loop: indirect, TX, event index" */
void layout_case_name(const struct layout_case *which, char *name, size_t size);

#define PLACED_POSTS_MAX 100u
#define PLACED_RANGES_MAX 8300u
/* The innocent chain: one plain buffer. */
#define GOOD_COPY UINT16_MAX
#define GOOD_BYTES 200u

/* A layout in memory. */
struct placed {
    const struct layout_case *which;
    uint64_t features;
    uint16_t size;
    uint8_t header_size;
    uint64_t desc, avail, used;          /* guest addresses of the areas */
    uint16_t posted;                     /* avail entries so far */
    uint16_t copies[PLACED_POSTS_MAX];   /* of each posted entry: which chain of the layout, or GOOD_COPY */
    uint16_t heads[PLACED_POSTS_MAX];
};

/* Writes content, tables, descriptors and empty rings. */
void layout_place(struct placed *placed, const struct layout_case *which);
/* Puts one more head into the avail ring. */
void placed_post(struct placed *placed, uint16_t copy);
/* Shows the driver's new avail idx, `jump` further than it is. */
void placed_publish(const struct placed *placed, uint16_t jump);

/* The buffers of a chain in order; returns how many. Empty ones are left out. */
unsigned placed_ranges(const struct placed *placed, uint16_t copy, struct guest_ram_range *ranges);
/* Bytes of a chain. */
uint64_t placed_bytes(const struct placed *placed, uint16_t copy);

#endif
