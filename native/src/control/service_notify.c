/*
 * service_notify.c - see service_notify.h.
 *
 * Control thread only. Each message opens a socket of its own: the manager may be replaced while we run
 * (systemctl daemon-reexec), and a connected socket would stay with the one that is gone.
 */
#include "control/service_notify.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static bool address_parse(const char *text, struct sockaddr_un *address, socklen_t *length)
{
    size_t size = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || size < 2 || size >= sizeof address->sun_path)
        return false;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(address->sun_path, text, size);
    if (text[0] == '@')
        address->sun_path[0] = '\0'; /* abstract: a name without an end of its own */
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + (text[0] == '/'));
    return true;
}

/* Only digits, above 0. */
static bool number_parse(const char *text, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *number > 0;
}

static unsigned watchdog_read(void)
{
    const char *time = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t number;

    if (time == NULL)
        return 0;
    if (pid != NULL && (!number_parse(pid, &number) || number != (uint64_t)getpid()))
        return 0; /* meant for another process: the environment was handed on */
    if (number_parse(time, &number) && number >= 1000 && number / 1000 <= INT_MAX)
        return (unsigned)(number / 1000);
    log_warn("WATCHDOG_USEC wants microseconds from 1000 on, found \"%.40s\": no watchdog is fed", time);
    return 0;
}

void service_notify_read(struct service_notify *notify)
{
    const char *socket_name = getenv("NOTIFY_SOCKET");

    *notify = (struct service_notify){ .wanted = false };
    if (socket_name == NULL)
        return;
    notify->wanted = address_parse(socket_name, &notify->address, &notify->length);
    if (notify->wanted)
        notify->watchdog_ms = watchdog_read();
    else
        log_warn("NOTIFY_SOCKET wants a path, or a name after @, found \"%.120s\": nobody is notified", socket_name);
}

bool service_notify_send(const struct service_notify *notify, const char *state)
{
    size_t size = strlen(state);

    if (!notify->wanted)
        return false;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    ssize_t sent = sendto(fd, state, size, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&notify->address,
                          notify->length);

    close(fd);
    return sent == (ssize_t)size;
}
