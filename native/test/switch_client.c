/*
 * switch_client.c - a client of the control socket.
 */
#include "switch_client.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "machine.h"

int switch_client_connect(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

json_t *switch_client_line(int client, char *pending, size_t *length, size_t room, int limit_ms)
{
    uint64_t limit = machine_clock_ms() + (uint64_t)limit_ms;

    for (;;) {
        char *end = memchr(pending, '\n', *length);
        struct pollfd entry = { .fd = client, .events = POLLIN };
        uint64_t now = machine_clock_ms();
        ssize_t got;

        if (end) {
            json_t *line = json_loadb(pending, (size_t)(end - pending), 0, NULL);

            *length -= (size_t)(end + 1 - pending);
            memmove(pending, end + 1, *length);
            return line;
        }
        if (now > limit || poll(&entry, 1, (int)(limit - now)) <= 0)
            return NULL;
        got = recv(client, pending + *length, room - *length, 0);
        if (got <= 0)
            return NULL;
        *length += (size_t)got;
    }
}

json_t *switch_client_ask(int client, char *pending, size_t *length, size_t room, unsigned id,
                          const char *method,
                          json_t *params, int limit_ms)
{
    uint64_t limit = machine_clock_ms() + (uint64_t)limit_ms;
    json_t *request = json_pack("{s:s, s:i, s:s, s:O}", "jsonrpc", "2.0", "id", (int)id, "method", method,
                                "params",
                                params);
    char *text = json_dumps(request, JSON_COMPACT);
    size_t size = strlen(text);
    json_t *answer = NULL;

    text[size] = '\n'; /* in place of the end: the length is known */
    if (send(client, text, size + 1, MSG_NOSIGNAL) == (ssize_t)size + 1) {
        do {
            uint64_t now = machine_clock_ms();

            json_decref(answer);
            answer = switch_client_line(client, pending, length, room, now < limit ? (int)(limit - now) : 0);
        } while (answer && json_integer_value(json_object_get(answer, "id")) != (json_int_t)id);
    }
    free(text);
    json_decref(request);
    return answer;
}
