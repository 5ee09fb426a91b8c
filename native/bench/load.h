/*
 * load.h - play VMs in pairs, filling a switch as fast as it takes.
 *
 * load_begin(), load_run() as often as wanted, load_end(). One thread.
 */
#ifndef VHOSTKIT_BENCH_LOAD_H
#define VHOSTKIT_BENCH_LOAD_H

#include "play_vm.h"

struct load {
    struct play_vm vms[PLAY_VMS_MAX];
    unsigned count;     /* VMs */
    uint32_t largest;   /* bytes of the largest frame they have room for */
};

/* How the VMs load it. */
struct load_shape {
    bool both;            /* all VMs send, or only the first of each pair */
    bool turns;           /* see struct play_vm */
    uint32_t bytes;       /* of a frame */
    uint32_t addresses;   /* of each VM */
};

/* What happened in one window. */
struct load_result {
    uint64_t frames;   /* received, all VMs together; of a VM alone: sent */
    uint64_t sent;     /* transmit buffers that came back */
    uint64_t cycles;   /* the generator's own, in steps that moved something */
    double ms;
};

/* Whether there is room for a frame of so many bytes. */
bool load_fits(const struct load *load, uint32_t bytes);

/* Fills the rings of those that send. */
void load_begin(struct load *load, const struct load_shape *shape);
void load_run(struct load *load, unsigned ms, struct load_result *result);
/* Sends no more and takes back what is on its way. A switch that is stuck ends the program. */
void load_end(struct load *load);

#endif
