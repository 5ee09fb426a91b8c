/*
 * flow.h - numbered, checksummed frames between two play VMs, both ways on all their queue pairs, as fast
 * as they go, on a thread of its own while the test does something to the switch.
 *
 * A stream is one transmit queue. It has at most FLOW_WINDOW frames on their way, so that receivers never
 * lack buffers, whatever is repeated: a frame that does not come is lost, and its stream then stands
 * still for good. Every byte of every frame is checked. The thread judges nothing; it counts, and the test looks.
 */
#ifndef VHOSTKIT_TEST_FLOW_H
#define VHOSTKIT_TEST_FLOW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

/* On all streams together it is less than a receive ring of 256, with a burst of 32 of each repeated. */
#define FLOW_WINDOW 80u
#define FLOW_PAIRS_MAX 2u
#define FLOW_STREAMS (2u * FLOW_PAIRS_MAX)
/* How far the receiver looks beyond the oldest number that is missing; not less than FLOW_WINDOW. */
#define FLOW_SEEN 128u

struct flow_stream {
    unsigned from;                /* 0 or 1: the machine that sends */
    unsigned pair;                /* on which queue pair */
    atomic_bool paused;           /* sends nothing new */
    uint32_t sent;                /* numbers below were sent */
    uint32_t base;                /* numbers below were received */
    bool seen[FLOW_SEEN];         /* number % FLOW_SEEN of those from base on */
    atomic_bool drained;          /* the thread has seen the pause, and nothing is on its way */
    atomic_uint_fast32_t waiting; /* sent and not received */
    atomic_uint_fast32_t missing; /* the oldest of them */
    atomic_uint_fast64_t received; /* different numbers */
    atomic_uint_fast64_t repeated; /* numbers that came once more */
};

struct flow {
    struct machine *machines[2];
    unsigned numbers[2];          /* of their addresses: packet_mac() */
    unsigned pairs;
    unsigned stream_count;
    struct flow_stream streams[FLOW_STREAMS];
    atomic_uint_fast64_t corrupt;  /* frames with a wrong byte, length or number */
    atomic_uint_fast64_t strays;   /* right frames of another machine: flooded ones */
    atomic_uint_fast64_t gap_ns;   /* the longest time between two frames, since flow_gap_begin() */
    uint64_t last_ns;              /* the last frame; 0: none yet */
    /* Called by the thread after every round, when the rings are its own to look at; or NULL. */
    void (*round)(struct flow *flow, void *owner);
    void *owner;
    atomic_bool stop;
    bool running;
    pthread_t thread;
};

/* Starts; the machines are attached, and nobody else touches their queues. */
void flow_start(struct flow *flow, struct machine *one, unsigned one_number, struct machine *two, unsigned two_number);
/* Stops it when every frame has arrived; fails the test when one does not within 20 s, or any was corrupt. */
void flow_end(struct flow *flow);
/* Ends the thread, whatever is on its way: for clean-up after a failure. */
void flow_abandon(struct flow *flow);

/* Waits until every stream that is not paused has received `frames` more; fails, with the number that is lost, after 20 s. */
void flow_wait(struct flow *flow, uint64_t frames);
/* Pauses the stream and waits until it has nothing on its way. */
void flow_drain(struct flow *flow, struct flow_stream *stream);

/* Measures an interruption: begin, do it, flow_wait(), and ask for the longest gap. */
void flow_gap_begin(struct flow *flow);
uint64_t flow_gap_ns(struct flow *flow);

/* All streams together. */
uint64_t flow_received(const struct flow *flow);
uint64_t flow_repeated(const struct flow *flow);

/* Prints what `count` of something took, as a figure of the test: median, 99th percentile, longest. Sorts them. */
void flow_print_times(const char *what, uint64_t *times_ns, unsigned count);

#endif
