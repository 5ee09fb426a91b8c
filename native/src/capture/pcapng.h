/*
 * pcapng.h - blocks of a pcap-ng file (draft-ietf-opsawg-pcapng), in this machine's byte order.
 *
 * Pure. One section with one interface; times in nanoseconds.
 */
#ifndef VHOSTKIT_PCAPNG_H
#define VHOSTKIT_PCAPNG_H

#include <stdint.h>

/* Bytes that pcapng_begin() may need. */
#define PCAPNG_BEGIN_MAX 256u

/* Bytes of a packet's block beside its data, and of the data's padding. */
#define PCAPNG_PACKET_EXTRA 44u
#define PCAPNG_PADDING_MAX 3u

/* epb_flags: inbound and outbound, as the interface sees it. */
enum { PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

/* A frame as it is written down. */
struct pcapng_packet {
    uint64_t time_ns;     /* since 1970 */
    uint32_t captured;    /* bytes of data */
    uint32_t length;      /* of the frame on its way */
    uint32_t direction;   /* PCAPNG_INBOUND or _OUTBOUND */
    const uint8_t *data;
};

/* The section and its interface, Ethernet; `snaplen` 0: frames are kept whole. Returns the bytes written. */
uint32_t pcapng_begin(uint8_t *to, const char *interface, uint32_t snaplen);
/* One frame; needs captured + PCAPNG_PACKET_EXTRA + PCAPNG_PADDING_MAX bytes. Returns the bytes written. */
uint32_t pcapng_packet(uint8_t *to, const struct pcapng_packet *packet);

/* Counts of the interface at that time: frames that there were, and how many of them are not here. Needs PCAPNG_STATISTICS_SIZE bytes. */
uint32_t pcapng_statistics(uint8_t *to, uint64_t time_ns, uint64_t received, uint64_t dropped);
#define PCAPNG_STATISTICS_SIZE 52u

#endif
