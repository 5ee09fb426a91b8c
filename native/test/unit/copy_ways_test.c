/*
 * copy_ways_test.c - each way to copy that this CPU has, and the switch's own short one, write the bytes that
 * they are asked to and no other, whatever the length and wherever the bytes are; nothing is read beyond a guard page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "copy_ways.h"
#include "switch/copy.h"

#define LONGEST 2100u
#define BORDER 64u /* the widest vector */
#define ROOM 4096u
#define PAGE 4096u

typedef void copy_function(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t length);

/* ROOM bytes before a page that cannot be touched. */
static uint8_t *guarded_create(void)
{
    uint8_t *at = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(at, MAP_FAILED);
    assert_int_equal(mprotect(at + ROOM, PAGE, PROT_NONE), 0);
    return at;
}

static uint8_t *from_room, *to_room, expected[ROOM];

static void check(copy_function *copy, enum copy_way way, uint32_t to, uint32_t from, uint32_t length)
{
    memset(to_room, 0xee, ROOM);
    memset(expected, 0xee, ROOM);
    for (uint32_t i = 0; i < length; i++)
        expected[to + i] = from_room[from + i];
    copy(way, to_room + to, from_room + from, length);
    if (memcmp(to_room, expected, ROOM) != 0)
        fail_msg("%u bytes from %u to %u, way %u", length, from, to, (unsigned)way);
}

/* Every length up to `longest`, ending at the guard pages; and every pair of places around a border for some. */
static void check_all(copy_function *copy, enum copy_way way, uint32_t longest)
{
    static const uint32_t lengths[] = { 0, 1, 15, 16, 17, 31, 33, 63, 64, 65, 128, 140, 257, 1378 };

    for (uint32_t length = 0; length <= longest; length++)
        check(copy, way, ROOM - length, ROOM - length, length);
    for (unsigned i = 0; i < sizeof lengths / sizeof lengths[0] && lengths[i] <= longest; i++)
        for (uint32_t to = 0; to < BORDER; to++)
            for (uint32_t from = 0; from < BORDER; from += 7)
                check(copy, way, BORDER + to, BORDER + from, lengths[i]);
}

static void test_each_way_writes_the_bytes(void **state)
{
    (void)state;
    for (enum copy_way way = 0; way < COPY_WAY_COUNT; way++) {
        if (copy_way_is_there(way))
            check_all(copy_bytes, way, LONGEST);
        else
            print_message("%s: not on this CPU\n", copy_way_name[way]);
    }
}

static void short_copy(enum copy_way way, uint8_t *to, const uint8_t *from, uint32_t length)
{
    (void)way;
    copy_short(to, from, length);
}

static void test_short_copy_writes_the_bytes(void **state)
{
    (void)state;
    check_all(short_copy, COPY_LIBC, NET_HEADER_SIZE + FRAME_HEAD_MAX);
}

int main(void)
{
    from_room = guarded_create();
    to_room = guarded_create();
    for (uint32_t i = 0; i < ROOM; i++)
        from_room[i] = (uint8_t)(i * 7 + i / 251);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_way_writes_the_bytes),
        cmocka_unit_test(test_short_copy_writes_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
