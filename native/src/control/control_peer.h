/*
 * control_peer.h - who may talk on the control socket. Control thread only.
 */
#ifndef VHOSTKIT_CONTROL_PEER_H
#define VHOSTKIT_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether the peer of a connection is root, our own user, or in `group`; if not, the log says who it is. */
bool control_peer_allowed(int fd, gid_t group);

#endif
