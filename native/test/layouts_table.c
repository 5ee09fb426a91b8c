/*
 * layouts_table.c - rows H13 to H20: indirect tables. What concerns the table
 * itself has no direct form.
 */
#include "layout.h"

#define NO_TABLE "there is no table"
#define ANNOUNCED(bytes) .table_bytes = NUMBER_BYTES(bytes), .no_direct = NO_TABLE
#define TABLE_AT(guest) .table_at = (guest), .no_direct = NO_TABLE

static const struct layout layouts[] = {
    { "H13 indirect descriptor without the feature", { BYTES(BUF, 72) }, .without = FEATURE(VIRTIO_F_RING_INDIRECT_DESC),
      .no_direct = NO_TABLE, ALL_BROKEN(INDIRECT_FEATURE) },
    { "H14 table of 0 bytes", { RUN(BUF, 8, 10) }, ANNOUNCED(0), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table of 1 byte", { RUN(BUF, 8, 10) }, ANNOUNCED(1), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table of 15 bytes", { RUN(BUF, 8, 10) }, ANNOUNCED(15), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table of 17 bytes", { RUN(BUF, 8, 10) }, ANNOUNCED(17), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table as long as the ring", { RUN(BUF, 8, 10) }, ANNOUNCED(256), ALL_WORK },
    { "H14 table one descriptor longer than the ring", { RUN(BUF, 8, 10) }, ANNOUNCED(272), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table of 2^32-16 bytes", { RUN(BUF, 8, 10) }, ANNOUNCED(UINT32_MAX - 15), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 table of 2^32-1 bytes", { RUN(BUF, 8, 10) }, ANNOUNCED(UINT32_MAX), ALL_BROKEN(INDIRECT_SIZE) },
    { "H14 chain goes past the announced table", { RUN(BUF, 8, 10) }, ANNOUNCED(64), ALL_BROKEN(NEXT) },

    { "H15 table in a table", { { .at = TABLE + 512, .length = 16, .set = VRING_DESC_F_INDIRECT } }, .no_direct = NO_TABLE,
      ALL_BROKEN(INDIRECT_NESTED) },
    { "H15 table behind a frame in a table",
      { BYTES(BUF, 72), { .at = TABLE + 512, .length = 16, .set = VRING_DESC_F_INDIRECT } }, .no_direct = NO_TABLE,
      ALL_BROKEN(INDIRECT_NESTED) },
    { "H15 indirect descriptor with NEXT", { BYTES(BUF, 72) }, .table_set = VRING_DESC_F_NEXT, .no_direct = NO_TABLE,
      ALL_BROKEN(INDIRECT_NEXT) },
    { "H16 write flag on the indirect descriptor", { RUN(BUF, 36, 2) }, .table_set = VRING_DESC_F_WRITE,
      .no_direct = NO_TABLE, ALL_WORK },
    { "H25 reserved flags on the indirect descriptor", { RUN(BUF, 36, 2) }, .table_set = 0xfff8, .no_direct = NO_TABLE,
      ALL_WORK },

    { "H17 one direct descriptor, then a table", { RUN(BUF, 24, 3) }, .direct = 1, .no_direct = NO_TABLE, ALL_WORK },
    { "H17 three direct descriptors, then a table", { RUN(BUF, 12, 6) }, .direct = 3, .no_direct = NO_TABLE, ALL_WORK },
    { "H17 empty direct descriptor, then a table", { BYTES(0xffff000000000000, 0), BYTES(BUF, 72) }, .direct = 1,
      .no_direct = NO_TABLE, ALL_WORK },
    { "H17 direct descriptor of the wrong direction, then a table",
      { { .at = BUF, .length = 12, .set = VRING_DESC_F_WRITE }, BYTES(BUF + 12, 60) }, .direct = 1, .no_direct = NO_TABLE,
      ALL_BROKEN(DIRECTION) },

    { "H18 table at an odd address", { RUN(BUF, 24, 3) }, TABLE_AT(TABLE + 1), ALL_WORK },
    { "H18 table 15 bytes past alignment", { RUN(BUF, 24, 3) }, TABLE_AT(TABLE + 15), ALL_WORK },
    { "H18 table over a region border, between descriptors", { RUN(BUF, 24, 3) }, TABLE_AT(B_AT - 16), ALL_WORK },
    { "H18 table over a region border, through a descriptor", { RUN(BUF, 24, 3) }, TABLE_AT(B_AT - 20), ALL_WORK },
    { "H18 table over a region border, by one byte", { RUN(BUF, 24, 3) }, TABLE_AT(B_AT - 1), ALL_WORK },
    { "H18 table at the end of memory", { RUN(BUF, 24, 3) }, TABLE_AT(C_END - 48), ALL_WORK },
    { "H18 table ends a byte past the memory", { RUN(BUF, 24, 3) }, TABLE_AT(C_END - 47), ALL_BROKEN(ADDRESS) },
    { "H18 table over a hole", { RUN(BUF, 24, 3) }, TABLE_AT(B_END - 24), ALL_BROKEN(ADDRESS) },
    { "H18 table in nowhere", { RUN(BUF, 24, 3) }, TABLE_AT(0x6000000000000000), ALL_BROKEN(ADDRESS) },
    { "H18 table wraps around 2^64", { RUN(BUF, 24, 3) }, TABLE_AT(UINT64_MAX - 15), ALL_BROKEN(ADDRESS) },

    { "H19 table in the used ring", { RUN(BUF, 24, 3) }, TABLE_AT(OWN_USED(16)), ALL_WORK },
    { "H19 table in the used ring, which is its buffer too", { BYTES(OWN_USED(24), 76) }, TABLE_AT(OWN_USED(32)),
      .no_tx = "what is sent would be the table", .last = true, .rx = WORKS, .merged = WORKS },
    /* No byte of this table, inverted, is what the device writes there: load_flip.h could not tell them apart. */
    { "H19 table in its own receive buffer", { BYTES(0x56200, 40), BYTES(0x56228, 160) }, .frame = 180,
      TABLE_AT(0x56202), .no_tx = "what is sent would be the table", .rx = WORKS, .merged = WORKS },
    { "H19 table is sent as its own frame", { RUN(TABLE, 16, 4) }, .no_direct = NO_TABLE, .revisits = true,
      .no_rx = "another row", .tx = WORKS },
    { "H20 length and place of the table change behind the first load", { RUN(BUF, 9, 8) }, .copies = 3, .shift = 128,
      .no_direct = NO_TABLE, ALL_WORK },
};

const struct layout_set table_layouts = LAYOUT_SET(layouts);
