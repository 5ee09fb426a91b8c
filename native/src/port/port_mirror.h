/*
 * port_mirror.h - a copy of a port's frames, for somebody who looks: to another port, or to a file.
 * Part of the port's policy; constant once workers see it.
 */
#ifndef VHOSTKIT_PORT_MIRROR_H
#define VHOSTKIT_PORT_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "port/refusal.h"

#define MIRROR_NAME_SIZE 64 /* as PORT_NAME_SIZE */

#define MIRROR_SNAPLEN_MIN 64u
#define MIRROR_SNAPLEN_MAX 65535u

/* Bytes of a file. Nobody stops a mirror that was forgotten, so each has an end. */
#define MIRROR_LIMIT_MIN (UINT64_C(1) << 20)
#define MIRROR_LIMIT_MAX (UINT64_C(1) << 40)
#define MIRROR_LIMIT_DEFAULT (UINT64_C(64) << 20)

enum mirror_kind { MIRROR_NONE, MIRROR_PORT, MIRROR_FILE };

/* Of the port, as its counters: rx came from it. */
enum mirror_direction { MIRROR_RX = 1, MIRROR_TX = 2, MIRROR_BOTH = 3 };

/* All zero: none. */
struct port_mirror {
    enum mirror_kind kind;
    enum mirror_direction direction;
    char to[MIRROR_NAME_SIZE]; /* port; or file in the folder of captures */
    unsigned snaplen;          /* file: bytes kept of a frame; 0: all */
    uint64_t limit;            /* file: bytes after which it ends */
};

bool port_mirror_valid(const struct port_mirror *mirror, struct refusal *refusal);

#endif
