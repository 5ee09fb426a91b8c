/*
 * checksum_test.c - the fast sum against the one of RFC 1071's text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tcp_packet.h"
#include "switch/checksum.h"

static void test_example_of_rfc_1071(void **state)
{
    (void)state;
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum_fold(checksum_add(0, data, sizeof data)), 0xddf2);
    assert_int_equal(checksum_finish(checksum_add(0, data, sizeof data)), 0x220d);
}

static void test_nothing_and_one_byte(void **state)
{
    (void)state;
    static const uint8_t one[] = {0xab};
    assert_int_equal(checksum_add(0x1234, one, 0), 0x1234);
    assert_int_equal(checksum_fold(checksum_add(0, one, 1)), 0xab00);
    assert_int_equal(checksum_finish(0), 0xffff);
}

static void test_every_length_and_alignment(void **state)
{
    (void)state;
    static uint8_t data[300];
    uint64_t random = 1;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random_next(&random);
    for (uint32_t offset = 0; offset < 16; offset++)
        for (uint32_t length = 0; length + offset <= sizeof data; length++)
            assert_int_equal(checksum_fold(checksum_add(0xffff, data + offset, length)),
                             naive_sum(0xffff, data + offset, length));
}

static void test_greatest_sum_does_not_overflow(void **state)
{
    (void)state;
    static uint8_t data[FRAME_LENGTH_MAX & ~1u]; /* pieces of an odd length do not add up */
    memset(data, 0xff, sizeof data);
    uint32_t sum = 0xffffffff;
    for (unsigned i = 0; i < 100; i++)
        sum = checksum_add(sum, data, sizeof data);
    assert_int_equal(checksum_fold(sum), 0xffff);
}

static void test_pieces_add_up(void **state)
{
    (void)state;
    static uint8_t data[9001];
    uint64_t random = 2;
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random_next(&random);
    for (unsigned round = 0; round < 1000; round++) {
        uint32_t cut = random_next(&random) % sizeof data & ~1u;
        uint32_t sum = checksum_add(checksum_add(0, data, cut), data + cut, sizeof data - cut);
        assert_int_equal(checksum_fold(sum), naive_sum(0, data, sizeof data));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_of_rfc_1071),
        cmocka_unit_test(test_nothing_and_one_byte),
        cmocka_unit_test(test_every_length_and_alignment),
        cmocka_unit_test(test_greatest_sum_does_not_overflow),
        cmocka_unit_test(test_pieces_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
