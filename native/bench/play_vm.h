/*
 * play_vm.h - one play VM of a load: its frames, its steps, what it has seen.
 *
 * The load is as light as a guest can be: transmit buffers are written once (when
 * addresses take turns, only twelve bytes are written again for each frame), receive
 * buffers are read only for what counting needs. So what is measured is the switch and the
 * memory between, not the guest. One thread steps all VMs in turn.
 */
#ifndef VHOSTKIT_BENCH_PLAY_VM_H
#define VHOSTKIT_BENCH_PLAY_VM_H

#include "machine.h"

#define PLAY_BURST 32u          /* frames a step takes from a ring at most, as drivers do */
#define PLAY_SLOT 2048u         /* bytes of a receive buffer: what virtio-net posts for an MTU of 1500 */
#define PLAY_FRAME_MAX 65536u
#define PLAY_VMS_MAX 64u

struct play_options {
    bool listen;        /* be the socket server, as QEMU mostly is */
    bool huge;          /* memory on hugepages */
    bool offload;       /* checksum and TSO offloads, frames up to PLAY_FRAME_MAX */
    uint16_t ring;      /* entries of each ring */
    uint32_t largest;   /* bytes of the largest frame that will be sent */
};

struct play_vm {
    struct machine machine;
    unsigned index;        /* of this VM; its peer is index ^ 1 */
    bool sends;            /* offers used transmit buffers again */
    bool turns;            /* writes the addresses of each frame anew, also when there is only one */
    bool single;           /* every received frame fits one buffer: nothing is read to count it */
    uint32_t bytes;        /* of each frame sent */
    uint32_t addresses;    /* source addresses it sends from, in turn */
    uint32_t next_address; /* of the next frame */
    uint16_t pending;      /* buffers of the last received frame that are still to come */
    uint64_t sent;         /* transmit chains given back */
    uint64_t received;     /* whole frames received */
};

/* Memory and, when it listens, the socket. On failure: vm->machine.peer.why. */
bool play_vm_create(struct play_vm *vm, unsigned index, const char *socket, const struct play_options *options);
bool play_vm_attach(struct play_vm *vm);
void play_vm_destroy(struct play_vm *vm);

/* Writes the frame into every transmit buffer; none may be on its way. */
void play_vm_fill(struct play_vm *vm, uint32_t bytes, uint32_t addresses, bool turns);
/* Offers every transmit buffer once. */
void play_vm_begin(struct play_vm *vm);
/* Whether transmit buffers are on their way. */
bool play_vm_in_flight(const struct play_vm *vm);

/* Takes what is used, offers it again; returns the buffers moved. */
unsigned play_vm_step(struct play_vm *vm);
/* The receiving half of a step alone. */
unsigned play_vm_receive(struct play_vm *vm);

#endif
