/*
 * transcripts_test.c - replays every transcript of PROTOCOL.md on the real
 * program, so that the page is right. argv: the program, the page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "switch_process.h"

static const char *program, *page;

/* "…" in what is expected matches any one value. */
static bool matches(const json_t *expected, const json_t *found)
{
    const char *key;
    json_t *value;
    size_t i;
    if (!expected || !found)
        return false;
    if (json_is_string(expected) && strcmp(json_string_value(expected), "…") == 0)
        return true;
    if (json_typeof(expected) != json_typeof(found))
        return false;
    if (json_is_object(expected)) {
        json_object_foreach((json_t *)expected, key, value) {
            if (!matches(value, json_object_get(found, key)))
                return false;
        }
        return json_object_size(expected) == json_object_size(found);
    }
    if (json_is_array(expected)) {
        json_array_foreach(expected, i, value) {
            if (!matches(value, json_array_get(found, i)))
                return false;
        }
        return json_array_size(expected) == json_array_size(found);
    }
    return json_equal(expected, found);
}

static void expect_line(int fd, const char *text, unsigned number)
{
    json_t *expected = json_loads(text, 0, NULL);
    if (!expected)
        fail_msg("line %u of the page is not JSON: %s", number, text);
    const char *line = switch_hear(fd);
    json_t *found = line ? json_loads(line, 0, NULL) : NULL;
    if (!matches(expected, found))
        fail_msg("line %u of the page:\n expected %s\n    found %s", number, text, line ? line : "the end");
    json_decref(expected);
    json_decref(found);
}

/* From the line after ``` to the closing one; the number of lines that were replayed. */
static unsigned replay_block(FILE *file, unsigned *number)
{
    static char line[65536];
    struct switch_process process;
    unsigned replayed = 0;
    switch_prepare(&process, program);
    switch_start(&process, NULL);
    int fd = switch_connect(&process);
    while (++*number, fgets(line, sizeof line, file) && strncmp(line, "```", 3) != 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "--> ", 4) == 0)
            switch_send(fd, line + 4);
        else if (strncmp(line, "<-- ", 4) == 0)
            expect_line(fd, line + 4, *number);
        else
            fail_msg("line %u of the page is in a transcript and has no arrow: %s", *number, line);
        replayed++;
    }
    close(fd);
    switch_clean(&process);
    return replayed;
}

static void the_page_is_right(void **state)
{
    static char line[65536];
    unsigned number = 0, blocks = 0, lines = 0;
    FILE *file = fopen(page, "re");
    (void)state;
    assert_non_null(file);
    while (++number, fgets(line, sizeof line, file)) {
        if (strncmp(line, "```", 3) != 0)
            continue;
        lines += replay_block(file, &number);
        blocks++;
    }
    fclose(file);
    print_message("%u transcripts, %u lines\n", blocks, lines);
    assert_true(blocks >= 11 && lines >= 50);
}

/* Every method has a transcript. */
static void every_method_is_shown(void **state)
{
    static const char *const methods[] = { "switch.info", "port.add", "port.del", "port.list", "mac.list",
                                           "stats.get", "worker.list", "events.subscribe", "port.set", "capture.start",
                                           "switch.shutdown" };
    static char text[262144];
    FILE *file = fopen(page, "re");
    (void)state;
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char request[64];
        snprintf(request, sizeof request, "\"method\":\"%s\"", methods[i]);
        if (!strstr(text, request))
            fail_msg("no transcript shows %s", methods[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_right),
        cmocka_unit_test(every_method_is_shown),
    };
    if (argc < 3)
        return 2;
    program = argv[1];
    page = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
