/*
 * capture_json.h - what a client that captures wants, as JSON: {snaplen, count, filter}, each left out when not set.
 */
#ifndef VHOSTKIT_CAPTURE_JSON_H
#define VHOSTKIT_CAPTURE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "capture/capture.h"

/* Reads it from the parameters of capture.start, of which the types are right. False and the refusal. */
bool capture_options_from_json(const json_t *params, struct capture_options *options, struct refusal *refusal);

#endif
