/*
 * offload.c - is what a sender asks for in its net header allowed, and can a
 * receiver take it. Workers, on each frame; carrying a request out is segment.c.
 *
 * The receiver is another guest, whose kernel may trust the header more than
 * it should, so whatever is not exactly right is dropped here and never handed
 * on (CVE-2024-43897 and CVE-2024-11614 are what such headers do). Every field
 * is rewritten from what was checked; a stray value does not survive.
 */
#include "switch/offload.h"

#include <string.h>

#include "switch/tcp_layout.h"

/* Linux calls it TCP_MIN_GSO_SIZE: less payload in a segment than this is refused by receivers' kernels. */
#define GSO_SIZE_MIN 8u

/* Longest IP packet, so the bound of headers and gso_size together. */
#define IP_PACKET_MAX 65535u

#define ETHERTYPE_ARP 0x0806u
#define ETHERTYPE_RARP 0x8035u
#define ETHERTYPE_MIN 0x0600u
#define ARP_SIZE 28u
#define VLAN_TAGS_MAX 2u

/*
 * End of the headers that the switch decides by: tags, addresses of IP and ARP. A checksum is written after all
 * decisions, here or by the receiver's kernel; with its place in there a sender could pass the VLAN and source checks
 * with one value and have it replaced by another.
 */
static uint32_t judged_end(const struct frame *frame)
{
    uint32_t at = 12;
    uint16_t type = frame_load_be16(frame->head + at);

    for (unsigned tags = 0; tags < VLAN_TAGS_MAX && (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN); tags++) {
        at += 4;
        if (at + 2 > frame->head_length)
            return at + 2;
        type = frame_load_be16(frame->head + at);
    }
    at += 2;
    if (type < ETHERTYPE_MIN)
        return frame->length; /* a length: what follows is nothing that has a checksum to be completed */
    if (type == ETHERTYPE_IPV4) {
        uint32_t length = at < frame->head_length ? (frame->head[at] & 0x0fu) * 4 : 0;

        return at + (length > IPV4_HEADER_MIN ? length : IPV4_HEADER_MIN);
    }
    if (type == ETHERTYPE_IPV6)
        return at + IPV6_HEADER_SIZE;
    return type == ETHERTYPE_ARP || type == ETHERTYPE_RARP ? at + ARP_SIZE : at;
}

static bool checksum_request_ok(const struct frame *frame)
{
    uint32_t start = frame->net.csum_start;
    uint32_t field = start + frame->net.csum_offset;

    if (start < FRAME_LENGTH_MIN || field + 2 > frame->length)
        return false;
    return frame->net.gso_type != NET_HEADER_GSO_NONE /* then it must be TCP's, see below */ || field >= judged_end(frame);
}

/* Whether the frame is what its gso_type says and the sender may say so. */
static bool segmentation_request_ok(const struct frame *frame, uint64_t sender_features,
                                    struct tcp_layout *layout)
{
    const struct net_header *net = &frame->net;
    unsigned type = net->gso_type & ~(unsigned)NET_HEADER_GSO_ECN;
    uint64_t needed;
    if (type == NET_HEADER_GSO_TCPV4)
        needed = FEATURE(VIRTIO_NET_F_HOST_TSO4);
    else if (type == NET_HEADER_GSO_TCPV6)
        needed = FEATURE(VIRTIO_NET_F_HOST_TSO6);
    else
        return false;
    if (net->gso_type & NET_HEADER_GSO_ECN)
        needed |= FEATURE(VIRTIO_NET_F_HOST_ECN);
    if ((sender_features & needed) != needed)
        return false;

    if (!tcp_layout_read(layout, frame) || layout->ipv6 != (type == NET_HEADER_GSO_TCPV6))
        return false;
    if (net->gso_size < GSO_SIZE_MIN || net->gso_size > IP_PACKET_MAX - (layout->payload - layout->ip_offset))
        return false;
    return (net->flags & NET_HEADER_F_NEEDS_CSUM) && net->csum_start == layout->tcp_offset &&
           net->csum_offset == TCP_CHECKSUM_OFFSET;
}

enum drop_reason offload_check(struct frame *frame, uint64_t sender_features)
{
    struct net_header *net = &frame->net;
    net->flags &= NET_HEADER_F_NEEDS_CSUM; /* unknown flags are ignored */
    if (offload_is_plain(frame))
        return DROP_NONE;

    if (net->flags & NET_HEADER_F_NEEDS_CSUM) {
        if (!(sender_features & FEATURE(VIRTIO_NET_F_CSUM)) || !checksum_request_ok(frame))
            return DROP_CSUM_HEADER;
    }
    net->hdr_len = 0;
    net->num_buffers = 0;
    if (net->gso_type == NET_HEADER_GSO_NONE) {
        net->gso_size = 0;
        return DROP_NONE;
    }

    struct tcp_layout layout;
    if (!segmentation_request_ok(frame, sender_features, &layout))
        return DROP_GSO_HEADER;
    net->hdr_len = (uint16_t)layout.payload;
    return DROP_NONE;
}

bool offload_passes(const struct frame *frame, uint64_t receiver_features)
{
    const struct net_header *net = &frame->net;
    if (__builtin_expect((net->flags | net->gso_type) == 0, 1))
        return true;
    uint64_t needed = FEATURE(VIRTIO_NET_F_GUEST_CSUM);
    if (net->gso_type & NET_HEADER_GSO_TCPV4)
        needed |= FEATURE(VIRTIO_NET_F_GUEST_TSO4);
    if (net->gso_type & NET_HEADER_GSO_TCPV6)
        needed |= FEATURE(VIRTIO_NET_F_GUEST_TSO6);
    if (net->gso_type & NET_HEADER_GSO_ECN)
        needed |= FEATURE(VIRTIO_NET_F_GUEST_ECN);
    return (receiver_features & needed) == needed;
}
