/*
 * play_frame.c - what the frames of a load look like.
 *
 * Pure; used by the play VMs and by the taps of the kernel path, so that both move the same bytes.
 */
#include "play_frame.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define TCP_FRAME_HEADER 54u  /* Ethernet, IPv4 and TCP without options */
#define SEGMENT_BYTES 1448u   /* of TCP payload, for an MTU of 1500 */

static uint16_t big_endian(uint32_t value)
{
    return __builtin_bswap16((uint16_t)value);
}

/* Address `number` of guest `index`. */
static void write_mac(uint8_t *at, unsigned index, uint32_t number)
{
    uint8_t mac[6] = { 0x52, 0x54, (uint8_t)index, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };

    memcpy(at, mac, sizeof mac);
}

void play_frame_address(uint8_t *frame, unsigned from, unsigned to, uint32_t number)
{
    write_mac(frame, to, number);
    write_mac(frame + 6, from, number);
}

/* A sum that the device completes: only the pseudo header is in it. */
static uint16_t pseudo_header_sum(const uint8_t *ip, uint32_t tcp_bytes)
{
    uint32_t sum = 6 + tcp_bytes;

    for (unsigned i = 12; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return big_endian(sum);
}

static uint16_t header_sum(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return big_endian(~sum);
}

/* A TCP segment as it leaves a Linux guest: the checksum is for others to complete, and one larger than the MTU for others to cut. */
static void write_tcp(uint8_t *frame, struct net_header *header, unsigned from, unsigned to, uint32_t bytes)
{
    uint8_t *ip = frame + ETHERNET_BYTES, *tcp = ip + 20;
    uint16_t word = big_endian(bytes - ETHERNET_BYTES);

    frame[12] = 0x08;
    frame[13] = 0x00;
    ip[0] = 0x45;
    memcpy(ip + 2, &word, 2);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, (uint8_t[]){ 10, 0, 0, (uint8_t)(from + 1), 10, 0, 0, (uint8_t)(to + 1) }, 8);
    word = header_sum(ip);
    memcpy(ip + 10, &word, 2);
    tcp[12] = 0x50;
    tcp[13] = 0x10;
    word = pseudo_header_sum(ip, bytes - ETHERNET_BYTES - 20);
    memcpy(tcp + 16, &word, 2);
    *header = (struct net_header){
        .flags = NET_HEADER_F_NEEDS_CSUM, .hdr_len = TCP_FRAME_HEADER, .csum_start = ETHERNET_BYTES + 20, .csum_offset = 16,
    };
    if (bytes <= PLAY_JUMBO)
        return;
    header->gso_type = NET_HEADER_GSO_TCPV4;
    header->gso_size = SEGMENT_BYTES;
}

void play_frame_write(uint8_t *frame, struct net_header *header, unsigned from, unsigned to, uint32_t bytes, bool offload)
{
    play_frame_address(frame, from, to, 0);
    frame[12] = 0x88; /* an EtherType for local experiments */
    frame[13] = 0xb5;
    if (offload)
        write_tcp(frame, header, from, to, bytes);
}
