/*
 * pcapng_reader.h - reads the files of mirrors, and what clients capture, back, by the text of the pcap-ng draft and without a line of
 * the code that wrote them.
 */
#ifndef VHOSTKIT_TEST_PCAPNG_READER_H
#define VHOSTKIT_TEST_PCAPNG_READER_H

#include <stdbool.h>
#include <stdint.h>

/* A frame of the file. */
struct pcapng_frame {
    uint64_t time_ns;
    uint32_t captured;
    uint32_t length;
    uint32_t direction;  /* 1 inbound, 2 outbound, 0 not said */
    const uint8_t *data; /* in the file's bytes */
};

/* A whole file, and where the reading is. */
struct pcapng_file {
    uint8_t *bytes;      /* of the file */
    uint32_t size;       /* of bytes */
    uint32_t at;         /* next block */
    uint32_t snaplen;    /* of its interface */
    char interface[64];  /* name of the interface */
    bool counted;        /* a block of statistics was met: */
    uint64_t received;   /* frames of the interface, */
    uint64_t dropped;    /* and how many of them are not here */
};

/* Reads it and its first two blocks. False: not there, or not such a file with one Ethernet interface in nanoseconds. */
bool pcapng_open(struct pcapng_file *file, const char *folder, const char *name);
void pcapng_close(struct pcapng_file *file);

/* 1: the next frame; 0: the file ends here, perhaps with statistics; -1: something else stands here. */
int pcapng_next(struct pcapng_file *file, struct pcapng_frame *frame);

#endif
