/*
 * wake_bench.c - what it costs to wake a sleeping thread on another core.
 *
 *   bench-wake CORE TIMES
 *
 * A thread on CORE sleeps in epoll_wait() on an eventfd, as a switch that has
 * nothing to do; this one, which the caller pins to another core, writes to it once a
 * millisecond and spins until the sleeper has noted the time. No switch that sleeps
 * can be quicker than this, and most of it is the machine's: the interrupt to the
 * other core, on a virtual machine through the host. Prints one JSON object.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/cycles.h"

#define TIMES_MAX 100000u
#define GAP_NS 1000000u

static int event_fd, poll_fd;
static uint64_t noted_ns;        /* when the sleeper woke; 0: not yet */
static uint64_t took_ns[TIMES_MAX];

static void *sleeper(void *unused)
{
    struct epoll_event event;
    uint64_t value;

    (void)unused;
    while (epoll_wait(poll_fd, &event, 1, -1) >= 0) {
        __atomic_store_n(&noted_ns, monotonic_ns(), __ATOMIC_RELEASE);
        if (read(event_fd, &value, sizeof value) != sizeof value)
            break;
    }
    return NULL;
}

static bool start(unsigned core)
{
    struct epoll_event event = { .events = EPOLLIN };
    pthread_t thread;
    cpu_set_t cores;

    event_fd = eventfd(0, EFD_CLOEXEC);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (event_fd < 0 || poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &event) < 0 ||
        pthread_create(&thread, NULL, sleeper, NULL) != 0)
        return false;
    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    return pthread_setaffinity_np(thread, sizeof cores, &cores) == 0;
}

static void pass(uint64_t until_ns)
{
    while (monotonic_ns() < until_ns)
        cpu_relax();
}

static uint64_t wake_once(void)
{
    uint64_t one = 1, begin = monotonic_ns(), noted;

    __atomic_store_n(&noted_ns, 0, __ATOMIC_RELEASE);
    if (write(event_fd, &one, sizeof one) != sizeof one)
        exit(1);
    while ((noted = __atomic_load_n(&noted_ns, __ATOMIC_ACQUIRE)) == 0)
        cpu_relax();
    return noted - begin;
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
    unsigned times = argc == 3 ? (unsigned)atoi(argv[2]) : 0;

    if (times == 0 || times > TIMES_MAX || !start((unsigned)atoi(argv[1]))) {
        fprintf(stderr, "bench-wake: CORE and TIMES (1 to %u) are wanted, and a thread on CORE\n", TIMES_MAX);
        return 1;
    }
    for (unsigned i = 0; i < times; i++) {
        pass(monotonic_ns() + GAP_NS);
        took_ns[i] = wake_once();
    }
    qsort(took_ns, times, sizeof *took_ns, compare);
    printf("{\"times\": %u, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f}\n", times,
           (double)took_ns[times / 2] / 1e3, (double)took_ns[times * 99ull / 100] / 1e3,
           (double)took_ns[times * 999ull / 1000] / 1e3, (double)took_ns[times - 1] / 1e3);
    return 0;
}
