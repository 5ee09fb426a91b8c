/*
 * virtio.h - constants and layouts of VIRTIO 1.2 that the switch uses
 * (2.7 split virtqueues, 5.1 network device), in our own words so that the
 * guest-facing structures are all in one place.
 */
#ifndef VHOSTKIT_VIRTIO_H
#define VHOSTKIT_VIRTIO_H

#include <stdint.h>

/* Feature bits: 5.1.3, 6, and the two of vhost itself. */
enum virtio_feature {
    VIRTIO_NET_F_CSUM = 0,
    VIRTIO_NET_F_GUEST_CSUM = 1,
    VIRTIO_NET_F_MTU = 3,
    VIRTIO_NET_F_GUEST_TSO4 = 7,
    VIRTIO_NET_F_GUEST_TSO6 = 8,
    VIRTIO_NET_F_GUEST_ECN = 9,
    VIRTIO_NET_F_HOST_TSO4 = 11,
    VIRTIO_NET_F_HOST_TSO6 = 12,
    VIRTIO_NET_F_HOST_ECN = 13,
    VIRTIO_NET_F_MRG_RXBUF = 15,
    VIRTIO_NET_F_STATUS = 16,
    VIRTIO_NET_F_CTRL_VQ = 17,
    VIRTIO_NET_F_CTRL_RX = 18,
    VIRTIO_NET_F_GUEST_ANNOUNCE = 21,
    VIRTIO_NET_F_MQ = 22,
    VHOST_F_LOG_ALL = 26,
    VIRTIO_F_ANY_LAYOUT = 27,
    VIRTIO_F_RING_INDIRECT_DESC = 28,
    VIRTIO_F_RING_EVENT_IDX = 29,
    VHOST_USER_F_PROTOCOL_FEATURES = 30,
    VIRTIO_F_VERSION_1 = 32,
    VIRTIO_F_IN_ORDER = 35,
};

#define FEATURE(bit) (UINT64_C(1) << (bit))

/* 2.7.5: a descriptor of the split ring. */
struct vring_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

enum {
    VRING_DESC_F_NEXT = 1,
    VRING_DESC_F_WRITE = 2,
    VRING_DESC_F_INDIRECT = 4,
};

/* 2.7.6: driver area; after ring[size] comes used_event. */
struct vring_avail {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[];
};

enum { VRING_AVAIL_F_NO_INTERRUPT = 1 };

struct vring_used_elem {
    uint32_t id;
    uint32_t len;
};

/* 2.7.8: device area; after ring[size] comes avail_event. */
struct vring_used {
    uint16_t flags;
    uint16_t idx;
    struct vring_used_elem ring[];
};

enum { VRING_USED_F_NO_NOTIFY = 1 };

#define VRING_SIZE_MAX 32768u

/* 5.1.6: the header before each frame. Without VERSION_1 and MRG_RXBUF it ends before num_buffers. */
struct net_header {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset;
    uint16_t num_buffers;
};

#define NET_HEADER_SIZE 12u
#define NET_HEADER_LEGACY_SIZE 10u

enum { NET_HEADER_F_NEEDS_CSUM = 1 };

enum {
    NET_HEADER_GSO_NONE = 0,
    NET_HEADER_GSO_TCPV4 = 1,
    NET_HEADER_GSO_TCPV6 = 4,
    NET_HEADER_GSO_ECN = 0x80,
};

_Static_assert(sizeof(struct vring_desc) == 16, "VIRTIO 1.2, 2.7.5");
_Static_assert(sizeof(struct vring_used_elem) == 8, "VIRTIO 1.2, 2.7.8");
_Static_assert(sizeof(struct net_header) == NET_HEADER_SIZE, "VIRTIO 1.2, 5.1.6");

#endif
