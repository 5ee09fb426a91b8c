/*
 * port_grammar.h - ports as JSON, made of an input's choices: the words, borders and shapes that
 * port.add and the state file know, right ones mostly, so that inputs get past the parser and the schema.
 *
 * For the fuzzers of the control requests and of the state file. No code of the switch is in it.
 */
#ifndef VHOSTKIT_FUZZ_PORT_GRAMMAR_H
#define VHOSTKIT_FUZZ_PORT_GRAMMAR_H

#include <jansson.h>

#include "input.h"

/* The folder of all sockets; "/run/vhostkit" unless set. */
extern const char *grammar_folder;

/* A port that nobody has a reason to refuse for itself: few names, so that ports meet. Without a policy. */
json_t *grammar_port(struct input *in);

/* A name that ports have. */
const char *grammar_name(struct input *in);

/*
 * Sets, removes or spoils one field of the port, also one inside its policy. Values are of the field's type
 * and near its borders mostly; else of any type.
 */
void grammar_change(json_t *port, struct input *in);

/* Any JSON value at all; small. */
json_t *grammar_value(struct input *in);

/* Changes bytes of a text, also to words of JSON and of the protocol. Returns its new length, at most room. */
size_t grammar_scramble(char *text, size_t length, size_t room, struct input *in);

#endif
