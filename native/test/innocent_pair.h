/*
 * innocent_pair.h - machine 0 of a rig sends numbered frames to machine 1, while something happens beside
 * them: what arrives must be whole and in order, and is counted.
 *
 * There is one pair a program.
 */
#ifndef VHOSTKIT_TEST_INNOCENT_PAIR_H
#define VHOSTKIT_TEST_INNOCENT_PAIR_H

#include "switch_rig.h"

/* Turns that a measured share is the median of. */
#define PAIR_TURNS 21u

/* Numbers of its frames. */
struct innocent_pair {
    uint32_t sent, next; /* those before `next` came, or will not */
    uint32_t settled;    /* those before it came or are lost */
    uint64_t last_ms;    /* when one came */
};

extern struct innocent_pair pair;

/* Takes all that is there; counts what came from machine 0. A frame that is spoilt or out of order fails the test. */
unsigned pair_drain(struct machine *machine);
/* Frames that get from machine 0 to machine 1 in a tenth of a second; `also`: a machine that some more are sent to. */
uint64_t pair_turn(struct switch_rig *rig, unsigned also);
/* The median of so many figures; sorts them. */
unsigned pair_median(unsigned *found, unsigned count);

#endif
