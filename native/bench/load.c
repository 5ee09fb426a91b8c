/*
 * load.c - play VMs in pairs, filling a switch as fast as it takes.
 *
 * One thread. The clock is the time stamp counter, read once a step; what a step
 * cost counts only when it moved something, as the switch counts its own rounds.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/cycles.h"

bool load_fits(const struct load *load, uint32_t bytes)
{
    return bytes >= 60 && bytes <= load->largest;
}

void load_begin(struct load *load, const struct load_shape *shape)
{
    for (unsigned i = 0; i < load->count; i++) {
        struct play_vm *vm = &load->vms[i];

        play_vm_fill(vm, shape->bytes, shape->addresses, shape->turns);
        vm->sends = shape->both || i % 2 == 0;
        if (vm->sends)
            play_vm_begin(vm);
    }
}

static void add_totals(const struct load *load, uint64_t *frames, uint64_t *sent)
{
    *frames = *sent = 0;
    for (unsigned i = 0; i < load->count; i++) {
        *frames += load->vms[i].received;
        *sent += load->vms[i].sent;
    }
}

void load_run(struct load *load, unsigned ms, struct load_result *result)
{
    uint64_t frames, sent, cycles = 0;
    uint64_t begin_ns = monotonic_ns(), end_ns = begin_ns + (uint64_t)ms * 1000000, now_ns = begin_ns;

    add_totals(load, &frames, &sent);
    while (now_ns < end_ns) {
        uint64_t last = cycles_now();

        for (unsigned round = 0; round < 64; round++)
            for (unsigned i = 0; i < load->count; i++) {
                unsigned moved = play_vm_step(&load->vms[i]);
                uint64_t now = cycles_now();

                if (moved > 0)
                    cycles += now - last;
                last = now;
            }
        now_ns = monotonic_ns();
    }
    add_totals(load, &result->frames, &result->sent);
    /* One VM alone has nobody to receive: its frames are done when they come back. */
    result->frames = load->count == 1 ? result->sent - sent : result->frames - frames;
    result->sent -= sent;
    result->cycles = cycles;
    result->ms = (double)(now_ns - begin_ns) / 1e6;
}

void load_end(struct load *load)
{
    uint64_t limit_ms = machine_clock_ms() + 2000;
    bool in_flight = true;

    for (unsigned i = 0; i < load->count; i++)
        load->vms[i].sends = false;
    while (in_flight) {
        in_flight = false;
        for (unsigned i = 0; i < load->count; i++) {
            play_vm_step(&load->vms[i]);
            in_flight = in_flight || play_vm_in_flight(&load->vms[i]);
        }
        if (machine_clock_ms() > limit_ms) {
            fprintf(stderr, "bench-load: the switch did not give back all frames within 2 s\n");
            exit(1);
        }
    }
}
