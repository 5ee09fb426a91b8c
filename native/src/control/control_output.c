/*
 * control_output.c - see the header.
 */
#include "control/control_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool control_output_append(struct control_output *output, const char *bytes, size_t length)
{
    if (output->sent > 0) {
        memmove(output->bytes, output->bytes + output->sent, control_output_waiting(output));
        output->used -= output->sent;
        output->sent = 0;
    }
    if (output->used + length > output->size) {
        size_t size = (output->used + length) * 2;
        char *more = realloc(output->bytes, size);
        if (!more)
            return false;
        output->bytes = more;
        output->size = size;
    }
    memcpy(output->bytes + output->used, bytes, length);
    output->used += length;
    return true;
}

bool control_output_flush(struct control_output *output, int fd)
{
    while (control_output_waiting(output) > 0) {
        ssize_t sent = send(fd, output->bytes + output->sent, control_output_waiting(output), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            output->sent += (size_t)sent;
        else if (errno != EINTR)
            return errno == EAGAIN;
    }
    return true;
}

void control_output_clear(struct control_output *output, size_t keep)
{
    output->used = output->sent = 0;
    if (output->size > keep) {
        free(output->bytes);
        output->bytes = NULL;
        output->size = 0;
    }
}
