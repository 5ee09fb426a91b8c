/*
 * copy.c - see the header. No state. The payload is copied straight from one
 * guest's memory to another's: nobody decides anything on those bytes, so it
 * does not matter when the sender changes them meanwhile (R3).
 *
 * The C library's memcpy, which picks its instructions by the CPU when the program is loaded, so that one
 * program runs everywhere and nothing is asked for a frame. Cycles of a copy, AMD EPYC (family 26), 2026-11-24, the same
 * two slots / 1024 slots of guest memory on 2 MiB pages in turn (bench-copy; libc picks AVX-512 there):
 *
 *   bytes      libc         sse2        avx2       avx512     rep movsb
 *      64     8 /  13     8 /   13    8 /  13     8 /  12     10 /  13
 *     128     8 /  17     9 /   16    8 /  16     9 /  16     38 /  41
 *     256     9 /  22    16 /   24    9 /  22    11 /  22     40 /  41
 *     512    17 /  30    30 /   38   17 /  31    18 /  31     42 /  50
 *    1024    24 /  59    48 /   65   36 /  58    21 /  61     52 /  68
 *    1518    31 /  84    59 /  102   41 /  79    31 /  87     53 /  89
 *    9000   144 / 801   260 / 1271  141 / 842    93 / 801    145 / 882
 *
 * In the switch, chosen once a burst, none of them was better than libc beyond the spread (bench/NOTES.md).
 */
#include "switch/copy.h"

#include <stdbool.h>
#include <string.h>

/* Where the next byte goes. */
struct sink {
    const struct segment *segment; /* being filled */
    unsigned left;                 /* segments left, this one included */
    uint32_t offset;               /* bytes of it that are filled */
};

static void sink_write(struct sink *sink, const uint8_t *from, uint32_t length)
{
    while (length > 0 && sink->left > 0) {
        uint32_t room = sink->segment->length - sink->offset;
        uint32_t part = length < room ? length : room, rest = length - part;

        copy_fetch(from + part, rest < part ? rest : part);
        memcpy(sink->segment->data + sink->offset, from, part);
        from += part;
        length = rest;
        sink->offset += part;
        if (sink->offset == sink->segment->length) {
            sink->segment++;
            sink->left--;
            sink->offset = 0;
        }
    }
}

void copy_frame(const struct segment *to, unsigned to_count, const struct net_header *net, uint32_t header_size,
                const struct frame *frame)
{
    /* Nearly always one buffer holds it all: then there is nothing to keep track of. */
    if (to_count == 1 || to[0].length >= header_size + frame->length) {
        uint8_t *at = to[0].data;

        memcpy(at, net, header_size == NET_HEADER_SIZE ? NET_HEADER_SIZE : NET_HEADER_LEGACY_SIZE);
        at += header_size;
        copy_short(at, frame->head, frame->head_length);
        at += frame->head_length;
        for (uint32_t i = 0; i < frame->segment_count; i++) {
            memcpy(at, frame->segments[i].data, frame->segments[i].length);
            at += frame->segments[i].length;
        }
        return;
    }
    struct sink sink = { .segment = to, .left = to_count };

    sink_write(&sink, (const uint8_t *)net, header_size);
    sink_write(&sink, frame->head, frame->head_length);
    for (uint32_t i = 0; i < frame->segment_count; i++)
        sink_write(&sink, frame->segments[i].data, frame->segments[i].length);
}

void copy_frame_linear(uint8_t *to, const struct frame *frame)
{
    memcpy(to, frame->head, frame->head_length);
    to += frame->head_length;
    for (uint32_t i = 0; i < frame->segment_count; i++) {
        memcpy(to, frame->segments[i].data, frame->segments[i].length);
        to += frame->segments[i].length;
    }
}
