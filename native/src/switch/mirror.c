/*
 * mirror.c - see the header. The map is made on the control thread and read by workers, for whom a burst costs one
 * more delivery, or one more copy into a capture's ring.
 */
#include "switch/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"

static const struct port_mirror *mirror_of(const struct port *port)
{
    return &port->config.policy.mirror;
}

static struct port *find_port(struct port *const *ports, unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(ports[i]->config.name, name) == 0)
            return ports[i];
    return NULL;
}

bool mirror_map_create(struct port *const *ports, unsigned count, struct mirror_map **map)
{
    *map = NULL;
    for (unsigned i = 0; i < count; i++) {
        const struct port_mirror *mirror = mirror_of(ports[i]);

        if (mirror->kind == MIRROR_NONE)
            continue;
        if (*map == NULL && (*map = calloc(1, sizeof **map)) == NULL)
            return false;
        struct port *to = mirror->kind == MIRROR_PORT ? find_port(ports, count, mirror->to) : NULL;

        (*map)->direction[ports[i]->id] = (uint8_t)mirror->direction;
        (*map)->to[ports[i]->id] = to;
        (*map)->capture[ports[i]->id] = ports[i]->capture;
        if (to != NULL)
            (*map)->claimed[to->id] = true;
    }
    return true;
}

struct port *mirror_frames(const struct mirror_map *map, const struct port *port, enum mirror_direction direction,
                           struct frame *const *frames, unsigned count)
{
    if (!(map->direction[port->id] & direction))
        return NULL;
    if (map->capture[port->id] != NULL)
        capture_frames(map->capture[port->id], frames, count, direction);
    return map->to[port->id];
}

static bool refuse_loop(struct refusal *refusal, const char *wanted, const char *from, const char *to)
{
    refuse(refusal, "mirror-loop", "%s", wanted);
    refusal_found(refusal, "port %s mirrored to %s", from, to);
    refusal_hint(refusal, "mirror to a port that nothing else is asked of");
    return false;
}

bool mirror_fits(struct port *const *ports, unsigned count, const struct port_config *config, struct refusal *refusal)
{
    const struct port_mirror *mine = &config->policy.mirror;

    if (mine->kind == MIRROR_PORT && strcmp(mine->to, config->name) == 0)
        return refuse_loop(refusal, "a mirror to another port", config->name, mine->to);
    for (unsigned i = 0; i < count; i++) {
        const struct port_mirror *other = mirror_of(ports[i]);
        const char *name = ports[i]->config.name;

        if (other->kind == MIRROR_NONE || strcmp(name, config->name) == 0)
            continue;
        if (mine->kind == MIRROR_PORT && strcmp(mine->to, name) == 0)
            return refuse_loop(refusal, "a mirror to a port without a mirror", name, other->to);
        if (mine->kind != MIRROR_NONE && other->kind == MIRROR_PORT && strcmp(other->to, config->name) == 0)
            return refuse_loop(refusal, "no mirror on a port that is there for one", name, other->to);
    }
    return true;
}
