/*
 * flow_hash.c - see the header. Workers; pure but for the seed.
 *
 * A fragment has no ports, but for the first, which must go where the others
 * go: so no fragment is looked into. The seed keeps a hostile guest from
 * choosing addresses that all meet in one place of another's table, or on one of its queues.
 */
#include "switch/flow_hash.h"

#include <stdbool.h>
#include <string.h>

#include "switch/tcp_layout.h"

#define VLAN_TAGS_MAX 2u

/* Extension headers that are stepped over; hosts use one or two. */
#define IPV6_HEADERS_MAX 6u

enum ip_protocol {
    IP_HOP_BY_HOP = 0,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_DCCP = 33,
    IP_ROUTING = 43,
    IP_DESTINATION = 60,
    IP_SCTP = 132,
    IP_UDP_LITE = 136,
};

/* What tells conversations apart, so far as it is known. */
struct flow {
    uint64_t kind;        /* EtherType, and the protocol above it */
    const uint8_t *from;  /* address, of `size` bytes; the other one follows at `to` */
    const uint8_t *to;
    unsigned size;        /* 4, 6 or 16 */
    uint16_t ports[2];    /* source and destination; 0 when there are none */
};

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

void flow_hash_seed(uint64_t value)
{
    seed = value;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IP_TCP || protocol == IP_UDP || protocol == IP_SCTP || protocol == IP_DCCP ||
           protocol == IP_UDP_LITE;
}

static void read_ports(struct flow *flow, const struct frame *frame, uint32_t at, uint8_t protocol)
{
    flow->kind |= (uint64_t)protocol << 16;
    if (!has_ports(protocol) || at + 4 > frame->head_length)
        return;
    flow->ports[0] = frame_load_be16(frame->head + at);
    flow->ports[1] = frame_load_be16(frame->head + at + 2);
}

static void read_ipv4(struct flow *flow, const struct frame *frame, uint32_t at)
{
    const uint8_t *ip = frame->head + at;

    if (at + IPV4_HEADER_MIN > frame->head_length)
        return;
    flow->from = ip + 12;
    flow->to = ip + 16;
    flow->size = 4;
    if ((frame_load_be16(ip + 6) & 0x3fff) == 0) /* neither a fragment nor followed by one */
        read_ports(flow, frame, at + (ip[0] & 0x0fu) * 4, ip[9]);
    else
        flow->kind |= (uint64_t)ip[9] << 16;
}

static void read_ipv6(struct flow *flow, const struct frame *frame, uint32_t at)
{
    const uint8_t *ip = frame->head + at;
    uint8_t next;

    if (at + IPV6_HEADER_SIZE > frame->head_length)
        return;
    flow->from = ip + 8;
    flow->to = ip + 24;
    flow->size = 16;
    next = ip[6];
    at += IPV6_HEADER_SIZE;
    for (unsigned i = 0; i < IPV6_HEADERS_MAX; i++) {
        if (next != IP_HOP_BY_HOP && next != IP_ROUTING && next != IP_DESTINATION)
            return read_ports(flow, frame, at, next);
        if (at + 2 > frame->head_length)
            return;
        next = frame->head[at];
        at += (frame->head[at + 1] + 1u) * 8;
    }
}

static void flow_read(struct flow *flow, const struct frame *frame)
{
    uint32_t at = 12;
    uint16_t type = frame_load_be16(frame->head + at);

    for (unsigned tags = 0; tags < VLAN_TAGS_MAX && at + 6 <= frame->head_length &&
                            (type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN);
         tags++) {
        at += 4;
        type = frame_load_be16(frame->head + at);
    }
    *flow = (struct flow){ .kind = type, .from = frame->head + 6, .to = frame->head, .size = 6 };
    if (type == ETHERTYPE_IPV4)
        read_ipv4(flow, frame, at + 2);
    else if (type == ETHERTYPE_IPV6)
        read_ipv6(flow, frame, at + 2);
}

static inline uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0xd6e8feb86659fd93);
    return sum ^ sum >> 32;
}

static uint64_t mix_bytes(uint64_t sum, const uint8_t *bytes, unsigned size)
{
    uint64_t words[2] = { 0 };

    memcpy(words, bytes, size);
    return mix(mix(sum, words[0]), words[1]);
}

uint32_t flow_hash(const struct frame *frame)
{
    struct flow flow;
    uint64_t sum;

    flow_read(&flow, frame);
    int order = memcmp(flow.from, flow.to, flow.size);
    bool swap = order > 0 || (order == 0 && flow.ports[0] > flow.ports[1]);

    sum = mix(seed, flow.kind);
    sum = mix_bytes(sum, swap ? flow.to : flow.from, flow.size);
    sum = mix_bytes(sum, swap ? flow.from : flow.to, flow.size);
    sum = mix(sum, (uint64_t)flow.ports[swap] << 16 | flow.ports[!swap]);
    return (uint32_t)mix(sum, seed);
}
