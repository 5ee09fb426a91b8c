/*
 * switch_balance_test.c - the real program with two workers, of which one has two loaded queues and the other none: one
 * queue moves, under numbered frames of which none is lost and none overtakes another.
 */
#include <string.h>
#include <unistd.h>

#include "switch_client.h"
#include "switch_rig.h"

/* TCP frames whose checksum the switch has to complete: so it has more to do for each than we have. */
#define PAYLOAD 1400u
#define SEQUENCE_AT (PACKET_ETHERNET + 20u + 4u)
#define IN_FLIGHT 1000u /* sent and not yet received: fewer than the receiver has buffers */

/* One way from machine `from` to machine `to`. */
struct way {
    unsigned from, to;
    uint32_t sent, received;
    struct net_header net;
    uint8_t frame[PACKET_TCP4 + PAYLOAD];
    uint32_t length;
};

static struct way ways[2];

static void way_begin(struct way *way, unsigned from, unsigned to)
{
    uint8_t to_mac[6], from_mac[6];

    *way = (struct way){ .from = from, .to = to };
    packet_mac(to_mac, to);
    packet_mac(from_mac, from);
    way->length = packet_tcp(way->frame, to_mac, from_mac, false, PAYLOAD, 0, &way->net);
}

/* Frames are numbered by their TCP sequence, which is no part of what the checksum field holds yet. */
static void way_number(struct way *way)
{
    for (unsigned i = 0; i < 4; i++)
        way->frame[SEQUENCE_AT + i] = (uint8_t)(way->sent >> (24 - 8 * i));
}

static uint32_t number_of(const uint8_t *frame)
{
    const uint8_t *at = frame + SEQUENCE_AT;

    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void load_way(struct switch_rig *rig, struct way *way)
{
    struct driver_queue *tx = machine_tx(&rig->machines[way->from], 0), *rx = machine_rx(&rig->machines[way->to], 0);
    static uint8_t frame[2048];
    struct net_header net;
    int length;

    driver_reap(tx);
    for (unsigned i = 0; i < 64 && way->sent - way->received < IN_FLIGHT; i++, way->sent++) {
        way_number(way);
        if (!driver_send(tx, &way->net, way->frame, way->length))
            break;
    }
    machine_publish(&rig->machines[way->from], 1);
    while ((length = driver_receive(rx, &net, frame, sizeof frame)) != DRIVER_NOTHING) {
        assert_int_equal(length, way->length);
        assert_int_equal(number_of(frame), way->received); /* none is missing, none came before another */
        way->received++;
    }
    driver_refill(rx);
    machine_publish(&rig->machines[way->to], 0);
}

/* The worker that serves the port's transmit queue. */
static int worker_of(struct switch_rig *rig, const char *port)
{
    json_t *list = switch_port(rig, port), *ring;
    int worker = -1;
    size_t i;

    json_array_foreach(json_object_get(list, "rings"), i, ring)
        if (json_integer_value(json_object_get(ring, "index")) == 1)
            worker = (int)json_integer_value(json_object_get(ring, "worker"));
    json_decref(list);
    return worker;
}

/* Whether worker.list says that this worker has the port's transmit queue. */
static bool is_listed(struct switch_rig *rig, int worker, const char *port)
{
    json_t *result = switch_call(rig, "worker.list", json_object()), *one, *queue;
    bool listed = false;
    size_t i, j;

    json_array_foreach(json_object_get(result, "workers"), i, one)
        json_array_foreach(json_object_get(one, "queues"), j, queue)
            listed |= json_integer_value(json_object_get(one, "id")) == worker &&
                      json_integer_value(json_object_get(queue, "queue")) == 1 &&
                      strcmp(json_string_value(json_object_get(queue, "port")), port) == 0;
    json_decref(result);
    return listed;
}

static void a_queue_moves(void **state)
{
    struct machine_options options = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_NET_F_CSUM),
                                       .ring_size = 1024 };
    struct switch_rig *rig;
    static char pending[1 << 16];
    size_t pending_length = 0;
    json_t *event = NULL, *nothing = json_object(), *answer;

    (void)state;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        print_message("# NOT TESTED: two workers want two CPUs, this machine has one\n");
        skip();
    }
    rig = switch_open("--cores=0,1");
    for (unsigned i = 0; i < 4; i++)
        switch_add_machine(rig, options);
    switch_learn_all(rig);

    /* The machines that will send are those of one worker, whichever it is. */
    unsigned count[2] = { 0 }, on[2][4];
    for (unsigned i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof name, "vm%u", i);
        int worker = worker_of(rig, name);
        assert_in_range(worker, 0, 1);
        assert_true(is_listed(rig, worker, name));
        on[worker][count[worker]++] = i;
    }
    assert_int_equal(count[0], 2);
    for (unsigned i = 0; i < 2; i++)
        way_begin(&ways[i], on[0][i], on[1][i]);

    int client = switch_client_connect(rig->control);
    assert_true(client >= 0);
    answer = switch_client_ask(client, pending, &pending_length, sizeof pending, 1, "events.subscribe", nothing, 5000);
    assert_non_null(answer);
    json_decref(answer);
    json_decref(nothing);

    for (uint64_t limit = machine_clock_ms() + 90000; event == NULL;) {
        if (machine_clock_ms() > limit)
            fail_msg("no queue was moved within 90 s: is the machine so busy that a worker of the switch is not?");
        for (unsigned i = 0; i < 1000; i++)
            for (unsigned way = 0; way < 2; way++)
                load_way(rig, &ways[way]);
        json_t *line = switch_client_line(client, pending, &pending_length, sizeof pending, 0);

        if (line != NULL &&
            strcmp(json_string_value(json_object_get(json_object_get(line, "params"), "type")), "queue.moved") == 0)
            event = json_incref(json_object_get(line, "params"));
        json_decref(line);
    }
    const char *moved = json_string_value(json_object_get(event, "port"));
    char names[2][16];
    for (unsigned i = 0; i < 2; i++)
        snprintf(names[i], sizeof names[i], "vm%u", ways[i].from);
    print_message("# %s: %s\n", moved, json_string_value(json_object_get(event, "why")));
    assert_true(strcmp(moved, names[0]) == 0 || strcmp(moved, names[1]) == 0);
    assert_int_equal(json_integer_value(json_object_get(event, "queue")), 1);
    assert_int_equal(json_integer_value(json_object_get(event, "worker")), 1);
    assert_non_null(strstr(json_string_value(json_object_get(event, "why")), "worker 0 was busy for"));
    assert_int_equal(worker_of(rig, moved), 1);
    assert_true(is_listed(rig, 1, moved));
    json_decref(event);

    for (unsigned i = 0; i < 2000; i++) /* it goes on with its new worker */
        for (unsigned way = 0; way < 2; way++)
            load_way(rig, &ways[way]);
    for (unsigned way = 0; way < 2; way++) {
        uint32_t all = ways[way].sent;

        for (uint64_t limit = machine_clock_ms() + 5000; ways[way].received < all; ) {
            if (machine_clock_ms() > limit)
                fail_msg("%u of %u frames came", ways[way].received, all);
            load_way(rig, &ways[way]);
        }
        assert_true(all > 1000);
    }
    for (unsigned i = 0; i < 4; i++) {
        char name[16];

        snprintf(name, sizeof name, "vm%u", i);
        assert_int_equal(switch_counter(rig, name, "drops", "rx_no_room"), 0);
        assert_int_equal(switch_counter(rig, name, "drops", "rx_not_ready"), 0);
    }
    close(client);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("a queue moves to the worker that has less to do", a_queue_moves),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: balance", tests, NULL, NULL);
}
