/*
 * frame_grammar.c - see the header. Each frame is made of one record.
 */
#include "frame_grammar.h"

#include "frame_model.h"

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_addresses(uint8_t *to, struct input *in)
{
    uint8_t choice = input_byte(in);

    memset(to, 0, 12);
    to[0] = to[6] = 0x52;
    to[5] = choice % 4;          /* 3: nobody's */
    to[11] = choice / 4 % 4;
    if (choice & 16)
        memset(to, 0xff, 6);
    if (choice >= 0xf0)
        to[6] = 0x53;            /* multicast */
    if (choice >= 0xf8)
        memset(to + 6, 0, 6);
}

static uint32_t put_tags(uint8_t *to, struct input *in)
{
    static const uint16_t ids[] = { 1, 2, 7, 0, 4095, 4094, 100, 3 };
    uint8_t choice = input_byte(in);
    unsigned count = choice < 96 ? 0 : choice < 208 ? 1 : choice < 240 ? 2 : 3;

    for (unsigned i = 0; i < count; i++) {
        put16(to + 4 * i, i + 1 < count && choice & 16 ? 0x88a8 : 0x8100);
        put16(to + 4 * i + 2, ids[(choice + i) % 8] | (choice & 8 ? 0x6000u : 0));
    }
    return 4 * count;
}

/* Extension headers of IPv6: hop-by-hop, routing, destination options. */
static uint32_t put_extensions(uint8_t *to, uint8_t *next, unsigned count)
{
    static const uint8_t kinds[] = { 0, 43, 60 };
    uint32_t at = 0;

    for (unsigned i = 0; i < count; i++) {
        *next = kinds[i % 3];
        to[at + 1] = i % 2; /* 8 or 16 bytes */
        next = to + at;
        at += 8 + 8 * (i % 2);
    }
    *next = 6;
    return at;
}

/* IP and what is in it up to the payload; returns its length and the offset of the transport's header. */
static uint32_t put_packet(uint8_t *to, struct input *in, uint32_t payload_length, uint32_t *type, uint32_t *transport,
                           bool *fragment)
{
    uint8_t kind = input_byte(in), options = input_byte(in), flags = input_byte(in);
    bool ipv6 = kind & 1, udp = kind % 8 == 6;
    uint32_t length = udp ? 8 : 20 + options % 11 * 4;
    uint8_t protocol = udp ? 17 : 6;

    if (kind >= 240) { /* ARP, or RARP */
        static const uint8_t fixed[] = { 0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0, 0, 0, 0, 0, 10, 0, 0, 1 };

        *type = kind & 2 ? 0x8035 : 0x0806;
        *transport = 0;
        memcpy(to, fixed, sizeof fixed);
        to[13] = options % 4;
        to[17] = flags % 4;
        return kind == 255 ? 20 : 28;
    }
    if (kind >= 232) {
        *type = kind == 232 ? 46 : 0x88cc;
        *transport = 0;
        return options;
    }
    *type = ipv6 ? 0x86dd : 0x0800;
    if (ipv6) {
        to[0] = 0x60;
        to[6] = protocol;
        to[7] = 64;
        for (unsigned i = 8; i < 40; i++)
            to[i] = (uint8_t)(i * 37 + flags);
        *transport = 40 + (kind >= 200 ? put_extensions(to + 40, to + 6, 1 + options % 3) : 0);
        put16(to + 4, *transport - 40 + length + payload_length);
    } else {
        *transport = 20 + (kind >= 128 ? options / 16 % 11 * 4u : 0);
        to[0] = (uint8_t)(0x40 | *transport / 4);
        put16(to + 2, *transport + length + payload_length);
        put16(to + 4, 0xfffe + flags);
        *fragment = kind % 32 == 2;
        to[6] = *fragment ? options & 0x3f : 0x40; /* more fragments, or an offset */
        to[7] = *fragment && flags & 1 ? flags : 0;
        *fragment = to[6] & 0x3f || to[7];
        to[8] = 64;
        to[9] = protocol;
        memcpy(to + 12, (const uint8_t[]){ 10, 0, 0, (uint8_t)(flags % 4), 10, 0, 0, 9 }, 8);
        put16(to + 10, (uint16_t)~plain_sum(0, to, *transport));
    }
    uint8_t *at = to + *transport;

    put16(at, 68 + kind % 2);
    put16(at + 2, 67);
    if (udp) {
        put16(at + 4, 8 + payload_length);
    } else {
        put16(at + 4, 0xffff);
        put16(at + 6, 0xf000 + options * 13u);
        at[12] = (uint8_t)(length / 4 << 4);
        at[13] = flags;
    }
    return *transport + length;
}

/* What an honest driver asks for; returns whether it may. */
static bool put_offload(struct sent *to, struct input *in, uint32_t ip, uint32_t transport, bool tcp, bool ipv6)
{
    uint8_t kind = input_byte(in);
    uint32_t size = input_number(in, 2) & 0x3fff;

    if (kind < 64 || transport == 0)
        return true;
    to->net.flags = NET_HEADER_F_NEEDS_CSUM;
    to->net.csum_start = (uint16_t)(ip + transport);
    to->net.csum_offset = tcp ? 16 : 6;
    if (kind < 128)
        return true;
    to->net.gso_type = ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4;
    to->net.gso_type |= kind & 16 ? NET_HEADER_GSO_ECN : 0;
    to->net.gso_size = (uint16_t)(kind & 8 ? size : 536 + size % 1024);
    to->net.hdr_len = (uint16_t)(to->header_length + input_byte(in) % 8);
    return tcp && to->net.gso_size >= 8;
}

void sent_make(struct sent *to, struct input *in)
{
    uint8_t scale;
    uint32_t type = 0, transport = 0, at = 12;
    bool fragment = false;

    memset(to, 0, sizeof *to);
    scale = input_byte(in);
    to->payload_length = input_byte(in) * (scale < 128 ? 6u : scale < 192 ? 64u : 256u);
    put_addresses(to->headers, in);
    at += put_tags(to->headers + at, in);
    uint32_t ip = at + 2, length = put_packet(to->headers + ip, in, to->payload_length, &type, &transport, &fragment);

    put16(to->headers + at, type);
    to->header_length = ip + length;
    if (to->header_length + to->payload_length > FRAME_LENGTH_MAX)
        to->payload_length = FRAME_LENGTH_MAX - to->header_length;
    bool tcp = transport != 0 && (type == 0x86dd ? to->headers[ip + 6] : to->headers[ip + 9]) == 6;
    bool fits = put_offload(to, in, ip, transport, tcp, type == 0x86dd);

    for (unsigned i = 0; i < 3; i++)
        to->cuts[i] = input_byte(in);
    to->honest = fits && !(fragment && to->net.gso_type) && to->header_length <= FRAME_HEAD_MAX && !(to->headers[6] & 1) && at <= 12 + 2 * 4 &&
                 (to->headers[6] | to->headers[11]);
}

void sent_spoil(struct sent *to, struct input *in)
{
    for (unsigned i = 1 + input_choice(in, 4); i > 0; i--) {
        uint8_t where = input_byte(in), value = input_byte(in);

        if (where < 12)
            ((uint8_t *)&to->net)[where] = value;
        else if (where < 24)
            ((uint8_t *)&to->net)[where - 12] ^= (uint8_t)(1u << value % 8);
        else if (where < 28)
            to->payload_length = value < 128 ? value : FRAME_LENGTH_MAX;
        else if (where < 32 && to->header_length > FRAME_LENGTH_MIN)
            to->header_length -= value % (to->header_length - FRAME_LENGTH_MIN + 1);
        else
            to->headers[where - 20u] = value;
        if (to->header_length + to->payload_length > FRAME_LENGTH_MAX)
            to->payload_length = FRAME_LENGTH_MAX - to->header_length;
        to->honest = false;
    }
}

void sent_view(struct sent *from, struct frame *frame, uint8_t *payload, uint8_t *behind_head)
{
    uint32_t in_head = from->header_length < FRAME_HEAD_MAX ? from->header_length : FRAME_HEAD_MAX;
    unsigned count = 0;

    memset(frame, 0, sizeof *frame);
    frame->net = from->net;
    frame->length = from->header_length + from->payload_length;
    frame->head_length = (uint16_t)(frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);
    memcpy(frame->head, from->headers, in_head);
    memcpy(frame->head + in_head, payload, frame->head_length - in_head);
    uint32_t at = frame->head_length - in_head; /* of the payload */

    if (from->header_length > in_head) {
        memcpy(behind_head, from->headers + in_head, from->header_length - in_head);
        from->pieces[count++] = (struct segment){ behind_head, from->header_length - in_head };
    }
    while (at < from->payload_length) {
        uint32_t left = from->payload_length - at, part = count + 1 < SENT_PIECES_MAX ? 1 + from->cuts[count % 2] * 16u : left;

        part = from->cuts[0] == 0 || part > left ? left : part;
        from->pieces[count++] = (struct segment){ payload + at, part };
        at += part;
    }
    frame->segments = from->pieces;
    frame->segment_count = count;
}
