/*
 * spoof_test.c - which source addresses a policy lets pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "switch/spoof.h"

#define MINE 0x525400000001ull
#define OTHER 0x525400000002ull
#define MY_IPV4 0x0a000001u
#define OTHER_IPV4 0x0a000002u

static const struct port_policy both = {
    .mac_count = 2, .macs = { 0x525400000099ull, MINE }, .ipv4_count = 2, .ipv4 = { 0x0a000063u, MY_IPV4 },
};
static const struct port_policy macs_only = { .mac_count = 1, .macs = { MINE } };
static const struct port_policy ipv4_only = { .ipv4_count = 1, .ipv4 = { MY_IPV4 } };

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static void put_mac(uint8_t *at, uint64_t mac)
{
    put16(at, (unsigned)(mac >> 32));
    put32(at + 2, (uint32_t)mac);
}

/* A frame of 60 bytes with `tags` VLAN tags; returns where its payload begins. */
static uint8_t *begin(struct frame *frame, uint64_t source, unsigned tags, unsigned type)
{
    uint8_t *at = frame->head + 12;

    memset(frame, 0, sizeof *frame);
    memset(frame->head, 0xff, 6);
    put_mac(frame->head + 6, source);
    for (unsigned i = 0; i < tags; i++, at += 4)
        put16(at, i == 0 && tags > 1 ? 0x88a8 : 0x8100);
    put16(at, type);
    frame->length = frame->head_length = 60;
    return at + 2;
}

static uint8_t *ipv4(struct frame *frame, uint64_t source, unsigned tags, uint32_t from)
{
    uint8_t *ip = begin(frame, source, tags, 0x0800);

    ip[0] = 0x45;
    put32(ip + 12, from);
    return ip;
}

static uint8_t *arp(struct frame *frame, uint64_t source, unsigned tags, uint64_t hardware, uint32_t sender)
{
    static const uint8_t kinds[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    uint8_t *at = begin(frame, source, tags, 0x0806);

    memcpy(at, kinds, sizeof kinds);
    put_mac(at + 8, hardware);
    put32(at + 14, sender);
    return at;
}

static void ethernet_source(void **state)
{
    struct frame frame;
    (void)state;
    begin(&frame, MINE, 0, 0x86dd);
    assert_true(spoof_allowed(&both, &frame));
    begin(&frame, OTHER, 0, 0x86dd);
    assert_false(spoof_allowed(&both, &frame));
    assert_false(spoof_allowed(&macs_only, &frame));
    assert_true(spoof_allowed(&ipv4_only, &frame));
    frame.length = frame.head_length = FRAME_LENGTH_MIN; /* nothing but the header */
    assert_true(spoof_allowed(&ipv4_only, &frame));
}

static void ipv4_source(void **state)
{
    struct frame frame;
    (void)state;
    for (unsigned tags = 0; tags <= 2; tags++) {
        ipv4(&frame, MINE, tags, MY_IPV4);
        assert_true(spoof_allowed(&both, &frame));
        ipv4(&frame, MINE, tags, OTHER_IPV4);
        assert_false(spoof_allowed(&both, &frame));
        assert_true(spoof_allowed(&macs_only, &frame));
    }
    ipv4(&frame, MINE, 3, MY_IPV4);
    assert_false(spoof_allowed(&both, &frame));
}

/* The same packets behind a length and a SNAP header, with a tag and without. */
static void behind_snap(void **state)
{
    static const uint8_t snap[6] = { 0xaa, 0xaa, 3, 0, 0, 0 };
    struct frame frame;

    (void)state;
    for (unsigned tags = 0; tags <= 1; tags++)
        for (unsigned flaw = 0; flaw <= 3; flaw++) {
            uint8_t *at = begin(&frame, MINE, tags, flaw == 3 ? 0x05ff : 50) + 8;

            memcpy(at - 8, snap, sizeof snap);
            put16(at - 2, 0x0800);
            at[0] = 0x45;
            put32(at + 12, flaw == 1 ? OTHER_IPV4 : flaw == 2 ? 0 : MY_IPV4);
            assert_int_equal(spoof_allowed(&both, &frame), flaw == 0 || flaw == 3);
            at[-6] = 4; /* no SNAP: nothing that anybody takes for IPv4 */
            assert_true(spoof_allowed(&both, &frame));
            at[-6] = 3;
            put16(at - 2, 0x0806);
            assert_false(spoof_allowed(&both, &frame));
        }
}

static void arp_sender(void **state)
{
    struct frame frame;
    (void)state;
    for (unsigned tags = 0; tags <= 2; tags++) {
        arp(&frame, MINE, tags, MINE, MY_IPV4);
        assert_true(spoof_allowed(&both, &frame));
        arp(&frame, MINE, tags, OTHER, MY_IPV4);
        assert_false(spoof_allowed(&macs_only, &frame));
        arp(&frame, MINE, tags, MINE, OTHER_IPV4);
        assert_false(spoof_allowed(&both, &frame));
        assert_true(spoof_allowed(&macs_only, &frame));
        arp(&frame, MINE, tags, MINE, 0);
        assert_true(spoof_allowed(&both, &frame)); /* a probe */
    }
    uint8_t *at = arp(&frame, MINE, 0, MINE, MY_IPV4);
    at[4] = 8; /* its addresses stand elsewhere */
    assert_false(spoof_allowed(&both, &frame));
    at = arp(&frame, MINE, 0, OTHER, MY_IPV4);
    put16(at - 2, 0x8035);
    assert_false(spoof_allowed(&both, &frame));
}

static void cut_short(void **state)
{
    struct frame frame;
    (void)state;
    for (uint16_t length = FRAME_LENGTH_MIN; length <= 60; length++) {
        ipv4(&frame, MINE, 0, MY_IPV4);
        frame.length = frame.head_length = length;
        assert_int_equal(spoof_allowed(&both, &frame), length >= 14 + 20);
        arp(&frame, MINE, 0, MINE, MY_IPV4);
        frame.length = frame.head_length = length;
        assert_int_equal(spoof_allowed(&both, &frame), length >= 14 + 28);
        ipv4(&frame, MINE, 1, MY_IPV4);
        frame.length = frame.head_length = length;
        assert_int_equal(spoof_allowed(&both, &frame), length >= 18 + 20);
    }
}

static void dhcp_request(void **state)
{
    struct frame frame;
    (void)state;
    for (unsigned flaw = 0; flaw <= 5; flaw++) {
        uint8_t *ip = ipv4(&frame, MINE, 0, 0);

        ip[0] = flaw == 1 ? 0x44 : 0x45;
        ip[9] = flaw == 2 ? 6 : 17;
        put32(ip + 16, flaw == 3 ? OTHER_IPV4 : UINT32_MAX);
        put16(ip + 20, flaw == 4 ? 67 : 68);
        put16(ip + 22, 67);
        put16(ip + 6, flaw == 5 ? 0x2000 : 0);
        assert_int_equal(spoof_allowed(&both, &frame), flaw == 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_source), cmocka_unit_test(ipv4_source),  cmocka_unit_test(arp_sender),
        cmocka_unit_test(behind_snap),
        cmocka_unit_test(cut_short),       cmocka_unit_test(dhcp_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
