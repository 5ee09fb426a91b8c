/*
 * lab_frames.h - a few numbered frames from one play guest of a lab to another.
 */
#ifndef VHOSTKIT_LAB_FRAMES_H
#define VHOSTKIT_LAB_FRAMES_H

#include "machine.h"

/* Frames that lab_frames_pass() sends. */
#define LAB_FRAMES 40u

/*
 * Sends LAB_FRAMES frames, one after the other; the guests' addresses are those of these numbers (packet_mac).
 * How many arrived, each as it was sent, until one did not within 5 s.
 */
unsigned lab_frames_pass(struct machine *from, struct machine *to, unsigned from_number, unsigned to_number);

#endif
