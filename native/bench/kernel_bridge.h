/*
 * kernel_bridge.h - taps on a Linux bridge, in a network namespace that ends with the process.
 */
#ifndef VHOSTKIT_BENCH_KERNEL_BRIDGE_H
#define VHOSTKIT_BENCH_KERNEL_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

struct kernel_bridge_options {
    unsigned taps;
    uint32_t mtu;
    bool offload;     /* checksum and TSO, as vhost-net agrees on with a guest */
};

/*
 * Puts this process into a namespace of its own and makes bridge and taps there.
 * `fds` gets one non-blocking descriptor a tap; each frame read or written is
 * behind a virtio net header of 12 bytes. False: `why` has a sentence.
 */
bool kernel_bridge_create(const struct kernel_bridge_options *options, int *fds, char *why, unsigned why_size);

#endif
