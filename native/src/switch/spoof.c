/*
 * spoof.c - see the header. Pure; workers, for ports with such a policy only.
 */
#include "switch/spoof.h"

#include <string.h>

#include "switch/mac_table.h"
#include "switch/tcp_layout.h"

#define ETHERTYPE_ARP 0x0806u
#define ETHERTYPE_RARP 0x8035u
#define ARP_SIZE 28u /* for Ethernet and IPv4 */
#define UDP_PORTS_SIZE 4u
#define IP_PROTOCOL_UDP 17u
#define DHCP_SERVER_PORT 67u
#define DHCP_CLIENT_PORT 68u
#define VLAN_TAGS_MAX 2u
#define ETHERTYPE_MIN 0x0600u /* below: a length, and the type stands in a SNAP header, if there is one */
#define SNAP_SIZE 8u

/* IEEE 802.2 and RFC 1042: some receivers take IPv4 and ARP also behind these six bytes. */
static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0 };

static uint32_t load_be32(const uint8_t *at)
{
    return (uint32_t)frame_load_be16(at) << 16 | frame_load_be16(at + 2);
}

static bool mac_allowed(const struct port_policy *policy, uint64_t mac)
{
    for (unsigned i = 0; i < policy->mac_count; i++)
        if (policy->macs[i] == mac)
            return true;
    return policy->mac_count == 0;
}

static bool ipv4_allowed(const struct port_policy *policy, uint32_t address)
{
    for (unsigned i = 0; i < policy->ipv4_count; i++)
        if (policy->ipv4[i] == address)
            return true;
    return policy->ipv4_count == 0;
}

/* RARP has the same layout. Other hardware and protocol kinds than Ethernet and IPv4 cannot be judged. */
static bool arp_allowed(const struct port_policy *policy, const uint8_t *arp, uint32_t length)
{
    static const uint8_t kinds[6] = { 0, 1, 8, 0, 6, 4 };

    if (length < ARP_SIZE)
        return false;
    for (unsigned i = 0; i < sizeof kinds; i++)
        if (arp[i] != kinds[i])
            return false;
    uint32_t sender = load_be32(arp + 14);

    return mac_allowed(policy, mac_load(arp + 8)) && (sender == 0 || ipv4_allowed(policy, sender));
}

/* A guest without an address asks for one: 0.0.0.0 port 68 to 255.255.255.255 port 67, not a fragment. */
static bool is_dhcp_request(const uint8_t *ip, uint32_t length)
{
    uint32_t header = (ip[0] & 0x0fu) * 4;

    if (header < IPV4_HEADER_MIN || length < header + UDP_PORTS_SIZE || ip[9] != IP_PROTOCOL_UDP)
        return false;
    return load_be32(ip + 12) == 0 && load_be32(ip + 16) == UINT32_MAX && (frame_load_be16(ip + 6) & 0x3fff) == 0 &&
           frame_load_be16(ip + header) == DHCP_CLIENT_PORT && frame_load_be16(ip + header + 2) == DHCP_SERVER_PORT;
}

static bool packet_allowed(const struct port_policy *policy, const uint8_t *ip, uint32_t length)
{
    if (policy->ipv4_count == 0)
        return true;
    if (length < IPV4_HEADER_MIN)
        return false;
    return ipv4_allowed(policy, load_be32(ip + 12)) || is_dhcp_request(ip, length);
}

bool spoof_allowed(const struct port_policy *policy, const struct frame *frame)
{
    const uint8_t *head = frame->head;
    uint32_t at = 12;

    if (!mac_allowed(policy, mac_load(head + 6)))
        return false;
    for (unsigned tags = 0; tags <= VLAN_TAGS_MAX && at + 2 <= frame->head_length; tags++, at += 4) {
        uint32_t type = frame_load_be16(head + at), left = frame->head_length - (at + 2);

        if (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN)
            continue;
        if (type < ETHERTYPE_MIN && left >= SNAP_SIZE && memcmp(head + at + 2, snap, sizeof snap) == 0) {
            at += SNAP_SIZE - 4; /* the type is the last of it */
            continue;
        }
        if (type == ETHERTYPE_ARP || type == ETHERTYPE_RARP)
            return arp_allowed(policy, head + at + 2, left);
        return type != ETHERTYPE_IPV4 || packet_allowed(policy, head + at + 2, left);
    }
    return false;
}
