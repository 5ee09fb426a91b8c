/*
 * storms.h - the worst that a machine can do to its neighbours, over and over on a thread of its own. It touches
 * nothing but its own memory, eventfds and socket.
 *
 * There is one storm a program.
 */
#ifndef VHOSTKIT_TEST_STORMS_H
#define VHOSTKIT_TEST_STORMS_H

#include "switch_rig.h"

struct storm_kind {
    const char *name;
    void (*act)(void);
    bool sleeps;      /* most of the time */
    bool deaf;        /* it posts no receive buffers, and is sent to */
    unsigned also;    /* is sent to */
    int storm;        /* its port's limit for flooding; 0: none */
    uint64_t features;
    uint32_t tx_buffer;
};

#define STORM_KINDS 12u
extern const struct storm_kind storm_kinds[STORM_KINDS];

/* Whose acts they are: machine `number`. */
void storm_machine(struct machine *machine, unsigned number);
/* Its thread does that until storm_end(); NULL: it burns time. */
void storm_begin(void (*act)(void));
void storm_end(void);
/* Acts since storm_begin(). */
unsigned storm_acts(void);

/* Acts that are of use elsewhere: nothing for 1 ms; 32 broadcasts. */
void storm_do_nothing(void);
void storm_do_broadcasts(void);
/* A number by luck, below 2^24. */
uint32_t storm_any(void);

#endif
