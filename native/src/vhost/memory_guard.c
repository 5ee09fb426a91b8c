/*
 * memory_guard.c - see the header. The control thread adds and removes mappings; the SIGBUS handler runs in whichever
 * thread touched the missing page. It must not look at a map that is being freed, so it searches a static table of
 * address ranges instead; a range that holds the faulting address is in use by the faulting thread, and therefore so
 * are the flag and the credit that it names.
 *
 * By itself the kernel makes a page for a hole without a word: 5 µs for 4 KiB here, 0.3 ms for 2 MiB, 0.1 to 4 s for 1 GiB. One
 * chain can touch 32768 pages, and a front end that punches while we copy makes each touch a new page: seconds, in which
 * the worker serves nobody, and whoever waits for its quiet point gives the program up (quiesce.h). Nothing can be counted
 * in the copying itself, so the mappings are registered with userfaultfd(2) for that: it turns a missing page into a
 * SIGBUS, and the handler makes the page, or does not. What is mapped costs nothing. Only faults of user mode are asked
 * for, which needs no privilege; a system call that is given such a page fails with EFAULT. Where the kernel
 * refuses userfaultfd, pages are made by the kernel as before.
 *
 * A page of 4 KiB that the guest has but we have not mapped yet is told as well, for it may be in swap: the kernel would read
 * it in without a word, 0.1 ms from a fast disk, 10 ms from a slow one. It is charged like one that is made; but that it is slow is the
 * host's doing rather than the guest's, so a burst may go further into debt for such. Hugepages are never swapped out.
 */
#include "vhost/memory_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datapath.h"
#include "log.h"
#include "vhost/memory_map.h"
#include "worker/cycles.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1 /* Linux 5.11 */
#endif

/* One mapping that the SIGBUS handler may repair. */
struct guarded_range {
    _Atomic uintptr_t start;        /* address of the mapping */
    _Atomic size_t size;            /* 0: free slot; written last when taken, first when freed */
    _Atomic size_t page;            /* page size of the mapping */
    _Atomic(atomic_bool *) faulted; /* flag of its owner */
    _Atomic(struct page_credit *) credit; /* NULL: missing pages are not told */
};

/* For each port the regions of an old and a new map, while one replaces the other, and both logs. */
#define GUARDED_MAX (PORTS_MAX * 2 * (MEMORY_REGIONS_MAX + 1))

/* Largest page that there is, and so the zeros that it may need. */
#define PAGE_MAX (UINT64_C(1) << 30)

static struct guarded_range guarded[GUARDED_MAX];
static atomic_uint guarded_used; /* slots that were ever taken */
static int missing_fd = -1;      /* userfaultfd; -1: there is none */
static bool unmapped_told;       /* it tells of pages of 4 KiB, too, that are there but not mapped */
static uint8_t *zeros;           /* PAGE_MAX of address space, all of it the kernel's page of zeros */
static size_t zeros_ready;       /* bytes of it that are mapped: a large page is made only of such */

/* --- credit --- */

/* A port's, and how much of the time it comes back with: the others on its worker keep the rest. */
#define CREDIT_NS INT64_C(200000000)
#define CREDIT_SHARE 4
/* How far below 0 a port's burst may bring it. One that is honest touches 512 pages of 4 KiB or 32 of 2 MiB: 10 ms. */
#define DEBT_NS INT64_C(50000000)
/* The same for pages that the guest has: 64 of them, all in the swap of a slow disk. */
#define SWAP_DEBT_NS INT64_C(500000000)
/*
 * What all ports together may take from a thread: half of its time, and at once far less than whoever waits for it
 * allows (QUIESCE_LIMIT_MS). Below half of it, who has had pages made lately rests, so that only many who are not honest,
 * or one frame to very many, can use up the rest.
 */
#define THREAD_CREDIT_NS INT64_C(600000000)
#define THREAD_SHARE 2
/* What a port may have all the same that has used nothing of its own credit: the burst that others used up may go to it, too. */
#define FIRST_NS INT64_C(5000000)
/* The way into a signal handler and out of it, and the fault before: 5 µs here, where the kernel runs in a virtual machine. */
#define SIGNAL_NS 5000
/*
 * Longest that is charged between two pages, and above what the page itself may take: a thread that was not on its core is not to
 * blame. What takes long by itself is charged whole, be it read in or of 1 GiB (0.4 to 1.4 s here): else more would come back than it cost.
 */
#define WAIT_NS UINT64_C(10000000)
/* Bytes that a kernel clears in a nanosecond, at the least. */
#define CLEARED_IN_NS 4
/* As many as the kernel maps for a fault that is not told (fault_around_bytes): 1 µs a page here, alone 7 µs. */
#define MAPPED_AT_ONCE 16

_Thread_local unsigned memory_guard_bursts;
static _Thread_local struct page_credit thread_credit;
static _Thread_local uint64_t made_at_ns;    /* when the last page was made */
static _Thread_local unsigned made_in_burst; /* memory_guard_bursts then */

/* The time counts from now on, if it does not yet. */
static void credit_begin(struct page_credit *credit, uint64_t now)
{
    uint64_t none = 0;

    atomic_compare_exchange_strong(&credit->as_of_ns, &none, now);
}

/* What is left at `now`. */
static int64_t credit_left(struct page_credit *credit, int64_t full_ns, unsigned share, uint64_t now)
{
    uint64_t as_of = atomic_load(&credit->as_of_ns);

    /* Another thread may have looked later than we: what came back since is counted by one of us, and once. */
    if (as_of == 0) {
        credit_begin(credit, now);
    } else if (now > as_of && atomic_compare_exchange_strong(&credit->as_of_ns, &as_of, now)) {
        int64_t back = (int64_t)((now - as_of) / share);
        int64_t spent = atomic_fetch_sub(&credit->spent_ns, back) - back;

        if (spent < 0)
            atomic_fetch_sub(&credit->spent_ns, spent);
    }
    return full_ns - atomic_load(&credit->spent_ns);
}

bool page_credit_rests(struct page_credit *credit)
{
    uint64_t now = monotonic_ns();
    int64_t port = credit_left(credit, CREDIT_NS, CREDIT_SHARE, now);

    if (port == CREDIT_NS) {
        atomic_store(&credit->as_of_ns, 0);
        if (atomic_load(&credit->spent_ns) > 0) /* another thread, in the middle of a page, was charged for it just now */
            credit_begin(credit, now);
        return false;
    }
    return port <= 0 || credit_left(&thread_credit, THREAD_CREDIT_NS, THREAD_SHARE, now) <= THREAD_CREDIT_NS / 2;
}

/* Somebody may have found the port's credit full since we looked at it, while the page was made. */
static void credits_charge(struct page_credit *credit, uint64_t cost_ns, uint64_t now)
{
    atomic_fetch_add(&credit->spent_ns, (int64_t)cost_ns);
    credit_begin(credit, now);
    atomic_fetch_add(&thread_credit.spent_ns, (int64_t)cost_ns);
}

/* Whether one more page may be made for the burst that is under way. */
static bool credits_allow(struct page_credit *credit, int64_t debt_ns, uint64_t now)
{
    int64_t port = credit_left(credit, CREDIT_NS, CREDIT_SHARE, now);

    if (port > CREDIT_NS - FIRST_NS)
        return true;
    return credit_left(&thread_credit, THREAD_CREDIT_NS, THREAD_SHARE, now) > 0 && port > -debt_ns;
}

/* --- the handler: async-signal-safe --- */

static uint64_t at_most(uint64_t value, uint64_t most)
{
    return value < most ? value : most;
}

/* EEXIST: another thread was faster. EAGAIN: a part is done, or mappings change just now. The access is repeated, and may come here again. */
static bool page_made(int result)
{
    return result == 0 || errno == EEXIST || errno == EAGAIN;
}

/* The page of zeros that the kernel would have made. */
static bool page_zero(uintptr_t at, size_t page)
{
    struct uffdio_copy copy = { .dst = at, .src = (uintptr_t)zeros, .len = page };

    return page_made(ioctl(missing_fd, UFFDIO_COPY, &copy));
}

/*
 * Maps a page that the guest has, and with it those behind it that are in memory. `read_in`: whether it had to be
 * read from swap first. False, with errno EFAULT: the guest has no such page.
 */
static bool page_map(uintptr_t at, uintptr_t end, bool *read_in)
{
    unsigned char there[MAPPED_AT_ONCE] = { 0 };
    uint64_t most = at_most((end - at) / GUEST_PAGE_SIZE, MAPPED_AT_ONCE), count = 0;

    if (mincore((void *)at, most * GUEST_PAGE_SIZE, there) == 0)
        while (count < most && (there[count] & 1) != 0)
            count++;
    struct uffdio_continue map = { .range = { at, (count > 0 ? count : 1) * GUEST_PAGE_SIZE } };

    bool made = page_made(ioctl(missing_fd, UFFDIO_CONTINUE, &map));
    *read_in = made && count == 0;
    return made;
}

/*
 * Makes or maps the page. False: it cannot be, or not for its port's credit. Who punches keeps the locks that the fault
 * wants before it comes here. So all time of a burst from its first missing page on is charged.
 */
static bool page_get(const struct guarded_range *range, uintptr_t start, size_t size, uintptr_t address)
{
    struct page_credit *credit = atomic_load(&range->credit);
    size_t page = atomic_load(&range->page);
    uintptr_t at = address / page * page;
    bool made = false, read_in = false;

    if (credit == NULL)
        return false;
    uint64_t begin = monotonic_ns();
    uint64_t waited = made_in_burst == memory_guard_bursts && made_at_ns != 0 ? at_most(begin - made_at_ns, WAIT_NS) : 0;

    if (!credits_allow(credit, SWAP_DEBT_NS, begin))
        return false;
    errno = EFAULT;
    if (unmapped_told && page == GUEST_PAGE_SIZE)
        made = page_map(at, start + size, &read_in);
    if (!made && errno == EFAULT && credits_allow(credit, DEBT_NS, begin))
        made = page_zero(at, page);

    made_at_ns = monotonic_ns();
    made_in_burst = memory_guard_bursts;
    uint64_t most = read_in || page == PAGE_MAX ? UINT64_MAX : WAIT_NS + page / CLEARED_IN_NS;

    credits_charge(credit, SIGNAL_NS + waited + at_most(made_at_ns - begin, most), made_at_ns);
    return made;
}

static bool map_zeros(uintptr_t start, size_t size)
{
    return mmap((void *)start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                0) != MAP_FAILED;
}

/*
 * The whole range becomes zeros at once: a chain can name 32768 pages that are gone, and with a mapping for each of them the
 * process would have more than the kernel allows (vm.max_map_count). Only a host that accounts for each page
 * (vm.overcommit_memory 2) may refuse the whole, and then gets one page at a time.
 */
static bool range_repair(struct guarded_range *range, uintptr_t start, size_t size, uintptr_t address)
{
    size_t page = atomic_load(&range->page);

    if (!map_zeros(start, size) && !map_zeros(start + (address - start) / page * page, page))
        return false;
    atomic_store(atomic_load(&range->faulted), true);
    return true;
}

static bool fault_handle(uintptr_t address, bool missing)
{
    unsigned used = atomic_load(&guarded_used);

    for (unsigned i = 0; i < used; i++) {
        struct guarded_range *range = &guarded[i];
        uintptr_t start = atomic_load(&range->start); /* before the size: of a slot that is taken anew, never both old and new */
        size_t size = atomic_load(&range->size);

        if (address < start || address - start >= size || atomic_load(&range->start) != start)
            continue;
        return (missing && page_get(range, start, size, address)) || range_repair(range, start, size, address);
    }
    return false;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
    int error = errno;

    (void)context;
    if (!fault_handle((uintptr_t)info->si_addr, info->si_code == BUS_ADRERR))
        signal(number, SIG_DFL); /* not ours: the access is repeated and ends the program */
    errno = error;
}

/* --- control thread --- */

static bool features_given(int fd, uint64_t features)
{
    struct uffdio_api api = { .api = UFFD_API, .features = features };

    return ioctl(fd, UFFDIO_API, &api) == 0;
}

/* Asks to be told of missing pages, and of those that are not mapped, if the kernel can (Linux 5.14). */
static void missing_open(void)
{
    const uint64_t usual = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_MISSING_HUGETLBFS | UFFD_FEATURE_MISSING_SHMEM;
    void *space = mmap(NULL, PAGE_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int fd = space == MAP_FAILED ? -1 : (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

    unmapped_told = fd >= 0 && features_given(fd, usual | UFFD_FEATURE_MINOR_SHMEM);
    if (unmapped_told || (fd >= 0 && features_given(fd, usual))) {
        zeros = space;
        missing_fd = fd;
        return;
    }
    log_warn("a front end may hold up a worker by taking its memory away: userfaultfd: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    if (space != MAP_FAILED)
        munmap(space, PAGE_MAX);
}

int memory_guard_install(void)
{
    struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER };

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, NULL) != 0)
        return -errno;
    if (missing_fd < 0)
        missing_open();
    return 0;
}

/* False: the kernel goes on making missing pages of it. */
static bool missing_watch(void *start, size_t size, size_t page)
{
    struct uffdio_register watch = { .range = { (uintptr_t)start, size }, .mode = UFFDIO_REGISTER_MODE_MISSING };

    if (missing_fd < 0 || page > PAGE_MAX)
        return false;
    if (unmapped_told && page == GUEST_PAGE_SIZE)
        watch.mode |= UFFDIO_REGISTER_MODE_MINOR;
    if (zeros_ready < page) {
        for (size_t at = zeros_ready; at < page; at += GUEST_PAGE_SIZE)
            (void)*(volatile uint8_t *)(zeros + at);
        zeros_ready = page;
    }
    if (ioctl(missing_fd, UFFDIO_REGISTER, &watch) == 0)
        return true;
    log_warn("a front end may hold up a worker by taking its memory away: its mapping of %zu bytes cannot be watched: %s", size,
             strerror(errno));
    return false;
}

bool memory_guard_add(void *start, size_t size, size_t page, atomic_bool *faulted, struct page_credit *credit)
{
    for (unsigned i = 0; i < GUARDED_MAX; i++) {
        struct guarded_range *range = &guarded[i];

        if (atomic_load(&range->size) != 0)
            continue;
        atomic_store(&range->start, (uintptr_t)start);
        atomic_store(&range->page, page);
        atomic_store(&range->faulted, faulted);
        atomic_store(&range->credit, credit);
        atomic_store(&range->size, size);
        if (i >= atomic_load(&guarded_used))
            atomic_store(&guarded_used, i + 1);
        if (credit != NULL && !missing_watch(start, size, page))
            atomic_store(&range->credit, NULL);
        return true;
    }
    return false;
}

void memory_guard_remove(const void *start)
{
    for (unsigned i = 0; i < atomic_load(&guarded_used); i++)
        if (atomic_load(&guarded[i].start) == (uintptr_t)start && atomic_load(&guarded[i].size) != 0)
            atomic_store(&guarded[i].size, 0);
}
