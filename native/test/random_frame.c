/*
 * random_frame.c - see the header.
 */
#include "random_frame.h"

#include <string.h>

#include "packet.h"

enum { FIN = 0x01, PSH = 0x08, CWR = 0x80 };
enum { IP_TCP = 6, IP_UDP = 17, IP_HOP_BY_HOP = 0, IP_DESTINATION = 60 };

/* What is built: a part of the recipe's payload with the headers that belong to it. */
struct part {
    uint32_t offset, length; /* of the payload */
    unsigned index;          /* among the parts */
    bool last;
    bool finished;           /* its checksum */
    unsigned tags;
    const uint16_t *tag;
};

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static uint32_t sum(uint32_t so_far, const uint8_t *at, uint32_t length)
{
    uint64_t total = so_far;

    for (uint32_t i = 0; i + 1 < length; i += 2)
        total += (uint32_t)at[i] << 8 | at[i + 1];
    if (length % 2 != 0)
        total += (uint32_t)at[length - 1] << 8;
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    return (uint32_t)total;
}

/* Byte i of frame n's payload is one that no other place of it or its neighbours has by chance for long. */
static void fill_payload(uint8_t *at, uint32_t number, uint32_t offset, uint32_t length)
{
    static uint8_t noise[1u << 17];
    static bool made;

    if (!made)
        for (uint64_t i = 0, state = 88172645463325252u; i < sizeof noise; i++) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            noise[i] = (uint8_t)(state >> 32);
        }
    made = true;
    memcpy(at, noise + number * 2654435761u % 65536 / 2 + offset, length);
}

static uint32_t ip_bytes(const struct recipe *recipe)
{
    return recipe->ipv6 ? 40 + 8 * recipe->ip_words : 20 + 4 * recipe->ip_words;
}

static uint32_t transport_bytes(const struct recipe *recipe)
{
    return recipe->kind == RECIPE_UDP ? 8 : 20 + 4 * recipe->tcp_words;
}

uint32_t recipe_headers(const struct recipe *recipe)
{
    uint32_t ethernet = 14 + 4 * recipe->tags;

    return recipe->kind == RECIPE_PLAIN ? ethernet : ethernet + ip_bytes(recipe) + transport_bytes(recipe);
}

static uint8_t protocol(const struct recipe *recipe)
{
    return recipe->kind == RECIPE_UDP ? IP_UDP : IP_TCP;
}

/* Hop-by-hop options first, destination options after them; each of one option that says nothing (PadN). */
static void put_extensions(const struct recipe *recipe, uint8_t *ip)
{
    ip[6] = recipe->ip_words == 0 ? protocol(recipe) : IP_HOP_BY_HOP;
    for (unsigned i = 0; i < recipe->ip_words; i++) {
        uint8_t *header = ip + 40 + 8 * i;

        memset(header, 0, 8);
        header[0] = i + 1 < recipe->ip_words ? IP_DESTINATION : protocol(recipe);
        header[2] = 1; /* PadN, */
        header[3] = 4; /* 4 more bytes */
    }
}

static void put_ip(const struct recipe *recipe, const struct part *part, uint8_t *ip)
{
    uint32_t header = ip_bytes(recipe), behind = transport_bytes(recipe) + part->length;

    memset(ip, 0, header);
    if (recipe->ipv6) {
        put32(ip, 0x60000000u | (recipe->number & 0xfffff));
        put16(ip + 4, header - 40 + behind);
        put_extensions(recipe, ip);
        ip[7] = 64;
        for (unsigned i = 8; i < 40; i++)
            ip[i] = (uint8_t)(recipe->number * 31 + i * 7);
        return;
    }
    ip[0] = (uint8_t)(0x40 | header / 4);
    put16(ip + 2, header + behind);
    put16(ip + 4, (recipe->number + part->index) & 0xffff);
    put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = protocol(recipe);
    put32(ip + 12, 0x0a000000u + recipe->number);
    put32(ip + 16, 0x0b000000u + recipe->number * 3);
    memset(ip + 20, 1, header - 20); /* options that do nothing */
    put16(ip + 10, ~sum(0, ip, header) & 0xffff);
}

static void put_transport(const struct recipe *recipe, const struct part *part, uint8_t *at)
{
    memset(at, 0, transport_bytes(recipe));
    put16(at, 4000 + recipe->number % 50000);
    put16(at + 2, 443);
    if (recipe->kind == RECIPE_UDP) {
        put16(at + 4, 8 + part->length);
        return;
    }
    put32(at + 4, recipe->number * 65536u + part->offset);
    put32(at + 8, recipe->number);
    at[12] = (uint8_t)((5 + recipe->tcp_words) << 4);
    at[13] = recipe->flags;
    if (!part->last)
        at[13] &= (uint8_t)~(FIN | PSH);
    if (part->index > 0)
        at[13] &= (uint8_t)~CWR;
    put16(at + 14, 512);
    memset(at + 20, 1, 4 * recipe->tcp_words);
}

static uint32_t checksum_field(const struct recipe *recipe)
{
    return recipe->kind == RECIPE_UDP ? 6 : 16;
}

/* Payload is there already. */
static void put_checksum(const struct recipe *recipe, const struct part *part, const uint8_t *ip, uint8_t *at)
{
    uint32_t length = transport_bytes(recipe) + part->length;
    uint8_t rest[8] = { 0 };

    put32(rest, length);
    rest[7] = protocol(recipe);
    uint32_t pseudo = sum(recipe->ipv6 ? sum(0, ip + 8, 32) : sum(0, ip + 12, 8), rest, 8);

    put16(at + checksum_field(recipe), part->finished ? ~sum(pseudo, at, length) & 0xffff : pseudo);
    if (part->finished && recipe->kind == RECIPE_UDP && at[6] == 0 && at[7] == 0)
        put16(at + 6, 0xffff); /* 0 says that there is none */
}

/* Returns the length. */
static uint32_t build(const struct recipe *recipe, const struct part *part, uint8_t *bytes)
{
    uint32_t at = 12;

    packet_mac(bytes, recipe->to);
    packet_mac(bytes + 6, recipe->from);
    for (unsigned i = 0; i < part->tags; i++, at += 4) {
        put16(bytes + at, part->tags == 2 && i == 0 ? 0x88a8 : 0x8100);
        put16(bytes + at + 2, part->tag[i]);
    }
    put16(bytes + at, recipe->kind == RECIPE_PLAIN ? 0x88b5 : recipe->ipv6 ? 0x86dd : 0x0800);
    at += 2;
    if (recipe->kind == RECIPE_PLAIN) {
        fill_payload(bytes + at, recipe->number, part->offset, part->length);
        return at + part->length;
    }
    uint8_t *ip = bytes + at, *transport = ip + ip_bytes(recipe), *payload = transport + transport_bytes(recipe);

    put_ip(recipe, part, ip);
    put_transport(recipe, part, transport);
    fill_payload(payload, recipe->number, part->offset, part->length);
    put_checksum(recipe, part, ip, transport);
    return (uint32_t)(payload - bytes) + part->length;
}

static uint8_t gso_type(const struct recipe *recipe)
{
    if (recipe->gso_size == 0)
        return NET_HEADER_GSO_NONE;
    return (uint8_t)((recipe->ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4) | (recipe->ecn ? NET_HEADER_GSO_ECN : 0));
}

static struct net_header request(const struct recipe *recipe, unsigned tags)
{
    return (struct net_header){
        .flags = NET_HEADER_F_NEEDS_CSUM,
        .gso_type = gso_type(recipe),
        .gso_size = recipe->gso_size,
        .hdr_len = (uint16_t)(recipe->gso_size != 0 ? recipe_headers(recipe) - 4 * recipe->tags + 4 * tags : 0),
        .csum_start = (uint16_t)(14 + 4 * tags + ip_bytes(recipe)),
        .csum_offset = (uint16_t)checksum_field(recipe),
    };
}

uint32_t recipe_send(const struct recipe *recipe, uint8_t *bytes, struct net_header *net)
{
    const struct part whole = { .length = recipe->payload, .last = true, .finished = !recipe->checksum,
                                .tags = recipe->tags, .tag = recipe->tag };

    *net = recipe->checksum ? request(recipe, recipe->tags) : (struct net_header){ 0 };
    net->flags |= (uint8_t)(recipe->number & 0xf0);        /* bits that mean nothing */
    net->hdr_len = (uint16_t)(recipe->number * 40503u);    /* never to be trusted */
    net->num_buffers = (uint16_t)recipe->number;
    return build(recipe, &whole, bytes);
}

static bool takes(const struct recipe *recipe, uint64_t features)
{
    uint64_t needed = FEATURE(VIRTIO_NET_F_GUEST_CSUM) | (recipe->ecn ? FEATURE(VIRTIO_NET_F_GUEST_ECN) : 0) |
                      (recipe->ipv6 ? FEATURE(VIRTIO_NET_F_GUEST_TSO6) : FEATURE(VIRTIO_NET_F_GUEST_TSO4));

    return recipe->gso_size == 0 || (features & needed) == needed;
}

unsigned recipe_arrivals(const struct recipe *recipe, uint64_t features, int tag_change, uint16_t vlan,
                         struct arrival *arrivals)
{
    bool whole = takes(recipe, features), partial = recipe->checksum && features & FEATURE(VIRTIO_NET_F_GUEST_CSUM);
    uint32_t size = whole ? recipe->payload : recipe->gso_size, offset = 0;
    const uint16_t *tag = tag_change == TAG_PUSHED ? &vlan : recipe->tag;
    unsigned tags = tag_change == TAG_KEPT ? recipe->tags : tag_change == TAG_PUSHED, count = 0;

    do {
        uint32_t left = recipe->payload - offset;
        struct part part = { .offset = offset, .length = left < size ? left : size, .index = count,
                             .last = left <= size, .finished = !partial, .tags = tags, .tag = tag };
        struct arrival *arrival = &arrivals[count++];

        arrival->length = build(recipe, &part, arrival->bytes);
        arrival->net = partial ? request(recipe, tags) : (struct net_header){ 0 };
        if (!whole)
            arrival->net.gso_type = 0, arrival->net.gso_size = 0, arrival->net.hdr_len = 0;
        arrival->checksum_at = !partial && recipe->checksum && recipe->kind == RECIPE_TCP
                                   ? 14 + 4 * tags + ip_bytes(recipe) + checksum_field(recipe) : 0;
        offset += part.length;
    } while (offset < recipe->payload && count < RANDOM_PIECES_MAX);
    return count;
}

static bool is_either_zero(const uint8_t *at)
{
    return at[0] == at[1] && (at[0] == 0 || at[0] == 0xff);
}

const char *arrival_differs(const struct arrival *expected, const struct net_header *net, const uint8_t *bytes,
                            int length)
{
    struct net_header found = *net;
    uint32_t field = expected->checksum_at;

    found.num_buffers = expected->net.num_buffers;
    if (length < 0 || (uint32_t)length != expected->length)
        return "its length";
    if (memcmp(&found, &expected->net, sizeof found) != 0)
        return "its net header";
    if (memcmp(bytes, expected->bytes, expected->length) == 0)
        return NULL;
    if (field != 0 && is_either_zero(bytes + field) && is_either_zero(expected->bytes + field) &&
        memcmp(bytes, expected->bytes, field) == 0 &&
        memcmp(bytes + field + 2, expected->bytes + field + 2, expected->length - field - 2) == 0)
        return NULL;
    return "its bytes";
}
