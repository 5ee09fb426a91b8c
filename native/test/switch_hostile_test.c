/*
 * switch_hostile_test.c - the real program against a compromised QEMU and a
 * hostile guest, while two other machines go on: rows F1, F3, F7, F9 to F11,
 * and that a broken queue is named, stays broken and is healed by a reset only.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "switch_client.h"
#include "switch_rig.h"

static const struct machine_options usual = {
    .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_F_RING_INDIRECT_DESC),
};

/* Machines 0 and 1 are the honest ones, 2 is ours. */
static struct switch_rig *three(void)
{
    struct switch_rig *rig = switch_with_machines(3, usual);

    switch_learn_all(rig);
    return rig;
}

static void others_go_on(struct switch_rig *rig)
{
    static uint32_t number;

    for (unsigned i = 0; i < 4; i++, number++) {
        switch_send(rig, i & 1, !(i & 1), number);
        assert_int_equal(switch_receive(rig, !(i & 1), 2000), number);
    }
}

static void comes_back(struct switch_rig *rig)
{
    if (!machine_attach(&rig->machines[2]))
        fail_msg("machine 2 cannot come back: %s", rig->machines[2].peer.why);
    switch_wait_state(rig, "vm2", "up");
    switch_pass(rig, 2, 0, 4);
}

static bool ring_is_broken(struct switch_rig *rig, const char *port, unsigned index, const char *reason)
{
    json_t *list = switch_port(rig, port), *ring;
    bool broken = false;
    size_t i;

    json_array_foreach(json_object_get(list, "rings"), i, ring) {
        const char *why = json_string_value(json_object_get(ring, "broken"));

        if (json_integer_value(json_object_get(ring, "index")) == (json_int_t)index)
            broken = why && strcmp(why, reason) == 0;
    }
    json_decref(list);
    return broken;
}

static void broken_queue(void **state)
{
    struct switch_rig *rig = three();
    struct machine *evil = &rig->machines[2];
    struct driver_queue *tx = machine_tx(evil, 0), *rx = machine_rx(evil, 0);
    int err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint64_t vring = 1, told = 0;
    uint16_t base;

    (void)state;
    assert_true(vhost_peer_command(&evil->peer, VHOST_USER_SET_VRING_ERR, &vring, 8, &err_fd, 1));
    tx->avail->idx = (uint16_t)(tx->avail->idx + 1000);
    machine_kick(evil, 1);
    switch_wait_state(rig, "vm2", "broken");
    assert_true(ring_is_broken(rig, "vm2", 1, "avail_index"));
    for (unsigned i = 0; i < 1000 && told == 0; i++, usleep(1000))
        if (read(err_fd, &told, sizeof told) < 0)
            told = 0;
    assert_int_equal(told, 1); /* the front end was told (R27) */
    close(err_fd);
    others_go_on(rig);
    switch_send(rig, 0, 2, 5); /* its receive queue goes on as well */
    assert_int_equal(switch_receive(rig, 2, 2000), 5);
    tx->avail->idx = tx->published;
    machine_kick(evil, 1);
    usleep(20000);
    assert_true(ring_is_broken(rig, "vm2", 1, "avail_index")); /* putting it right does not help */
    assert_true(vhost_peer_stop_ring(&evil->peer, 1, &base));  /* a reset does */
    driver_reset(tx);
    assert_true(machine_start_ring(evil, 1, 0));
    switch_wait_state(rig, "vm2", "up");
    switch_pass(rig, 2, 0, 6);

    driver_describe(rx, 0, 0xdead0000, 2048, VRING_DESC_F_WRITE, 0); /* a receive buffer in nowhere */
    driver_refill(rx);
    for (unsigned i = 0; i < 300; i++)
        switch_send(rig, 0, 2, i);
    switch_wait_state(rig, "vm2", "broken");
    assert_true(ring_is_broken(rig, "vm2", 0, "address"));
    switch_wait_counter(rig, "vm2", "drops", "rx_broken", 1);
    others_go_on(rig);
    switch_close(rig);
}

/* Random rings, over and over; the rest of the switch must not notice. */
static void random_rings(void **state)
{
    struct switch_rig *rig = three();
    struct machine *evil = &rig->machines[2];

    (void)state;
    srand(7);
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 2; i++) {
            struct driver_queue *queue = &evil->queues[i].driver;

            for (unsigned d = 0; d < queue->options.size; d++) {
                struct vring_desc *desc = &queue->desc[d];

                if (rand() % 3)
                    continue;
                desc->addr = rand() % 2 ? (uint64_t)rand() % (3u << 20) : (uint64_t)rand() << 32;
                desc->len = rand() % 2 ? (uint32_t)rand() % 4096 : (uint32_t)rand();
                desc->flags = (uint16_t)(rand() % 8);
                desc->next = (uint16_t)(rand() % 300);
                queue->avail->ring[d] = (uint16_t)(rand() % 260);
            }
            queue->avail->idx = (uint16_t)(queue->avail->idx + rand() % 40);
            machine_kick(evil, i);
        }
        switch_send(rig, 0, SWITCH_EVERYBODY, 50000 + round);
        assert_int_equal(switch_receive(rig, 1, 2000), 50000 + round);
        for (unsigned i = 0; i < 2; i++) {
            uint16_t base;

            assert_true(vhost_peer_stop_ring(&evil->peer, i, &base));
            driver_reset(&evil->queues[i].driver);
            if (i == 0) {
                driver_refill(machine_rx(evil, 0));
                driver_publish(machine_rx(evil, 0));
            }
            assert_true(machine_start_ring(evil, i, 0));
        }
        while (switch_receive(rig, 0, 0) != SWITCH_NONE || switch_receive(rig, 1, 0) != SWITCH_NONE)
            continue;
    }
    others_go_on(rig);
    switch_close(rig);
}

static void bad_messages(void **state)
{
    static const struct vhost_user_header bad[] = {
        { VHOST_USER_SET_FEATURES, VHOST_USER_VERSION, UINT32_MAX },
        { VHOST_USER_SET_MEM_TABLE, VHOST_USER_VERSION, 4096 },
        { 0, VHOST_USER_VERSION, 0 },
        { 63, VHOST_USER_VERSION, 8 },
        { UINT32_MAX, VHOST_USER_VERSION, 8 },
        { VHOST_USER_GET_FEATURES, 0, 0 },
        { VHOST_USER_GET_FEATURES, VHOST_USER_VERSION | VHOST_USER_REPLY, 0 },
        { VHOST_USER_SET_VRING_NUM, VHOST_USER_VERSION, 7 },
    };
    struct switch_rig *rig = three();

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_true(vhost_peer_send_raw(&rig->machines[2].peer, &bad[i], sizeof bad[i], NULL, 0));
        assert_true(vhost_peer_closed(&rig->machines[2].peer));
        others_go_on(rig);
        comes_back(rig);
    }
    switch_close(rig);
}

static void many_fds(void **state)
{
    static const unsigned counts[] = { 1, 8, 9, 17, 64 };
    struct switch_rig *rig = three();
    struct vhost_user_header header = { VHOST_USER_GET_FEATURES, VHOST_USER_VERSION, 0 };
    pid_t pid = switch_serving_pid(rig);
    unsigned before = switch_fds(pid);
    int fds[64];

    (void)state;
    for (unsigned i = 0; i < 64; i++)
        fds[i] = eventfd(0, EFD_CLOEXEC);
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_true(vhost_peer_send_raw(&rig->machines[2].peer, &header, sizeof header, fds, counts[i]));
        assert_true(vhost_peer_closed(&rig->machines[2].peer));
        comes_back(rig);
    }
    for (unsigned i = 0; i < 4; i++) { /* with half a message, and gone */
        assert_true(vhost_peer_send_raw(&rig->machines[2].peer, &header, 5, fds, 8));
        vhost_peer_disconnect(&rig->machines[2].peer);
        comes_back(rig);
    }
    for (unsigned i = 0; i < 64; i++)
        close(fds[i]);
    others_go_on(rig);
    assert_int_equal(switch_fds(pid), before);
    switch_close(rig);
}

static void slow_message(void **state)
{
    struct switch_rig *rig = three();
    struct vhost_user_header header = { VHOST_USER_SET_FEATURES, VHOST_USER_VERSION, 8 };
    uint8_t bytes[20];
    uint64_t begin = machine_clock_ms();
    unsigned sent = 0;

    (void)state;
    memcpy(bytes, &header, sizeof header);
    memset(bytes + 12, 0, 8);
    rig->machines[2].peer.timeout_ms = 100;
    while (sent < sizeof bytes && machine_clock_ms() - begin < 10000) { /* a byte every 300 ms */
        json_t *answer;

        if (!vhost_peer_send_raw(&rig->machines[2].peer, &bytes[sent++], 1, NULL, 0))
            break;
        answer = switch_answer(rig, "switch.info", json_object(), 2000); /* control is never held up */
        assert_non_null(answer);
        json_decref(answer);
        others_go_on(rig);
        usleep(300000);
    }
    assert_in_range(machine_clock_ms() - begin, 1000, 4000); /* dropped, not served for ever */
    rig->machines[2].peer.timeout_ms = 5000;
    comes_back(rig);
    switch_close(rig);
}

static void vanishing_memory(void **state)
{
    (void)state;
    for (unsigned region = 0; region < 2; region++) { /* that of the rings, that of most buffers */
        struct machine_options options = usual;
        struct switch_rig *rig;
        struct machine *evil;
        struct net_header net = { 0 };
        uint8_t frame[200], to[6], from[6];

        options.unsealed = true;
        rig = switch_with_machines(2, usual);
        evil = switch_add_machine(rig, options);
        switch_learn_all(rig);
        packet_mac(to, 0);
        packet_mac(from, 2);
        packet_plain(frame, sizeof frame, to, from, 0x88b5, 1);
        for (unsigned i = 0; i < 200; i++)
            driver_send(machine_tx(evil, 0), &net, frame, sizeof frame);
        driver_publish(machine_tx(evil, 0));
        /* From here on we must not touch that memory ourselves either. */
        assert_int_equal(ftruncate(evil->ram.regions[region].fd, 0), 0);
        machine_kick(evil, 1);
        for (unsigned i = 0; i < 20; i++)
            switch_send(rig, 0, 2, i);
        switch_wait_state(rig, "vm2", "broken");
        while (switch_receive(rig, 0, 20) != SWITCH_NONE || switch_receive(rig, 1, 20) != SWITCH_NONE)
            continue;
        others_go_on(rig);
        switch_close(rig);
    }
}

/* A guest whose driver comes and goes for ever: subscribers are told of it now and then, and how often they were not. */
static void storm_of_states(void **state)
{
    enum { ROUNDS = 500 };
    static char pending[1 << 18];
    struct switch_rig *rig = three();
    struct vhost_peer *peer = &rig->machines[2].peer;
    json_t *nothing = json_object(), *answer;
    size_t length = 0;
    json_int_t told = 0, left_out = 0;

    (void)state;
    int client = switch_client_connect(rig->control);
    assert_true(client >= 0);
    answer = switch_client_ask(client, pending, &length, sizeof pending, 1, "events.subscribe", nothing, 5000);
    assert_non_null(answer);
    json_decref(answer);
    json_decref(nothing);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_true(vhost_peer_enable_ring(peer, 0, false));
        assert_true(vhost_peer_enable_ring(peer, 0, true));
    }
    others_go_on(rig);
    while (told + left_out < 2 * ROUNDS) {
        json_t *line = switch_client_line(client, pending, &length, sizeof pending, 15000);
        const json_t *params = json_object_get(line, "params");
        const char *type = json_string_value(json_object_get(params, "type"));

        if (line == NULL)
            fail_msg("%lld events of vm2 came, %lld were left out; wanted %d in all", told, left_out, 2 * ROUNDS);
        assert_string_equal(json_string_value(json_object_get(params, "port")), "vm2");
        if (strcmp(type, "events.left_out") == 0)
            left_out += json_integer_value(json_object_get(params, "count"));
        else
            told++;
        json_decref(line);
    }
    assert_int_equal(told + left_out, 2 * ROUNDS);
    assert_in_range(told, 1, 400); /* a busy machine may take more than one window for the storm */
    close(client);
    switch_pass(rig, 2, 0, 4);
    switch_close(rig);
}

static void connection_storm(void **state)
{
    struct switch_rig *rig = three();
    struct vhost_peer *peer = &rig->machines[2].peer;
    pid_t pid = switch_serving_pid(rig);
    unsigned fds = switch_fds(pid);
    uint64_t begin = machine_clock_ms();
    unsigned connects = 0;

    (void)state;
    while (machine_clock_ms() - begin < 2000) {
        connects += vhost_peer_accept(peer); /* the switch comes back by itself each time */
        if (connects % 3 == 0)
            vhost_peer_greet(peer, UINT64_MAX);
        vhost_peer_disconnect(peer);
        if (connects % 20 == 0)
            others_go_on(rig);
    }
    assert_true(connects >= 2);
    comes_back(rig);
    others_go_on(rig);
    assert_int_equal(switch_fds(pid), fds);
    switch_close(rig);
}

/* Somebody who is neither root nor the owner of the folder sits at the socket. */
static void squatter(void **state)
{
    struct switch_rig *rig;
    char path[96];
    int status = 0, listening[2];
    pid_t child;

    (void)state;
    if (geteuid() != 0) {
        fprintf(stderr, "# SKIPPED F11: needs root, to become another user\n");
        skip();
    }
    rig = switch_with_machines(2, usual);
    switch_learn_all(rig);
    snprintf(path, sizeof path, "%s/vm7", rig->folder);
    assert_int_equal(chmod(rig->folder, 0777), 0);
    assert_int_equal(pipe(listening), 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct vhost_peer peer = { .listener = -1, .socket = -1, .timeout_ms = 4000 };
        struct vhost_user_message reply;
        bool squatted;

        if (setgid(65534) != 0 || setuid(65534) != 0 || !vhost_peer_listen(&peer, path) ||
            write(listening[1], "x", 1) != 1)
            _exit(3);
        squatted = vhost_peer_accept(&peer) && vhost_peer_ask(&peer, VHOST_USER_GET_FEATURES, NULL, 0,
                                                              &reply);
        _exit(squatted ? 1 : 0);
    }
    assert_int_equal(read(listening[0], path, 1), 1);
    switch_add_port(rig, "vm7", json_object());
    assert_int_equal(waitpid(child, &status, 0), child);
    close(listening[0]);
    close(listening[1]);
    assert_int_equal(status, 0); /* it was connected to at the most, never spoken to */
    switch_pass(rig, 0, 1, 3);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("R27 a broken queue is named, stays broken, a reset heals it", broken_queue),
        ROW("random rings while others talk", random_rings),
        ROW("F1 bad messages on the wire", bad_messages),
        ROW("F3 too many fds on the wire", many_fds),
        ROW("F7 a message a byte at a time", slow_message),
        ROW("F9 the memory file is truncated", vanishing_memory),
        ROW("H52 states that change for ever are not all told", storm_of_states),
        ROW("F10 connect and disconnect as fast as it goes", connection_storm),
        ROW("F11 a stranger at the socket path", squatter),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: hostile", tests, NULL, NULL);
}
