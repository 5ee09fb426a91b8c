/*
 * control_model.h - what PROTOCOL.md promises of answers and of changes, judged on JSON alone.
 */
#ifndef VHOSTKIT_FUZZ_CONTROL_MODEL_H
#define VHOSTKIT_FUZZ_CONTROL_MODEL_H

#include <jansson.h>
#include <stdbool.h>

#include "control/control_socket.h"

/* What a client, and somebody who looks at the state file, can see. */
struct model {
    json_t *ports;          /* of port.list */
    json_t *lost;           /* of switch.info */
    unsigned port_count;    /* of switch.info */
    unsigned network_count;
    char *file;             /* the state file's text */
};

void model_free(struct model *model);

enum model_outcome { MODEL_REFUSED, MODEL_TOLD, MODEL_ADDED, MODEL_DELETED };

/* One line, whole and right; `request` NULL: the text was not JSON. */
enum model_outcome model_check_answer(const json_t *request, const char *answer, const struct answer_effect *effect);

/* Nothing changed; not even the file, unless `file` is false because it could not be written. */
void model_check_same(const struct model *old, const struct model *now, bool file);

/* The request's port came or went, and no other; a port that came shows what was asked. */
void model_check_change(const json_t *request, const char *answer, enum model_outcome outcome, const struct model *old,
                        const struct model *now);

/* The same ports in the texts of two state files, in any order. */
void model_check_restart(const char *before, const char *after);

/* The line of an event, which is freed. */
void model_check_event(char *line);

#endif
