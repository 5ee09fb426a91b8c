/*
 * pcapng.c - see pcapng.h. Pure; the thread of a capture.
 */
#include "capture/pcapng.h"

#include <string.h>

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_PACKET_FLAGS = 2, OPTION_INTERFACE_NAME = 2, OPTION_TIME_RESOLUTION = 9 };
enum { OPTION_RECEIVED = 4, OPTION_DROPPED = 5 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINK_ETHERNET 1u
#define NANOSECONDS 9u /* 10^-9 */

/* A block under construction. */
struct block {
    uint8_t *at;   /* its first byte */
    uint32_t size; /* so far */
};

static void put32(struct block *block, uint32_t value)
{
    memcpy(block->at + block->size, &value, sizeof value);
    block->size += 4;
}

static void put16(struct block *block, uint16_t value)
{
    memcpy(block->at + block->size, &value, sizeof value);
    block->size += 2;
}

/* Bytes, and zeros up to the next multiple of 4. */
static void put_padded(struct block *block, const void *data, uint32_t length)
{
    memcpy(block->at + block->size, data, length);
    block->size += length;
    for (; block->size % 4 != 0; block->size++)
        block->at[block->size] = 0;
}

static void put_option(struct block *block, uint16_t code, const void *value, uint16_t length)
{
    put16(block, code);
    put16(block, length);
    if (length > 0)
        put_padded(block, value, length);
}

static struct block block_open(uint8_t *to, uint32_t type)
{
    struct block block = { to, 0 };

    put32(&block, type);
    put32(&block, 0); /* its size, when that is known */
    return block;
}

static uint32_t block_close(struct block *block)
{
    uint32_t size = block->size + 4;

    memcpy(block->at + 4, &size, sizeof size);
    put32(block, size);
    return size;
}

uint32_t pcapng_begin(uint8_t *to, const char *interface, uint32_t snaplen)
{
    static const uint8_t resolution = NANOSECONDS;
    struct block section = block_open(to, BLOCK_SECTION);

    put32(&section, BYTE_ORDER_MAGIC);
    put16(&section, 1); /* version 1.0 */
    put16(&section, 0);
    put32(&section, UINT32_MAX); /* length of the section: not said */
    put32(&section, UINT32_MAX);
    uint32_t size = block_close(&section);
    struct block description = block_open(to + size, BLOCK_INTERFACE);

    put16(&description, LINK_ETHERNET);
    put16(&description, 0);
    put32(&description, snaplen);
    put_option(&description, OPTION_INTERFACE_NAME, interface, (uint16_t)strlen(interface));
    put_option(&description, OPTION_TIME_RESOLUTION, &resolution, 1);
    put_option(&description, OPTION_END, NULL, 0);
    return size + block_close(&description);
}

uint32_t pcapng_packet(uint8_t *to, const struct pcapng_packet *packet)
{
    struct block block = block_open(to, BLOCK_PACKET);

    put32(&block, 0); /* the one interface */
    put32(&block, (uint32_t)(packet->time_ns >> 32));
    put32(&block, (uint32_t)packet->time_ns);
    put32(&block, packet->captured);
    put32(&block, packet->length);
    put_padded(&block, packet->data, packet->captured);
    put_option(&block, OPTION_PACKET_FLAGS, &packet->direction, sizeof packet->direction);
    put_option(&block, OPTION_END, NULL, 0);
    return block_close(&block);
}

uint32_t pcapng_statistics(uint8_t *to, uint64_t time_ns, uint64_t received, uint64_t dropped)
{
    struct block block = block_open(to, BLOCK_STATISTICS);

    put32(&block, 0); /* the one interface */
    put32(&block, (uint32_t)(time_ns >> 32));
    put32(&block, (uint32_t)time_ns);
    put_option(&block, OPTION_RECEIVED, &received, sizeof received);
    put_option(&block, OPTION_DROPPED, &dropped, sizeof dropped);
    put_option(&block, OPTION_END, NULL, 0);
    return block_close(&block);
}
