/*
 * dirty_log.c - see the header. The control thread maps and unmaps; workers
 * mark. QEMU reads and clears the same bytes meanwhile, hence the atomic ORs.
 */
#include "vhost/dirty_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vhost/memory_map.h"

/* 2^44 bytes of guest memory: more than QEMU can give, far from overflowing. */
#define LOG_SIZE_MAX (UINT64_C(1) << 29)

bool dirty_log_map(struct dirty_log *log, int fd, uint64_t size, uint64_t offset, char *why, size_t why_size)
{
    struct stat file;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    if (size == 0 || size > LOG_SIZE_MAX || offset > LOG_SIZE_MAX) {
        snprintf(why, why_size, "dirty log: wanted 1 to %llu bytes, found %llu at %llu",
                 (unsigned long long)LOG_SIZE_MAX, (unsigned long long)size, (unsigned long long)offset);
        return false;
    }
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || offset + size > (uint64_t)file.st_size) {
        snprintf(why, why_size, "dirty log: its fd is not a file of at least %llu bytes",
                 (unsigned long long)(offset + size));
        return false;
    }
    uint64_t lead = offset % page;
    void *mapping = mmap(NULL, lead + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)(offset - lead));

    if (mapping == MAP_FAILED) {
        snprintf(why, why_size, "dirty log: cannot be mapped: %s", strerror(errno));
        return false;
    }
    dirty_log_unmap(log);
    *log = (struct dirty_log){
        .bits = (uint8_t *)mapping + lead,
        .size = size,
        .mapping = mapping,
        .mapping_size = lead + size,
    };
    return true;
}

void dirty_log_unmap(struct dirty_log *log)
{
    if (log->bits != NULL)
        munmap(log->mapping, log->mapping_size);
    *log = (struct dirty_log){ 0 };
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
        __atomic_fetch_or(&log->bits[page / 8], (uint8_t)(1u << (page % 8)), __ATOMIC_RELAXED);
    return true;
}
