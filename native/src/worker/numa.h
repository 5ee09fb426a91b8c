/*
 * numa.h - what libnuma and the kernel know about nodes; every function also
 * works on a host without NUMA.
 */
#ifndef VHOSTKIT_NUMA_H
#define VHOSTKIT_NUMA_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* Nodes we can tell apart: the kernel's largest CONFIG_NODES_SHIFT is 10. */
#define NODES_MAX 1024u

/* Node of a CPU, or -1. */
int node_of_core(int core);
/* The CPUs of `allowed` on a node; false when there are none, or no NUMA. */
bool node_cores(int node, const cpu_set_t *allowed, cpu_set_t *cores);
/* Node of the page at a touched address (get_mempolicy), or -1. */
int node_of_address(const void *address);

/* Zeroed, cache-line aligned memory on a node (node -1: anywhere); NULL when there is none. */
void *node_alloc(size_t size, int node);
void node_free(void *memory, size_t size);
/*
 * Memory of node_alloc() belongs on another node from now on: its pages move there, addresses and contents
 * stay, also while others use it. Failure leaves it where it is: node_strays() tells.
 */
void node_move(void *memory, size_t size, int node);
/* Pages of [memory, memory + size) that are there and lie on another node than `node`; 0 without NUMA. */
unsigned node_strays(const void *memory, size_t size, int node);

/* Which node most of some pages are on. */
struct node_votes {
    unsigned of[NODES_MAX]; /* votes of each */
    int first;              /* node of the first vote, -1 none: it wins a draw */
};
#define NODE_VOTES_NONE { .first = -1 }
/* One vote for the node of the page at a touched address. */
void node_vote(struct node_votes *votes, const void *address);
/* One vote for a node; -1 is none. */
void node_vote_for(struct node_votes *votes, int node);
/* -1: no votes. */
int node_votes_winner(const struct node_votes *votes);

#endif
