/*
 * outage.c - how long a load stands still when its switch is killed.
 *
 * One thread. A VM sees the end of its switch as QEMU does, by the closed
 * connection; it then waits on its socket and tells the new switch where its
 * rings are. The outage is the longest time in which a VM received nothing.
 */
#include "outage.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

#include "worker/cycles.h"

/* The longest silence of one VM. */
struct silence {
    uint64_t since_ns;     /* the last frame */
    uint64_t longest_ns;
    uint64_t received;     /* its counter then */
};

static bool is_closed(const struct play_vm *vm)
{
    struct pollfd entry = { .fd = vm->machine.peer.socket, .events = POLLIN };

    return poll(&entry, 1, 0) > 0;
}

/* All of them, as the new switch serves none before it has all back. */
static bool attach_again(struct load *load, unsigned *reconnects)
{
    for (unsigned i = 0; i < load->count; i++) {
        if (!is_closed(&load->vms[i]))
            continue;
        if (!machine_reattach(&load->vms[i].machine)) {
            fprintf(stderr, "bench-load: VM %u: %s\n", i, load->vms[i].machine.peer.why);
            return false;
        }
        ++*reconnects;
    }
    return true;
}

static void listen_for(struct silence *silence, const struct play_vm *vm, uint64_t now_ns)
{
    if (vm->received == silence->received)
        return;
    if (now_ns - silence->since_ns > silence->longest_ns)
        silence->longest_ns = now_ns - silence->since_ns;
    silence->since_ns = now_ns;
    silence->received = vm->received;
}

bool outage_run(struct load *load, uint32_t bytes, unsigned ms)
{
    struct silence silences[PLAY_VMS_MAX];
    struct load_result warm;
    unsigned reconnects = 0;
    uint64_t longest = 0;

    load_begin(load, &(struct load_shape){ .both = true, .bytes = bytes, .addresses = 1 });
    load_run(load, 50, &warm);
    puts("{\"warm\": true}");
    fflush(stdout);
    uint64_t now_ns = monotonic_ns(), end_ns = now_ns + (uint64_t)ms * 1000000;

    for (unsigned i = 0; i < load->count; i++)
        silences[i] = (struct silence){ .since_ns = now_ns, .received = load->vms[i].received };
    for (unsigned round = 0; now_ns < end_ns; round++) {
        for (unsigned i = 0; i < load->count; i++) {
            play_vm_step(&load->vms[i]);
            now_ns = monotonic_ns();
            listen_for(&silences[i], &load->vms[i], now_ns);
        }
        if (round % 64 == 0 && !attach_again(load, &reconnects))
            return false;
    }
    for (unsigned i = 0; i < load->count; i++) {
        uint64_t still = end_ns - silences[i].since_ns; /* silent until the end */

        longest = silences[i].longest_ns > longest ? silences[i].longest_ns : longest;
        longest = silences[i].since_ns < end_ns && still > longest ? still : longest;
    }
    load_end(load);
    printf("{\"outage_us\": %.1f, \"reconnects\": %u}\n", (double)longest / 1e3, reconnects);
    return true;
}
