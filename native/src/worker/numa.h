/*
 * numa.h - what libnuma and the kernel know about nodes; every function also
 * works on a host without NUMA.
 */
#ifndef VHOSTKIT_NUMA_H
#define VHOSTKIT_NUMA_H

#include <stddef.h>

/* Node of a CPU, or -1. */
int node_of_core(int core);
/* Node of the page at a touched address (get_mempolicy), or -1. */
int node_of_address(const void *address);
/* Zeroed, cache-line aligned memory on a node (node -1: anywhere); NULL when there is none. */
void *node_alloc(size_t size, int node);
void node_free(void *memory, size_t size);

#endif
