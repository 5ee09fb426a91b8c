/*
 * switch_client.h - a client of the control socket: one JSON object a line.
 */
#ifndef VHOSTKIT_TEST_SWITCH_CLIENT_H
#define VHOSTKIT_TEST_SWITCH_CLIENT_H

#include <jansson.h>
#include <stddef.h>

/* A connected socket, or -1. */
int switch_client_connect(const char *path);
/*
 * One request (params stay the caller's) and its answer; events before it are skipped. NULL: none
 * within `limit_ms`. `pending` keeps what was read beyond the answer.
 */
json_t *switch_client_ask(int client, char *pending, size_t *length, size_t room, unsigned id,
                          const char *method,
                          json_t *params, int limit_ms);
/* The next line, or NULL after `limit_ms` or at the end. */
json_t *switch_client_line(int client, char *pending, size_t *length, size_t room, int limit_ms);

#endif
