/*
 * memory_map.h - a guest's RAM, mapped from the file descriptors that its
 * front end sent with VHOST_USER_SET_MEM_TABLE.
 *
 * A map is immutable once made. The control thread makes and destroys it;
 * workers read it, and only between port_pause() and port_resume() is one
 * swapped for another, so no pointer into a guest outlives its map (R10, R20).
 */
#ifndef VHOSTKIT_MEMORY_MAP_H
#define VHOSTKIT_MEMORY_MAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node_votes;
struct page_credit;

/* vhost-user protocol, "Multiple memory regions description". */
#define MEMORY_REGIONS_MAX 8

/* One region as the front end describes it: untrusted. */
struct memory_region_request {
    uint64_t guest_addr;   /* guest physical address */
    uint64_t size;         /* bytes */
    uint64_t user_addr;    /* address in the front end's own address space */
    uint64_t mmap_offset;  /* where the region begins in its file */
};

struct memory_region {
    uint64_t guest_addr;  /* first guest physical address */
    uint64_t size;        /* bytes, never 0 */
    uint64_t user_addr;   /* the front end's address of guest_addr */
    uint8_t *host;        /* our address of guest_addr */
    void *mapping;        /* what munmap needs */
    size_t mapping_size;
    size_t page;          /* bytes of a page of its file */
    bool whole;           /* the file had all its pages when it was mapped */
};

/*
 * Bytes that one guest, and all of them, may have: sparse files cost a front end
 * nothing, but our address space (2^47) is everybody's.
 */
#define GUEST_MEMORY_MAX (UINT64_C(1) << 43)
#define ALL_MEMORY_MAX (UINT64_C(1) << 46)

struct memory_map {
    unsigned count;
    struct memory_region regions[MEMORY_REGIONS_MAX]; /* ascending guest_addr */
    atomic_bool faulted; /* a page was gone, and zeros took the place of its region (F9) */
    struct page_credit *credit; /* for making pages that are not there yet; NULL: the kernel makes them */
    uint64_t serial;     /* of its creation: no two maps have the same */
};

/*
 * Maps the regions. All checks of F4 are made here: 1 to 8 regions, size not
 * 0, no overlap and no wrap of guest addresses or of user addresses, file big enough,
 * mappable. The fds stay the caller's. `credit` is that of the port and outlives its maps; see memory_guard.h.
 * Returns NULL with a sentence in why[why_size] when refused.
 */
struct memory_map *memory_map_create(const struct memory_region_request *requests,
                                     const int *fds, unsigned count, struct page_credit *credit,
                                     char *why, size_t why_size);
void memory_map_destroy(struct memory_map *map);

/* Bytes in all. */
uint64_t memory_map_size(const struct memory_map *map);

/*
 * Votes for the nodes of up to MEMORY_SAMPLES pages, evenly spread, of those that the guest has by now: none is
 * made by asking.
 */
void memory_map_vote(const struct memory_map *map, struct node_votes *votes);

/*
 * Pages looked at. Each costs two system calls: 64 take 0.06 ms, once for each memory table; they tell a third of
 * the memory from a half with some certainty, and a draw is the rings' to decide.
 */
#define MEMORY_SAMPLES 64u

/* Size of a guest page in the dirty log and the smallest unit of a mapping. */
#define GUEST_PAGE_SIZE 4096u

/*
 * Our address of guest physical address `guest`, and in *contiguous how many of
 * the `length` bytes from there lie in the same region; NULL when the first
 * byte is in no region or guest + length wraps (R10).
 */
static inline uint8_t *memory_map_translate(const struct memory_map *map, uint64_t guest,
                                            uint32_t length, uint32_t *contiguous)
{
    if (guest + length < guest)
        return NULL;
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->regions[i];
        uint64_t offset = guest - region->guest_addr; /* wraps to huge when below */

        if (offset < region->size) {
            uint64_t rest = region->size - offset;
            *contiguous = rest < length ? (uint32_t)rest : length;
            return region->host + offset;
        }
    }
    return NULL;
}

/*
 * Our address of front-end address `user`, when `length` bytes from there lie
 * in one region; else NULL. Used for the ring addresses only.
 */
void *memory_map_user_range(const struct memory_map *map, uint64_t user, uint64_t length);

/* Guest physical address of our address `host`; false when it is in no region. */
bool memory_map_guest_addr(const struct memory_map *map, const void *host, uint64_t *guest);

#endif
