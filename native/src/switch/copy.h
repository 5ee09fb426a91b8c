/*
 * copy.h - the one copy of a frame: from the sender's memory (and the private
 * head) into the receiver's. Called by the egress of a port, on its worker.
 */
#ifndef VHOSTKIT_COPY_H
#define VHOSTKIT_COPY_H

#include <stddef.h>
#include <string.h>

#include "switch/frame.h"

/*
 * memcpy for up to FRAME_HEAD_MAX + NET_HEADER_SIZE bytes, without the call: 16 bytes at a time,
 * the last 16 overlapping (as memcpy itself does).
 */
static inline void copy_short(uint8_t *to, const uint8_t *from, uint32_t length)
{
    if (length < 16) {
        if (length >= 8) {
            memcpy(to, from, 8);
            memcpy(to + length - 8, from + length - 8, 8);
            return;
        }
        for (uint32_t i = 0; i < length; i++)
            to[i] = from[i];
        return;
    }
    for (uint32_t i = 0; i + 16 < length; i += 16)
        memcpy(to + i, from + i, 16);
    memcpy(to + length - 16, from + length - 16, 16);
}

/*
 * Fetches a sender's memory into the second cache, from where the copy of soon after takes it. Not into the first: a jumbo frame
 * and the buffers it goes to throw each other out of that (bench/NOTES.md).
 */
static inline void copy_fetch(const uint8_t *at, uint32_t length)
{
    for (uint32_t line = 0; line < length; line += 64)
        __builtin_prefetch(at + line, 0, 2);
}

static inline void copy_fetch_frame(const struct frame *frame)
{
    for (uint32_t i = 0; i < frame->segment_count; i++)
        copy_fetch(frame->segments[i].data, frame->segments[i].length);
}

/*
 * Writes the first `header_size` bytes of `net`, then the frame, into the
 * segments `to`, which together hold at least that much (the caller checked).
 */
void copy_frame(const struct segment *to, unsigned to_count, const struct net_header *net,
                uint32_t header_size, const struct frame *frame);

/*
 * Writes net header (NET_HEADER_SIZE bytes, num_buffers 1) and frame into contiguous memory that
 * holds them. What is not private is copied last.
 */
static inline void copy_plain(uint8_t *to, const struct frame *frame)
{
    uint32_t private = NET_HEADER_SIZE + frame->head_length;

    copy_short(to, (const uint8_t *)&frame->net, private);
    memcpy(to + offsetof(struct net_header, num_buffers), &(uint16_t){ 1 }, sizeof(uint16_t));
    to += private;
    for (uint32_t i = 0; i < frame->segment_count; i++) {
        memcpy(to, frame->segments[i].data, frame->segments[i].length);
        to += frame->segments[i].length;
    }
}

/* Copies a whole frame, without net header, into contiguous private memory of frame->length bytes. */
void copy_frame_linear(uint8_t *to, const struct frame *frame);

#endif
