/*
 * copy.h - the one copy of a frame: from the sender's memory (and the private
 * head) into the receiver's. Called by the egress of a port, on its worker.
 */
#ifndef VHOSTKIT_COPY_H
#define VHOSTKIT_COPY_H

#include "switch/frame.h"

/*
 * Writes the first `header_size` bytes of `net`, then the frame, into the
 * segments `to`, which together hold at least that much (the caller checked).
 */
void copy_frame(const struct segment *to, unsigned to_count, const struct net_header *net,
                uint32_t header_size, const struct frame *frame);

/* Copies a whole frame, without net header, into contiguous private memory of frame->length bytes. */
void copy_frame_linear(uint8_t *to, const struct frame *frame);

#endif
