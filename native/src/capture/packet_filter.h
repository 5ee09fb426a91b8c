/*
 * packet_filter.h - which frames a capture keeps: a program of the classic BSD packet filter, as `tcpdump -ddd`
 * prints it (McCanne and Jacobson, "The BSD Packet Filter", 1993; bpf(4)).
 *
 * A program comes from whoever may talk to the control socket, and runs on workers. So it is checked before:
 * jumps lead forwards only, which bounds a run by the program's length, and what it names is there. What only a
 * frame can tell is checked as it runs: a load behind the frame's end, or a division by 0, refuses the frame, as
 * everywhere else that has this filter. There are no extensions (loads at negative offsets).
 */
#ifndef VHOSTKIT_PACKET_FILTER_H
#define VHOSTKIT_PACKET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"

/* Instructions. A burst of frames is filtered in 32 * 512 steps at the most: some 20 µs here (2026-11). */
#define FILTER_LENGTH_MAX 512u

struct filter_instruction {
    uint16_t code;
    uint8_t jump_true, jump_false; /* instructions to skip */
    uint32_t k;
};

struct packet_filter {
    unsigned length; /* 0: every frame is kept */
    struct filter_instruction program[FILTER_LENGTH_MAX];
};

/* Whether it may run. False: *why is what is wrong, and *at the instruction. */
bool packet_filter_valid(const struct packet_filter *filter, const char **why, unsigned *at);

/* Any thread: whether a valid filter keeps the frame. Reads the frame's bytes, in the sender's memory too, and trusts none. */
bool packet_filter_keeps(const struct packet_filter *filter, const struct frame *frame);

#endif
