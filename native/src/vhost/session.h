/*
 * session.h - the vhost-user protocol, back-end side, as a state machine:
 * message and fds in; reply and started or stopped rings out.
 *
 * It does no socket I/O: endpoint.c feeds it, and so do unit tests and the
 * fuzzer. Runs on the control thread only. Before it changes anything a worker
 * could look at it calls ops->pause, and ops->resume afterwards (R20).
 * Every fd given to session_handle() is owned by the session from then on.
 */
#ifndef VHOSTKIT_SESSION_H
#define VHOSTKIT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "switch/share.h"
#include "vhost/dirty_log.h"
#include "vhost/memory_guard.h"
#include "vhost/message.h"
#include "vhost/ring.h"

#define QUEUE_PAIRS_MAX 64u
#define VRINGS_MAX (2u * QUEUE_PAIRS_MAX)

/* What the session needs of its surroundings. */
struct session_ops {
    /* After return no worker touches this session's rings or memory. Calls nest not. */
    void (*pause)(void *owner);
    /* Rings may be used again, in their new state; workers poll them once (R22). */
    void (*resume)(void *owner);
    /*
     * A ring is being enabled or disabled (vring_wants_frames). Not between pause and resume: workers
     * look at the rings meanwhile. After return none sends frames to one that is to be off.
     */
    void (*enable)(void *owner);
    /* SEND_RARP: announce this address on the network from the port. */
    void (*announce)(void *owner, const uint8_t mac[6]);
};

/* One virtqueue of the session. */
struct vring {
    _Alignas(64) struct ring ring;
    struct ring_address where;
    bool addressed;     /* SET_VRING_ADDR came */
    bool sized;         /* SET_VRING_NUM came */
    uint16_t base;      /* SET_VRING_BASE; what GET_VRING_BASE answers while stopped */
    bool kicked;        /* SET_VRING_KICK came and GET_VRING_BASE did not since: may run */
    bool enable_asked;  /* by SET_VRING_ENABLE */
    atomic_bool enabled; /* that, or without protocol features from the start (R21); read by workers at any time */
    bool stale;         /* its addresses or features changed: to be resolved anew before resuming */
    int kick_fd;        /* -1: none, so the ring is polled */
    int call_fd;        /* -1: none */
    atomic_bool call_due; /* the worker owes the driver a call, whatever it asked for */
    atomic_bool broke;    /* the worker is to signal err_fd */
    atomic_flag lock;   /* receive rings: held by the worker that delivers */
    struct share share; /* under the lock: of its buffers among the senders */
    uint8_t waits_in_vain; /* under the lock: times in a row that waiting for its buffers brought none */
    uint8_t passed_over;   /* under the lock: bursts since then for which nobody waited */
    int err_fd;         /* -1: none */
    char why[96];       /* why it is kicked but does not run; "" otherwise */
};

struct session {
    const struct session_ops *ops;
    void *owner;
    uint64_t offered;           /* feature set offered to this port, for life (R26) */
    uint64_t features;          /* as acknowledged */
    uint64_t protocol_features; /* as acknowledged */
    bool owned;                 /* SET_OWNER came */
    uint16_t mtu;               /* NET_SET_MTU; 0 before */
    unsigned queue_pairs;       /* offered */
    unsigned vring_count;       /* 2 * queue_pairs */
    struct memory_map *memory;  /* NULL before SET_MEM_TABLE */
    struct dirty_log log;       /* bits NULL: none */
    struct page_credit *credit; /* for its memory and log: the port's, which a new session does not renew; or NULL */
    bool paused;                /* between ops->pause and ops->resume */
    char why[160];              /* the last refusal, one sentence */
    struct vring vrings[VRINGS_MAX];
};

/* All features this build can offer. */
uint64_t session_features_supported(void);

/* session_handle()'s verdict. */
enum session_verdict {
    SESSION_OK,      /* go on; nothing to send */
    SESSION_REPLY,   /* go on; *reply is to be sent */
    SESSION_CLOSE,   /* protocol broken: close; why says why */
    SESSION_REPLY_CLOSE, /* send *reply, then close */
};

/*
 * Starts a session for a freshly connected front end. offered is a subset of session_features_supported().
 * `credit` NULL: missing pages of its memory are made by the kernel (memory_guard.h).
 */
void session_open(struct session *session, const struct session_ops *ops, void *owner,
                  uint64_t offered, unsigned queue_pairs, struct page_credit *credit);

/* Stops every ring, unmaps, closes all fds. */
void session_close(struct session *session);

/*
 * Payload bytes that are acceptable for a request with this header; -1 when the
 * message is to be refused without reading on (F1). Called before the payload is read.
 */
int session_payload_limit(const struct vhost_user_header *header);

/* Handles one whole message. */
enum session_verdict session_handle(struct session *session, const struct vhost_user_message *message,
                                    const int *fds, unsigned fd_count,
                                    struct vhost_user_message *reply);

/* Whether the front end has it enabled; `enabled` follows. */
static inline bool vring_wants_frames(const struct session *session, const struct vring *vring)
{
    return vring->enable_asked || !(session->features & FEATURE(VHOST_USER_F_PROTOCOL_FEATURES));
}

/* A ring that may move frames now: started, enabled, not broken. */
static inline bool vring_live(const struct vring *vring)
{
    return vring->enabled && ring_usable(&vring->ring);
}

#endif
