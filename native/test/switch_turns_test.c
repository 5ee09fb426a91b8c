/*
 * switch_turns_test.c - the real program with one worker that has too much to do: a hostile machine that floods from eight queue
 * pairs gets no more of it than its neighbour with one.
 *
 * Both offer frames without end, each to its own address, where they are dropped: what is measured is whom the worker serves.
 * Only those spans count in which the neighbour always had frames waiting: when we are not on a CPU, the worker serves
 * all that is there, and that says nothing.
 */
#include "switch_rig.h"

#define RING 1024u
#define WANTED 500000u
#define LIMIT_MS 60000u

static const struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX), .ring_size = RING };

/* A ring full of frames from the machine to itself. */
static void fill(struct machine *machine, unsigned pair, unsigned number)
{
    struct net_header net = { 0 };
    uint8_t frame[60], mac[6];

    packet_mac(mac, number);
    packet_plain(frame, sizeof frame, mac, mac, 0x88b5, 0);
    while (driver_send(machine_tx(machine, pair), &net, frame, sizeof frame))
        continue;
    machine_publish(machine, 2 * pair + 1);
}

/* The frames that were taken are there once more: nothing was changed in the ring. Returns how many. */
static unsigned again(struct machine *machine, unsigned pair)
{
    struct driver_queue *tx = machine_tx(machine, pair);
    uint16_t taken = driver_used_waiting(tx);

    tx->used_seen = (uint16_t)(tx->used_seen + taken);
    tx->avail_idx = (uint16_t)(tx->avail_idx + taken);
    if (taken > 0)
        machine_publish(machine, 2 * pair + 1);
    return taken;
}

/* Frames that were taken from machine 0, with one queue pair, and from machine 1 with `pairs`. */
static void flood(unsigned pairs, uint64_t taken[2])
{
    struct machine_options many = usual;
    struct switch_rig *rig = switch_with_machines(1, usual);
    uint64_t limit;

    many.pairs = pairs;
    switch_add_machine(rig, many);
    for (unsigned pair = 0; pair < pairs; pair++)
        fill(&rig->machines[1], pair, 1);
    fill(&rig->machines[0], 0, 0);
    taken[0] = taken[1] = 0;
    limit = machine_clock_ms() + LIMIT_MS;
    for (bool waited = false; taken[0] < WANTED;) {
        unsigned one = again(&rig->machines[0], 0), other = 0, late;

        for (unsigned pair = 0; pair < pairs; pair++)
            other += again(&rig->machines[1], pair);
        late = again(&rig->machines[0], 0); /* had it some all the time until we were done with the other? */
        if (waited && one < RING / 2 && late < RING / 2) {
            taken[0] += one + late;
            taken[1] += other;
        }
        waited = late < RING / 2;
        if (machine_clock_ms() > limit)
            fail_msg("%llu frames were taken while others waited, not %u", (unsigned long long)taken[0], WANTED);
    }
    print_message("# %u queue pairs beside one: %llu frames and %llu\n", pairs, (unsigned long long)taken[1],
                  (unsigned long long)taken[0]);
    switch_close(rig);
}

static void many_queues(void **state)
{
    uint64_t taken[2];

    (void)state;
    flood(1, taken);
    assert_in_range(taken[1], taken[0] * 9 / 10, taken[0] * 11 / 10);
    flood(8, taken);
    assert_in_range(taken[1], taken[0] * 9 / 10, taken[0] * 11 / 10);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("G6 a flood from eight queue pairs beside one", many_queues),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: turns", tests, NULL, NULL);
}
