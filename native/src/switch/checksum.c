/*
 * checksum.c - the Internet checksum (RFC 1071). Pure; any thread.
 *
 * The sum does not depend on the byte order in which it is formed but for one
 * swap at the end (RFC 1071, 2 (B)), nor on the width of the words. So it is formed
 * over native 32-bit words in 64-bit lanes, which cannot overflow for any 32-bit
 * length, and the compiler turns the lanes into vectors.
 */
#include "switch/checksum.h"

#include <endian.h>
#include <string.h>

/* Independent sums, so that additions do not wait for each other. */
#define LANES 8u

static uint64_t fold_once(uint64_t sum)
{
    return (sum & 0xffffffff) + (sum >> 32);
}

uint32_t checksum_add(uint32_t sum, const uint8_t *data, uint32_t length)
{
    uint64_t lane[LANES] = {0};
    while (length >= 4 * LANES) {
        uint32_t word[LANES];
        memcpy(word, data, sizeof word);
        for (unsigned i = 0; i < LANES; i++)
            lane[i] += word[i];
        data += 4 * LANES;
        length -= 4 * LANES;
    }

    uint64_t total = 0;
    for (unsigned i = 0; i < LANES; i++)
        total += fold_once(lane[i]);
    while (length >= 2) {
        uint16_t word;
        memcpy(&word, data, sizeof word);
        total += word;
        data += 2;
        length -= 2;
    }
    if (length != 0) {
        uint16_t word = 0; /* the missing byte counts as zero */
        memcpy(&word, data, 1);
        total += word;
    }
    uint16_t native = checksum_fold((uint32_t)fold_once(fold_once(total)));
    return (sum & 0xffff) + (sum >> 16) + be16toh(native);
}

uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint16_t checksum_finish(uint32_t sum)
{
    return (uint16_t)~checksum_fold(sum);
}
