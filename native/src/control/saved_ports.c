/*
 * saved_ports.c - the ports in the state file: those of the datapath, and those that could not be added again at the
 * start, which are lost until somebody adds or deletes them. Control thread only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/command_parts.h"
#include "log.h"

int lost_index(const struct commander *commander, const char *name)
{
    for (unsigned i = 0; i < commander->lost.count; i++) {
        if (strcmp(commander->lost.ports[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

void forget_lost(struct commander *commander, const char *name)
{
    int index = lost_index(commander, name);
    if (index < 0)
        return;
    struct state *lost = &commander->lost;
    lost->count--;
    memmove(&lost->ports[index], &lost->ports[index + 1],
            (lost->count - (unsigned)index) * sizeof lost->ports[0]);
}

bool save_as(struct commander *commander, const char *name, const struct port_config *instead, char *why,
                    size_t why_size)
{
    unsigned there = datapath_port_count(commander->datapath), count = 0;
    const struct port_config **ports = calloc(there + commander->lost.count + 1, sizeof *ports);
    if (!ports) {
        snprintf(why, why_size, "no memory for the list of ports");
        return false;
    }
    for (unsigned i = 0; i < there; i++) {
        const struct port_config *config = port_config_of(datapath_port_at(commander->datapath, i));
        if (!name || strcmp(config->name, name) != 0)
            ports[count++] = config;
        else if (instead)
            ports[count++] = instead;
    }
    for (unsigned i = 0; i < commander->lost.count; i++) {
        const struct port_config *config = &commander->lost.ports[i];
        if ((!name || strcmp(config->name, name) != 0) &&
            !datapath_find_port(commander->datapath, config->name))
            ports[count++] = config;
    }
    bool good = state_write(commander->state_path, ports, count, why, why_size);
    free(ports);
    return good;
}

bool commander_save(struct commander *commander, char *why, size_t why_size)
{
    return save_as(commander, NULL, NULL, why, why_size);
}

/*
 * All ports start as lost, so that whatever is saved meanwhile names all of
 * them: a session may begin, and save its feature set, at any step.
 */
void commander_load(struct commander *commander, struct state *state)
{
    commander->lost = *state;
    memset(state, 0, sizeof *state);
    unsigned tried = 0;
    while (tried < commander->lost.count) {
        struct port_config config = commander->lost.ports[tried];
        struct refusal refusal;
        if (datapath_restore_port(commander->datapath, &config, &refusal)) {
            forget_lost(commander, config.name);
            continue;
        }
        log_error("port %s of the state file is not back: %s: wanted %s, found %s; it is kept in the file",
                  config.name, refusal.reason, refusal.wanted, refusal.found);
        tried++;
    }
}

void commander_free(struct commander *commander)
{
    state_free(&commander->lost);
}
