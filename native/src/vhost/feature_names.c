/*
 * feature_names.c - names of the feature bits that can be negotiated, for
 * people (port.list, logs).
 */
#include <stddef.h>

#include "datapath.h"
#include "vhost/virtio.h"

#define NAME(bit) [bit] = #bit

static const char *const names[64] = {
    NAME(VIRTIO_NET_F_CSUM),
    NAME(VIRTIO_NET_F_GUEST_CSUM),
    NAME(VIRTIO_NET_F_MTU),
    NAME(VIRTIO_NET_F_GUEST_TSO4),
    NAME(VIRTIO_NET_F_GUEST_TSO6),
    NAME(VIRTIO_NET_F_GUEST_ECN),
    NAME(VIRTIO_NET_F_HOST_TSO4),
    NAME(VIRTIO_NET_F_HOST_TSO6),
    NAME(VIRTIO_NET_F_HOST_ECN),
    NAME(VIRTIO_NET_F_MRG_RXBUF),
    NAME(VIRTIO_NET_F_GUEST_ANNOUNCE),
    NAME(VIRTIO_NET_F_MQ),
    NAME(VHOST_F_LOG_ALL),
    NAME(VIRTIO_F_ANY_LAYOUT),
    NAME(VIRTIO_F_RING_INDIRECT_DESC),
    NAME(VIRTIO_F_RING_EVENT_IDX),
    NAME(VHOST_USER_F_PROTOCOL_FEATURES),
    NAME(VIRTIO_F_VERSION_1),
    NAME(VIRTIO_F_IN_ORDER),
};

const char *virtio_feature_name(unsigned bit)
{
    return bit < 64 ? names[bit] : NULL;
}
