/*
 * memory_map.c - maps a guest's RAM. Control thread only. That its file may be truncated, or have holes, is
 * memory_guard.c's concern.
 */
#include "vhost/memory_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vhost/fd_kind.h"
#include "vhost/memory_guard.h"
#include "worker/numa.h"

static uint64_t all_memory;      /* bytes of all maps; control thread */
static uint64_t maps_made;       /* control thread */

static bool ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

static bool size_allowed(const struct memory_region_request *requests, unsigned count, char *why, size_t why_size)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++) {
        if (requests[i].size > GUEST_MEMORY_MAX || (bytes += requests[i].size) > GUEST_MEMORY_MAX) {
            snprintf(why, why_size, "memory table: wanted at most %llu GiB", (unsigned long long)(GUEST_MEMORY_MAX >> 30));
            return false;
        }
    }
    if (all_memory + bytes > ALL_MEMORY_MAX) {
        snprintf(why, why_size, "memory table: all guests together have more than %llu GiB",
                 (unsigned long long)(ALL_MEMORY_MAX >> 30));
        return false;
    }
    return true;
}

/* The checks that need no file: counts, sizes, wraps, overlaps (F4). */
static bool requests_valid(const struct memory_region_request *requests, unsigned count, char *why,
                           size_t why_size)
{
    if (count == 0 || count > MEMORY_REGIONS_MAX) {
        snprintf(why, why_size, "memory table: wanted 1 to %u regions, found %u", MEMORY_REGIONS_MAX, count);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        const struct memory_region_request *r = &requests[i];

        if (r->size == 0 || r->guest_addr + r->size < r->guest_addr ||
            r->user_addr + r->size < r->user_addr || r->mmap_offset + r->size < r->mmap_offset) {
            snprintf(why, why_size, "memory table: region %u is empty or wraps around", i);
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            if (ranges_overlap(r->guest_addr, r->size, requests[j].guest_addr, requests[j].size) ||
                ranges_overlap(r->user_addr, r->size, requests[j].user_addr, requests[j].size)) {
                snprintf(why, why_size, "memory table: regions %u and %u overlap", j, i);
                return false;
            }
        }
    }
    return true;
}

/* Fills in page size and wholeness when the file behind fd is big enough for the region. */
static bool file_examine(struct memory_region *region, int fd, const struct memory_region_request *r, unsigned index,
                         char *why, size_t why_size)
{
    struct stat file;

    if (!fd_is_memory(fd) || fstat(fd, &file) != 0) {
        snprintf(why, why_size, "memory table: the fd of region %u is no shared memory (memfd, tmpfs, hugetlbfs)",
                 index);
        return false;
    }
    if (r->mmap_offset + r->size > (uint64_t)file.st_size) {
        snprintf(why, why_size, "memory table: region %u ends at byte %llu of a file of %llu", index,
                 (unsigned long long)(r->mmap_offset + r->size), (unsigned long long)file.st_size);
        return false;
    }
    region->page = fd_memory_page(fd);
    region->whole = (uint64_t)file.st_blocks >= (uint64_t)file.st_size / 512;
    return region->page != 0;
}

static bool region_map(struct memory_region *region, const struct memory_region_request *r, int fd,
                       unsigned index, struct memory_map *map, char *why, size_t why_size)
{
    struct memory_region found = { 0 };

    if (!file_examine(&found, fd, r, index, why, why_size))
        return false;
    size_t page = found.page;
    uint64_t lead = r->mmap_offset % page; /* mmap wants its offset on a page border */
    uint64_t size = (lead + r->size + page - 1) / page * page;
    void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(r->mmap_offset - lead));

    if (mapping == MAP_FAILED) {
        snprintf(why, why_size, "memory table: region %u of %llu bytes cannot be mapped: %s", index,
                 (unsigned long long)r->size, strerror(errno));
        return false;
    }
    madvise(mapping, size, MADV_DONTDUMP); /* a core of the switch must not hold a guest's secrets */
    *region = (struct memory_region){
        .guest_addr = r->guest_addr,
        .size = r->size,
        .user_addr = r->user_addr,
        .host = (uint8_t *)mapping + lead,
        .mapping = mapping,
        .mapping_size = size,
        .page = page,
        .whole = found.whole,
    };
    if (memory_guard_add(mapping, size, page, &map->faulted, map->credit))
        return true;
    munmap(mapping, size);
    snprintf(why, why_size, "memory table: too many mappings in all");
    return false;
}

static int by_guest_addr(const void *a, const void *b)
{
    const struct memory_region *left = a, *right = b;

    return left->guest_addr < right->guest_addr ? -1 : left->guest_addr > right->guest_addr;
}

struct memory_map *memory_map_create(const struct memory_region_request *requests, const int *fds,
                                     unsigned count, struct page_credit *credit, char *why, size_t why_size)
{
    if (!requests_valid(requests, count, why, why_size) || !size_allowed(requests, count, why, why_size))
        return NULL;

    struct memory_map *map = node_alloc(sizeof *map, -1); /* its port moves it to where the guest is */
    if (map == NULL) {
        snprintf(why, why_size, "memory table: out of memory");
        return NULL;
    }
    map->credit = credit;
    for (unsigned i = 0; i < count; i++) {
        if (!region_map(&map->regions[i], &requests[i], fds[i], i, map, why, why_size)) {
            memory_map_destroy(map);
            return NULL;
        }
        all_memory += map->regions[map->count++].size;
    }
    qsort(map->regions, map->count, sizeof map->regions[0], by_guest_addr);
    map->serial = ++maps_made;
    return map;
}

void memory_map_destroy(struct memory_map *map)
{
    if (map == NULL)
        return;
    for (unsigned i = 0; i < map->count; i++) {
        memory_guard_remove(map->regions[i].mapping);
        munmap(map->regions[i].mapping, map->regions[i].mapping_size);
        all_memory -= map->regions[i].size;
    }
    node_free(map, sizeof *map);
}

uint64_t memory_map_size(const struct memory_map *map)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; map != NULL && i < map->count; i++)
        bytes += map->regions[i].size;
    return bytes;
}

/*
 * Whether the guest has the page in memory, so that looking at it neither makes one nor reads one from swap. mincore(2) knows for
 * tmpfs; for hugetlbfs it knows only what we touched ourselves, so there only a file that was whole from the start is looked at.
 */
static bool page_is_there(const struct memory_region *region, void *page)
{
    unsigned char resident = 0;

    if (region->page != GUEST_PAGE_SIZE || mincore(page, GUEST_PAGE_SIZE, &resident) != 0)
        return region->whole;
    return (resident & 1) != 0;
}

void memory_map_vote(const struct memory_map *map, struct node_votes *votes)
{
    uint64_t step = memory_map_size(map) / MEMORY_SAMPLES;
    uint64_t offset = step / 2;

    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->regions[i];

        for (; offset < region->size; offset += step + 1) {
            void *page = (void *)((uintptr_t)(region->host + offset) / GUEST_PAGE_SIZE * GUEST_PAGE_SIZE);

            if (!page_is_there(region, page))
                continue;
            if (region->page == GUEST_PAGE_SIZE)
                (void)*(volatile uint8_t *)page; /* what we have not mapped does not say where it is (memory_guard.h) */
            node_vote(votes, page);
        }
        offset -= region->size;
    }
}

void *memory_map_user_range(const struct memory_map *map, uint64_t user, uint64_t length)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->regions[i];
        uint64_t offset = user - region->user_addr; /* wraps to huge when below */

        if (offset < region->size)
            return length <= region->size - offset ? region->host + offset : NULL;
    }
    return NULL;
}

bool memory_map_guest_addr(const struct memory_map *map, const void *host, uint64_t *guest)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->regions[i];
        uint64_t offset = (uint64_t)((uintptr_t)host - (uintptr_t)region->host);

        if (offset < region->size) {
            *guest = region->guest_addr + offset;
            return true;
        }
    }
    return false;
}
