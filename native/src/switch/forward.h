/*
 * forward.h - one burst of frames from one port to where they belong.
 */
#ifndef VHOSTKIT_FORWARD_H
#define VHOSTKIT_FORWARD_H

#include <stdint.h>

#include "port/port.h"
#include "switch/frame.h"

/*
 * Checks, classifies and delivers the frames that `from` sent on queue pair
 * `pair`. `features` are the sender's negotiated ones. Counts what is not
 * forwarded in the sender's rx counters, what is not delivered in the
 * receiver's tx counters. Frames of one sender reach one receiver in order.
 */
void forward_burst(struct worker *worker, struct port *from, unsigned pair, uint64_t features,
                   struct frame *frames, unsigned count);

#endif
