/*
 * switch_neighbours_test.c - two innocent machines beside a third that does its
 * worst, all on one worker (G6).
 *
 * Beside each kind of storm the pair must move its frames, whole and in
 * order, in bounded time. With SHARE_WANTED=45 (the goal) it is measured what is left to it: what it moves
 * beside the storm, in per cent of what it moves beside a thread that only burns the same time, the median of many
 * turns. Not otherwise: on a host that does something else besides, that figure says nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "innocent_pair.h"
#include "storms.h"

#define PASSED_WANTED 3000u
#define ACTS_WANTED 20u
#define LIMIT_MS 20000u

/* The storm and the pair until both have done something. */
static void pass_beside(struct switch_rig *rig, void (*act)(void), unsigned also)
{
    uint64_t begin = machine_clock_ms(), passed = 0;

    storm_begin(act);
    while (passed < PASSED_WANTED || storm_acts() < ACTS_WANTED) {
        passed += pair_turn(rig, also);
        if (machine_clock_ms() - begin > LIMIT_MS) {
            storm_end();
            fail_msg("%llu frames passed in %u s beside %u acts, wanted %u and %u", (unsigned long long)passed,
                     LIMIT_MS / 1000, storm_acts(), PASSED_WANTED, ACTS_WANTED);
        }
    }
    storm_end();
}

/* What is left to the pair, in per cent of what it has beside a thread that only burns time, or sleeps as this one does. */
static unsigned share(struct switch_rig *rig, const struct storm_kind *kind)
{
    unsigned found[PAIR_TURNS];

    for (unsigned turn = 0; turn < PAIR_TURNS; turn++) {
        uint64_t alone, beside;

        storm_begin(kind->sleeps ? storm_do_nothing : NULL);
        alone = pair_turn(rig, 0);
        storm_end();
        storm_begin(kind->act);
        beside = pair_turn(rig, kind->also);
        storm_end();
        found[turn] = (unsigned)(beside * 100 / (alone > 0 ? alone : 1));
    }
    return pair_median(found, PAIR_TURNS);
}

static void beside(void **state)
{
    const struct storm_kind *kind = *state;
    struct machine_options usual = { .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) }, its = usual;
    const char *wanted = getenv("SHARE_WANTED");
    struct switch_rig *rig = switch_open("--cores=0");

    its.features |= FEATURE(VIRTIO_F_RING_INDIRECT_DESC) | kind->features;
    its.tx_buffer = kind->tx_buffer;
    its.ring_size = kind->tx_buffer ? 64 : 0;
    switch_add_machine(rig, usual);
    switch_add_machine(rig, usual);
    struct machine *evil = switch_add_machine_as(rig, its, kind->storm ? json_pack("{s:{s:i}}", "policy", "storm", kind->storm) : json_object());
    storm_machine(evil, 2);
    switch_learn_all(rig);
    if (kind->deaf) {
        uint16_t base;

        assert_true(vhost_peer_stop_ring(&evil->peer, 0, &base));
        driver_reset(machine_rx(evil, 0));
        assert_true(machine_start_ring(evil, 0, 0));
    }
    pair.sent = pair.next = pair.settled = 0;
    pass_beside(rig, kind->act, kind->also);
    if (wanted != NULL) {
        unsigned found = share(rig, kind);

        printf("# %u %% is left to an innocent pair beside: %s\n", found, kind->name);
        if (found < (unsigned)atoi(wanted))
            fail_msg("the pair has %u %%, wanted %s", found, wanted);
    }
    pass_beside(rig, NULL, 0); /* and it goes on afterwards */
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static char names[STORM_KINDS][80];
    static struct CMUnitTest tests[STORM_KINDS];

    for (unsigned i = 0; i < STORM_KINDS; i++) {
        snprintf(names[i], sizeof names[i], "G6 an innocent pair beside: %s", storm_kinds[i].name);
        tests[i] = (struct CMUnitTest){ names[i], beside, NULL, NULL, (void *)(uintptr_t)&storm_kinds[i] };
    }
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: neighbours", tests, NULL, NULL);
}
