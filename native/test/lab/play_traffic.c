/*
 * play_traffic.c - two play VMs that send each other numbered, checksummed frames, and attach again whenever the
 * switch comes back: for tests of the command line (test/system), which say on stdin what to look at.
 *
 *   play-traffic SOCKET SOCKET
 *
 * It listens on both, waits for the switch, and prints one JSON object a line: {"listening"}, {"flowing"},
 * {"attached"} of a machine with the features it is offered; after "begin" and "figures" the longest gap between. At
 * "end" every frame must arrive. Exit code 0: nothing was lost, and nothing corrupt.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow.h"
#include "rows.h"

#define ATTACH_LIMIT_MS 20000
#define FIGURES_LIMIT_MS 20000
#define FRAMES_AFTER 500u

static struct machine machines[2];
static struct flow flow;

static void tell_attached(unsigned number)
{
    printf("{\"attached\":%u,\"offered\":\"0x%" PRIx64 "\"}\n", number, machines[number].peer.offered);
}

static void give_up(unsigned number, const char *what)
{
    fprintf(stderr, "machine %u: %s: %s\n", number, what, machines[number].peer.why);
    exit(1);
}

/* Figures are told when every stream has received so many; machines attach meanwhile. */
static struct {
    bool wanted;
    uint64_t until_ms;
    uint64_t received[FLOW_STREAMS];
} figures;

static void want_figures(void)
{
    figures.wanted = true;
    figures.until_ms = machine_clock_ms() + FIGURES_LIMIT_MS;
    for (unsigned i = 0; i < flow.stream_count; i++)
        figures.received[i] = atomic_load(&flow.streams[i].received) + FRAMES_AFTER;
}

static void tell_figures(void)
{
    for (unsigned i = 0; i < flow.stream_count; i++) {
        if (atomic_load(&flow.streams[i].received) >= figures.received[i])
            continue;
        if (machine_clock_ms() < figures.until_ms)
            return;
        fprintf(stderr, "stream %u: %u frames on their way for %d ms\n", i,
                (unsigned)atomic_load(&flow.streams[i].waiting), FIGURES_LIMIT_MS);
        exit(1);
    }
    figures.wanted = false;
    printf("{\"gap_ns\":%" PRIu64 ",\"received\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"corrupt\":%" PRIu64 "}\n",
           flow_gap_ns(&flow), flow_received(&flow), flow_repeated(&flow), (uint64_t)atomic_load(&flow.corrupt));
}

/* False: it is the end. */
static bool obey(void)
{
    char line[32];

    if (!fgets(line, sizeof line, stdin) || strcmp(line, "end\n") == 0)
        return false;
    if (strcmp(line, "begin\n") == 0) {
        flow_gap_begin(&flow);
        printf("{\"begun\":true}\n");
    } else if (strcmp(line, "figures\n") == 0) {
        want_figures();
    } else {
        fprintf(stderr, "wanted begin, figures or end, found %s\n", line);
        exit(2);
    }
    return true;
}

static void serve(void)
{
    for (;;) {
        struct pollfd watched[3] = { { .fd = STDIN_FILENO, .events = POLLIN } };

        for (unsigned i = 0; i < 2; i++)
            watched[1 + i] = (struct pollfd){ .fd = machines[i].peer.socket, .events = POLLIN | POLLRDHUP };
        if (poll(watched, 3, figures.wanted ? 2 : -1) < 0 && errno != EINTR)
            exit(1);
        /* The switch says nothing by itself, so whatever shows there is its end. */
        for (unsigned i = 0; i < 2; i++) {
            if (watched[1 + i].revents == 0)
                continue;
            if (!machine_reattach(&machines[i]))
                give_up(i, "attach again");
            tell_attached(i);
        }
        if (watched[0].revents != 0 && !obey())
            return;
        if (figures.wanted)
            tell_figures();
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0); /* what poll sees is all there is */
    for (unsigned i = 0; i < 2; i++) {
        struct machine_options options = { .socket = argv[1 + i] };

        if (!machine_create(&machines[i], &options))
            give_up(i, "create");
        machines[i].peer.timeout_ms = ATTACH_LIMIT_MS;
    }
    printf("{\"listening\":true}\n");
    for (unsigned i = 0; i < 2; i++) {
        if (!machine_attach(&machines[i]))
            give_up(i, "attach");
        tell_attached(i);
    }
    flow_start(&flow, &machines[0], 0, &machines[1], 1);
    printf("{\"flowing\":true}\n");
    serve();
    flow_end(&flow);
    printf("{\"ended\":true,\"received\":%" PRIu64 ",\"repeated\":%" PRIu64 "}\n", flow_received(&flow), flow_repeated(&flow));
    for (unsigned i = 0; i < 2; i++)
        machine_destroy(&machines[i]);
    return 0;
}
