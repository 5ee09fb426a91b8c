/*
 * numa.c - the doorway to libnuma and to the memory policy calls.
 *
 * Control thread. Nothing here fails because a host (or a container that
 * filters the calls) has no NUMA: a node is then unknown, and memory comes from
 * anywhere. Being on the wrong node costs time, never correctness.
 */
#include "worker/numa.h"

#include <numa.h>
#include <numaif.h>
#include <sys/mman.h>

#define BITS_PER_LONG (8 * sizeof(unsigned long))

/* Nodes a mask has room for: the kernel's largest CONFIG_NODES_SHIFT is 10. */
#define NODES_MAX 1024u

int node_of_core(int core)
{
    if (core < 0 || numa_available() < 0)
        return -1;
    return numa_node_of_cpu(core);
}

int node_of_address(const void *address)
{
    int node = -1;
    if (get_mempolicy(&node, NULL, 0, (void *)address, MPOL_F_NODE | MPOL_F_ADDR) != 0)
        return -1;
    return node;
}

void *node_alloc(size_t size, int node)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (node >= 0 && (unsigned)node < NODES_MAX) {
        unsigned long mask[NODES_MAX / BITS_PER_LONG] = {0};
        mask[(unsigned)node / BITS_PER_LONG] = 1ul << (unsigned)node % BITS_PER_LONG;
        /* Preferred, not bound: a full node gives slower memory instead of none. The kernel reads
         * one bit less than it is told. Failure leaves the default: the node of the first touch. */
        (void)mbind(memory, size, MPOL_PREFERRED, mask, NODES_MAX + 1, 0);
    }
    return memory;
}

void node_free(void *memory, size_t size)
{
    if (memory != NULL)
        munmap(memory, size);
}
