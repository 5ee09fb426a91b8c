/*
 * switch_queues_test.c - the real program with play VMs of several queue pairs:
 * answers come on the queue of their flow, and the number of queues changes
 * under traffic.
 */
#include <string.h>

#include "switch_rig.h"

#define PAIRS 4u

static const struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX), .pairs = PAIRS };

static void enable(struct machine *machine, unsigned index, bool enabled)
{
    assert_true(vhost_peer_enable_ring(&machine->peer, index, enabled));
}

/* A UDP frame of conversation `flow`, from machine 0 to 1 or back. */
static void send_flow(struct switch_rig *rig, unsigned from, unsigned pair, unsigned flow)
{
    struct net_header net = { 0 };
    uint8_t frame[100], to_mac[6], from_mac[6];

    packet_mac(to_mac, !from);
    packet_mac(from_mac, from);
    packet_plain(frame, sizeof frame, to_mac, from_mac, 0x0800, 0);
    memset(frame + 14, 0, 28);
    frame[14] = 0x45;
    frame[17] = 86;
    frame[23] = 17;
    frame[26] = frame[30] = 10;
    frame[29] = (uint8_t)(1 + from);
    frame[33] = (uint8_t)(2 - from);
    frame[34 + 2 * from] = (uint8_t)(0x40 + (flow >> 8)); /* the port of machine 0 */
    frame[35 + 2 * from] = (uint8_t)flow;
    frame[37 - 2 * from] = 53;
    assert_true(machine_send(&rig->machines[from], pair, &net, frame, sizeof frame));
}

/* The pair on which machine `at` gets its next frame. */
static unsigned receive_pair(struct switch_rig *rig, unsigned at)
{
    uint64_t limit = machine_clock_ms() + 2000;
    struct net_header net;
    uint8_t frame[2048];

    while (machine_clock_ms() < limit)
        for (unsigned pair = 0; pair < PAIRS; pair++)
            if (machine_receive(&rig->machines[at], pair, &net, frame, sizeof frame, 0) == 100)
                return pair;
    fail_msg("machine %u got nothing", at);
    return PAIRS;
}

/* Both addresses are learnt, and what was flooded is taken out. */
static struct switch_rig *two_machines(void)
{
    struct switch_rig *rig = switch_with_machines(2, usual);

    send_flow(rig, 0, 0, 0);
    receive_pair(rig, 1);
    send_flow(rig, 1, 0, 0);
    receive_pair(rig, 0);
    return rig;
}

static void answers_follow(void **state)
{
    struct switch_rig *rig = two_machines();
    unsigned used = 0;

    (void)state;
    for (unsigned flow = 1; flow < 200; flow++) {
        unsigned pair = flow % PAIRS;

        send_flow(rig, 0, pair, flow);
        used |= 1u << receive_pair(rig, 1);
        send_flow(rig, 1, flow / PAIRS % PAIRS, flow);
        assert_int_equal(receive_pair(rig, 0), pair);
        send_flow(rig, 0, pair ^ 1, flow); /* the driver moves it, and now it is known to machine 1, too */
        assert_int_equal(receive_pair(rig, 1), flow / PAIRS % PAIRS);
        send_flow(rig, 1, flow / PAIRS % PAIRS, flow);
        assert_int_equal(receive_pair(rig, 0), pair ^ 1);
    }
    assert_int_equal(used, (1u << PAIRS) - 1); /* unknown flows are spread */
    switch_close(rig);
}

/* As ethtool -L does it, while frames flow: nothing is lost, nothing comes on a queue that is off. */
static void number_changes(void **state)
{
    struct switch_rig *rig = two_machines();
    unsigned on = PAIRS;

    (void)state;
    for (unsigned change = 0; change < 500; change++) {
        unsigned next = 1 + (change * 7 + change / 3) % PAIRS;

        for (unsigned flow = 0; flow < 8; flow++) /* on their way while it changes */
            send_flow(rig, 1, 0, flow);
        for (unsigned pair = next; pair < on; pair++)
            enable(&rig->machines[0], 2 * pair, false);
        for (unsigned pair = on; pair < next; pair++)
            enable(&rig->machines[0], 2 * pair, true);
        on = next;
        for (unsigned flow = 0; flow < 8; flow++)
            receive_pair(rig, 0);
        for (unsigned flow = 0; flow < 8; flow++) {
            send_flow(rig, 0, flow % on, flow);
            receive_pair(rig, 1);
            send_flow(rig, 1, 0, flow);
            assert_int_equal(receive_pair(rig, 0), flow % on);
        }
    }
    assert_int_equal(switch_counter(rig, "vm0", "tx", "frames"), 1 + 500 * 16);
    assert_int_equal(switch_counter(rig, "vm0", "drops", "rx_not_ready"), 0);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("answers come on the queue of their flow", answers_follow),
        ROW("H53 the number of queues changes under traffic", number_changes),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: queues", tests, NULL, NULL);
}
