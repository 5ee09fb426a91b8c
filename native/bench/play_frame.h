/*
 * play_frame.h - what the frames of a load look like: addresses and, with offloads, TCP.
 */
#ifndef VHOSTKIT_BENCH_PLAY_FRAME_H
#define VHOSTKIT_BENCH_PLAY_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/virtio.h"

/* Where offloads were agreed on, frames are TCP with a checksum to complete; beyond this they are to be cut by whoever must. */
#define PLAY_JUMBO 9014u

/* From guest `from` to guest `to`, each with its address `number`. */
void play_frame_address(uint8_t *frame, unsigned from, unsigned to, uint32_t number);

/* A whole frame and its net header; what is not written is zero. */
void play_frame_write(uint8_t *frame, struct net_header *header, unsigned from, unsigned to, uint32_t bytes, bool offload);

#endif
