/*
 * numa.c - the doorway to libnuma and to the memory policy calls.
 *
 * Control thread, and a worker for its own memory when it starts. Nothing here
 * fails because a host (or a container that filters the calls) has no NUMA: a
 * node is then unknown, and memory comes from anywhere. Being on the wrong node
 * costs time, never correctness.
 */
#include "worker/numa.h"

#include <numa.h>
#include <numaif.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define BITS_PER_LONG (8 * sizeof(unsigned long))

int node_of_core(int core)
{
    if (core < 0 || numa_available() < 0)
        return -1;
    return numa_node_of_cpu(core);
}

bool node_cores(int node, const cpu_set_t *allowed, cpu_set_t *cores)
{
    CPU_ZERO(cores);
    for (int core = 0; node >= 0 && core < CPU_SETSIZE; core++)
        if (CPU_ISSET((size_t)core, allowed) && node_of_core(core) == node)
            CPU_SET((size_t)core, cores);
    return CPU_COUNT(cores) > 0;
}

int node_of_address(const void *address)
{
    int node = -1;
    if (get_mempolicy(&node, NULL, 0, (void *)address, MPOL_F_NODE | MPOL_F_ADDR) != 0)
        return -1;
    return node;
}

/*
 * Preferred, not bound: a full node gives slower memory instead of none. The kernel reads
 * one bit less than it is told. Failure leaves the default: the node of the first touch.
 */
static void node_prefer(void *memory, size_t size, int node, unsigned flags)
{
    unsigned long mask[NODES_MAX / BITS_PER_LONG] = {0};

    if (node < 0 || (unsigned)node >= NODES_MAX)
        return;
    mask[(unsigned)node / BITS_PER_LONG] = 1ul << (unsigned)node % BITS_PER_LONG;
    (void)mbind(memory, size, MPOL_PREFERRED, mask, NODES_MAX + 1, flags);
}

void *node_alloc(size_t size, int node)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    node_prefer(memory, size, node, 0);
    return memory;
}

void node_free(void *memory, size_t size)
{
    if (memory != NULL)
        munmap(memory, size);
}

/* Pages that one move_pages(2) is asked about. */
#define STRAYS_AT_ONCE 64u

unsigned node_strays(const void *memory, size_t size, int node)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t at = (uintptr_t)memory / page * page, end = (uintptr_t)memory + size;
    unsigned strays = 0;

    while (node >= 0 && at < end) {
        void *pages[STRAYS_AT_ONCE];
        int nodes[STRAYS_AT_ONCE];
        unsigned count = 0;

        for (; count < STRAYS_AT_ONCE && at < end; at += page)
            pages[count++] = (void *)at;
        if (move_pages(0, count, pages, NULL, nodes, 0) != 0) /* without target nodes it only asks */
            return 0;
        for (unsigned i = 0; i < count; i++)
            strays += nodes[i] >= 0 && nodes[i] != node; /* negative: no page there yet */
    }
    return strays;
}

/*
 * For the sake of moving the kernel first has every CPU let go of pages, and waits for that: 0.2 ms on a quiet host, but
 * 0.2 s on a busy one, and up to 6 s were seen. So it is asked only when there is a page to move; of a new port there is none.
 */
void node_move(void *memory, size_t size, int node)
{
    node_prefer(memory, size, node, node_strays(memory, size, node) > 0 ? MPOL_MF_MOVE : 0);
}

void node_vote_for(struct node_votes *votes, int node)
{
    if (node < 0 || (unsigned)node >= NODES_MAX)
        return;
    votes->of[node]++;
    if (votes->first < 0)
        votes->first = node;
}

void node_vote(struct node_votes *votes, const void *address)
{
    node_vote_for(votes, node_of_address(address));
}

int node_votes_winner(const struct node_votes *votes)
{
    int best = votes->first;

    for (unsigned node = 0; best >= 0 && node < NODES_MAX; node++)
        if (votes->of[node] > votes->of[best])
            best = (int)node;
    return best;
}
