/*
 * pretended_datapath.h - datapath.h without workers, guests and sockets: a list
 * of configs with made-up figures, and switches that make it fail.
 */
#ifndef VHOSTKIT_PRETENDED_DATAPATH_H
#define VHOSTKIT_PRETENDED_DATAPATH_H

#include "capture/capture.h"
#include "datapath.h"

struct pretended {
    const char *refuse;            /* reason with which the next port is refused; NULL: none */
    unsigned removed;              /* ports removed so far */
    void (*during_add)(void);      /* called while a port is being added; NULL: nothing */
    struct capture_options captured; /* what the last capture was to be */
};
extern struct pretended pretended;

/* A new, empty one; the old one is freed. */
struct datapath *pretended_datapath(void);
void pretended_datapath_free(void);

#endif
