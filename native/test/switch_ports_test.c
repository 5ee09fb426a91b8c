/*
 * switch_ports_test.c - ports that come and go while their front ends connect and flood (G11).
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "innocent_pair.h"
#include "storms.h"

static struct machine guest;

/* A front end that connects, floods a little and goes, in order or not. */
static void do_come_and_go(void)
{
    guest.peer.timeout_ms = 20;
    if (machine_attach(&guest)) {
        for (unsigned i = 0; i < 20; i++)
            storm_do_broadcasts();
    }
    if (storm_any() & 1)
        machine_detach(&guest);
    else
        vhost_peer_disconnect(&guest.peer);
}

static long resident_kib(pid_t pid)
{
    char path[64], line[160];
    long kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        sscanf(line, "VmRSS: %ld", &kib);
    if (file)
        fclose(file);
    assert_true(kib > 0);
    return kib;
}

static void ports_under_load(void **state)
{
    struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) }, its = usual;
    const char *text = getenv("PORT_ROUNDS");
    unsigned rounds = text ? (unsigned)atoi(text) : 400, fds = 0;
    struct switch_rig *rig = switch_open(NULL);
    pid_t pid = switch_serving_pid(rig);
    char path[96];
    long kib = 0, later;
    uint64_t connects = 0;

    (void)state;
    switch_add_machine(rig, usual);
    switch_add_machine(rig, usual);
    switch_learn_all(rig);
    snprintf(path, sizeof path, "%s/guest", rig->folder);
    its.socket = path;
    assert_true(machine_create(&guest, &its));
    storm_machine(&guest, 2);
    storm_begin(do_come_and_go);
    for (unsigned round = 0; round < rounds; round++) {
        json_t *port;

        if (round == rounds / 4) { /* all that is kept for later is there by now */
            kib = resident_kib(pid);
            fds = switch_fds(pid);
        }
        switch_add_port(rig, "guest", json_object());
        usleep(round % 16 * 500);
        port = switch_port(rig, "guest");
        connects += (uint64_t)json_integer_value(json_object_get(port, "connects"));
        json_decref(port);
        json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "guest")));
        pair_drain(&rig->machines[0]);
        pair_drain(&rig->machines[1]);
        if (round % 10 == 0) {
            switch_send(rig, 0, 1, 7);
            pair.next = 7;
            pair.sent = 8;
            for (unsigned i = 0; i < 5000 && pair.next != 8; i++) {
                pair_drain(&rig->machines[1]);
                usleep(pair.next == 8 ? 0 : 1000);
            }
            assert_int_equal(pair.next, 8);
        }
    }
    storm_end();
    assert_true(connects >= rounds / 4);
    assert_int_equal(switch_fds(pid), fds);
    later = resident_kib(pid);
    printf("# %u ports were added and removed, front ends connected %llu times; resident memory grew by %ld KiB\n", rounds,
           (unsigned long long)connects, later - kib);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* A sanitizer keeps freed memory, so its size says nothing; it reports leaks at the end instead. */
#else
    assert_true(later - kib < 1024);
#endif
    machine_destroy(&guest);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ROW("G11 ports come and go while front ends connect and flood", ports_under_load),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: ports", tests, NULL, NULL);
}
