/*
 * load_bench.c - a load for a vhost-user switch, by play VMs in pairs.
 *
 *   bench-load [--listen] [--huge] [--offload] [--ring N] [--largest BYTES] SOCKET SOCKET [SOCKET...]
 *
 * Attaches one VM to each socket (waiting up to 10 s for the switch), says
 * {"attached": N, "offload": BOOL}, then obeys one command a line on stdin, each answered by one
 * JSON object a line, until stdin ends:
 *
 *   both BYTES ADDRESSES WARM-MS MS   every VM fills its transmit ring
 *   one BYTES ADDRESSES WARM-MS MS    only the first VM of each pair does
 *   turn BYTES ADDRESSES WARM-MS MS   as `both`, but every frame's addresses are written anew
 *   latency BYTES FRAMES-A-SECOND MS  see latency.c
 *   outage BYTES MS                   see outage.c
 *
 * Between commands it sleeps in read(), so that the switch of another play can be
 * measured meanwhile. One thread, which the caller pins; VM 2k and 2k+1 are a pair. A VM alone
 * sends to an address that nobody has.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "latency.h"
#include "load.h"
#include "outage.h"
#include "play_vm.h"

static struct load load;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench-load: %s: %s\n", what, why);
    exit(1);
}

static void say_result(const struct load_result *result)
{
    printf("{\"frames\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"ms\": %.3f, \"mpps\": %.4f, \"generator_cycles\": %.1f}\n",
           result->frames, result->sent, result->ms, (double)result->frames / result->ms / 1000,
           result->frames ? (double)result->cycles / (double)result->frames : 0.0);
}

/* Warm first, said aloud, so that the caller can look at the switch's counters; then the window. */
static bool run_load(bool both, bool turns, const char *words)
{
    struct load_shape shape = { .both = both, .turns = turns };
    unsigned warm_ms, ms;
    struct load_result result;

    if (sscanf(words, "%u %u %u %u", &shape.bytes, &shape.addresses, &warm_ms, &ms) != 4 || !load_fits(&load, shape.bytes) ||
        shape.addresses == 0)
        return false;
    shape.turns = turns || shape.addresses > 1;
    load_begin(&load, &shape);
    load_run(&load, warm_ms, &result);
    puts("{\"warm\": true}");
    fflush(stdout);
    load_run(&load, ms, &result);
    load_end(&load);
    say_result(&result);
    return true;
}

static bool run_latency(const char *words)
{
    unsigned bytes, rate, ms;

    if (sscanf(words, "%u %u %u", &bytes, &rate, &ms) != 3 || !load_fits(&load, bytes) || bytes < LATENCY_BYTES_MIN || rate == 0)
        return false;
    return latency_run(&load, bytes, rate, ms);
}

static bool run_outage(const char *words)
{
    unsigned bytes, ms;

    if (sscanf(words, "%u %u", &bytes, &ms) != 2 || !load_fits(&load, bytes))
        return false;
    return outage_run(&load, bytes, ms);
}

static bool obey(const char *line)
{
    if (strncmp(line, "both ", 5) == 0)
        return run_load(true, false, line + 5);
    if (strncmp(line, "one ", 4) == 0)
        return run_load(false, false, line + 4);
    if (strncmp(line, "turn ", 5) == 0)
        return run_load(true, true, line + 5);
    if (strncmp(line, "latency ", 8) == 0)
        return run_latency(line + 8);
    if (strncmp(line, "outage ", 7) == 0)
        return run_outage(line + 7);
    return false;
}

static void read_options(int argc, char **argv, struct play_options *options)
{
    static const struct option known[] = {
        { "listen", no_argument, NULL, 'l' }, { "huge", no_argument, NULL, 'h' },
        { "offload", no_argument, NULL, 'o' }, { "ring", required_argument, NULL, 'r' },
        { "largest", required_argument, NULL, 'b' }, { 0 },
    };
    int found;

    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
        case 'l': options->listen = true; break;
        case 'h': options->huge = true; break;
        case 'o': options->offload = true; break;
        case 'r': options->ring = (uint16_t)atoi(optarg); break;
        case 'b': options->largest = (uint32_t)atoi(optarg); break;
        default: exit(2);
        }
    }
    if (options->ring < 2 * PLAY_BURST || options->ring & (options->ring - 1) || options->ring > 32768)
        fail("--ring", "a power of two from 64 to 32768 is wanted");
    if (options->largest < 64 || options->largest > PLAY_FRAME_MAX)
        fail("--largest", "64 to 65536 bytes are wanted");
}

/* Whether a segment of 64 KiB may be sent as it is, and comes out as it is. */
static bool offloads_agreed(void)
{
    uint64_t wanted = FEATURE(VIRTIO_NET_F_HOST_TSO4) | FEATURE(VIRTIO_NET_F_GUEST_TSO4);

    for (unsigned i = 0; i < load.count; i++)
        if ((load.vms[i].machine.features & wanted) != wanted)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct play_options options = { .ring = 1024, .largest = 1518 };
    char line[160];

    read_options(argc, argv, &options);
    load.count = (unsigned)(argc - optind);
    load.largest = options.largest;
    if (load.count == 0 || (load.count > 1 && load.count % 2) || load.count > PLAY_VMS_MAX)
        fail("sockets", "1 or an even number up to 64 is wanted");
    for (unsigned i = 0; i < load.count; i++)
        if (!play_vm_create(&load.vms[i], i, argv[optind + (int)i], &options))
            fail(argv[optind + (int)i], load.vms[i].machine.peer.why);
    for (unsigned i = 0; i < load.count; i++)
        if (!play_vm_attach(&load.vms[i]))
            fail(argv[optind + (int)i], load.vms[i].machine.peer.why);
    printf("{\"attached\": %u, \"offload\": %s}\n", load.count, offloads_agreed() ? "true" : "false");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (!obey(line)) {
            line[strcspn(line, "\n")] = '\0';
            fail(line, "no command, or it failed");
        }
        fflush(stdout);
    }
    for (unsigned i = 0; i < load.count; i++)
        play_vm_destroy(&load.vms[i]);
    return 0;
}
