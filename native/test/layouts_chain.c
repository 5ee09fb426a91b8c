/*
 * layouts_chain.c - rows H10 to H12 and H21 to H25: how descriptors hang together,
 * directly or in a table.
 */
#include "layout.h"

/* Never memory; an empty descriptor may have it. */
#define NOWHERE 0xfffffffffffff000ull

#define IN_TABLE "in a table the length of the table is wrong before (H14)"

static const struct layout layouts[] = {
    { "H10 descriptor that goes on in itself", { { .at = BUF, .length = 100, .next = NUMBER(0) } },
      .revisits = true, ALL_BROKEN(CHAIN_LENGTH) },
    { "H10 two descriptors that go on in each other",
      { BYTES(BUF, 40), { .at = BUF + 40, .length = 40, .next = NUMBER(0) } }, .revisits = true,
      ALL_BROKEN(CHAIN_LENGTH) },
    { "H10 loop back into the middle",
      { BYTES(BUF, 40), BYTES(BUF + 40, 10), { .at = BUF + 50, .length = 10, .next = NUMBER(1) } }, .revisits = true,
      ALL_BROKEN(CHAIN_LENGTH) },
    { "H10 loop of empty descriptors", { { .at = NOWHERE, .next = NUMBER(0) } }, .revisits = true,
      ALL_BROKEN(CHAIN_LENGTH) },

    { "H11 next is one past the table", { { .at = BUF, .length = 40, .next = PAST(0) } }, ALL_BROKEN(NEXT) },
    { "H11 next is far past the table", { { .at = BUF, .length = 40, .next = PAST(300) } }, ALL_BROKEN(NEXT) },
    { "H11 next is 65535", { BYTES(BUF, 40), { .at = BUF + 40, .length = 40, .next = NUMBER(65535) } },
      ALL_BROKEN(NEXT) },
    { "H11 next of the last descriptor is wrong, and not used",
      { BYTES(BUF, 40), { .at = BUF + 40, .length = 32, .next = NUMBER(65535), .clear = VRING_DESC_F_NEXT } },
      ALL_WORK },

    { "H12 chain of exactly the ring's size", { RUN(BUF, 5, 16) }, .alone = true, ALL_WORK },
    { "H12 chain of exactly 256 descriptors", { RUN(BUF, 1, 256) }, .size = 256, .alone = true, ALL_WORK },
    { "H12 chain of one more than the ring's size", { RUN(BUF, 5, 15), { .at = BUF, .length = 5, .next = NUMBER(0) } },
      .alone = true, .revisits = true, .no_indirect = IN_TABLE, ALL_BROKEN(CHAIN_LENGTH) },
    { "H12 direct descriptors and table together one more than the ring's size", { RUN(BUF, 5, 17) }, .direct = 2,
      .no_direct = "a chain in the ring alone cannot be that long without a loop", ALL_BROKEN(CHAIN_LENGTH) },
    { "H12 ring of one descriptor", { BYTES(BUF, 72) }, .size = 1, .alone = true, ALL_WORK },
    { "H12 ring of two descriptors", { RUN(BUF, 36, 2) }, .size = 2, .alone = true, ALL_WORK },

    { "H21 empty descriptor first", { BYTES(NOWHERE, 0), BYTES(BUF, 72) }, ALL_WORK },
    { "H21 empty descriptor in the middle", { BYTES(BUF, 30), BYTES(NOWHERE, 0), BYTES(BUF + 30, 42) }, ALL_WORK },
    { "H21 empty descriptor last", { BYTES(BUF, 72), BYTES(NOWHERE, 0) }, ALL_WORK },
    { "H21 nothing but empty descriptors", { SAME(NOWHERE, 0, 4) }, .tx = DROPPED(RUNT), .rx = BROKEN(RUNT_BUFFER),
      .merged = BROKEN(RUNT_BUFFER) },
    { "H21 one empty descriptor", { BYTES(NOWHERE, 0) }, .tx = DROPPED(RUNT), .rx = BROKEN(RUNT_BUFFER),
      .merged = BROKEN(RUNT_BUFFER) },
    { "H21 empty descriptor of the wrong direction",
      { { .at = BUF, .set = VRING_DESC_F_WRITE }, BYTES(BUF, 72) }, ALL_BROKEN(DIRECTION) },
    { "H22 flood of empty descriptors, a whole ring", { SAME(NOWHERE, 0, 8192) }, .size = 8192, .alone = true,
      .tx = DROPPED(RUNT), .rx = BROKEN(RUNT_BUFFER), .merged = BROKEN(RUNT_BUFFER) },
    { "H22 a frame behind eight thousand empty descriptors", { SAME(NOWHERE, 0, 8190), BYTES(BUF, 72) }, .size = 8192,
      .alone = true, ALL_WORK },

    { "H23 only descriptor of the wrong direction", { { .at = BUF, .length = 72, .set = VRING_DESC_F_WRITE } },
      ALL_BROKEN(DIRECTION) },
    { "H23 first descriptor of the wrong direction",
      { { .at = BUF, .length = 30, .set = VRING_DESC_F_WRITE }, BYTES(BUF + 30, 42) }, ALL_BROKEN(DIRECTION) },
    { "H23 last descriptor of the wrong direction",
      { BYTES(BUF, 30), { .at = BUF + 30, .length = 42, .set = VRING_DESC_F_WRITE } }, ALL_BROKEN(DIRECTION) },
    { "H23 wrong direction behind a whole frame",
      { BYTES(BUF, 72), { .at = BUF + 200, .length = 1, .set = VRING_DESC_F_WRITE } }, ALL_BROKEN(DIRECTION) },

    { "H24 chain of 2^32 bytes", { SAME(A_AT, B_END - A_AT, 5462) }, .size = 8192, .alone = true,
      ALL_BROKEN(CHAIN_BYTES) },
    { "H24 longest frame there is", { BYTES(BUF, 12 + FRAME_LENGTH_MAX) }, .frame = FRAME_LENGTH_MAX, ALL_WORK },
    { "H24 one byte longer than the longest frame", { BYTES(BUF, 13 + FRAME_LENGTH_MAX) }, .tx = DROPPED(TOO_BIG) },
    { "H24 one byte too long, in pieces", { RUN(BUF, 8000, 8), BYTES(BUF + 64000, 1563) }, .tx = DROPPED(TOO_BIG) },
    { "H24 far longer than a frame", { BYTES(A_AT, B_END - A_AT) }, .no_rx = "a buffer may be long; the innocent one is in it",
      .tx = DROPPED(TOO_BIG) },

    { "H25 reserved flags", { { .at = BUF, .length = 30, .set = 0xfff8 }, { .at = BUF + 30, .length = 42, .set = 0xfff8 } },
      ALL_WORK },
};

const struct layout_set chain_layouts = LAYOUT_SET(layouts);
