/*
 * dirty_log.c - see the header. The control thread maps and unmaps; workers
 * mark. QEMU reads and clears the same bytes meanwhile, hence the atomic ORs; and
 * it copies a page right after it found its bit, hence the release: who sees the
 * bit sees the write. A write must come before its mark, never after, or QEMU could
 * clear the bit and copy the page in between.
 */
#include "vhost/dirty_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vhost/fd_kind.h"
#include "vhost/memory_guard.h"
#include "vhost/memory_map.h"

/* 2^44 bytes of guest memory: more than QEMU can give, far from overflowing. */
#define LOG_SIZE_MAX (UINT64_C(1) << 29)

bool dirty_log_map(struct dirty_log *log, int fd, uint64_t size, uint64_t offset, char *why, size_t why_size)
{
    struct stat file;

    if (size == 0 || size > LOG_SIZE_MAX || offset > LOG_SIZE_MAX) {
        snprintf(why, why_size, "dirty log: wanted 1 to %llu bytes, found %llu at %llu",
                 (unsigned long long)LOG_SIZE_MAX, (unsigned long long)size, (unsigned long long)offset);
        return false;
    }
    if (!fd_is_memory(fd) || fstat(fd, &file) != 0 || offset + size > (uint64_t)file.st_size) {
        snprintf(why, why_size, "dirty log: its fd is no shared memory of at least %llu bytes",
                 (unsigned long long)(offset + size));
        return false;
    }
    uint64_t page = fd_memory_page(fd);
    uint64_t lead = offset % page;
    uint64_t mapping_size = (lead + size + page - 1) / page * page;
    void *mapping = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(offset - lead));

    if (mapping == MAP_FAILED) {
        snprintf(why, why_size, "dirty log: cannot be mapped: %s", strerror(errno));
        return false;
    }
    if (!memory_guard_add(mapping, mapping_size, page, &log->faulted, log->credit)) {
        munmap(mapping, mapping_size);
        snprintf(why, why_size, "dirty log: too many mappings in all");
        return false;
    }
    dirty_log_unmap(log);
    log->bits = (uint8_t *)mapping + lead;
    log->size = size;
    log->mapping = mapping;
    log->mapping_size = mapping_size;
    return true;
}

void dirty_log_unmap(struct dirty_log *log)
{
    if (log->bits != NULL) {
        memory_guard_remove(log->mapping);
        munmap(log->mapping, log->mapping_size);
    }
    log->bits = NULL;
    log->size = 0;
    atomic_store(&log->faulted, false);
}

bool dirty_log_mark(struct dirty_log *log, uint64_t guest, uint64_t length)
{
    if (length == 0)
        return true;
    uint64_t first = guest / GUEST_PAGE_SIZE;
    uint64_t last = (guest + length - 1) / GUEST_PAGE_SIZE;

    if (guest + length - 1 < guest || last / 8 >= log->size)
        return false;
    for (uint64_t page = first; page <= last; page++)
        __atomic_fetch_or(&log->bits[page / 8], (uint8_t)(1u << (page % 8)), __ATOMIC_RELEASE);
    return !atomic_load_explicit(&log->faulted, memory_order_relaxed);
}
