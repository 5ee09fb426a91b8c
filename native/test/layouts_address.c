/*
 * layouts_address.c - rows H26 to H30: where buffers may be.
 */
#include "layout.h"

static const struct layout layouts[] = {
    { "H26 first byte past all memory", { BYTES(0x500000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 first byte of a hole", { BYTES(B_END, 1) }, ALL_BROKEN(ADDRESS) },
    { "H26 address of a kernel", { BYTES(0xffff888000000000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 address of a program", { BYTES(0x7f0000000000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 length 2^32-1 from the first byte of memory", { BYTES(A_AT, UINT32_MAX) }, ALL_BROKEN(ADDRESS) },
    { "H26 bad buffer behind more bytes than a frame has", { RUN(BUF, 8000, 9), BYTES(0x500000, 1) }, ALL_BROKEN(ADDRESS) },
    { "H26 bad buffer behind twelve good ones", { RUN(BUF, 6, 12), BYTES(1ull << 40, 6) }, ALL_BROKEN(ADDRESS) },
    { "H26 last byte before a region", { BYTES(C_AT - 1, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 half of the address space away", { BYTES(1ull << 63, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 last byte of the address space", { BYTES(UINT64_MAX, 1) }, ALL_BROKEN(ADDRESS) },
    { "H26 ends exactly at 2^64", { BYTES(UINT64_MAX - 71, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 wraps around 2^64 into memory", { BYTES(UINT64_MAX - 11, 84) }, ALL_BROKEN(ADDRESS) },
    { "H26 length 2^32-1", { BYTES(BUF, UINT32_MAX) }, ALL_BROKEN(ADDRESS) },
    { "H26 length 2^31", { BYTES(BUF, 1u << 31) }, ALL_BROKEN(ADDRESS) },
    { "H26 ends one byte past a region", { BYTES(C_END - 71, 72) }, ALL_BROKEN(ADDRESS) },
    { "H26 bad buffer behind a whole frame", { BYTES(BUF, 72), BYTES(C_END, 1) }, ALL_BROKEN(ADDRESS) },
    { "H26 bad buffer before a whole frame", { BYTES(C_END, 1), BYTES(BUF, 72) }, ALL_BROKEN(ADDRESS) },

    { "H27 over a border, one byte before it", { BYTES(B_AT - 1, 72) }, ALL_WORK },
    { "H27 over a border, through the net header", { BYTES(B_AT - 7, 72) }, ALL_WORK },
    { "H27 over a border, between header and frame", { BYTES(B_AT - 12, 72) }, ALL_WORK },
    { "H27 over a border, one byte behind it", { BYTES(B_AT - 71, 72) }, ALL_WORK },
    { "H27 up to a border and on from there in two buffers", { BYTES(B_AT - 30, 30), BYTES(B_AT, 42) }, ALL_WORK },
    { "H27 a long frame over a border", { BYTES(B_AT - 4000, 9012) }, .frame = 9000, ALL_WORK },
    { "H27 second buffer over a border", { BYTES(BUF, 40), BYTES(B_AT - 16, 32) }, ALL_WORK },

    { "H27 two bytes over a border, as part of the net header", { BYTES(BUF, 5), BYTES(B_AT - 1, 2), BYTES(BUF + 100, 65) },
      ALL_WORK },
    { "H27 longest frame over a border", { BYTES(B_AT - 0x7000, 0xffff) }, .no_rx = "the innocent buffer is in it", .tx = WORKS },
    { "H28 over a hole by one byte", { BYTES(B_END - 71, 72) }, ALL_BROKEN(ADDRESS) },
    { "H28 over a hole, both ends are memory", { BYTES(B_END - 40, (uint32_t)(C_AT - B_END) + 80) }, ALL_BROKEN(ADDRESS) },
    { "H28 second buffer over a hole", { BYTES(BUF, 40), BYTES(B_END - 10, 32) }, ALL_BROKEN(ADDRESS) },

    { "H29 one byte at the end of a region", { BYTES(BUF, 71), BYTES(C_END - 1, 1) }, ALL_WORK },
    { "H29 frame that ends with a region before a hole", { BYTES(B_END - 72, 72) }, ALL_WORK },
    { "H29 single bytes at the ends of three regions",
      { BYTES(B_AT - 1, 1), BYTES(B_END - 1, 1), BYTES(C_END - 1, 1), BYTES(BUF, 69) }, ALL_WORK },
    { "H29 single bytes at the beginnings of three regions",
      { BYTES(BUF, 69), BYTES(A_AT, 1), BYTES(B_AT, 1), BYTES(C_AT, 1) }, ALL_WORK },
    { "H29 long frame that ends with a region", { BYTES(C_END - 1512, 1512) }, .frame = 1500, ALL_WORK },
    { "H29 frame at the first byte of memory", { BYTES(A_AT, 72) }, ALL_WORK },
    { "H29 frame at the first byte of a region behind a hole", { BYTES(C_AT, 72) }, ALL_WORK },
    { "H29 header ends with one region, frame begins with another", { BYTES(C_END - 12, 12), BYTES(C_AT, 60) }, ALL_WORK },

    { "H30 local APIC", { BYTES(0xfee00000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H30 IO APIC", { BYTES(0xfec00000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H30 BIOS", { BYTES(0xfffff000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H30 HPET", { BYTES(0xfed00000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H30 PCI window above all memory", { BYTES(0x380000000000, 72) }, ALL_BROKEN(ADDRESS) },
    { "H30 PCI window", { BYTES(0xb0000000, 72) }, ALL_BROKEN(ADDRESS) },
};

const struct layout_set address_layouts = LAYOUT_SET(layouts);
