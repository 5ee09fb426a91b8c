/*
 * layout_run.h - runs one layout in one combination against the ring code, and
 * checks verdict, counter, every byte of memory and the loads.
 */
#ifndef VHOSTKIT_TEST_LAYOUT_RUN_H
#define VHOSTKIT_TEST_LAYOUT_RUN_H

#include "layout_place.h"

/* Fails the test, with the pass and the step in its message. */
void layout_run(const struct layout_case *which);

#endif
