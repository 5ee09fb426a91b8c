/*
 * checksum.h - the Internet checksum (RFC 1071).
 */
#ifndef VHOSTKIT_CHECKSUM_H
#define VHOSTKIT_CHECKSUM_H

#include <stdint.h>

/*
 * Sum of the 16-bit big-endian words of `data` on top of `sum`, not folded. Data summed
 * in pieces: all but the last are of even length. Any alignment.
 */
uint32_t checksum_add(uint32_t sum, const uint8_t *data, uint32_t length);

/* Sum folded to 16 bits, as the unfinished (pseudo-header) sum stands in a packet. */
uint16_t checksum_fold(uint32_t sum);

/* Folded and inverted; to be stored with frame_store_be16. */
uint16_t checksum_finish(uint32_t sum);

#endif
