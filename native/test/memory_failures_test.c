/*
 * memory_failures_test.c - guest memory, dirty logs and fds of strange kinds, on a
 * machine that has run out of something: refused with a sentence, nothing is
 * left behind, and what worked before goes on working.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath.h"
#include "failing_calls.h"
#include "rows.h"
#include "vhost/dirty_log.h"
#include "vhost/fd_kind.h"
#include "vhost/memory_guard.h"
#include "vhost/memory_map.h"
#include "vhost/virtio.h"
#include "worker/cycles.h"
#include "worker/numa.h"

#define SIZE 0x10000u

static char why[160];
static int fds[MEMORY_REGIONS_MAX];

static int memory(uint64_t size)
{
    int fd = memfd_create("memory", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

/* `count` regions of `size` bytes each, the last one first. */
static struct memory_map *map_of(unsigned count, uint64_t size)
{
    struct memory_region_request requests[MEMORY_REGIONS_MAX];

    why[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        requests[i] = (struct memory_region_request){
            .guest_addr = (count - 1 - i) * size, .size = size, .user_addr = (i + 1) * (size << 1),
        };
    return memory_map_create(requests, fds, count, NULL, why, sizeof why);
}

static int open_fds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMORY_REGIONS_MAX; i++)
        fds[i] = memory(SIZE);
    return 0;
}

static int close_fds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MEMORY_REGIONS_MAX; i++)
        close(fds[i]);
    for (enum failing_call call = 0; call < CALL_COUNT; call++)
        if (!call_happened(call))
            return -1;
    return 0;
}

static void refused(unsigned count, uint64_t size, const char *sentence)
{
    struct memory_map *map = map_of(count, size);

    if (map != NULL)
        fail_msg("it was taken, wanted: %s", sentence);
    if (strstr(why, sentence) == NULL)
        fail_msg("it says \"%s\", wanted: %s", why, sentence);
}

static void memory_cannot_be_mapped(void **state)
{
    struct memory_map *map;
    uint64_t guest;

    (void)state;
    call_fails(CALL_fstat, 0, EIO);
    refused(1, SIZE, "no shared memory");
    call_fails(CALL_mmap, 0, ENOMEM); /* the table itself, then its regions */
    refused(3, SIZE, "out of memory");
    for (unsigned before = 1; before < 4; before++) {
        call_fails(CALL_mmap, before, ENOMEM);
        refused(3, SIZE, strerror(ENOMEM));
    }
    map = map_of(3, SIZE);
    assert_non_null(map);
    for (unsigned i = 0; i < 3; i++) /* in the order of guest addresses, whatever order they came in */
        assert_int_equal(map->regions[i].guest_addr, i * SIZE);
    assert_int_equal(memory_map_size(map), 3 * SIZE);
    assert_int_equal(memory_map_size(NULL), 0);
    assert_false(memory_map_guest_addr(map, &guest, &guest));
    memory_map_destroy(map);
}

static void more_than_anybody_has(void **state)
{
    (void)state;
    refused(1, GUEST_MEMORY_MAX + 4096, "at most");
    refused(4, GUEST_MEMORY_MAX / 2, "at most"); /* only together too much */
}

/* Address space is everybody's: 8 guests of 8 TiB are all there may be. */
static void all_address_space(void **state)
{
    struct memory_map *maps[9] = { NULL };
    unsigned made = 0;

    (void)state;
    close(fds[0]);
    fds[0] = memory(GUEST_MEMORY_MAX);
    while (made < 9 && (maps[made] = map_of(1, GUEST_MEMORY_MAX)) != NULL)
        made++;
    if (made < 8)
        assert_non_null(strstr(why, "cannot be mapped")); /* sanitizers leave less than that */
    else
        assert_non_null(strstr(why, "all guests together"));
    for (unsigned i = 0; i < made; i++)
        memory_map_destroy(maps[i]);
    assert_true(made >= 1 && made <= 8);
    maps[0] = map_of(1, GUEST_MEMORY_MAX); /* given back, it may be had again */
    assert_non_null(maps[0]);
    memory_map_destroy(maps[0]);
}

static void no_more_guarded_mappings(void **state)
{
    static atomic_bool flag;
    struct dirty_log log = { 0 };
    uintptr_t start = 4096;
    struct memory_map *map;

    (void)state;
    while (memory_guard_add((void *)start, 4096, 4096, &flag, NULL))
        start += 4096;
    refused(1, SIZE, "too many mappings");
    assert_false(dirty_log_map(&log, fds[0], 4096, 0, why, sizeof why));
    assert_non_null(strstr(why, "too many mappings"));
    for (uintptr_t at = 4096; at < start; at += 4096)
        memory_guard_remove((void *)at);
    memory_guard_remove((void *)start); /* one that is not there */
    map = map_of(1, SIZE);
    assert_non_null(map);
    memory_map_destroy(map);
}

static void dirty_logs(void **state)
{
    struct dirty_log log = { 0 };

    (void)state;
    assert_true(dirty_log_map(&log, fds[0], 4096, 0, why, sizeof why));
    assert_false(dirty_log_map(&log, fds[1], 0, 0, why, sizeof why));
    assert_false(dirty_log_map(&log, fds[1], UINT64_C(1) << 30, 0, why, sizeof why));
    assert_false(dirty_log_map(&log, fds[1], 4096, UINT64_C(1) << 30, why, sizeof why));
    assert_false(dirty_log_map(&log, fds[1], 4096, SIZE - 4095, why, sizeof why));
    call_fails(CALL_fstat, 0, EIO);
    assert_false(dirty_log_map(&log, fds[1], 4096, 0, why, sizeof why));
    call_fails(CALL_mmap, 0, ENOMEM);
    assert_false(dirty_log_map(&log, fds[1], 4096, 0, why, sizeof why));
    assert_non_null(strstr(why, strerror(ENOMEM)));
    /* The first one serves on. */
    assert_true(dirty_log_mark(&log, 0x5000, 1));
    assert_int_equal(log.bits[0], 1 << 5);
    assert_true(dirty_log_mark(&log, 0x1000, 0)); /* nothing was written, nothing is marked */
    assert_int_equal(log.bits[0], 1 << 5);
    assert_false(dirty_log_mark(&log, UINT64_MAX, 2));
    assert_false(dirty_log_mark(&log, 4096ull * 8 * 4096, 1));
    assert_true(dirty_log_map(&log, fds[1], 4096, 4096 + 123, why, sizeof why)); /* another, from within a page */
    assert_true(dirty_log_mark(&log, 0, 1));
    dirty_log_unmap(&log);
}

static void pages_of_a_file(void **state)
{
    (void)state;
    assert_int_equal(fd_memory_page(fds[0]), sysconf(_SC_PAGESIZE));
    call_says(CALL_fstatfs, 2u << 20);
    assert_int_equal(fd_memory_page(fds[0]), 2u << 20);
    call_fails(CALL_fstatfs, 0, EIO);
    assert_int_equal(fd_memory_page(fds[0]), sysconf(_SC_PAGESIZE));
}

/* --- SIGBUS --- */

static bool guard_is_there(void)
{
    struct sigaction now;

    sigaction(SIGBUS, NULL, &now);
    return now.sa_handler != SIG_DFL;
}

/* A SIGBUS that says it is about `address`; unlike a true one it does not come again. */
static void pretend_fault(void *address)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = SI_QUEUE };

    info.si_addr = address;
    assert_int_equal(syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid), SIGBUS, &info), 0);
}

static void faults(void **state)
{
    struct memory_map *map = map_of(2, SIZE);
    int other = memory(4096);
    uint8_t *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);

    (void)state;
    call_fails(CALL_sigaction, 0, EINVAL);
    assert_int_equal(memory_guard_install(), -EINVAL);
    call_fails(CALL_mmap, 0, ENOMEM); /* then nobody tells of holes */
    assert_int_equal(memory_guard_install(), 0);
    map->regions[1].host[8192] = 8;
    assert_false(atomic_load(&map->faulted));
    assert_int_equal(ftruncate(fds[0], 4096), 0);
    map->regions[1].host[0] = 6;
    map->regions[1].host[4096] = 7; /* a page that is gone: zeros take the region's place */
    assert_int_equal(map->regions[1].host[4096], 7);
    assert_int_equal(map->regions[1].host[0], 0);
    assert_true(atomic_load(&map->faulted));
    assert_true(guard_is_there());

    call_fails(CALL_mmap, 0, ENOMEM); /* not all of it is to be had: one page */
    map->regions[1].host[0] = 6;
    pretend_fault(map->regions[1].host + 4096);
    assert_true(guard_is_there());
    assert_int_equal(map->regions[1].host[4096], 0);
    assert_int_equal(map->regions[1].host[0], 6);

    assert_true(memory_guard_add(own + 1, 100, 100, &map->faulted, NULL)); /* where nothing can be mapped: the default, which ends the program */
    pretend_fault(own + 2);
    assert_false(guard_is_there());
    memory_guard_remove(own + 1);
    assert_int_equal(memory_guard_install(), 0);
    pretend_fault(own); /* memory of ours is nothing to repair */
    assert_false(guard_is_there());
    assert_int_equal(memory_guard_install(), 0);

    fflush(NULL);
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        if (ftruncate(other, 0) == 0)
            own[0] = 1; /* ends here */
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    munmap(own, 4096);
    close(other);
    memory_map_destroy(map);
}

/* --- pages that are not there --- */

static struct page_credit credit;

/* A map of one region of `pages` pages, none of which is there. */
static struct memory_map *sparse_map(uint64_t pages)
{
    struct memory_region_request request = { .size = pages * 4096 };
    struct memory_map *map;

    assert_int_equal(ftruncate(fds[0], 0), 0);
    assert_int_equal(ftruncate(fds[0], (off_t)(pages * 4096)), 0);
    map = memory_map_create(&request, fds, 1, &credit, why, sizeof why);
    assert_non_null(map);
    return map;
}

#define FULL_NS INT64_C(200000000)

static void credit_set(int64_t left_ns)
{
    atomic_store(&credit.spent_ns, FULL_NS - left_ns);
    atomic_store(&credit.as_of_ns, monotonic_ns());
}

static int64_t credit_left(void)
{
    return FULL_NS - atomic_load(&credit.spent_ns);
}

static void punch(uint64_t page)
{
    assert_int_equal(fallocate(fds[0], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(page * 4096), 4096), 0);
}

static void missing_pages_are_made(void **state)
{
    struct memory_map *map;
    uint8_t byte = 0;

    (void)state;
    assert_int_equal(memory_guard_install(), 0);
    map = sparse_map(16);
    credit_set(FULL_NS);
    for (unsigned i = 0; i < 16; i++)
        map->regions[0].host[i * 4096] = (uint8_t)(i + 1);
    punch(3);
    assert_int_equal(map->regions[0].host[3 * 4096], 0);
    map->regions[0].host[3 * 4096] = 9;
    assert_int_equal(pread(fds[0], &byte, 1, 3 * 4096), 1); /* it is a page of the guest's */
    assert_int_equal(byte, 9);
    assert_false(atomic_load(&map->faulted));
    assert_true(credit_left() < FULL_NS - 17 * 5000); /* and was paid for */
    memory_map_destroy(map);
}

/* 64 pages of the guest's, each with its number in it. We have mapped none. */
static struct memory_map *full_map(void)
{
    struct memory_map *map = sparse_map(64);

    for (uint8_t i = 0; i < 64; i++)
        assert_int_equal(pwrite(fds[0], (uint8_t[]){ (uint8_t)(i + 1) }, 1, i * 4096), 1);
    return map;
}

/* That one is there does not say where: what is in swap takes long, so it is paid for, too, and with more patience. */
static void pages_of_the_guest_are_mapped(void **state)
{
    struct memory_map *map;

    (void)state;
    assert_int_equal(memory_guard_install(), 0);
    map = full_map();
    credit_set(0);
    atomic_store(&credit.as_of_ns, monotonic_ns() + UINT64_C(1000000000)); /* so that nothing comes back meanwhile */
    for (unsigned i = 0; i < 64; i += 2)
        assert_int_equal(map->regions[0].host[i * 4096], i + 1);
    assert_false(atomic_load(&map->faulted));
    int64_t paid = -credit_left();

    assert_true(paid >= 4 * 5000); /* 16 at once */
    for (unsigned i = 1; i < 64; i += 2)
        assert_int_equal(map->regions[0].host[i * 4096], i + 1);
    assert_int_equal(-credit_left(), paid); /* they came with the others */
    memory_map_destroy(map);

    map = full_map();
    punch(8);
    credit_set(-200000000);
    assert_int_equal(map->regions[0].host[7 * 4096], 8);
    assert_false(atomic_load(&map->faulted));
    assert_int_equal(map->regions[0].host[8 * 4096], 0); /* for one that is not there there is no such patience */
    assert_true(atomic_load(&map->faulted));
    memory_map_destroy(map);

    map = full_map();
    credit_set(-1000000000);
    assert_int_equal(map->regions[0].host[0], 0);
    assert_true(atomic_load(&map->faulted));
    memory_map_destroy(map);
}

/* Each page that is there votes for its node, though we have mapped none; to ask makes none. */
static void pages_of_the_guest_vote(void **state)
{
    struct node_votes votes = NODE_VOTES_NONE;
    struct stat before, after;
    unsigned sum = 0;

    (void)state;
    assert_int_equal(memory_guard_install(), 0);
    struct memory_map *map = full_map();

    credit_set(FULL_NS);
    punch(8);
    assert_int_equal(fstat(fds[0], &before), 0);
    memory_map_vote(map, &votes);
    assert_int_equal(fstat(fds[0], &after), 0);
    for (unsigned node = 0; node < NODES_MAX; node++)
        sum += votes.of[node];
    assert_int_equal(sum, 63);
    assert_int_equal(after.st_blocks, before.st_blocks);
    memory_map_destroy(map);
}

/* A quarter of the time comes back, whoever looks first. */
static void a_port_in_debt_rests(void **state)
{
    (void)state;
    credit_set(-10000000);
    assert_true(page_credit_rests(&credit));
    atomic_store(&credit.as_of_ns, monotonic_ns() + 1000000); /* another worker looked a moment later */
    atomic_store(&credit.spent_ns, FULL_NS + 1);
    assert_true(page_credit_rests(&credit));
    assert_int_not_equal(atomic_load(&credit.as_of_ns), 0);
    credit_set(-10000000);
    usleep(45000);
    assert_false(page_credit_rests(&credit));
    credit_set(FULL_NS - 1);
    usleep(1000);
    assert_false(page_credit_rests(&credit));
    assert_int_equal(atomic_load(&credit.as_of_ns), 0); /* full: no more to be asked */
}

/* While a page is made another worker may find the credit full, and so nothing to be counted: then comes the charge. */
static void what_was_charged_meanwhile_stays(void **state)
{
    struct memory_map *map = sparse_map(16);

    (void)state;
    assert_int_equal(memory_guard_install(), 0);
    memory_map_destroy(map);
    map = sparse_map(16);
    credit_set(-1000000000);
    atomic_store(&credit.as_of_ns, 0);
    map->regions[0].host[0] = 5;
    assert_true(atomic_load(&map->faulted));
    assert_int_not_equal(atomic_load(&credit.as_of_ns), 0); /* and from now on it comes back */
    assert_true(page_credit_rests(&credit));
    memory_map_destroy(map);
}

static void missing_pages_are_not_made_for_ever(void **state)
{
    struct memory_map *map = sparse_map(16);

    (void)state;
    assert_int_equal(memory_guard_install(), 0);
    memory_map_destroy(map);
    map = sparse_map(16);
    credit_set(FULL_NS);
    map->regions[0].host[0] = 5;
    assert_false(atomic_load(&map->faulted));
    credit_set(-1000000000); /* used up: comes back in 4 s */
    assert_int_equal(map->regions[0].host[0], 5); /* what is there costs nothing */
    map->regions[0].host[4096] = 6;
    assert_true(atomic_load(&map->faulted));
    assert_int_equal(map->regions[0].host[4096], 6); /* in zeros of ours */
    assert_int_equal(map->regions[0].host[0], 0);
    memory_map_destroy(map);

    map = sparse_map(16); /* another memory table renews nothing */
    map->regions[0].host[0] = 7;
    assert_true(atomic_load(&map->faulted));
    memory_map_destroy(map);

    map = sparse_map(1 << 16); /* and who punches comes to the end of it in time */
    credit_set(FULL_NS);
    uint64_t begin = monotonic_ns();
    for (unsigned i = 0; !atomic_load(&map->faulted) && monotonic_ns() - begin < UINT64_C(20000000000); i++) {
        map->regions[0].host[i % 64 * 4096] = 1;
        punch(i % 64);
    }
    assert_true(atomic_load(&map->faulted));
    memory_map_destroy(map);
}

/*
 * One chain can name 32768 pages that are gone, with one that is there between each two. A mapping for each
 * would be more than the kernel gives a process (vm.max_map_count), and all of them would take a tenth of a second.
 */
static void faults_everywhere(void **state)
{
    const uint64_t page = 4096, pages = 2 * VRING_SIZE_MAX + 2;
    struct memory_map *map;
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(ftruncate(fds[0], (off_t)(pages * page)), 0);
    map = map_of(1, pages * page);
    assert_non_null(map);
    assert_int_equal(memory_guard_install(), 0);
    assert_int_equal(ftruncate(fds[0], 0), 0);
    for (uint64_t at = 0; at < pages; at += 2)
        sum += ((volatile uint8_t *)map->regions[0].host)[at * page];
    assert_int_equal(sum, 0);
    assert_true(atomic_load(&map->faulted));
    memory_map_destroy(map);
}

/* --- closing --- */

/* Runs last: the closing thread begins once in a program. */
static void closing_without_a_thread(void **state)
{
    static const struct { enum failing_call call; int error; } steps[] = {
        { CALL_pipe2, EMFILE }, { CALL_pthread_create, EAGAIN },
    };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        fflush(NULL);
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            int ends[2];

            call_fails(steps[i].call, 0, steps[i].error);
            if (pipe(ends) != 0)
                _exit(2);
            fd_discard(ends[0]);
            fd_discard_wait();
            exit(fcntl(ends[0], F_GETFD) < 0 && call_happened(steps[i].call) ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

#define CASE(name, function) { name, function, open_fds, close_fds, NULL }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE("F4 memory that cannot be mapped", memory_cannot_be_mapped),
        CASE("F4 more memory than anybody has", more_than_anybody_has),
        CASE("F4 more memory than there is address space", all_address_space),
        CASE("F4 no more guarded mappings", no_more_guarded_mappings),
        CASE("F5 dirty logs that cannot be had", dirty_logs),
        CASE("page size of a memory file", pages_of_a_file),
        CASE("F9 faults in a guest's memory, and in ours", faults),
        CASE("F9 pages that are not there are made", missing_pages_are_made),
        CASE("F9 pages that the guest has are mapped, and paid for", pages_of_the_guest_are_mapped),
        CASE("pages that the guest has say on which node they are", pages_of_the_guest_vote),
        CASE("F9 but not without end", missing_pages_are_not_made_for_ever),
        CASE("F9 a port in debt rests", a_port_in_debt_rests),
        CASE("F9 what a page cost is not forgotten because another worker looks", what_was_charged_meanwhile_stays),
        CASE("F9 faults in as many pages as a chain can name", faults_everywhere),
        CASE("F3 fds are closed without a thread to close them", closing_without_a_thread),
    };
    return cmocka_run_group_tests_name("memory, failures", tests, NULL, NULL);
}
