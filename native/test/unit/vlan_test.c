/*
 * vlan_test.c - which VLAN a frame belongs to, its form with and without a tag, and the tables of a network's VLANs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mac_by_address.h"
#include "switch/offload.h"
#include "switch/vlan_set.h"
#include "switch/vlan_tag.h"
#include "tcp_packet.h"

static const struct port_vlan plain;

static struct port_vlan access_port(unsigned id)
{
    return (struct port_vlan){ .mode = VLAN_ACCESS, .untagged = (uint16_t)id };
}

static struct port_vlan trunk_port(unsigned one, unsigned two, unsigned native)
{
    struct port_vlan vlan = { .mode = VLAN_TRUNK, .untagged = (uint16_t)native };

    port_vlan_list(&vlan, one);
    port_vlan_list(&vlan, two);
    return vlan;
}

/* A frame with the words behind its addresses: types and tags. */
static struct frame frame_of(const uint16_t *words, unsigned count)
{
    struct frame frame = { .length = 100, .head_length = 100 };

    for (unsigned i = 0; i < 100; i++)
        frame.head[i] = (uint8_t)i;
    for (unsigned i = 0; i < count; i++)
        frame_store_be16(frame.head + 12 + 2 * i, words[i]);
    return frame;
}

#define UNTAGGED { 0x0800 }
#define TAGGED(control) { 0x8100, (control), 0x0800 }
#define BARRED UINT32_MAX

static void admission(void **state)
{
    const struct port_vlan access10 = access_port(10), trunk = trunk_port(20, 4094, 0), native = trunk_port(20, 30, 5);
    const struct {
        const struct port_vlan *port;
        uint16_t words[6];
        uint32_t vlan;    /* frame->vlan, or BARRED */
        uint16_t control; /* the tag's afterwards */
    } rows[] = {
        { &plain, UNTAGGED, 0, 0 },
        { &plain, TAGGED(0xa00a), 10 | VLAN_TAGGED, 0xa00a },
        { &plain, TAGGED(0xa000), 0 | VLAN_TAGGED, 0xa000 },
        { &plain, TAGGED(4095), BARRED, 0 },
        { &plain, { 0x88a8, 10, 0x0800 }, BARRED, 0 },
        { &plain, { 0x8100, 10, 0x8100, 20 }, 10 | VLAN_TAGGED, 10 },
        { &access10, UNTAGGED, 10, 0 },
        { &access10, TAGGED(10), BARRED, 0 },
        { &access10, TAGGED(20), BARRED, 0 },
        { &access10, TAGGED(0xe000), 10 | VLAN_TAGGED, 0xe00a }, /* the priority stays */
        { &access10, { 0x8100, 0, 0x8100, 20 }, BARRED, 0 },
        { &access10, { 0x8100, 0, 0x88a8, 20 }, BARRED, 0 },
        { &access10, { 0x88a8, 10, 0x0800 }, BARRED, 0 },
        { &trunk, UNTAGGED, BARRED, 0 },
        { &trunk, TAGGED(0x6000), BARRED, 0 },
        { &trunk, TAGGED(20), 20 | VLAN_TAGGED, 20 },
        { &trunk, TAGGED(0x1000 | 4094), 4094 | VLAN_TAGGED, 0x1000 | 4094 },
        { &trunk, TAGGED(21), BARRED, 0 },
        { &trunk, TAGGED(4095), BARRED, 0 },
        { &native, UNTAGGED, 5, 0 },
        { &native, TAGGED(5), 5 | VLAN_TAGGED, 5 },
        { &native, TAGGED(0x2000), 5 | VLAN_TAGGED, 0x2005 },
        { &native, TAGGED(30), 30 | VLAN_TAGGED, 30 },
        { &native, TAGGED(6), BARRED, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct frame frame = frame_of(rows[i].words, 6);
        enum drop_reason reason = vlan_admit(rows[i].port, &frame);

        if (reason != (rows[i].vlan == BARRED ? DROP_VLAN : DROP_NONE))
            fail_msg("row %zu: %s", i, drop_reason_name[reason]);
        if (reason == DROP_NONE)
            assert_int_equal(frame.vlan, rows[i].vlan);
        if (reason == DROP_NONE && frame.vlan & VLAN_TAGGED)
            assert_int_equal(frame_load_be16(frame.head + 14), rows[i].control);
    }
    struct frame cut = frame_of((uint16_t[]){ 0x8100, 20 }, 2);
    cut.length = cut.head_length = 17; /* a tag without a type behind it */
    assert_int_equal(vlan_admit(&plain, &cut), DROP_VLAN);
}

static void carrying(void **state)
{
    const struct port_vlan access10 = access_port(10), trunk = trunk_port(20, 30, 0), native = trunk_port(20, 30, 5);

    (void)state;
    for (unsigned id = 0; id <= VLAN_ID_MAX; id++) {
        assert_true(port_vlan_carries(&plain, id));
        assert_int_equal(port_vlan_carries(&access10, id), id == 10);
        assert_int_equal(port_vlan_carries(&trunk, id), id == 20 || id == 30);
        assert_int_equal(port_vlan_carries(&native, id), id == 20 || id == 30 || id == 5);
    }
}

/* The bytes of a frame, whole. */
static uint32_t bytes_of(const struct frame *frame, uint8_t *to)
{
    uint32_t length = frame->head_length;

    memcpy(to, frame->head, length);
    for (uint32_t i = 0; i < frame->segment_count; i++) {
        memcpy(to + length, frame->segments[i].data, frame->segments[i].length);
        length += frame->segments[i].length;
    }
    assert_int_equal(length, frame->length);
    return length;
}

static struct packet packet;
static uint8_t before[FRAME_LENGTH_MAX], after[FRAME_LENGTH_MAX + VLAN_TAG_SIZE];

/* There and back, for frames within the head, at its end, and beyond; what the net header says moves along. */
static void other_forms(void **state)
{
    static const uint32_t payloads[] = { 0, 1, 69, 70, 71, 73, 74, 75, 1400, 30000 };
    uint64_t random = 1;

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        struct tcp_packet wanted = { .payload_length = payloads[i] };
        struct frame tagged, back;

        packet_build(&packet, &wanted, &random);
        packet_view(&packet, 1000, &random);
        struct frame *frame = &packet.frame;
        frame->net = (struct net_header){ .flags = NET_HEADER_F_NEEDS_CSUM, .gso_type = NET_HEADER_GSO_TCPV4,
                                          .hdr_len = 54, .gso_size = 100, .csum_start = 34, .csum_offset = 16 };
        frame->vlan = 7;
        uint32_t length = bytes_of(frame, before);
        assert_true(vlan_other_form(frame, &tagged));
        assert_int_equal(tagged.vlan, 7 | VLAN_TAGGED);
        assert_int_equal(bytes_of(&tagged, after), length + 4);
        assert_memory_equal(after, before, 12);
        assert_memory_equal(after + 12, "\x81\0\0\x07", 4);
        assert_memory_equal(after + 16, before + 12, length - 12);
        assert_int_equal(tagged.net.csum_start, 38);
        assert_int_equal(tagged.net.hdr_len, 58);
        assert_int_equal(tagged.net.csum_offset, 16);
        assert_int_equal(tagged.net.gso_size, 100);
        assert_true(vlan_other_form(&tagged, &back));
        assert_int_equal(bytes_of(&back, after), length);
        assert_memory_equal(after, before, length);
        assert_memory_equal(&back.net, &frame->net, sizeof back.net);
        assert_int_equal(back.vlan, 7);
    }
}

static void impossible_forms(void **state)
{
    struct frame frame = frame_of((uint16_t[]){ 0x8100, 10, 0x8100, 20 }, 4), to;

    (void)state;
    frame.vlan = 10 | VLAN_TAGGED;
    assert_false(vlan_other_form(&frame, &to)); /* the tag behind it would come to light */
    frame_store_be16(frame.head + 16, 0x88a8);
    assert_false(vlan_other_form(&frame, &to));
    frame_store_be16(frame.head + 16, 0x0800);
    assert_true(vlan_other_form(&frame, &to));
    frame.net = (struct net_header){ .flags = NET_HEADER_F_NEEDS_CSUM, .csum_start = 17 };
    assert_false(vlan_other_form(&frame, &to)); /* would begin before the payload */
    frame.net.csum_start = 18;
    assert_true(vlan_other_form(&frame, &to));

    frame = frame_of((uint16_t[]){ 0x0800 }, 1);
    frame.vlan = 10;
    frame.length = 14 + 65535; /* the longest packet without a tag gets one */
    assert_true(vlan_other_form(&frame, &to));
    frame.length = FRAME_LENGTH_MAX - 3;
    assert_false(vlan_other_form(&frame, &to));
    frame.length = FRAME_LENGTH_MAX - 4;
    assert_true(vlan_other_form(&frame, &to));
}

/* One form for all ports that want it, made once. */
static void forms_of_a_burst(void **state)
{
    static struct vlan_forms forms;
    const struct port_vlan access10 = access_port(10), trunk = trunk_port(10, 20, 0);
    struct frame untagged = frame_of((uint16_t[]){ 0x0800 }, 1), nested = frame_of((uint16_t[]){ 0x8100, 10, 0x8100 }, 3);

    (void)state;
    untagged.vlan = 10;
    nested.vlan = 10 | VLAN_TAGGED;
    assert_ptr_equal(vlan_form_for(&forms, &access10, &untagged, 31), &untagged);
    struct frame *tagged = vlan_form_for(&forms, &trunk, &untagged, 31);
    assert_ptr_equal(tagged, &forms.frames[31]);
    assert_int_equal(tagged->length, 104);
    assert_ptr_equal(vlan_form_for(&forms, &plain, &untagged, 31), tagged);
    assert_int_equal(tagged->length, 104);
    assert_null(vlan_form_for(&forms, &access10, &nested, 0));
    assert_null(vlan_form_for(&forms, &access10, &nested, 0));
    assert_ptr_equal(vlan_form_for(&forms, &trunk, &nested, 0), &nested);
}

/* A TSO frame whose headers and tag are longer than the head that came in is cut all the same. */
static bool count_piece(void *context, const struct frame *frame)
{
    assert_int_equal(bytes_of(frame, after), frame->length);
    assert_memory_equal(after + 12, "\x81\0\0\x07\x08\0", 6);
    ++*(unsigned *)context;
    return true;
}

static void long_headers_are_cut(void **state)
{
    struct tcp_packet wanted = { .ip_option_words = 9, .tcp_option_words = 9, .payload_length = 3000 };
    struct offload_work *work = offload_work_create();
    struct frame tagged;
    uint64_t random = 1;
    unsigned pieces = 0;

    (void)state;
    packet_build(&packet, &wanted, &random); /* 14 + 56 + 56 bytes of headers */
    packet_view(&packet, 1000, &random);
    packet.frame.net = (struct net_header){ .flags = NET_HEADER_F_NEEDS_CSUM, .gso_type = NET_HEADER_GSO_TCPV4,
                                            .gso_size = 1000, .csum_start = 70, .csum_offset = 16 };
    assert_int_equal(offload_check(&packet.frame, UINT64_MAX), DROP_NONE);
    packet.frame.vlan = 7;
    assert_true(vlan_other_form(&packet.frame, &tagged));
    assert_int_equal(tagged.net.hdr_len, 130);
    assert_int_equal(offload_apply(work, &tagged, 0, count_piece, &pieces), DROP_NONE);
    assert_int_equal(pieces, 3);
    offload_work_destroy(work);
}

/* A VLAN's table is there as long as a port names it, and each port that carries it may be learnt there. */
static void tables(void **state)
{
    const struct port_vlan access10 = access_port(10), trunk = trunk_port(10, 20, 5);
    struct mac_table *rest = mac_table_create(16);
    struct vlan_set *set = vlan_set_create();

    (void)state;
    assert_true(vlan_set_join(set, &access10));
    assert_true(vlan_set_join(set, &trunk));
    assert_int_equal(set->ports, 2);
    vlan_set_add_port(set, 0, 4, &plain);
    vlan_set_add_port(set, 1, 4, &access10);
    vlan_set_add_port(set, 2, 4, &trunk);
    for (unsigned id = 0; id < VLAN_IDS; id++)
        assert_int_equal(vlan_set_macs(set, id, rest) == rest, id != 5 && id != 10 && id != 20);
    struct mac_table *ten = vlan_set_macs(set, 10, rest), *twenty = vlan_set_macs(set, 20, rest);

    learn(ten, 1, 0x020000000001);
    learn(twenty, 2, 0x020000000001);
    learn(twenty, 1, 0x020000000002); /* does not carry it */
    learn(twenty, 0, 0x020000000003);
    assert_int_equal(look_up(ten, 0x020000000001), 1);
    assert_int_equal(look_up(twenty, 0x020000000001), 2);
    assert_int_equal(look_up(twenty, 0x020000000002), MAC_PORT_NONE);
    assert_int_equal(look_up(twenty, 0x020000000003), 0);

    vlan_set_remove_port(set, 2);
    assert_int_equal(look_up(twenty, 0x020000000001), MAC_PORT_NONE);
    vlan_set_leave(set, &trunk);
    assert_ptr_equal(vlan_set_macs(set, 20, rest), rest);
    assert_ptr_equal(vlan_set_macs(set, 10, rest), ten); /* the access port's still */
    assert_int_equal(set->gone_count, 2);
    vlan_set_reap(set);
    for (unsigned i = 0; i <= MAC_AGE_LIMIT_S / MAC_TICK_S; i++)
        vlan_set_tick(set);
    assert_int_equal(look_up(ten, 0x020000000001), MAC_PORT_NONE);
    vlan_set_leave(set, &access10);
    assert_int_equal(set->ports, 0);
    vlan_set_destroy(set);
    mac_table_destroy(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admission),
        cmocka_unit_test(carrying),
        cmocka_unit_test(other_forms),
        cmocka_unit_test(impossible_forms),
        cmocka_unit_test(forms_of_a_burst),
        cmocka_unit_test(long_headers_are_cut),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
