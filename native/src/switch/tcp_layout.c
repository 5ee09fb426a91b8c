/*
 * tcp_layout.c - where the headers of an unfragmented TCP frame begin and end. Pure; any thread.
 *
 * Relies on the private head only. A header chain that does not end within it
 * (two VLAN tags and all IPv4 and TCP options there are: 142 bytes) is
 * refused: no driver that we know of sends that as a segmentation request.
 */
#include "switch/tcp_layout.h"

#define VLAN_TAGS_MAX 2u

/* IPv6 extension headers (RFC 8200, 4) and options in them; lengths are in units of 8 bytes. */
#define EXTENSION_SIZE_MIN 8u
enum { EXTENSION_HOP_BY_HOP = 0, EXTENSION_ROUTING = 43, EXTENSION_DESTINATION = 60 };
enum { OPTION_PAD1 = 0x00, OPTION_JUMBO = 0xc2, OPTION_HOME_ADDRESS = 0xc9 };

static bool read_ethernet(const struct frame *frame, uint32_t *offset, uint16_t *type)
{
    uint32_t at = 12;
    for (unsigned tags = 0; at + 2 <= frame->head_length; tags++, at += 4) {
        *type = frame_load_be16(frame->head + at);
        *offset = at + 2;
        if (*type != ETHERTYPE_VLAN && *type != ETHERTYPE_SERVICE_VLAN)
            return true;
        if (tags == VLAN_TAGS_MAX)
            return false;
    }
    return false;
}

static bool read_ipv4(struct tcp_layout *layout, const struct frame *frame)
{
    const uint8_t *ip = frame->head + layout->ip_offset;
    if (layout->ip_offset + IPV4_HEADER_MIN > frame->head_length)
        return false;
    uint32_t length = (ip[0] & 0x0fu) * 4;
    layout->tcp_offset = layout->ip_offset + length;
    bool fragment = (frame_load_be16(ip + 6) & 0x3fff) != 0; /* more fragments, or an offset */
    return ip[0] >> 4 == 4 && length >= IPV4_HEADER_MIN && !fragment && ip[9] == IP_PROTOCOL_TCP;
}

/*
 * A jumbo payload's length is the whole packet's. A home address takes the source's place in the checksum of
 * TCP (RFC 6275, 6.3). False also for options that do not make up the header.
 */
static bool options_repeatable(const uint8_t *header, uint32_t length)
{
    uint32_t at = 2;
    while (at < length) {
        if (header[at] == OPTION_PAD1) {
            at++;
            continue;
        }
        if (header[at] == OPTION_JUMBO || header[at] == OPTION_HOME_ADDRESS || at + 2 > length)
            return false;
        at += 2u + header[at + 1];
    }
    return at == length;
}

/* Segments left: the destination that TCP's checksum means is still in the header. */
static bool extension_repeatable(uint8_t type, const uint8_t *header, uint32_t length)
{
    if (type == EXTENSION_ROUTING)
        return header[3] == 0;
    return (type == EXTENSION_HOP_BY_HOP || type == EXTENSION_DESTINATION) && options_repeatable(header, length);
}

static bool read_ipv6(struct tcp_layout *layout, const struct frame *frame)
{
    const uint8_t *ip = frame->head + layout->ip_offset;
    uint32_t at = layout->ip_offset + IPV6_HEADER_SIZE;
    if (at > frame->head_length || ip[0] >> 4 != 6)
        return false;
    for (uint8_t type = ip[6]; type != IP_PROTOCOL_TCP;) {
        const uint8_t *header = frame->head + at;
        if (at + EXTENSION_SIZE_MIN > frame->head_length)
            return false;
        uint32_t length = (header[1] + 1u) * EXTENSION_SIZE_MIN;
        if (at + length > frame->head_length || !extension_repeatable(type, header, length))
            return false;
        type = header[0];
        at += length;
    }
    layout->tcp_offset = at;
    return true;
}

bool tcp_layout_read(struct tcp_layout *layout, const struct frame *frame)
{
    uint16_t type = 0;
    if (!read_ethernet(frame, &layout->ip_offset, &type))
        return false;
    if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
        return false;
    layout->ipv6 = type == ETHERTYPE_IPV6;
    if (!(layout->ipv6 ? read_ipv6(layout, frame) : read_ipv4(layout, frame)))
        return false;
    if (layout->tcp_offset + TCP_HEADER_MIN > frame->head_length)
        return false;
    uint32_t length = (frame->head[layout->tcp_offset + 12] >> 4) * 4u;
    layout->payload = layout->tcp_offset + length;
    return length >= TCP_HEADER_MIN && layout->payload <= frame->head_length;
}
