/*
 * memory_guard.h - what happens when a page of a front end's memory is not there.
 *
 * The memory is a file of another process, which can truncate it or punch holes into it at any time: also between
 * two bytes that we copy. So each mapping of such a file stands under this guard. A page that is missing is made, one that
 * is in swap read in, at the cost of its port's credit. A port whose credit is used up rests until some has come back: it loses frames, as any
 * receiver that is late does. One burst that goes far beyond it is none of an honest guest: then, or when the page
 * cannot be made, zeros take the mapping's place and the flag of its owner is set (F9).
 */
#ifndef VHOSTKIT_MEMORY_GUARD_H
#define VHOSTKIT_MEMORY_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A worker's time for making a front end's missing pages, and for mapping others. An honest guest's are missing before they are first
 * used, and again after a balloon took them: 8000 pages of 4 KiB at once, or 300 of 2 MiB, cost less than a full credit.
 */
struct page_credit {
    _Atomic int64_t spent_ns;   /* of a full credit; more than that after a burst that cost more than was left */
    _Atomic uint64_t as_of_ns;  /* when that was so; 0: it is full, and none of the time counts */
};

/* Bursts that this thread has begun; a worker counts them. What a burst waits for pages is charged, what is between two is not. */
extern _Thread_local unsigned memory_guard_bursts;

/* Workers, before a burst touches the port's memory: whether its port has to rest. Not to be asked while as_of_ns is 0. */
bool page_credit_rests(struct page_credit *credit);

/* Installs the handler (once, before any worker starts). A fault that is in no guarded mapping keeps its default. 0 or -errno. */
int memory_guard_install(void);

/*
 * Puts a mapping of pages of `page` bytes under the guard, until memory_guard_remove() or munmap(). `credit` NULL: pages are made
 * by the kernel, whatever they cost. False: no room for one more. Control thread.
 */
bool memory_guard_add(void *start, size_t size, size_t page, atomic_bool *faulted, struct page_credit *credit);
void memory_guard_remove(const void *start);

#endif
