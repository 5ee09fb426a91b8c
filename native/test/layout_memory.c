/*
 * layout_memory.c - see the header. One memory a program: making it anew for
 * each layout would cost more than running the layout.
 */
#include "layout_memory.h"

#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define LOG_BYTES 136u /* pages up to the last region */

static struct guest_ram ram;
static struct memory_map map;
static uint8_t *noise[GUEST_RAM_REGIONS_MAX];
static uint8_t log_bits[LOG_BYTES], model_bits[LOG_BYTES + 8];
static struct dirty_log dirty;

static const struct guest_ram_layout regions[] = {
    { .guest_addr = A_AT, .size = B_AT - A_AT },
    { .guest_addr = B_AT, .size = B_END - B_AT },
    { .guest_addr = C_AT, .size = C_END - C_AT },
    { .guest_addr = DESC_END - 0x20000, .size = 0x20000 },
    { .guest_addr = AVAIL_END - 0x5000, .size = 0x5000 },
    { .guest_addr = USED_END - 0x11000, .size = 0x11000 },
};

static uint8_t noise_byte(void)
{
    static uint32_t state = 2463534242;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (uint8_t)(state >> 11);
}

static void create(void)
{
    if (!guest_ram_create(&ram, regions, sizeof regions / sizeof regions[0], 0))
        abort();
    guest_ram_view(&ram, &map);
    for (unsigned r = 0; r < ram.count; r++) {
        noise[r] = malloc(ram.regions[r].size);
        if (noise[r] == NULL)
            abort();
        for (uint64_t i = 0; i < ram.regions[r].size; i++)
            noise[r][i] = noise_byte();
    }
    guest_ram_save(&ram); /* what is saved serves as the model */
}

void layout_memory_reset(void)
{
    if (ram.count == 0)
        create();
    for (unsigned r = 0; r < ram.count; r++) {
        memcpy(ram.regions[r].host, noise[r], ram.regions[r].size);
        memcpy(ram.regions[r].saved, noise[r], ram.regions[r].size);
    }
    memset(log_bits, 0, sizeof log_bits);
    memset(model_bits, 0, sizeof model_bits);
    dirty = (struct dirty_log){ .bits = log_bits, .size = LOG_BYTES };
}

struct memory_map *layout_memory_map(void)
{
    return &map;
}

struct dirty_log *layout_memory_log(void)
{
    return &dirty;
}

void *layout_memory_at(uint64_t guest, uint64_t length)
{
    return guest_ram_at(&ram, guest, length);
}

/* The region of `guest` and its offset there, with at most *length bytes from there on; NULL: none. */
static struct guest_ram_region *region_of(uint64_t guest, uint64_t *offset, size_t *length)
{
    for (unsigned r = 0; r < ram.count; r++) {
        struct guest_ram_region *region = &ram.regions[r];

        *offset = guest - region->guest_addr;
        if (*offset < region->size) {
            if (*length > region->size - *offset)
                *length = region->size - *offset;
            return region;
        }
    }
    *length = 1;
    return NULL;
}

void guest_put(uint64_t guest, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    for (size_t part; length > 0; guest += part, from += part, length -= part) {
        uint64_t offset;
        struct guest_ram_region *region = (part = length, region_of(guest, &offset, &part));

        if (region == NULL)
            continue;
        memcpy(region->host + offset, from, part);
        memcpy(region->saved + offset, from, part);
    }
}

void guest_put16(uint64_t guest, uint16_t value)
{
    guest_put(guest, &value, sizeof value);
}

/* Reads memory, or the model of it. */
static bool get(uint64_t guest, void *bytes, size_t length, bool model)
{
    uint8_t *to = bytes;

    for (size_t part; length > 0; guest += part, to += part, length -= part) {
        uint64_t offset;
        struct guest_ram_region *region = (part = length, region_of(guest, &offset, &part));

        if (region == NULL)
            return false;
        memcpy(to, (model ? region->saved : region->host) + offset, part);
    }
    return true;
}

bool guest_get(uint64_t guest, void *bytes, size_t length)
{
    return get(guest, bytes, length, false);
}

bool model_get(uint64_t guest, void *bytes, size_t length)
{
    return get(guest, bytes, length, true);
}

void model_put(uint64_t guest, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;

    for (size_t part; length > 0; guest += part, from += part, length -= part) {
        uint64_t offset;
        struct guest_ram_region *region = (part = length, region_of(guest, &offset, &part));

        if (region == NULL)
            abort(); /* the model writes where the layout has no memory: the layout is wrong */
        memcpy(region->saved + offset, from, part);
        for (uint64_t page = guest / GUEST_PAGE_SIZE; page <= (guest + part - 1) / GUEST_PAGE_SIZE; page++)
            model_bits[page / 8] |= (uint8_t)(1u << page % 8);
    }
}

void model_put16(uint64_t guest, uint16_t value)
{
    model_put(guest, &value, sizeof value);
}

bool model_holds(uint64_t *where)
{
    ram.writable_count = 0;
    return guest_ram_untouched(&ram, where);
}

bool nothing_else_changed(const struct guest_ram_range *writable, unsigned count, uint64_t *where)
{
    ram.writable_count = 0;
    for (unsigned i = 0; i < count; i++)
        guest_ram_allow(&ram, writable[i].guest, writable[i].length);
    return guest_ram_untouched(&ram, where);
}

bool model_log_holds(uint64_t *page)
{
    for (*page = 0; *page < 8ull * LOG_BYTES; ++*page)
        if ((log_bits[*page / 8] ^ model_bits[*page / 8]) >> *page % 8 & 1)
            return false;
    return true;
}
