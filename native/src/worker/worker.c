/*
 * worker.c - the loop, and the thread around it.
 *
 * The control thread starts and stops workers; the loop runs on the worker's
 * own thread. Everything the loop touches of its own, its stack too, lies on the
 * NUMA node of its core.
 */
#include "worker/worker.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#include "log.h"
#include "quiesce.h"
#include "switch/offload.h"
#include "switch/retry.h"
#include "switch/topology.h"
#include "switch/vlan_tag.h"
#include "worker/cycles.h"
#include "worker/numa.h"

/* Kicks are told apart from the wake-up fd by this. */
#define WATCH_WAKE UINT64_MAX

/*
 * Shortest time from one round to the next while frames come, in cycles: 1 to 2 µs. An index that is read
 * all the time is a line that the driver's core must win back for each store; a driver that is left alone
 * that long is up to 30 % faster, and frames come in larger bursts (bench/NOTES.md).
 */
#define ROUND_CYCLES 4000u

/* Leaves the guests' lines alone until the next round is due; returns the time. */
static uint64_t worker_pace(uint64_t begin, uint64_t now)
{
    while (now - begin < ROUND_CYCLES) {
        cpu_relax();
        now = cycles_now();
    }
    return now;
}

static void worker_loop(struct worker *worker)
{
    uint64_t begin = cycles_now();

    while (!atomic_load_explicit(&worker->stopping, memory_order_relaxed)) {
        worker->topology = atomic_load_explicit(worker->published, memory_order_acquire);
        unsigned frames = worker_round(worker, begin);
        uint64_t end = cycles_now();

        quiesce_pass();
        worker->round++;
        counter_add(&worker->rounds, 1);
        if (frames > 0) {
            counter_add(&worker->busy_cycles, end - begin);
            worker->quiet_since = 0;
            end = worker_pace(begin, end);
        } else {
            worker_idle(worker);
            end = cycles_now();
        }
        begin = end;
    }
}

/* The part of the stack that is mapped by now was touched by whoever created us, before we were pinned. */
static void stack_move(int node)
{
    pthread_attr_t attributes;
    void *stack;
    size_t size;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0)
        return;
    if (pthread_attr_getstack(&attributes, &stack, &size) == 0)
        node_move(stack, size, node);
    pthread_attr_destroy(&attributes);
}

/* Private memory of the loop. */
static bool worker_allocate(struct worker *worker)
{
    int node = worker->place.node;

    stack_move(node);
    worker->burst = node_alloc(sizeof *worker->burst, node);
    worker->scratch = node_alloc(RING_SEGMENTS_MAX * sizeof *worker->scratch, node);
    worker->egress = node_alloc(PORTS_MAX * sizeof *worker->egress, node);
    worker->leftovers = node_alloc(LEFTOVERS_MAX * sizeof *worker->leftovers, node);
    worker->offload = offload_work_create();
    worker->vlan_forms = node_alloc(sizeof *worker->vlan_forms, node);
    return worker->burst != NULL && worker->scratch != NULL && worker->egress != NULL &&
           worker->leftovers != NULL && worker->offload != NULL && worker->vlan_forms != NULL;
}

static void worker_free(struct worker *worker)
{
    if (worker->burst != NULL)
        node_free(worker->burst, sizeof *worker->burst);
    if (worker->scratch != NULL)
        node_free(worker->scratch, RING_SEGMENTS_MAX * sizeof *worker->scratch);
    if (worker->egress != NULL)
        node_free(worker->egress, PORTS_MAX * sizeof *worker->egress);
    if (worker->leftovers != NULL)
        node_free(worker->leftovers, LEFTOVERS_MAX * sizeof *worker->leftovers);
    if (worker->vlan_forms != NULL)
        node_free(worker->vlan_forms, sizeof *worker->vlan_forms);
    offload_work_destroy(worker->offload);
    if (worker->epoll_fd >= 0)
        close(worker->epoll_fd);
    if (worker->wake_fd >= 0)
        close(worker->wake_fd);
    node_free(worker, sizeof *worker);
}

/* What the new thread tells worker_start(). */
struct launch {
    struct worker *worker;
    sem_t done;
    int error; /* 0, or an errno value */
};

/* The calling thread runs there only, from now on. 0 or an errno value. */
static int worker_pin(const struct worker_place *place)
{
    cpu_set_t allowed, cores;

    CPU_ZERO(&cores);
    if (place->core >= 0)
        CPU_SET((size_t)place->core, &cores);
    else if (!place->on_node)
        return 0;
    else if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0 ||
             !node_cores(place->node, &allowed, &cores))
        return EINVAL;
    return pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
}

static void *worker_main(void *argument)
{
    struct launch *launch = argument;
    struct worker *worker = launch->worker;
    char name[16];

    snprintf(name, sizeof name, "worker-%u", worker->id);
    pthread_setname_np(pthread_self(), name);
    notifier_join();
    launch->error = worker_pin(&worker->place);
    if (launch->error == 0 && !worker_allocate(worker))
        launch->error = ENOMEM;
    bool failed = launch->error != 0;

    if (!failed) {
        worker->start_cycles = cycles_now();
        worker->start_ns = monotonic_ns();
        rcu_register_thread();
    }
    sem_post(&launch->done); /* launch is gone from here on */
    if (failed)
        return NULL;
    worker_loop(worker);
    rcu_unregister_thread();
    return NULL;
}

/* Creates the thread with all signals blocked: they are the control thread's. SIGBUS cannot be blocked away. */
static int worker_launch(struct worker *worker)
{
    struct launch launch = { .worker = worker };
    sigset_t all, before;

    sem_init(&launch.done, 0, 0);
    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, worker_main, &launch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        while (sem_wait(&launch.done) != 0)
            continue;
        error = launch.error;
        if (error != 0)
            pthread_join(worker->thread, NULL);
    }
    sem_destroy(&launch.done);
    return error;
}

struct worker *worker_start(unsigned id, const struct worker_place *place, bool poll_only,
                            struct topology *_Atomic *published, int report_fd)
{
    struct worker *worker = node_alloc(sizeof *worker, place->node);

    if (worker == NULL)
        return NULL;
    worker->id = id;
    worker->place = *place;
    worker->poll_only = poll_only;
    worker->published = published;
    worker->report_fd = report_fd;
    worker->turn_cycles = UINT64_MAX;
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    struct epoll_event wake = { .events = EPOLLIN | EPOLLET, .data.u64 = WATCH_WAKE };
    int error = worker->epoll_fd < 0 || worker->wake_fd < 0 ||
                        epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &wake) != 0
                    ? errno
                    : worker_launch(worker);
    if (error == 0)
        return worker;
    worker_free(worker);
    errno = error;
    return NULL;
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stopping, true);
    worker_wake(worker);
    pthread_join(worker->thread, NULL);
    worker_free(worker);
}

static void eventfd_add(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_error("eventfd: %s", strerror(errno));
}

void worker_wake(struct worker *worker)
{
    eventfd_add(worker->wake_fd);
}

void worker_report(const struct worker *worker)
{
    eventfd_add(worker->report_fd);
}

int worker_watch(struct worker *worker, int fd, unsigned port, unsigned pair)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = (uint64_t)port << 32 | pair };

    return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

void worker_unwatch(struct worker *worker, int fd)
{
    epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

void worker_status_read(const struct worker *worker, struct worker_status *status)
{
    uint64_t cycles = cycles_now() - worker->start_cycles;
    uint64_t ns = monotonic_ns() - worker->start_ns;

    *status = (struct worker_status){
        .id = worker->id,
        .core = worker->place.core,
        .node = worker->place.node,
        .sources = atomic_load(worker->published)->workers[worker->id].count,
        .load = worker->load,
        .rounds = counter_read(&worker->rounds),
        .busy_ms = (uint64_t)((double)counter_read(&worker->busy_cycles) * (double)ns / (double)cycles / 1e6),
        .sleeps = counter_read(&worker->sleeps),
        .sleeping = atomic_load(&worker->asleep),
    };
}
