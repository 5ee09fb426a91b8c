/*
 * options_test.c - command lines, good and wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static char why[256];

/* Splits at blanks; the words stay in a static buffer, as argv does. */
static enum options_verdict parse(const char *line, struct options *options)
{
    static char words[512];
    char *argv[32] = { "vhostkit-switch" };
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    why[0] = 0;
    return options_parse(argc, argv, options, why, sizeof why);
}

static void the_least(void **state)
{
    struct options options;
    (void)state;
    assert_int_equal(parse("--control c --state s", &options), OPTIONS_RUN);
    assert_string_equal(options.control, "c");
    assert_string_equal(options.state, "s");
    assert_false(options.monitor || options.poll || options.log || options.group || options.user || options.cores.count || options.spare.count);
    assert_int_equal(options.log_level, LOG_LEVEL_INFO);
}

static void everything(void **state)
{
    struct options options;
    (void)state;
    assert_int_equal(parse("--control=c --state s --monitor --cores 1,3-5 --spare-cores 7 --idle poll --log l "
                           "--log-level debug --group kvm --user kim", &options), OPTIONS_RUN);
    assert_true(options.monitor && options.poll);
    assert_string_equal(options.log, "l");
    assert_string_equal(options.group, "kvm");
    assert_string_equal(options.user, "kim");
    assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
    const int cores[] = { 1, 3, 4, 5 };
    assert_int_equal(options.cores.count, 4);
    assert_memory_equal(options.cores.cores, cores, sizeof cores);
    assert_int_equal(options.spare.count, 1);
    assert_int_equal(options.spare.cores[0], 7);
}

static void help_and_version_need_nothing_else(void **state)
{
    struct options options;
    (void)state;
    assert_int_equal(parse("--help", &options), OPTIONS_HELP);
    assert_int_equal(parse("--version", &options), OPTIONS_VERSION);
    assert_string_equal(VHOSTKIT_VERSION, PROJECT_VERSION);
}

static void wrong_ones_say_why(void **state)
{
    static const struct {
        const char *line, *part;
    } rows[] = {
        { "", "--control PATH is missing" },
        { "--control c", "--state FILE is missing" },
        { "--control", "--control wants a value" },
        { "--control c --state s extra", "\"extra\" is not expected" },
        { "--control c --state s --nonsense", "--nonsense is not an option" },
        { "--control c --state s -x", "-x is not an option" },
        { "--control c --state s --monitor=yes", "--monitor=yes is not an option here" },
        { "--control c --state s --idle sometimes", "--idle wants adaptive or poll" },
        { "--control c --state s --log-level loud", "--log-level wants" },
        { "--control c --state s --cores 1,,2", "--cores wants a list" },
        { "--control c --state s --cores 5-3", "--cores wants a list" },
        { "--control c --state s --cores 1,", "--cores wants a list" },
        { "--control c --state s --cores -1", "--cores wants a list" },
        { "--control c --state s --cores 1024", "--cores wants a list" },
        { "--control c --state s --cores 99999999999999999999", "--cores wants a list" },
        { "--control c --state s --cores 1x", "--cores wants a list" },
        { "--control c --state s --cores 1,1-2", "core 1 twice" },
        { "--control c --state s --cores 0-64", "at most 64 cores" },
        { "--control c --state s --spare-cores 1,", "--spare-cores wants a list" },
        { "--control c --state s --spare-cores 2-4 --cores 1,3", "core 3 is in --cores and in --spare-cores" },
        { "--control c --state s --spare-cores 0-31 --cores 32-63", "fewer than 64 cores together" },
        { "--control= --state s", "--control wants a path" },
        { "--control 0123456789012345678901234567890123456789012345678901234567890123456789"
          "01234567890123456789012345678901234567 --state s", "1 to 107 bytes, found one of 108" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct options options;
        assert_int_equal(parse(rows[i].line, &options), OPTIONS_WRONG);
        if (!strstr(why, rows[i].part))
            fail_msg("\"%s\": expected \"%s\" in \"%s\"", rows[i].line, rows[i].part, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least),
        cmocka_unit_test(everything),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(wrong_ones_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
