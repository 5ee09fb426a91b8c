/*
 * probe: numbered ICMP echo requests from inside a test guest, to measure for
 * how long the network was away.
 *
 *   probe PEER-IPV4 INTERVAL-MS
 *
 * One thread. Every interval it sends one request; replies are taken as they
 * come. The figure of interest is the *gap*: the time between two consecutive
 * answered probes. A frame that waits in the guest's ring while the switch is
 * away is answered late, so it ends the gap when it comes, as real traffic
 * would; a lost one never counts.
 *
 * Commands come as lines on stdin, one answer line each on stdout:
 *   status   what happened since the last mark, without ending the window
 *   mark     the same, and a new window begins (never in the middle of a gap
 *            that is still open: the open gap is counted into this window)
 *   quit     ends the program
 * An answer is "@probe key=value ..." and nothing else, so that it can be
 * found among kernel messages on a serial console.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * A request this young may still be answered, so it is not yet called lost. In
 * requests, not in time: 40 at 5 ms are 200 ms, some ten round trips of a guest
 * without KVM.
 */
#define YOUNG_REQUESTS 40

/* What is remembered of a sent probe: one byte per 16-bit sequence number. */
enum mark { FREE, SENT, ANSWERED };

struct probe {
    int fd;                     /* raw ICMP socket, connected to the peer */
    uint16_t id;                /* ours among other pings of this guest */
    uint64_t next_seq;          /* number of the next request */
    uint64_t judged_seq;        /* all before it were counted as answered or lost */
    uint64_t last_us;           /* when the last new answer came */
    uint8_t marks[65536];       /* enum mark, by sequence number */
    /* Since the last mark: */
    uint64_t sent;              /* requests sent */
    uint64_t answered;          /* first answers taken */
    uint64_t duplicates;        /* answers to an answered request */
    uint64_t gap_us;            /* longest time between two answers */
    uint64_t send_errors;       /* send() refused, by ENOBUFS and the like */
};

static uint64_t
now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static uint16_t
checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < size; i += 2) {
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return htons((uint16_t)~sum);
}

static void
send_request(struct probe *probe)
{
    struct {
        struct icmphdr header;
        uint64_t seq;
    } packet;
    uint16_t slot = (uint16_t)probe->next_seq;

    memset(&packet, 0, sizeof packet);
    packet.header.type = ICMP_ECHO;
    packet.header.un.echo.id = htons(probe->id);
    packet.header.un.echo.sequence = htons(slot);
    packet.seq = probe->next_seq;
    packet.header.checksum = checksum(&packet, sizeof packet);

    probe->marks[slot] = SENT;
    probe->next_seq++;
    probe->sent++;
    if (send(probe->fd, &packet, sizeof packet, MSG_DONTWAIT) < 0) {
        probe->send_errors++;
    }
}

static void
take_answers(struct probe *probe)
{
    uint8_t buffer[2048];
    ssize_t size;

    while ((size = recv(probe->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        size_t ip_size = (size_t)(buffer[0] & 15) * 4;
        struct icmphdr header;
        uint16_t slot;

        if ((size_t)size < ip_size + sizeof header) {
            continue;
        }
        memcpy(&header, buffer + ip_size, sizeof header);
        if (header.type != ICMP_ECHOREPLY || header.un.echo.id != htons(probe->id)) {
            continue;
        }
        slot = ntohs(header.un.echo.sequence);
        if (probe->marks[slot] == ANSWERED) {
            probe->duplicates++;
        } else if (probe->marks[slot] == SENT) {
            uint64_t now = now_us();

            if (probe->last_us && now - probe->last_us > probe->gap_us) {
                probe->gap_us = now - probe->last_us;
            }
            probe->last_us = now;
            probe->marks[slot] = ANSWERED;
            probe->answered++;
        }
    }
}

/* Requests that were not answered and no longer will be; `end` is the first that still may. */
static uint64_t
count_lost(const struct probe *probe, uint64_t *end)
{
    uint64_t lost = 0;
    uint64_t seq = probe->judged_seq;

    for (; seq + YOUNG_REQUESTS < probe->next_seq; seq++) {
        lost += probe->marks[(uint16_t)seq] == SENT;
    }
    *end = seq;
    return lost;
}

static void
report(struct probe *probe, bool new_window)
{
    uint64_t judged;
    uint64_t lost = count_lost(probe, &judged);
    uint64_t since = probe->last_us ? now_us() - probe->last_us : 0;
    uint64_t gap = since > probe->gap_us ? since : probe->gap_us;

    printf("@probe sent=%llu answered=%llu duplicates=%llu lost=%llu errors=%llu gap_us=%llu since_us=%llu\n",
           (unsigned long long)probe->sent, (unsigned long long)probe->answered,
           (unsigned long long)probe->duplicates, (unsigned long long)lost,
           (unsigned long long)probe->send_errors, (unsigned long long)gap, (unsigned long long)since);
    fflush(stdout);
    if (new_window) {
        probe->sent = probe->answered = probe->duplicates = 0;
        probe->send_errors = probe->gap_us = 0;
        probe->judged_seq = judged;
    }
}

/* Returns false when the program shall end. */
static bool
take_command(struct probe *probe)
{
    char line[64];
    ssize_t size = read(STDIN_FILENO, line, sizeof line - 1);

    if (size <= 0) {
        return false;
    }
    line[size] = '\0';
    if (strncmp(line, "quit", 4) == 0) {
        report(probe, false);
        return false;
    }
    if (strncmp(line, "mark", 4) == 0) {
        report(probe, true);
    } else if (strncmp(line, "status", 6) == 0) {
        report(probe, false);
    }
    return true;
}

static void
run(struct probe *probe, uint64_t interval_us)
{
    struct pollfd fds[] = {{.fd = probe->fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    uint64_t next = now_us();

    for (;;) {
        uint64_t now = now_us();
        int wait_ms;

        if (now >= next) {
            send_request(probe);
            /* A guest that was not scheduled does not catch up with a burst. */
            next = now - next > interval_us ? now + interval_us : next + interval_us;
        }
        wait_ms = next > now ? (int)((next - now + 999) / 1000) : 0;
        if (poll(fds, 2, wait_ms) < 0 && errno != EINTR) {
            return;
        }
        take_answers(probe);
        if (fds[1].revents && !take_command(probe)) {
            return;
        }
    }
}

int
main(int argc, char **argv)
{
    static struct probe probe;
    struct sockaddr_in peer = {.sin_family = AF_INET};
    int interval_ms = argc == 3 ? atoi(argv[2]) : 0;

    if (interval_ms < 1 || interval_ms > 1000 || inet_pton(AF_INET, argv[1], &peer.sin_addr) != 1) {
        printf("@probe error=usage\n");
        return 2;
    }
    probe.id = (uint16_t)getpid();
    probe.fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (probe.fd < 0 || connect(probe.fd, (struct sockaddr *)&peer, sizeof peer) < 0) {
        printf("@probe error=%s\n", strerror(errno));
        return 1;
    }
    run(&probe, (uint64_t)interval_ms * 1000u);
    return 0;
}
