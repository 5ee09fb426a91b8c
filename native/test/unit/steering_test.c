/*
 * steering_test.c - the flow hash and the table of flows of one port.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "switch/flow_hash.h"
#include "switch/steering.h"
#include "tcp_packet.h"

#define ALL UINT64_C(0xff)

static struct packet packet, answer;

static uint32_t hash_of(const struct tcp_packet *wanted, uint64_t random)
{
    packet_build(&packet, wanted, &random);
    return flow_hash(&packet.frame);
}

static void swap_bytes(uint8_t *a, uint8_t *b, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = a[i];

        a[i] = b[i];
        b[i] = byte;
    }
}

static void both_directions(void **state)
{
    (void)state;
    for (unsigned shape = 0; shape < 24; shape++) {
        struct tcp_packet wanted = { .ipv6 = shape & 1, .vlan_tags = shape / 2 % 3,
                                     .ip_option_words = shape & 1 ? 0 : shape / 6, .payload_length = 10 };
        uint32_t forth = hash_of(&wanted, shape + 1);

        answer = packet;
        uint8_t *head = answer.frame.head;
        uint8_t *ip = head + packet.ip_offset, *tcp = head + packet.tcp_offset;

        swap_bytes(head, head + 6, 6);
        if (wanted.ipv6)
            swap_bytes(ip + 8, ip + 24, 16);
        else
            swap_bytes(ip + 12, ip + 16, 4);
        swap_bytes(tcp, tcp + 2, 2);
        assert_int_equal(flow_hash(&answer.frame), forth);
        tcp[1] ^= 1; /* another port, another flow */
        assert_int_not_equal(flow_hash(&answer.frame), forth);
    }
}

/* All fragments of a packet are one flow, though only the first has ports. */
static void fragments(void **state)
{
    struct tcp_packet wanted = { .payload_length = 100 };
    uint8_t *ip, *tcp;
    uint32_t first;

    (void)state;
    hash_of(&wanted, 1);
    ip = packet.frame.head + packet.ip_offset;
    tcp = packet.frame.head + packet.tcp_offset;
    ip[6] = 0x20; /* more come */
    first = flow_hash(&packet.frame);
    ip[6] = 0;
    ip[7] = 10; /* a later one, with payload where ports would be */
    tcp[0] ^= 0x55;
    assert_int_equal(flow_hash(&packet.frame), first);
}

static void learnt_and_aged(void **state)
{
    struct steering *steering = steering_create();

    (void)state;
    assert_non_null(steering);
    steering_set_receivers(steering, ALL);
    for (uint32_t hash = 0; hash < 1000; hash++) {
        uint32_t spread = hash * UINT32_C(2654435761);
        unsigned before = steering_choose(steering, ALL, spread);

        assert_in_range(before, 0, 7);
        for (unsigned pair = 0; pair < 8; pair++) {
            steering_learn(steering, spread, pair);
            assert_int_equal(steering_choose(steering, ALL, spread), pair);
            assert_int_not_equal(steering_choose(steering, ALL & ~(UINT64_C(1) << pair), spread), pair);
        }
    }
    uint32_t flow = UINT32_C(2654435761) * 3;

    steering_learn(steering, flow, 1);
    for (unsigned i = 0; i < STEERING_AGE_S; i++)
        steering_tick(steering);
    assert_int_equal(steering_choose(steering, UINT64_C(0x82), flow), 1);
    steering_learn(steering, UINT32_C(0xffffffff), 1); /* the hash alone would pick the other */
    assert_int_equal(steering_choose(steering, UINT64_C(0x82), UINT32_C(0xffffffff)), 1);
    for (unsigned i = 0; i <= STEERING_AGE_S; i++)
        steering_tick(steering);
    assert_int_equal(steering_choose(steering, UINT64_C(0x82), UINT32_C(0xffffffff)), 7);
    steering_destroy(steering);
}

/* A million flows: the table takes what it has room for, and what it knew before stays. */
static void flood(void **state)
{
    struct steering *steering = steering_create();
    uint64_t random = 7;

    (void)state;
    assert_non_null(steering);
    steering_learn(steering, UINT32_C(0xfffffe05), 1);
    for (unsigned i = 0; i < 1000000; i++)
        steering_learn(steering, random_next(&random), 2);
    assert_int_equal(steering_choose(steering, 7, UINT32_C(0xfffffe05)), 1);
    for (unsigned i = 0; i <= STEERING_AGE_S; i++)
        steering_tick(steering);
    steering_learn(steering, UINT32_C(0xffffff05), 0); /* room again */
    assert_int_equal(steering_choose(steering, 7, UINT32_C(0xffffff05)), 0);
    steering_destroy(steering);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions),
        cmocka_unit_test(fragments),
        cmocka_unit_test(learnt_and_aged),
        cmocka_unit_test(flood),
    };
    return cmocka_run_group_tests_name("steering", tests, NULL, NULL);
}
