/*
 * mirror.h - which ports' frames are copied, and for whom: a mirror, or clients that capture.
 *
 * A port that another one's mirror names is there for that alone: it gets no other frames, and what it sends is
 * dropped, so nothing is learnt from it and no copy is ever copied again. Part of the topology: made by
 * the control thread, not changed while workers see it.
 */
#ifndef VHOSTKIT_MIRROR_H
#define VHOSTKIT_MIRROR_H

#include <stddef.h>

#include "port/port.h"

/* By port id. */
struct mirror_map {
    bool claimed[PORTS_MAX];            /* some port's mirror names it */
    uint8_t direction[PORTS_MAX];       /* of the frames that are copied; 0: none */
    struct port *to[PORTS_MAX];         /* who gets them, or NULL: a file, or a port that is not there */
    struct capture *capture[PORTS_MAX]; /* the file, or NULL */
    struct capture *clients[PORTS_MAX][PORT_CLIENTS_MAX]; /* those that capture, both directions; NULL behind the last */
};

/* *map is NULL when no port has a mirror or a client that captures. False: no memory. */
bool mirror_map_create(struct port *const *ports, unsigned count, struct mirror_map **map);

/* Whether the port is there for a mirror alone. */
static inline bool mirror_claims(const struct mirror_map *map, unsigned id)
{
    return map != NULL && map->claimed[id];
}

/* Worker: frames of `port` in that direction go to its file and clients, if it has some; returns the port that is to get them, or NULL. */
struct port *mirror_frames(const struct mirror_map *map, const struct port *port, enum mirror_direction direction,
                           struct frame *const *frames, unsigned count);

/* Control: whether `config` goes together with the other ports' mirrors: no port has one and is there for one. */
bool mirror_fits(struct port *const *ports, unsigned count, const struct port_config *config, struct refusal *refusal);

#endif
