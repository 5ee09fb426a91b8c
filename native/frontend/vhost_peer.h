/*
 * vhost_peer.h - the front-end side of a vhost-user connection: what QEMU
 * says, and whatever a compromised QEMU might say.
 *
 * Nothing here waits longer than `timeout_ms`. The functions return false on
 * any failure and leave one sentence in `why`.
 */
#ifndef VHOSTKIT_FRONTEND_VHOST_PEER_H
#define VHOSTKIT_FRONTEND_VHOST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_ram.h"
#include "vhost/message.h"

struct vhost_peer {
    int listener;                /* we are the socket server, as QEMU mostly is; -1: we connect */
    int socket;                  /* the connection; -1: none */
    char path[108];              /* of the socket */
    int timeout_ms;              /* for each wait */
    uint64_t offered;            /* features of the back end */
    uint64_t protocol_offered;   /* its protocol features */
    uint64_t protocol_features;  /* what we acknowledged */
    unsigned queue_pairs;        /* the back end's GET_QUEUE_NUM; 1 without MQ */
    char why[160];               /* the last failure */
};

/* Binds and listens; a stale socket file is removed first. */
bool vhost_peer_listen(struct vhost_peer *peer, const char *path);
/* Waits for the back end to connect to our socket. */
bool vhost_peer_accept(struct vhost_peer *peer);
/* Connects to a back end that is the server; tries until timeout_ms is over. */
bool vhost_peer_connect(struct vhost_peer *peer, const char *path);
/* Closes the connection, keeps the listener. */
void vhost_peer_disconnect(struct vhost_peer *peer);
/* Closes everything and removes our socket file. */
void vhost_peer_close(struct vhost_peer *peer);

/* Sends any bytes with any fds. */
bool vhost_peer_send_raw(struct vhost_peer *peer, const void *bytes, size_t length, const int *fds,
                         unsigned fd_count);
/* Sends one message. `flags` go on top of the version. */
bool vhost_peer_send(struct vhost_peer *peer, uint32_t request, uint32_t flags, const void *payload,
                     uint32_t size, const int *fds, unsigned fd_count);
/* Reads one message, without fds. */
bool vhost_peer_receive(struct vhost_peer *peer, struct vhost_user_message *message);
/* Sends and, when REPLY_ACK was negotiated, waits for the reply: true only for "done". */
bool vhost_peer_command(struct vhost_peer *peer, uint32_t request, const void *payload, uint32_t size,
                        const int *fds, unsigned fd_count);
/* Sends a request that has a reply of its own, and reads that. */
bool vhost_peer_ask(struct vhost_peer *peer, uint32_t request, const void *payload, uint32_t size,
                    struct vhost_user_message *reply);
/* Whether the back end closes the connection within timeout_ms; what it sends until then is thrown away. */
bool vhost_peer_closed(struct vhost_peer *peer);

/* Features and protocol features asked for, protocol features acknowledged, SET_OWNER. */
bool vhost_peer_greet(struct vhost_peer *peer, uint64_t protocol_wanted);
bool vhost_peer_set_features(struct vhost_peer *peer, uint64_t features);
bool vhost_peer_set_memory(struct vhost_peer *peer, const struct guest_ram *ram);

/* One virtqueue as the front end describes it. */
struct vhost_peer_ring {
    unsigned index;   /* even: the guest receives, odd: it sends */
    uint32_t size;    /* descriptors */
    uint16_t base;    /* first available entry to process */
    uint64_t desc;    /* our own addresses of the three areas */
    uint64_t avail;
    uint64_t used;
    int kick_fd;      /* -1: poll */
    int call_fd;      /* -1: none */
};
/* SET_VRING_NUM, BASE, ADDR, CALL, KICK. */
bool vhost_peer_start_ring(struct vhost_peer *peer, const struct vhost_peer_ring *ring);
bool vhost_peer_enable_ring(struct vhost_peer *peer, unsigned index, bool enabled);
/* GET_VRING_BASE: the ring is stopped after it. */
bool vhost_peer_stop_ring(struct vhost_peer *peer, unsigned index, uint16_t *base);

#endif
