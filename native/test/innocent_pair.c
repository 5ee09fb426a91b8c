/*
 * innocent_pair.c - see the header.
 */
#include "innocent_pair.h"

#include <stdlib.h>
#include <string.h>

#define TURN_MS 100u
#define FRAME_BYTES 200u

struct innocent_pair pair;

static void pair_send(struct machine *from, unsigned to, unsigned count)
{
    struct net_header header = { 0 };
    uint8_t frame[FRAME_BYTES], to_mac[6], from_mac[6];

    packet_mac(to_mac, to);
    packet_mac(from_mac, 0);
    driver_reap(machine_tx(from, 0));
    for (unsigned i = 0; i < count; i++) {
        packet_plain(frame, sizeof frame, to_mac, from_mac, 0x88b5, to == 1 ? pair.sent : 0);
        if (!driver_send(machine_tx(from, 0), &header, frame, sizeof frame))
            break;
        pair.sent += to == 1;
    }
    machine_publish(from, 1);
}

unsigned pair_drain(struct machine *machine)
{
    static uint8_t frame[70000];
    struct net_header header;
    uint8_t mac[6];
    unsigned count = 0;
    int length;

    packet_mac(mac, 0);
    while ((length = driver_receive(machine_rx(machine, 0), &header, frame, sizeof frame)) != DRIVER_NOTHING) {
        if (length != FRAME_BYTES || memcmp(frame + 6, mac, 6) != 0)
            continue;
        uint32_t number = packet_number(frame, (uint32_t)length);

        if (number == UINT32_MAX || number < pair.next || number >= pair.sent)
            fail_msg("frame %u: wanted one of %u to %u", number, pair.next, pair.sent);
        pair.next = number + 1;
        count++;
    }
    if (pair.settled < pair.next)
        pair.settled = pair.next;
    driver_refill(machine_rx(machine, 0));
    machine_publish(machine, 0);
    return count;
}

uint64_t pair_turn(struct switch_rig *rig, unsigned also)
{
    uint64_t begin = machine_clock_ms(), now = begin, count = 0;

    pair.last_ms = begin;
    for (unsigned round = 0; now - begin < TURN_MS; round++, now = machine_clock_ms()) {
        unsigned got;

        if (pair.sent - pair.settled < 128)
            pair_send(&rig->machines[0], 1, 32);
        if (also && round % 8 == 0)
            pair_send(&rig->machines[0], also, 8);
        got = pair_drain(&rig->machines[1]);
        pair_drain(&rig->machines[0]);
        count += got;
        if (got > 0)
            pair.last_ms = now;
        else if (now - pair.last_ms > 10)
            pair.settled = pair.sent; /* those under way were dropped, or come late */
    }
    return count;
}

static int by_size(const void *a, const void *b)
{
    return (int)*(const unsigned *)a - (int)*(const unsigned *)b;
}

unsigned pair_median(unsigned *found, unsigned count)
{
    qsort(found, count, sizeof found[0], by_size);
    return found[count / 2];
}
