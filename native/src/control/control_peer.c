/*
 * control_peer.c - see the header. The mode of the socket file says the same; this also holds when somebody
 * changed it.
 */
#include "control/control_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

static bool has_group(int fd, gid_t wanted)
{
    gid_t groups[256]; /* more groups than that: decided by the first ones */
    socklen_t size = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return false;
    for (size_t i = 0; i < size / sizeof groups[0]; i++) {
        if (groups[i] == wanted)
            return true;
    }
    return false;
}

bool control_peer_allowed(int fd, gid_t group)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid() || peer.gid == group || has_group(fd, group))
        return true;
    log_warn("control: pid %d of user %u is not served: neither root, nor our user, nor in group %u",
             (int)peer.pid, (unsigned)peer.uid, (unsigned)group);
    return false;
}
