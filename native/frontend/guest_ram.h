/*
 * guest_ram.h - the memory of a play guest.
 *
 * Each region is a memfd of its own, mapped here between two PROT_NONE pages
 * with its end at the end of a page, so that one byte too far is a fault and
 * not luck. Regions may have any guest address: adjacent ones lie apart here,
 * as they do in a real back end.
 *
 * A test proves what a device did not write: it saves all bytes, names the
 * ranges the device may write, and asks afterwards for the first other byte
 * that changed.
 */
#ifndef VHOSTKIT_FRONTEND_GUEST_RAM_H
#define VHOSTKIT_FRONTEND_GUEST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vhost/memory_map.h"

#define GUEST_RAM_REGIONS_MAX MEMORY_REGIONS_MAX

/* A region that is wanted. */
struct guest_ram_layout {
    uint64_t guest_addr;   /* guest physical address, a multiple of a page */
    uint64_t size;         /* bytes, a multiple of a page */
    uint64_t file_offset;  /* where it begins in its file, a multiple of a page */
};

struct guest_ram_region {
    uint64_t guest_addr;   /* first guest physical address */
    uint64_t size;         /* bytes */
    uint64_t file_offset;  /* where guest_addr is in the file */
    int fd;                /* the memfd */
    uint8_t *host;         /* our address of guest_addr */
    void *reservation;     /* the mapping with its guard pages */
    uint64_t reserved;     /* its bytes */
    uint8_t *saved;        /* bytes at guest_ram_save(), or NULL */
    uint64_t next_free;    /* offset from which guest_ram_reserve() goes on */
};

/* A range that the device may write. */
struct guest_ram_range {
    uint64_t guest;   /* first guest physical address */
    uint64_t length;  /* bytes */
};

struct guest_ram {
    unsigned count;                                    /* regions */
    struct guest_ram_region regions[GUEST_RAM_REGIONS_MAX];
    struct guest_ram_range *writable;                  /* since the last save */
    unsigned writable_count;
    unsigned writable_room;                            /* entries allocated */
};

enum {
    GUEST_RAM_SEALED = 1, /* F_SEAL_SHRINK, as QEMU's memory-backend-memfd,seal=on */
    GUEST_RAM_HUGE = 2,   /* on pages of GUEST_RAM_HUGE_PAGE bytes, which the host must have free */
};

#define GUEST_RAM_HUGE_PAGE (UINT64_C(2) << 20)

/* False and errno when the memory cannot be had. */
bool guest_ram_create(struct guest_ram *ram, const struct guest_ram_layout *layout, unsigned count,
                      unsigned flags);
void guest_ram_destroy(struct guest_ram *ram);

/* Our address of [guest, guest + length), or NULL when that is not in one region. */
void *guest_ram_at(const struct guest_ram *ram, uint64_t guest, uint64_t length);

/* Guest physical address of a pointer into the memory; UINT64_MAX when it is none. */
uint64_t guest_ram_address(const struct guest_ram *ram, const void *host);

/* Takes `size` bytes, aligned, from the first region that has room. UINT64_MAX: none has. */
uint64_t guest_ram_reserve(struct guest_ram *ram, uint64_t size, uint64_t align);

/* The regions as SET_MEM_TABLE describes them; our own addresses are the front end's. */
void guest_ram_describe(const struct guest_ram *ram, struct memory_region_request *requests, int *fds);

/* A back end's map over our own guarded mapping, for in-process tests. Needs no destroy. */
void guest_ram_view(const struct guest_ram *ram, struct memory_map *map);

/* Remembers every byte and forgets the writable ranges. */
void guest_ram_save(struct guest_ram *ram);
/* After a check that found nothing: saves what the writable ranges hold now, and forgets them. Cheap. */
void guest_ram_accept(struct guest_ram *ram);
/* The device may write here from now on. Parts outside the memory are ignored. */
void guest_ram_allow(struct guest_ram *ram, uint64_t guest, uint64_t length);
/* Changes a byte as the guest: no difference to the saved bytes comes of it. */
void guest_ram_poke(struct guest_ram *ram, uint64_t guest, uint8_t value);
/* Whether only writable ranges differ from the saved bytes; else *where is the first other one. */
bool guest_ram_untouched(const struct guest_ram *ram, uint64_t *where);

#endif
