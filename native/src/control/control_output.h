/*
 * control_output.h - what is to leave a socket that may not take it at once.
 *
 * Control thread only; nothing here waits.
 */
#ifndef VHOSTKIT_CONTROL_OUTPUT_H
#define VHOSTKIT_CONTROL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. */
struct control_output {
    char *bytes;
    size_t used, sent;  /* bytes in it, and how many of them were sent */
    size_t size;        /* allocated */
};

/* Bytes that have not left yet. */
static inline size_t control_output_waiting(const struct control_output *output)
{
    return output->used - output->sent;
}

/* Puts bytes behind what is there. False: no memory, and nothing has changed. */
bool control_output_append(struct control_output *output, const char *bytes, size_t length);
/* Sends what the socket takes. False: it takes nothing any more. */
bool control_output_flush(struct control_output *output, int fd);
/* Forgets what is there, and gives memory of more than `keep` bytes back. */
void control_output_clear(struct control_output *output, size_t keep);

#endif
