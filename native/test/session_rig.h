/*
 * session_rig.h - a vhost-user session under test, in process: messages in,
 * verdicts out, no socket. The surroundings it gets record what it asks of
 * them, and check that workers are paused before anything under them goes.
 */
#ifndef VHOSTKIT_TEST_SESSION_RIG_H
#define VHOSTKIT_TEST_SESSION_RIG_H

#include "driver.h"
#include "rows.h"
#include "vhost/session.h"

#define SESSION_RIG_QUEUES 4u

struct session_rig {
    struct session session;
    struct vhost_user_message reply;  /* of the last message */
    struct guest_ram ram;
    struct driver_queue queues[SESSION_RIG_QUEUES]; /* raw */
    unsigned pauses;                  /* calls of pause */
    bool paused;                      /* between pause and resume */
    unsigned announced;               /* calls of announce */
    uint8_t announced_mac[6];         /* of the last */
    unsigned fds_before;              /* open fds when the rig was opened */
};

/* Everything a modern Linux guest and QEMU 7.2 negotiate. */
#define SESSION_RIG_FEATURES                                                        \
    (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VHOST_USER_F_PROTOCOL_FEATURES) |        \
     FEATURE(VIRTIO_F_RING_INDIRECT_DESC) | FEATURE(VIRTIO_F_RING_EVENT_IDX) |      \
     FEATURE(VIRTIO_NET_F_MRG_RXBUF))

/* The rig of this program, opened afresh with `pairs` queue pairs offered. */
struct session_rig *session_rig_open(unsigned pairs);
/* Closes the session; fails when an fd was left open, or closed that was not its own. */
void session_rig_close(struct session_rig *rig);

/* Handles one message; the fds are duplicated first, because the session owns what it gets. */
enum session_verdict session_say(struct session_rig *rig, uint32_t request, const void *payload,
                                 uint32_t size,
                                 const int *fds, unsigned fd_count);
enum session_verdict session_say_u64(struct session_rig *rig, uint32_t request, uint64_t value);
enum session_verdict session_say_state(struct session_rig *rig, uint32_t request, uint32_t index,
                                       uint32_t num);
/* Says it with NEED_REPLY; true when the answer was "done", false when refused in any way. */
bool session_accepts(struct session_rig *rig, uint32_t request, const void *payload, uint32_t size,
                     const int *fds, unsigned fd_count);
/* SET_VRING_KICK, CALL or ERR; fd -1: the NOFD bit. */
enum session_verdict session_say_fd(struct session_rig *rig, uint32_t request, unsigned index, int fd);

/* Features, protocol features, owner, memory: all that comes before the rings. */
void session_rig_greet(struct session_rig *rig, uint64_t features);
void session_rig_set_memory(struct session_rig *rig);
/* One ring from SET_VRING_NUM to SET_VRING_KICK; not enabled. */
void session_rig_start_ring(struct session_rig *rig, unsigned index);

unsigned count_open_fds(void);

#endif
