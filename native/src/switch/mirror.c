/*
 * mirror.c - see the header. The map is made on the control thread and read by workers, for whom a burst costs one
 * more delivery, or one more copy into the ring of each capture.
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
        unsigned id = ports[i]->id;

        if (mirror->kind == MIRROR_NONE && ports[i]->clients[0] == NULL)
            continue;
        if (*map == NULL && (*map = calloc(1, sizeof **map)) == NULL)
            return false;
        struct port *to = mirror->kind == MIRROR_PORT ? find_port(ports, count, mirror->to) : NULL;

        (*map)->direction[id] = mirror->kind == MIRROR_NONE ? 0 : (uint8_t)mirror->direction;
        (*map)->to[id] = to;
        (*map)->capture[id] = ports[i]->capture;
        memcpy((*map)->clients[id], ports[i]->clients, sizeof (*map)->clients[id]);
        if (to != NULL)
            (*map)->claimed[to->id] = true;
    }
    return true;
}

static void frames_to_clients(const struct mirror_map *map, unsigned id, enum mirror_direction direction,
                              struct frame *const *frames, unsigned count)
{
    for (unsigned i = 0; i < PORT_CLIENTS_MAX && map->clients[id][i] != NULL; i++)
        capture_frames(map->clients[id][i], frames, count, direction);
}

struct port *mirror_frames(const struct mirror_map *map, const struct port *port, enum mirror_direction direction,
                           struct frame *const *frames, unsigned count)
{
    struct port *to = map->to[port->id];

    frames_to_clients(map, port->id, direction, frames, count);
    if (!(map->direction[port->id] & direction))
        return NULL;
    if (map->capture[port->id] != NULL)
        capture_frames(map->capture[port->id], frames, count, direction);
    if (to != NULL)
        frames_to_clients(map, to->id, MIRROR_TX, frames, count);
    return to;
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
