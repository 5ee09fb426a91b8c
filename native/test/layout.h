/*
 * layout.h - the table of hostile ring layouts: what a guest lays into its rings,
 * and the verdict it must get. Rows H1 to H56 of the table of verdicts, as far as
 * one ring can show them.
 *
 * A layout is written once, as a list of descriptors, and run as every
 * combination of {direct, indirect} x {transmit, receive} x {event index or
 * flags} x {mergeable buffers or not} that makes sense (layout_run.h). To add
 * one: a line in layouts_*.c; its name begins with its row.
 */
#ifndef VHOSTKIT_TEST_LAYOUT_H
#define VHOSTKIT_TEST_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/ring.h"

/* Guest memory: B follows A, a hole, C. Each ring area is at the very end of a region of its own. */
#define A_AT 0x0ull
#define B_AT 0x80000ull
#define B_END 0xc0000ull
#define C_AT 0x100000ull
#define C_END 0x120000ull
#define DESC_END 0x220000ull /* 8192 descriptors */
#define AVAIL_END 0x305000ull
#define USED_END 0x411000ull

#define BUF 0x10000ull   /* buffers of layouts */
#define TABLE 0x50000ull /* indirect tables */
#define TABLE_STEP 0x200ull /* from the table of one copy to that of the next */
#define GOOD_BUF 0x78000ull /* of the innocent chain around a layout */

/* Addresses in the layout's own ring areas and indirect table, resolved when it is laid out. */
#define OWN_BIT 0x7a00000000000000ull
#define OWN_DESC(offset) (OWN_BIT | 0x1000000000000ull | (offset))
#define OWN_AVAIL(offset) (OWN_BIT | 0x2000000000000ull | (offset))
#define OWN_USED(offset) (OWN_BIT | 0x3000000000000ull | (offset))

/* A number that is not the usual one. */
#define NUMBER(value) (0x10000u + (value))      /* this one */
#define PAST(beyond) (0x20000u + (beyond))      /* this far past the end of its table */

/* One or more descriptors. Each goes on in the one behind it, the last ends the chain. */
struct piece {
    uint64_t at;     /* guest address */
    uint32_t length;
    uint32_t times;  /* so many descriptors; 0: one */
    uint32_t step;   /* from the address of one to the next */
    uint16_t set;    /* flags besides the usual ones */
    uint16_t clear;  /* flags that are missing */
    uint32_t next;   /* NUMBER or PAST: goes on there, also behind the last; 0: usual */
};

#define BYTES(address, bytes) { .at = (address), .length = (bytes) }
#define RUN(address, bytes, count) { .at = (address), .length = (bytes), .times = (count), .step = (bytes) }
#define SAME(address, bytes, count) { .at = (address), .length = (bytes), .times = (count) }

/* What must become of it. Both DROP_NONE and no fault: it works. */
struct outcome {
    enum ring_fault fault;   /* the ring is broken, with this name */
    enum drop_reason drop;   /* the frame is dropped, with this counter */
};

#define BROKEN(id) { .fault = RING_FAULT_##id }
#define DROPPED(id) { .drop = DROP_##id }
#define WORKS { .fault = RING_FAULT_NONE }
#define ALL_BROKEN(id) .tx = BROKEN(id), .rx = BROKEN(id), .merged = BROKEN(id)
#define ALL_WORK .tx = WORKS, .rx = WORKS, .merged = WORKS

enum content { CONTENT_PATTERN, CONTENT_TCP4, CONTENT_TCP6 };

#define LAYOUT_PIECES 14u
#define LAYOUT_PATCHES 4u

struct layout {
    const char *name;  /* row, and what is wrong or odd */
    struct piece pieces[LAYOUT_PIECES];
    struct outcome tx, rx, merged; /* sent; received, without and with mergeable buffers */

    /* Why combinations are left out; NULL: they are not. */
    const char *no_direct, *no_indirect, *no_tx, *no_rx;

    uint16_t size;      /* of the ring; 0: 16 */
    uint64_t without;   /* features that are not negotiated */
    uint16_t start;     /* indexes at the start */
    uint16_t jump;      /* added to avail idx when it is published */
    uint32_t head;      /* NUMBER or PAST: the head that is posted */
    uint16_t copies;    /* chains like this one; 0: one */
    uint32_t shift;     /* from the buffers of one to those of the next */
    bool same_head;     /* post the first chain again instead */
    bool alone;         /* no innocent chain before and after: there is no room, or it would be hurt */
    bool last;          /* no innocent chain after */
    bool revisits;      /* one operation comes to the same bytes again: loops, shared buffers */
    bool backwards;     /* behind the first one, the last descriptor of a chain has the lowest index */
    bool scribble;      /* the guest overwrites the used ring meanwhile */
    uint16_t wish;      /* used_event and avail flags */

    /* Indirect: how the table is announced. */
    uint8_t direct;       /* pieces before the table */
    uint64_t table_at;    /* 0: TABLE */
    uint32_t table_bytes; /* NUMBER_BYTES: announced instead of its real length; 0: real */
    uint16_t table_set;   /* more flags of the indirect descriptor */

    /* Sent: what is in it. */
    enum content content;
    uint16_t gso_size;
    struct { uint32_t at; uint8_t byte; } patches[LAYOUT_PATCHES]; /* from the net header on; at 0 and byte 0: none */
    uint64_t sender_without; /* offloads the sender has not negotiated */

    /* Received: frames that are delivered to it. */
    uint32_t frame;     /* length; 0: 60 */
    uint16_t frames;    /* 0: as many as copies */
};

/* Announced table lengths: 0 can be meant. */
#define NUMBER_BYTES(value) ((value) ^ 0x80000000u)

struct layout_set {
    const struct layout *layouts;
    unsigned count;
};
#define LAYOUT_SET(array) { array, sizeof array / sizeof array[0] }

extern const struct layout_set index_layouts, chain_layouts, table_layouts, address_layouts, buffer_layouts,
    frame_layouts;

#endif
