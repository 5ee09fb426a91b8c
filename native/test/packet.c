/*
 * packet.c - frames for tests.
 */
#include "packet.h"

#include <string.h>

#define FIRST_SEQUENCE 1000u

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

/* Ones' complement sum, folded (RFC 1071). */
static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint64_t sum_of(const uint8_t *at, uint32_t length)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i + 1 < length; i += 2)
        sum += get16(at + i);
    if (length & 1)
        sum += (uint32_t)at[length - 1] << 8;
    return sum;
}

static uint64_t pseudo_header(const uint8_t *ip, bool ipv6, uint32_t tcp_length)
{
    return (ipv6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8)) + 6 + (tcp_length >> 16) + (tcp_length & 0xffff);
}

void packet_mac(uint8_t mac[6], unsigned number)
{
    mac[0] = 0x02;
    mac[1] = 0x76;
    mac[2] = 0x68;
    mac[3] = (uint8_t)(number >> 16);
    put16(mac + 4, number & 0xffff);
}

static uint8_t pattern(uint32_t at)
{
    return (uint8_t)(at * 13 + (at >> 8) * 5 + 1);
}

void packet_plain(uint8_t *frame, uint32_t length, const uint8_t *to, const uint8_t *from, uint16_t ethertype,
                  uint32_t number)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    put16(frame + 12, ethertype);
    for (uint32_t i = PACKET_ETHERNET; i < length; i++)
        frame[i] = (uint8_t)(pattern(i) + number);
    if (length >= PACKET_ETHERNET + 4)
        put32(frame + PACKET_ETHERNET, number);
}

uint32_t packet_number(const uint8_t *frame, uint32_t length)
{
    uint32_t number = get32(frame + PACKET_ETHERNET);

    for (uint32_t i = PACKET_ETHERNET + 4; i < length; i++)
        if (frame[i] != (uint8_t)(pattern(i) + number))
            return UINT32_MAX;
    return number;
}

uint32_t packet_tcp(uint8_t *frame, const uint8_t *to, const uint8_t *from, bool ipv6, uint32_t payload,
                    uint16_t gso_size, struct net_header *net)
{
    uint32_t tcp_at = ipv6 ? 54 : 34;
    uint32_t length = tcp_at + 20 + payload;
    uint8_t *ip = frame + PACKET_ETHERNET;
    uint8_t *tcp = frame + tcp_at;

    memset(frame, 0, tcp_at + 20);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    put16(frame + 12, ipv6 ? 0x86dd : 0x0800);
    if (ipv6) {
        ip[0] = 0x60;
        put16(ip + 4, 20 + payload);
        ip[6] = 6;
        ip[7] = 64;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 1;
        ip[39] = 2;
    } else {
        ip[0] = 0x45;
        put16(ip + 2, length - PACKET_ETHERNET);
        put16(ip + 6, 0x4000); /* do not fragment */
        ip[8] = 64;
        ip[9] = 6;
        ip[12] = ip[16] = 10;
        ip[15] = 1;
        ip[19] = 2;
        put16(ip + 10, (uint16_t)~fold(sum_of(ip, 20)));
    }
    put16(tcp, 4321);
    put16(tcp + 2, 80);
    put32(tcp + 4, FIRST_SEQUENCE);
    tcp[12] = 0x50;
    tcp[13] = 0x18; /* PSH, ACK */
    put16(tcp + 14, 1000);
    put16(tcp + 16, fold(pseudo_header(ip, ipv6, 20 + payload)));
    for (uint32_t i = 0; i < payload; i++)
        tcp[20 + i] = pattern(i);
    *net = (struct net_header){
        .flags = NET_HEADER_F_NEEDS_CSUM, .csum_start = (uint16_t)tcp_at, .csum_offset = 16,
        .hdr_len = (uint16_t)(tcp_at + 20), .gso_size = gso_size,
        .gso_type = gso_size == 0 ? NET_HEADER_GSO_NONE : ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4,
    };
    return length;
}

static uint32_t tcp_offset(const uint8_t *frame)
{
    return get16(frame + 12) == 0x86dd ? 54 : 34;
}

bool packet_tcp_valid(const uint8_t *frame, uint32_t length)
{
    bool ipv6 = get16(frame + 12) == 0x86dd;
    const uint8_t *ip = frame + PACKET_ETHERNET;
    uint32_t at = tcp_offset(frame);

    if (length < at + 20 || (!ipv6 && get16(frame + 12) != 0x0800))
        return false;
    if (ipv6 ? get16(ip + 4) != length - at : get16(ip + 2) != length - PACKET_ETHERNET)
        return false;
    if (!ipv6 && fold(sum_of(ip, 20)) != 0xffff)
        return false;
    return fold(pseudo_header(ip, ipv6, length - at) + sum_of(frame + at, length - at)) == 0xffff;
}

uint32_t packet_tcp_sequence(const uint8_t *frame)
{
    return get32(frame + tcp_offset(frame) + 4) - FIRST_SEQUENCE;
}

bool packet_tcp_payload_matches(const uint8_t *frame, uint32_t length)
{
    uint32_t first = packet_tcp_sequence(frame);
    uint32_t at = tcp_offset(frame) + 20;

    for (uint32_t i = at; i < length; i++)
        if (frame[i] != pattern(first + i - at))
            return false;
    return true;
}
