/*
 * message.h - the vhost-user wire format (protocol document, "Message
 * Specification"). Every field of a received message is untrusted.
 */
#ifndef VHOSTKIT_MESSAGE_H
#define VHOSTKIT_MESSAGE_H

#include <stdint.h>

#include "vhost/memory_map.h"

enum vhost_user_request {
    VHOST_USER_GET_FEATURES = 1,
    VHOST_USER_SET_FEATURES = 2,
    VHOST_USER_SET_OWNER = 3,
    VHOST_USER_RESET_OWNER = 4,
    VHOST_USER_SET_MEM_TABLE = 5,
    VHOST_USER_SET_LOG_BASE = 6,
    VHOST_USER_SET_LOG_FD = 7,
    VHOST_USER_SET_VRING_NUM = 8,
    VHOST_USER_SET_VRING_ADDR = 9,
    VHOST_USER_SET_VRING_BASE = 10,
    VHOST_USER_GET_VRING_BASE = 11,
    VHOST_USER_SET_VRING_KICK = 12,
    VHOST_USER_SET_VRING_CALL = 13,
    VHOST_USER_SET_VRING_ERR = 14,
    VHOST_USER_GET_PROTOCOL_FEATURES = 15,
    VHOST_USER_SET_PROTOCOL_FEATURES = 16,
    VHOST_USER_GET_QUEUE_NUM = 17,
    VHOST_USER_SET_VRING_ENABLE = 18,
    VHOST_USER_SEND_RARP = 19,
    VHOST_USER_NET_SET_MTU = 20,
    VHOST_USER_REQUEST_MAX = 64,
};

enum vhost_user_protocol_feature {
    VHOST_USER_PROTOCOL_F_MQ = 0,
    VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1,
    VHOST_USER_PROTOCOL_F_RARP = 2,
    VHOST_USER_PROTOCOL_F_REPLY_ACK = 3,
    VHOST_USER_PROTOCOL_F_NET_MTU = 4,
};

/* Header flags: version in the low two bits. */
enum {
    VHOST_USER_VERSION = 1,
    VHOST_USER_VERSION_MASK = 3,
    VHOST_USER_REPLY = 1 << 2,
    VHOST_USER_NEED_REPLY = 1 << 3,
};

/* SET_VRING_{KICK,CALL,ERR}: low byte is the vring, bit 8 says that no fd comes. */
enum {
    VHOST_USER_VRING_INDEX_MASK = 0xff,
    VHOST_USER_VRING_NOFD = 1 << 8,
};

/* SET_VRING_ADDR flags. */
enum { VHOST_VRING_F_LOG = 1 };

struct vhost_user_header {
    uint32_t request;
    uint32_t flags;
    uint32_t size; /* bytes of payload that follow */
};

struct vhost_user_vring_state {
    uint32_t index;
    uint32_t num;
};

struct vhost_user_vring_addr {
    uint32_t index;
    uint32_t flags;
    uint64_t desc_user;
    uint64_t used_user;
    uint64_t avail_user;
    uint64_t log_guest;
};

struct vhost_user_memory {
    uint32_t count;
    uint32_t padding;
    struct memory_region_request regions[MEMORY_REGIONS_MAX];
};

struct vhost_user_log {
    uint64_t size;
    uint64_t offset;
};

union vhost_user_payload {
    uint64_t u64;
    struct vhost_user_vring_state state;
    struct vhost_user_vring_addr addr;
    struct vhost_user_memory memory;
    struct vhost_user_log log;
};

/* In memory; on the wire the payload follows the header at once (endpoint.c). */
struct vhost_user_message {
    struct vhost_user_header header;
    union vhost_user_payload payload;
};

/* File descriptors with one message: at most one a memory region. */
#define VHOST_USER_FDS_MAX MEMORY_REGIONS_MAX

_Static_assert(sizeof(struct vhost_user_header) == 12, "vhost-user: header");
_Static_assert(sizeof(struct vhost_user_vring_addr) == 40, "vhost-user: vring address");
_Static_assert(sizeof(struct memory_region_request) == 32, "vhost-user: memory region");

#endif
