/*
 * tcp_packet.c - packets for the offload tests; see tcp_packet.h.
 */
#include "tcp_packet.h"

#include <stdlib.h>
#include <string.h>

uint32_t random_next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

uint16_t naive_sum(uint32_t sum, const uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
        if (sum > 0xffff)
            sum = (sum & 0xffff) + 1;
    }
    return (uint16_t)sum;
}

uint16_t naive_pseudo_sum(const uint8_t *ip, bool ipv6, uint32_t tcp_length)
{
    uint8_t pseudo[40] = {0};
    if (ipv6) {
        memcpy(pseudo, ip + 8, 32);
        pseudo[33] = (uint8_t)(tcp_length >> 16);
        pseudo[34] = (uint8_t)(tcp_length >> 8);
        pseudo[35] = (uint8_t)tcp_length;
        pseudo[39] = 6;
        return naive_sum(0, pseudo, 40);
    }
    memcpy(pseudo, ip + 12, 8);
    pseudo[9] = 6;
    pseudo[10] = (uint8_t)(tcp_length >> 8);
    pseudo[11] = (uint8_t)tcp_length;
    return naive_sum(0, pseudo, 12);
}

static void store16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void build_ethernet(struct packet *packet, const struct tcp_packet *wanted)
{
    static const uint8_t addresses[12] = {0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1};
    memcpy(packet->bytes, addresses, sizeof addresses);
    uint32_t at = 12;
    for (unsigned tag = 0; tag < wanted->vlan_tags; tag++, at += 4) {
        store16(packet->bytes + at, tag + 1 < wanted->vlan_tags ? 0x88a8 : 0x8100);
        store16(packet->bytes + at + 2, 100 + tag);
    }
    store16(packet->bytes + at, wanted->ipv6 ? 0x86dd : 0x0800);
    packet->ip_offset = at + 2;
}

static void build_ip(struct packet *packet, const struct tcp_packet *wanted, uint32_t tcp_length)
{
    uint8_t *ip = packet->bytes + packet->ip_offset;
    if (wanted->ipv6) {
        ip[0] = 0x60;
        ip[3] = 0x55; /* flow label */
        store16(ip + 4, tcp_length);
        ip[6] = 6;
        ip[7] = 64;
        for (unsigned i = 8; i < 40; i++)
            ip[i] = (uint8_t)(i * 7);
        packet->tcp_offset = packet->ip_offset + 40;
        return;
    }
    uint32_t length = 20 + wanted->ip_option_words * 4;
    ip[0] = (uint8_t)(0x40 | length / 4);
    store16(ip + 2, length + tcp_length);
    store16(ip + 4, wanted->identification);
    ip[6] = 0x40; /* do not fragment */
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, (const uint8_t[]){192, 0, 2, 1, 198, 51, 100, 2}, 8);
    memset(ip + 20, 1, length - 20);
    store16(ip + 10, (uint16_t)~naive_sum(0, ip, length));
    packet->tcp_offset = packet->ip_offset + length;
}

static void build_tcp(struct packet *packet, const struct tcp_packet *wanted, uint32_t tcp_length)
{
    uint8_t *tcp = packet->bytes + packet->tcp_offset;
    uint32_t length = 20 + wanted->tcp_option_words * 4;
    store16(tcp, 33000);
    store16(tcp + 2, 443);
    store16(tcp + 4, wanted->sequence >> 16);
    store16(tcp + 6, wanted->sequence);
    store16(tcp + 8, 0xabcd);
    store16(tcp + 10, 0x1234);
    tcp[12] = (uint8_t)(length / 4 << 4);
    tcp[13] = wanted->flags;
    store16(tcp + 14, 501);
    store16(tcp + 16, naive_pseudo_sum(packet->bytes + packet->ip_offset, wanted->ipv6, tcp_length));
    memset(tcp + 20, 1, length - 20);
    packet->payload_offset = packet->tcp_offset + length;
}

void packet_build(struct packet *packet, const struct tcp_packet *wanted, uint64_t *random)
{
    uint32_t tcp_length = 20 + wanted->tcp_option_words * 4 + wanted->payload_length;
    memset(packet, 0, sizeof *packet);
    build_ethernet(packet, wanted);
    build_ip(packet, wanted, tcp_length);
    build_tcp(packet, wanted, tcp_length);
    packet->length = packet->tcp_offset + tcp_length;
    if (packet->length > sizeof packet->bytes)
        abort();
    for (uint32_t i = packet->payload_offset; i < packet->length; i++)
        packet->bytes[i] = (uint8_t)random_next(random);
    packet_view(packet, FRAME_LENGTH_MAX, random);
}

void packet_view(struct packet *packet, uint32_t piece_max, uint64_t *random)
{
    struct frame *frame = &packet->frame;
    frame->length = packet->length;
    frame->head_length = (uint16_t)(packet->length < FRAME_HEAD_MAX ? packet->length : FRAME_HEAD_MAX);
    memcpy(frame->head, packet->bytes, frame->head_length);
    frame->segments = packet->pieces;
    frame->segment_count = 0;
    for (uint32_t at = frame->head_length; at < packet->length;) {
        uint32_t length = piece_max >= packet->length ? packet->length : 1 + random_next(random) % piece_max;
        if (length > packet->length - at || frame->segment_count + 1 == PIECES_MAX)
            length = packet->length - at;
        packet->pieces[frame->segment_count++] = (struct segment){packet->bytes + at, length};
        at += length;
    }
}
