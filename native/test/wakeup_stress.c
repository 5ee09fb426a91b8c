/*
 * wakeup_stress.c - a driver and the ring's device side, each on a thread and a core of its own,
 * that go to sleep after every frame: millions of chances to lose a wake-up (R17, R18).
 *
 *   wakeup-stress sound|lost HANDSHAKES SECONDS
 *
 * A handshake is one frame sent and given back. Sleeping is waiting for a counter that the other side
 * raises when it was asked to: what an eventfd is, but within a microsecond, so that both sides meet inside
 * the few instructions that matter. No clock judges. A watchdog looks whether both sleep, nobody was
 * woken, and work is there: nothing could ever change that again, so a wake-up is lost.
 *
 * Built three times: as it is (`sound`: HANDSHAKES of them, no wake-up lost; WAKEUP_HANDSHAKES in the environment
 * is another number), and without one of the two full fences (`lost`: a wake-up must be lost within SECONDS, else
 * the stress proves nothing). The acquire and release orders of the indexes cannot be shown to matter like
 * this: x86 keeps loads in order and stores in order whatever the program says, and only a store that is overtaken
 * by a later load, which a full fence forbids, is there to be seen. They matter to the compiler, and on other machines.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"
#include "vhost/ring.h"
#include "worker/cycles.h"

#define QUEUE_SIZE 256
#define RAM_SIZE UINT64_C(0x200000)
#define WATCH_NS 500000
/* A sleeper may share its core with others who have work: it lets them run now and then. */
#define SPINS_BEFORE_YIELD 4096u

/* One of the two, as the other and the watchdog see it; on cache lines of its own. */
struct side {
    _Alignas(128) atomic_uint wakeups; /* raised by the other side */
    _Alignas(128) atomic_uint seen;    /* of them, before it last made ready to sleep */
    atomic_uint_fast64_t sleeps;       /* twice the times it slept, and one more: it sleeps now */
    int core;
};

struct stress {
    struct side device, driver;
    _Alignas(128) atomic_bool stop;
    atomic_uint_fast64_t handshakes;
    struct guest_ram ram;
    struct memory_map map;
    struct driver_queue queue;         /* the driver's */
    struct ring ring;                  /* the device's */
};

static struct stress stress;

static double seconds_now(void)
{
    return (double)monotonic_ns() / 1e9;
}

static void pin(int core)
{
    cpu_set_t cores;

    CPU_ZERO(&cores);
    CPU_SET((size_t)core, &cores);
    pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
}

/* Shifts the two sides against each other, so that they meet at every instruction in turn. */
static void dawdle(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    for (volatile uint32_t i = *seed >> 27; i > 0; i--)
        continue;
}

static void wake(struct side *side)
{
    atomic_fetch_add(&side->wakeups, 1);
}

/* Before it asks for a wake-up: one that comes from here on ends the sleep. */
static void make_ready(struct side *side)
{
    atomic_store_explicit(&side->seen, atomic_load_explicit(&side->wakeups, memory_order_acquire), memory_order_relaxed);
}

/* False: it has to end. */
static bool sleep_until_woken(struct side *side)
{
    unsigned seen = atomic_load_explicit(&side->seen, memory_order_relaxed);

    atomic_fetch_add(&side->sleeps, 1);
    for (unsigned spins = 1; atomic_load_explicit(&side->wakeups, memory_order_acquire) == seen; spins++) {
        if (spins % SPINS_BEFORE_YIELD != 0) {
            cpu_relax();
            continue;
        }
        if (atomic_load(&stress.stop))
            return false;
        sched_yield();
    }
    atomic_fetch_add(&side->sleeps, 1);
    return true;
}

static void *device_main(void *argument)
{
    static struct burst burst;
    uint32_t seed = 1;

    (void)argument;
    pin(stress.device.core);
    while (!atomic_load_explicit(&stress.stop, memory_order_relaxed)) {
        if (ring_take(&stress.ring, &burst) > 0) {
            ring_complete(&stress.ring, &burst);
            if (ring_notify(&stress.ring))
                wake(&stress.driver);
            continue;
        }
        dawdle(&seed);
        make_ready(&stress.device);
        if (!ring_arm(&stress.ring) && !sleep_until_woken(&stress.device))
            break;
        ring_disarm(&stress.ring);
    }
    return NULL;
}

/* Waits for the frame to be given back. False: it has to end. */
static bool driver_wait(void)
{
    while (driver_reap(&stress.queue) == 0) {
        if (atomic_load_explicit(&stress.stop, memory_order_relaxed))
            return false;
        make_ready(&stress.driver);
        if (!driver_want_calls(&stress.queue, true) && !sleep_until_woken(&stress.driver))
            return false;
        driver_want_calls(&stress.queue, false);
    }
    return true;
}

static void *driver_main(void *argument)
{
    static const uint8_t frame[64];
    static const struct net_header header;
    const uint64_t wanted = *(const uint64_t *)argument;
    uint32_t seed = 2;

    pin(stress.driver.core);
    for (uint64_t done = 0; done < wanted; atomic_store_explicit(&stress.handshakes, ++done, memory_order_relaxed)) {
        dawdle(&seed);
        if (!driver_send(&stress.queue, &header, frame, sizeof frame))
            abort(); /* the only frame is back */
        if (driver_publish(&stress.queue))
            wake(&stress.device);
        if (!driver_wait())
            break;
    }
    atomic_store(&stress.stop, true);
    return NULL;
}

/* Asleep, and nobody has raised its counter. */
static bool sleeps_on(struct side *side, uint64_t *sleeps)
{
    *sleeps = atomic_load(&side->sleeps);
    return (*sleeps & 1) != 0 && atomic_load(&side->wakeups) == atomic_load(&side->seen);
}

/*
 * Whether both sleep at one moment. Only the other side can wake one up; so between the first look at the
 * second side and the second look at the first, if neither has moved, both slept.
 */
static bool both_sleep(void)
{
    uint64_t device, driver, device_again, driver_again;

    return sleeps_on(&stress.device, &device) && sleeps_on(&stress.driver, &driver) &&
           sleeps_on(&stress.device, &device_again) && sleeps_on(&stress.driver, &driver_again) &&
           device == device_again && driver == driver_again;
}

/* Until the driver is done, a wake-up is lost (true) or the time is over. */
static bool watch(double limit_s)
{
    double end = seconds_now() + limit_s;
    bool lost = false;

    while (!atomic_load(&stress.stop) && !lost && seconds_now() < end) {
        nanosleep(&(struct timespec){ .tv_nsec = WATCH_NS }, NULL);
        lost = both_sleep();
    }
    atomic_store(&stress.stop, true);
    return lost;
}

static void stress_open(uint64_t features)
{
    struct guest_ram_layout layout = { .size = RAM_SIZE };
    struct driver_options options = { .size = QUEUE_SIZE, .features = features, .buffer_bytes = 128, .slots = 2 };
    char why[160];

    memset(&stress, 0, sizeof stress);
    if (!guest_ram_create(&stress.ram, &layout, 1, GUEST_RAM_SEALED) ||
        !driver_create(&stress.queue, &stress.ram, &options)) {
        perror("guest memory");
        exit(2);
    }
    guest_ram_view(&stress.ram, &stress.map);
    struct ring_address where = {
        .size = QUEUE_SIZE,
        .desc_user = (uintptr_t)stress.queue.desc,
        .avail_user = (uintptr_t)stress.queue.avail,
        .used_user = (uintptr_t)stress.queue.used,
    };
    if (!ring_start(&stress.ring, &stress.map, &where, features, why, sizeof why)) {
        fprintf(stderr, "ring: %s\n", why);
        exit(2);
    }
}

/* The first two cores that we may use. False: there is one. */
static bool choose_cores(int *first, int *second)
{
    cpu_set_t cores;
    int *next = first;

    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return false;
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET((size_t)core, &cores))
            continue;
        *next = core;
        if (next == second)
            return true;
        next = second;
    }
    return false;
}

/* One mode. Returns whether it ended as it should. */
static bool stress_mode(unsigned number, const char *mode, uint64_t features, uint64_t wanted, double limit_s,
                        bool shall_lose, const int cores[2])
{
    pthread_t device, driver;

    stress_open(features);
    stress.driver.core = cores[0];
    stress.device.core = cores[1];
    double begin = seconds_now();

    if (pthread_create(&device, NULL, device_main, NULL) != 0 ||
        pthread_create(&driver, NULL, driver_main, &wanted) != 0)
        abort();
    bool lost = watch(limit_s);

    pthread_join(driver, NULL);
    pthread_join(device, NULL);
    uint64_t done = atomic_load(&stress.handshakes);
    const char *where = !lost ? "none lost" : driver_used_waiting(&stress.queue) ? "one lost by the driver" : "one lost by the device";
    /* A side with work that is in neither ring would be another fault than the one we look for. */
    bool pending = driver_used_waiting(&stress.queue) || ring_has_work(&stress.ring);
    bool sound = stress.queue.errors == 0 && ring_usable(&stress.ring);
    uint64_t device_sleeps = (atomic_load(&stress.device.sleeps) + 1) / 2;
    uint64_t driver_sleeps = (atomic_load(&stress.driver.sleeps) + 1) / 2;
    /* Who never sleeps cannot lose anything. */
    bool slept = device_sleeps >= wanted / 2 && driver_sleeps >= wanted / 2;
    bool good = sound && (shall_lose ? lost && pending : !lost && done == wanted && slept);

    printf("%s %u - wake-ups, %s: %s\n", good ? "ok" : "not ok", number, mode, where);
    printf("# %" PRIu64 " handshakes in %.1f s, %s: the device slept %" PRIu64 " times, the driver %" PRIu64 "; %s\n", done,
           seconds_now() - begin, mode, device_sleeps, driver_sleeps, where);
    if (!good)
        printf("# wanted %s within %.0f s; ring errors %" PRIu64 ", work %s\n",
               shall_lose ? "a lost wake-up" : "all handshakes, both asleep in most, none lost", limit_s, stress.queue.errors,
               pending ? "pending" : "none");
    fflush(stdout);
    driver_destroy(&stress.queue);
    guest_ram_destroy(&stress.ram);
    return good;
}

int main(int argc, char **argv)
{
    const char *other = getenv("WAKEUP_HANDSHAKES");
    int cores[2];

    if (argc != 4) {
        fprintf(stderr, "usage: wakeup-stress sound|lost HANDSHAKES SECONDS\n");
        return 2;
    }
    if (!choose_cores(&cores[0], &cores[1])) {
        puts("1..0 # SKIP the two sides need a core each, and there is one");
        return 0;
    }
    bool shall_lose = strcmp(argv[1], "lost") == 0;
    uint64_t wanted = strtoull(!shall_lose && other != NULL ? other : argv[2], NULL, 10);
    uint64_t version = FEATURE(VIRTIO_F_VERSION_1);
    double limit_s = atof(argv[3]);

    puts("1..2");
    bool flags = stress_mode(1, "flags", version, wanted, limit_s, shall_lose, cores);
    bool event = stress_mode(2, "EVENT_IDX", version | FEATURE(VIRTIO_F_RING_EVENT_IDX), wanted, limit_s, shall_lose, cores);
    return flags && event ? 0 : 1;
}
