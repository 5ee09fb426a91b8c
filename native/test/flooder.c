/*
 * flooder.c - see the header. It says "flowing" on its standard output when both VMs have got frames, and ends with
 * whoever started it.
 */
#include "flooder.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "packet.h"
#include "worker/cycles.h"

#define START_LIMIT_MS 10000
#define FLOWING 100u /* frames that each has got */
#define FIRST_ADDRESS 200u

extern char **environ;

uint64_t flooder_now_ns(void)
{
    return monotonic_ns();
}

/* --- the process that floods --- */

static bool open_machine(struct machine *machine, const char *path)
{
    struct machine_options options = { .socket = path, .pairs = 2,
                                       .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_NET_F_MQ) };

    if (machine_create(machine, &options) && machine_attach(machine))
        return true;
    fprintf(stderr, "%s: %s\n", path, machine->peer.why);
    return false;
}

static unsigned flood(struct machine *machines, unsigned from, unsigned pair)
{
    static const struct net_header net;
    struct driver_queue *sender = machine_tx(&machines[from], pair);
    struct driver_queue *receiver = machine_rx(&machines[!from], pair);
    uint8_t frame[1500], to_mac[6], from_mac[6], found[2048];
    struct net_header header;
    unsigned received = 0;

    packet_mac(to_mac, FIRST_ADDRESS + !from);
    packet_mac(from_mac, FIRST_ADDRESS + from);
    packet_plain(frame, sizeof frame, to_mac, from_mac, 0x88b5, 1);
    driver_reap(sender);
    while (driver_send(sender, &net, frame, sizeof frame))
        continue;
    machine_publish(&machines[from], 2 * pair + 1);
    while (driver_receive(receiver, &header, found, sizeof found) != DRIVER_NOTHING)
        received++;
    driver_refill(receiver);
    machine_publish(&machines[!from], 2 * pair);
    return received;
}

int flooder_main(int argc, char **argv)
{
    static struct machine machines[2];
    unsigned received[2] = { 0, 0 };
    bool told = false;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 4 || !open_machine(&machines[0], argv[2]) || !open_machine(&machines[1], argv[3]))
        return 1;
    for (;;) {
        for (unsigned from = 0; from < 2; from++)
            for (unsigned pair = 0; pair < 2; pair++)
                received[!from] += flood(machines, from, pair);
        if (!told && received[0] >= FLOWING && received[1] >= FLOWING) {
            told = true;
            if (write(STDOUT_FILENO, "flowing\n", 8) != 8)
                return 1;
        }
        usleep(20); /* the innocent need the core, too */
    }
}

/* --- the test --- */

bool flooder_start(struct flooder *flooder, const char *folder, const char *one, const char *two)
{
    char paths[2][96];
    char *arguments[] = { "flooder", FLOODER_ARGUMENT, paths[0], paths[1], NULL };
    posix_spawn_file_actions_t actions;
    char said[16];
    int fds[2];

    snprintf(paths[0], sizeof paths[0], "%s/%s", folder, one);
    snprintf(paths[1], sizeof paths[1], "%s/%s", folder, two);
    if (pipe(fds) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    for (unsigned i = 0; i < 2; i++)
        posix_spawn_file_actions_addclose(&actions, fds[i]);
    bool started = posix_spawn(&flooder->pid, "/proc/self/exe", &actions, NULL, arguments, environ) == 0;

    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    struct pollfd entry = { .fd = fds[0], .events = POLLIN };
    bool flowing = started && poll(&entry, 1, START_LIMIT_MS) > 0 && read(fds[0], said, sizeof said) > 0;

    close(fds[0]);
    if (started && !flowing)
        flooder_kill(flooder);
    return flowing;
}

void flooder_kill(struct flooder *flooder)
{
    kill(flooder->pid, SIGKILL);
    while (waitpid(flooder->pid, NULL, 0) < 0)
        continue;
}
