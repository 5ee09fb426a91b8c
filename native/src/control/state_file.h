/*
 * state_file.h - the ports and the feature sets once offered to them, kept so
 * that a switch that crashed comes back with both (R26).
 *
 * Reading is strict: anything that this program would not have written is
 * refused with one sentence, and the file is left as it is.
 */
#ifndef VHOSTKIT_STATE_FILE_H
#define VHOSTKIT_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "port/port_config.h"

#define STATE_SIZE_MAX (8u * 1024u * 1024u) /* PORTS_MAX ports with the longest texts and policies take half of it */

/* Ports as read. */
struct state {
    struct port_config *ports; /* in the order they were written */
    unsigned count;
};

/* false and a sentence in why. A file that is not there is an empty state. */
bool state_read(const char *path, struct state *state, char *why, size_t why_size);

/* The same of text in memory; `why` does not name a file. */
bool state_parse(const char *text, size_t length, struct state *state, char *why, size_t why_size);

void state_free(struct state *state);

/* The text of a state file, malloc'ed; NULL when out of memory. */
char *state_text(const struct port_config *const *ports, unsigned count);

/*
 * Replaces the file in one step: temporary file in the same folder, fsync,
 * rename, fsync of the folder. false and a sentence; the old file is then
 * still there, unless only the last of these failed.
 */
bool state_write(const char *path, const struct port_config *const *ports, unsigned count, char *why,
                 size_t why_size);

#endif
