/*
 * service_notify.h - tells the service manager that started us how we are: the protocol of sd_notify(3).
 *
 * The manager names a datagram socket in NOTIFY_SOCKET and, when it wants to hear from us regularly,
 * a time in WATCHDOG_USEC. A message is one datagram of KEY=VALUE lines. Nothing of libsystemd is needed.
 */
#ifndef VHOSTKIT_SERVICE_NOTIFY_H
#define VHOSTKIT_SERVICE_NOTIFY_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct service_notify {
    bool wanted;                /* NOTIFY_SOCKET was there, and could be understood */
    struct sockaddr_un address; /* a path, or a name in the abstract namespace */
    socklen_t length;           /* of the address that is used */
    unsigned watchdog_ms;       /* it wants to hear from us at least that often; 0: it does not */
};

/*
 * Reads the environment; in the process that the manager started, before any fork (WATCHDOG_PID names it).
 * What cannot be understood is logged, and as if it were not there.
 */
void service_notify_read(struct service_notify *notify);

/* Sends without waiting. False when nobody asked, or nobody took it. */
bool service_notify_send(const struct service_notify *notify, const char *state);

#endif
