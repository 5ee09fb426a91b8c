/*
 * double_fetch_run.h - how a program runs one input under double_fetch.c.
 */
#ifndef VHOSTKIT_FUZZ_DOUBLE_FETCH_RUN_H
#define VHOSTKIT_FUZZ_DOUBLE_FETCH_RUN_H

enum double_fetch_pass {
    DOUBLE_FETCH_OFF,      /* as the fuzzers run */
    DOUBLE_FETCH_COUNTED,  /* loads are counted */
    DOUBLE_FETCH_INVERTED, /* and each byte inverted behind the first one */
    DOUBLE_FETCH_LOW_BIT,  /* or only its lowest bit, so that a value stays a likely one */
    DOUBLE_FETCH_PASSES,
};

/* What was seen in all passes. */
struct double_fetch_sum {
    unsigned calls;    /* of the device */
    unsigned loading;  /* that loaded something */
    unsigned strict;   /* of those, the ones in which no byte could be due twice */
    unsigned compared; /* results that were compared */
};

extern enum double_fetch_pass double_fetch_pass;
extern struct double_fetch_sum double_fetch_sum;

/* Before each run of an input; the counted pass first. */
void double_fetch_start(enum double_fetch_pass pass);

#endif
