/*
 * dirty_log.h - the bitmap in which a migrating QEMU wants to see every page
 * that we write: one bit for each 4096 bytes of guest physical memory, shared
 * with QEMU through the fd of SET_LOG_BASE (R19).
 *
 * Made and destroyed by the control thread while the port is paused; workers
 * set bits with atomic ORs.
 */
#ifndef VHOSTKIT_DIRTY_LOG_H
#define VHOSTKIT_DIRTY_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_credit;

struct dirty_log {
    uint8_t *bits;
    uint64_t size; /* bytes of the bitmap */
    void *mapping;
    size_t mapping_size;
    atomic_bool faulted; /* a page was gone, and zeros took the mapping's place (F9) */
    struct page_credit *credit; /* for making pages that are not there; NULL: the kernel makes them */
};

/* Maps `size` bytes at `offset` of `fd` (stays the caller's). False and a sentence when refused (F5). */
bool dirty_log_map(struct dirty_log *log, int fd, uint64_t size, uint64_t offset,
                   char *why, size_t why_size);
void dirty_log_unmap(struct dirty_log *log);

/* Marks the pages of [guest, guest + length). False: outside the log, or its file was truncated. */
bool dirty_log_mark(struct dirty_log *log, uint64_t guest, uint64_t length);

/*
 * What of a ring is logged. A build for tests can leave one kind out, and sees each mark when it was
 * made: to prove that every one of them is needed, and that each comes after its write.
 */
enum log_site {
    LOG_HEADER,      /* the segment with the net header, num_buffers in it */
    LOG_DATA,        /* the frame's other segments */
    LOG_USED_ENTRY,
    LOG_USED_INDEX,
    LOG_AVAIL_EVENT,
    LOG_USED_FLAGS,
    LOG_SITES,
};

#ifdef VHOSTKIT_LOG_HOOK
extern unsigned log_sites_skipped;                 /* bits: 1 << enum log_site */
extern void (*log_marked_hook)(enum log_site site); /* after a mark, or where it would have been */
#endif

#endif
