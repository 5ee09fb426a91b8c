/*
 * ring_layouts_test.c - the table of hostile ring layouts, each in all its
 * combinations, each a test of its own. --list prints the table instead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout_run.h"
#include "rows.h"

/* The goal (G1). */
#define LAYOUTS_WANTED 240u
#define CASES_MAX 4096u

static const struct layout_set *const sets[] = {
    &index_layouts, &chain_layouts, &table_layouts, &address_layouts, &buffer_layouts, &frame_layouts,
};

static struct layout_case cases[CASES_MAX];
static char names[CASES_MAX][160];
static struct CMUnitTest tests[CASES_MAX + 1];
static unsigned count, layouts, ran, layouts_right;

static unsigned combinations(const struct layout *layout)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < count; i++)
        sum += cases[i].layout == layout;
    return sum;
}

/* The combinations of a layout stand one behind the other: the last one knows whether all were right. */
static void one(void **state)
{
    static const struct layout *current;
    static unsigned right;
    const struct layout_case *this = *state;
    bool last = this + 1 == cases + count || this[1].layout != this->layout;

    right = this->layout == current ? right : 0;
    current = this->layout;
    layout_run(this);
    ran++;
    right++;
    layouts_right += last && right == combinations(this->layout);
}

/* Runs last: a layout counts when it got its verdict in each of its combinations. */
static void enough(void **state)
{
    (void)state;
    printf("# %u layouts, %u right in all their combinations; %u combinations, %u right\n", layouts, layouts_right, count,
           ran);
    if (layouts_right < LAYOUTS_WANTED)
        fail_msg("%u layouts were right, wanted %u", layouts_right, LAYOUTS_WANTED);
}

static void expand(const struct layout *layout)
{
    unsigned before = count;

    for (unsigned bits = 0; bits < 16; bits++) {
        struct layout_case one_case = {
            .layout = layout, .indirect = bits & 1, .receives = bits & 2, .event_idx = bits & 4, .mergeable = bits & 8,
        };

        if (layout_left_out(&one_case) != NULL)
            continue;
        if (count == CASES_MAX) {
            fprintf(stderr, "more than %u combinations\n", CASES_MAX);
            exit(1);
        }
        cases[count] = one_case;
        layout_case_name(&one_case, names[count], sizeof names[count]);
        tests[count] = (struct CMUnitTest){ names[count], one, NULL, NULL, &cases[count] };
        count++;
    }
    layouts++;
    if (count == before) {
        fprintf(stderr, "no combination is left of \"%s\"\n", layout->name);
        exit(1);
    }
}

static const char *outcome_name(struct outcome outcome)
{
    return outcome.fault != RING_FAULT_NONE ? ring_fault_name[outcome.fault]
           : outcome.drop != DROP_NONE      ? drop_reason_name[outcome.drop]
                                            : "works";
}

static void list(const struct layout *layout)
{
    printf("| %s | %s | %s | %s | %s |\n", layout->name, layout->no_tx ? "-" : outcome_name(layout->tx),
           layout->no_rx ? "-" : outcome_name(layout->rx), layout->no_rx ? "-" : outcome_name(layout->merged),
           layout->no_direct ? "indirect" : layout->no_indirect ? "direct" : "both");
}

int main(int argc, char **argv)
{
    bool listing = argc > 1 && strcmp(argv[1], "--list") == 0;

    for (unsigned s = 0; s < sizeof sets / sizeof sets[0]; s++)
        for (unsigned i = 0; i < sets[s]->count; i++)
            listing ? list(&sets[s]->layouts[i]) : expand(&sets[s]->layouts[i]);
    if (listing)
        return 0;
    tests[count] = (struct CMUnitTest){ "G1 enough layouts ran", enough, NULL, NULL, NULL };
    return _cmocka_run_group_tests("ring layouts", tests, count + 1, NULL, NULL);
}
