/*
 * guest_ram.c - memory of a play guest: memfds, mapped between guard pages.
 *
 * One thread calls it. The comparison with the saved bytes compares whole
 * pages and looks at single bytes only where something differs, so that fuzzers
 * can afford it after every operation.
 */
#include "guest_ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Bytes of a page of the memory, and of the guards around it. */
static uint64_t page_size(unsigned flags)
{
    return flags & GUEST_RAM_HUGE ? GUEST_RAM_HUGE_PAGE : GUEST_PAGE_SIZE;
}

/* Address space for `size` bytes and a guard on each side, at a page's border. NULL: none. */
static uint8_t *reserve(struct guest_ram_region *region, uint64_t page)
{
    region->reserved = region->size + 3 * page;
    region->reservation = mmap(NULL, region->reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region->reservation == MAP_FAILED) {
        region->reservation = NULL;
        return NULL;
    }
    return (uint8_t *)(((uintptr_t)region->reservation + 2 * page - 1) & ~(uintptr_t)(page - 1));
}

static bool create_region(struct guest_ram_region *region, const struct guest_ram_layout *layout,
                          unsigned flags)
{
    uint64_t page = page_size(flags);

    *region = (struct guest_ram_region){
        .guest_addr = layout->guest_addr, .size = layout->size,
        .file_offset = layout->file_offset, .fd = -1,
    };
    if (layout->size == 0 || layout->size % page || layout->guest_addr % page || layout->file_offset % page) {
        errno = EINVAL;
        return false;
    }
    region->fd = memfd_create("guest-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING | (flags & GUEST_RAM_HUGE ? MFD_HUGETLB : 0u));
    if (region->fd < 0 || ftruncate(region->fd, (off_t)(layout->file_offset + layout->size)) < 0)
        return false;
    if (flags & GUEST_RAM_SEALED && fcntl(region->fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
        return false;
    region->host = reserve(region, page);
    return region->host != NULL && mmap(region->host, layout->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, region->fd,
                (off_t)layout->file_offset) != MAP_FAILED;
}

bool guest_ram_create(struct guest_ram *ram, const struct guest_ram_layout *layout, unsigned count,
                      unsigned flags)
{
    *ram = (struct guest_ram){ 0 };
    for (unsigned i = 0; i < count && i < GUEST_RAM_REGIONS_MAX; i++) {
        ram->count = i + 1;
        if (!create_region(&ram->regions[i], &layout[i], flags)) {
            int error = errno;
            guest_ram_destroy(ram);
            errno = error;
            return false;
        }
    }
    return true;
}

void guest_ram_destroy(struct guest_ram *ram)
{
    for (unsigned i = 0; i < ram->count; i++) {
        struct guest_ram_region *region = &ram->regions[i];

        if (region->reservation)
            munmap(region->reservation, region->reserved);
        if (region->fd >= 0)
            close(region->fd);
        free(region->saved);
    }
    free(ram->writable);
    *ram = (struct guest_ram){ 0 };
}

void *guest_ram_at(const struct guest_ram *ram, uint64_t guest, uint64_t length)
{
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *region = &ram->regions[i];
        uint64_t offset = guest - region->guest_addr;

        if (offset < region->size && length <= region->size - offset)
            return region->host + offset;
    }
    return NULL;
}

uint64_t guest_ram_address(const struct guest_ram *ram, const void *host)
{
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *region = &ram->regions[i];
        uint64_t offset = (uint64_t)((uintptr_t)host - (uintptr_t)region->host);

        if (offset < region->size)
            return region->guest_addr + offset;
    }
    return UINT64_MAX;
}

uint64_t guest_ram_reserve(struct guest_ram *ram, uint64_t size, uint64_t align)
{
    for (unsigned i = 0; i < ram->count; i++) {
        struct guest_ram_region *region = &ram->regions[i];
        uint64_t at = (region->next_free + align - 1) / align * align;

        if (at <= region->size && size <= region->size - at) {
            region->next_free = at + size;
            return region->guest_addr + at;
        }
    }
    return UINT64_MAX;
}

void guest_ram_describe(const struct guest_ram *ram, struct memory_region_request *requests, int *fds)
{
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *region = &ram->regions[i];

        requests[i] = (struct memory_region_request){
            .guest_addr = region->guest_addr, .size = region->size,
            .user_addr = (uint64_t)(uintptr_t)region->host, .mmap_offset = region->file_offset,
        };
        fds[i] = region->fd;
    }
}

static int by_guest_addr(const void *a, const void *b)
{
    const struct memory_region *left = a;
    const struct memory_region *right = b;

    return left->guest_addr < right->guest_addr ? -1 : left->guest_addr > right->guest_addr;
}

void guest_ram_view(const struct guest_ram *ram, struct memory_map *map)
{
    memset(map, 0, sizeof *map);
    map->count = ram->count;
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *region = &ram->regions[i];

        map->regions[i] = (struct memory_region){
            .guest_addr = region->guest_addr, .size = region->size,
            .user_addr = (uint64_t)(uintptr_t)region->host, .host = region->host,
        };
    }
    qsort(map->regions, map->count, sizeof map->regions[0], by_guest_addr);
}

void guest_ram_save(struct guest_ram *ram)
{
    for (unsigned i = 0; i < ram->count; i++) {
        struct guest_ram_region *region = &ram->regions[i];

        if (!region->saved)
            region->saved = malloc(region->size);
        if (!region->saved)
            abort();
        memcpy(region->saved, region->host, region->size);
    }
    ram->writable_count = 0;
}

void guest_ram_accept(struct guest_ram *ram)
{
    for (unsigned i = 0; i < ram->writable_count; i++) {
        const struct guest_ram_range *range = &ram->writable[i];

        for (unsigned r = 0; r < ram->count; r++) {
            struct guest_ram_region *region = &ram->regions[r];
            uint64_t end = region->guest_addr + region->size;
            uint64_t from = range->guest > region->guest_addr ? range->guest : region->guest_addr;
            uint64_t to = range->guest + range->length < range->guest || range->guest + range->length > end
                              ? end : range->guest + range->length;

            if (from < to) {
                from -= region->guest_addr;
                to -= region->guest_addr;
                memcpy(region->saved + from, region->host + from, to - from);
            }
        }
    }
    ram->writable_count = 0;
}

void guest_ram_allow(struct guest_ram *ram, uint64_t guest, uint64_t length)
{
    if (ram->writable_count == ram->writable_room) {
        unsigned room = ram->writable_room ? 2 * ram->writable_room : 64;
        struct guest_ram_range *bigger = realloc(ram->writable, room * sizeof *bigger);

        if (!bigger)
            abort();
        ram->writable = bigger;
        ram->writable_room = room;
    }
    ram->writable[ram->writable_count++] = (struct guest_ram_range){ guest, length };
}

void guest_ram_poke(struct guest_ram *ram, uint64_t guest, uint8_t value)
{
    for (unsigned i = 0; i < ram->count; i++) {
        struct guest_ram_region *region = &ram->regions[i];
        uint64_t offset = guest - region->guest_addr;

        if (offset >= region->size)
            continue;
        __atomic_store_n(&region->host[offset], value, __ATOMIC_RELAXED);
        if (region->saved)
            region->saved[offset] = value;
    }
}

static bool may_write(const struct guest_ram *ram, uint64_t guest)
{
    for (unsigned i = 0; i < ram->writable_count; i++)
        if (guest - ram->writable[i].guest < ram->writable[i].length)
            return true;
    return false;
}

/* First byte of a page that differs from the saved one and may not be written; the page's size when there is none. */
static uint64_t first_change(const struct guest_ram *ram, const struct guest_ram_region *region, uint64_t page)
{
    for (uint64_t at = page; at < page + GUEST_PAGE_SIZE; at++)
        if (region->saved[at] != region->host[at] && !may_write(ram, region->guest_addr + at))
            return at - page;
    return GUEST_PAGE_SIZE;
}

bool guest_ram_untouched(const struct guest_ram *ram, uint64_t *where)
{
    for (unsigned i = 0; i < ram->count; i++) {
        const struct guest_ram_region *region = &ram->regions[i];

        for (uint64_t page = 0; page < region->size; page += GUEST_PAGE_SIZE) {
            if (memcmp(region->saved + page, region->host + page, GUEST_PAGE_SIZE) == 0)
                continue;
            uint64_t change = first_change(ram, region, page);

            if (change < GUEST_PAGE_SIZE) {
                *where = region->guest_addr + page + change;
                return false;
            }
        }
    }
    return true;
}
