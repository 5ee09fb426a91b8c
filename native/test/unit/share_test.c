/*
 * share_test.c - buffers of a slow receiver among its senders: rounds of senders in a fixed order, as a worker
 * polls them, with all buffers of a round posted before the first. The expected shares are max-min fair ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "switch/share.h"

#define SENDERS 80u
#define ROUND_NS 2000u

static uint64_t now_ns = 1;

/* One sender of a play round. */
struct sender {
    unsigned frames; /* of each burst */
    unsigned every;  /* it comes once in so many rounds; 0: each */
    unsigned chains; /* of each frame; 0: one */
    unsigned got;    /* chains */
};

/* What vhost_frames_deliver() does with a burst, but for frames. */
static void burst(struct share *share, unsigned port, struct sender *sender, unsigned *available)
{
    unsigned chains = sender->chains > 0 ? sender->chains : 1, taken = 0;
    unsigned allowed = sender->frames;

    if (share->contested)
        allowed = share_allow(share, port, sender->frames, *available, now_ns);
    while (taken < allowed && *available >= chains) {
        *available -= chains;
        taken++;
    }
    if (taken < sender->frames)
        share_short(share, port, sender->frames, now_ns);
    if (share->contested)
        share_took(share, port, taken * chains);
    sender->got += taken * chains;
}

static void rounds(struct share *share, struct sender *senders, unsigned count, unsigned posted, unsigned number,
                   unsigned *available)
{
    for (unsigned round = 0; round < number; round++) {
        *available += posted;
        if (*available > 256)
            *available = 256;
        for (unsigned i = 0; i < count; i++)
            if (senders[i].every == 0 || round % senders[i].every == 0)
                burst(share, i, &senders[i], available);
        now_ns += ROUND_NS;
    }
}

static void play(struct sender *senders, unsigned count, unsigned posted, unsigned number)
{
    static struct share share;
    unsigned available = 0;

    memset(&share, 0, sizeof share);
    rounds(&share, senders, count, posted, number, &available);
}

/* Within 10 % of what is due, of 2000 rounds. */
static void assert_due(const struct sender *sender, unsigned a_round)
{
    assert_in_range(sender->got, a_round * 1800, a_round * 2200);
}

static void equals(void **state)
{
    (void)state;
    struct sender senders[] = { { .frames = 32 }, { .frames = 32 } };
    play(senders, 2, 10, 2000);
    assert_due(&senders[0], 5);
    assert_due(&senders[1], 5);
}

static void large_bursts_and_small_ones(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct sender senders[2] = { [0] = { .frames = first ? 8 : 32 }, [1] = { .frames = first ? 32 : 8 } };
        struct sender *large = &senders[first], *small = &senders[!first];

        play(senders, 2, 10, 2000); /* both want more than half */
        assert_due(large, 5);
        assert_due(small, 5);
        large->got = small->got = 0;
        play(senders, 2, 20, 2000); /* the small one wants less than half, and gets it */
        assert_due(large, 12);
        assert_due(small, 8);
    }
}

static void three(void **state)
{
    (void)state;
    struct sender senders[] = { { .frames = 32 }, { .frames = 4 }, { .frames = 32 } };
    play(senders, 3, 24, 2000);
    assert_due(&senders[0], 10);
    assert_due(&senders[1], 4);
    assert_due(&senders[2], 10);
}

static void one_buffer_at_a_time(void **state)
{
    (void)state;
    struct sender senders[] = { { .frames = 32 }, { .frames = 1 } };
    play(senders, 2, 1, 4000);
    assert_in_range(senders[0].got, 1800, 2200);
    assert_in_range(senders[1].got, 1800, 2200);
}

static void rare_frames(void **state)
{
    (void)state;
    struct sender senders[] = { { .frames = 32 }, { .frames = 1, .every = 100 } };
    play(senders, 2, 10, 20000);
    assert_in_range(senders[1].got, 180, 200);
    assert_in_range(senders[0].got, 20000 * 10 - 20000, 20000 * 10);
}

static void frames_of_several_buffers(void **state)
{
    (void)state;
    struct sender senders[] = { { .frames = 32, .chains = 3 }, { .frames = 32 } };
    play(senders, 2, 12, 2000);
    assert_due(&senders[0], 6);
    assert_due(&senders[1], 6);
}

static void more_than_are_told_apart(void **state)
{
    (void)state;
    struct sender senders[SENDERS];
    unsigned due = 2000 * 128 / SHARE_SENDERS, alone = 0, others = 0;

    memset(senders, 0, sizeof senders);
    for (unsigned i = 0; i < SENDERS; i++)
        senders[i].frames = 32;
    play(senders, SENDERS, 128, 2000);
    for (unsigned i = 0; i < SENDERS; i++) {
        bool is_due = senders[i].got >= due * 9 / 10 && senders[i].got <= due * 11 / 10;

        alone += is_due;
        others += is_due ? 0 : senders[i].got;
    }
    assert_true(alone >= SHARE_SENDERS - 1);
    assert_true(others <= due * 11 / 10); /* the rest have one share together */
}

static void one_leaves(void **state)
{
    (void)state;
    static struct share share;
    struct sender senders[] = { { .frames = 32 }, { .frames = 32 } };
    unsigned available = 0;

    memset(&share, 0, sizeof share);
    rounds(&share, senders, 2, 10, 500, &available);
    senders[0].got = 0;
    rounds(&share, senders, 1, 10, 2000, &available);
    assert_due(&senders[0], 10); /* nothing is held back for one that is gone */
}

/* Four of five went away, and what is held back for them is the whole ring: the fifth, who tries seldom, must not wait for ever. */
static void all_is_held_back(void **state)
{
    (void)state;
    static struct share share;
    struct sender senders[] = { { .frames = 32 }, { .frames = 32 }, { .frames = 32 }, { .frames = 32 }, { .frames = 32 } };
    unsigned available = 0;

    memset(&share, 0, sizeof share);
    rounds(&share, senders, 5, 40, 500, &available);
    for (unsigned i = 0; i < 10; i++) /* takes all it may, and the driver posts it again, up to 256 in all */
        rounds(&share, senders, 1, 256, 1, &available);
    assert_int_equal(available, 256);
    senders[0] = (struct sender){ .frames = 1 };
    burst(&share, 0, &senders[0], &available);
    assert_int_equal(senders[0].got, 0); /* so it is held back indeed */
    now_ns += SHARE_CALM_NS;
    burst(&share, 0, &senders[0], &available);
    assert_int_equal(senders[0].got, 1);
}

static void one_comes_back(void **state)
{
    (void)state;
    static struct share share;
    struct sender senders[] = { { .frames = 32 }, { .frames = 1 } };
    unsigned available = 0;

    memset(&share, 0, sizeof share);
    rounds(&share, senders, 2, 10, 2000, &available);
    senders[1].frames = 32; /* it took little so far: that does not give it all now */
    senders[0].got = 0;
    rounds(&share, senders, 2, 10, 40, &available);
    assert_in_range(senders[0].got, (40 * 10 - SHARE_ARREARS) / 2 - 20, 40 * 5);
}

static void it_calms_down(void **state)
{
    (void)state;
    static struct share share;
    struct sender senders[] = { { .frames = 32 }, { .frames = 32 } };
    unsigned available = 0;

    memset(&share, 0, sizeof share);
    rounds(&share, senders, 2, 64, 100, &available);
    assert_false(share.contested);
    rounds(&share, senders, 2, 10, 100, &available);
    assert_true(share.contested);
    rounds(&share, senders, 2, 64, SHARE_CALM, &available);
    assert_false(share.contested);
    assert_int_equal(share.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals),
        cmocka_unit_test(large_bursts_and_small_ones),
        cmocka_unit_test(three),
        cmocka_unit_test(one_buffer_at_a_time),
        cmocka_unit_test(rare_frames),
        cmocka_unit_test(frames_of_several_buffers),
        cmocka_unit_test(more_than_are_told_apart),
        cmocka_unit_test(one_leaves),
        cmocka_unit_test(all_is_held_back),
        cmocka_unit_test(one_comes_back),
        cmocka_unit_test(it_calms_down),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
