/*
 * frame_model.c - see the header.
 */
#include "frame_model.h"

#include "input.h"
#include "worker/stats.h"

static uint32_t load16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t load32(const uint8_t *at)
{
    return load16(at) << 16 | load16(at + 2);
}

static bool is_tag(uint32_t type)
{
    return type == 0x8100 || type == 0x88a8;
}

bool find_headers(const struct whole *frame, struct headers *found)
{
    uint32_t most = FRAME_HEAD_MAX + (frame->pushed ? VLAN_TAG_SIZE : 0);
    uint32_t head = frame->length < most ? frame->length : most;
    const uint8_t *bytes = frame->bytes;
    uint32_t at = 12;

    for (unsigned tags = 0; at + 2 <= head && is_tag(load16(bytes + at)); tags++, at += 4)
        if (tags == 2)
            return false;
    if (at + 2 > head)
        return false;
    uint32_t type = load16(bytes + at);

    found->ip = at + 2;
    found->ipv6 = type == 0x86dd;
    if (type != 0x0800 && type != 0x86dd)
        return false;
    if (found->ip + (found->ipv6 ? 40u : 20u) > head)
        return false;
    const uint8_t *ip = bytes + found->ip;

    if (found->ipv6) {
        if (ip[0] / 16 != 6 || ip[6] != 6)
            return false;
        found->tcp = found->ip + 40;
    } else {
        if (ip[0] / 16 != 4 || ip[0] % 16 < 5 || ip[9] != 6 || load16(ip + 6) % 0x4000 != 0)
            return false;
        found->tcp = found->ip + ip[0] % 16 * 4u;
    }
    if (found->tcp + 20 > head)
        return false;
    uint32_t words = bytes[found->tcp + 12] / 16;

    found->payload = found->tcp + 4 * words;
    return words >= 5 && found->payload <= head;
}

uint16_t plain_sum(uint32_t sum, const uint8_t *data, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)data[i] * 256 : data[i];
        while (sum > 0xffff)
            sum = sum % 65536 + sum / 65536;
    }
    return (uint16_t)sum;
}

static bool has(uint64_t features, unsigned bit)
{
    return features >> bit & 1;
}

/* Where the headers end that a switch decides by; a checksum belongs behind them. Behind a length nothing is known. */
static uint32_t decided_by(const struct whole *frame)
{
    const uint8_t *bytes = frame->bytes;
    uint32_t at = 14;

    for (unsigned tags = 0; tags < 2 && is_tag(load16(bytes + at - 2)); tags++) {
        at += 4;
        if (at > frame->length)
            return at;
    }
    switch (load16(bytes + at - 2)) {
    case 0x0800:
        return at + (at < frame->length && bytes[at] % 16 > 5 ? bytes[at] % 16 * 4u : 20u);
    case 0x86dd:
        return at + 40;
    case 0x0806:
    case 0x8035:
        return at + 28;
    default:
        return load16(bytes + at - 2) < 0x600 ? frame->length : at;
    }
}

unsigned header_verdict(const struct whole *frame, uint64_t sender)
{
    const struct net_header *net = &frame->net;
    bool sum = net->flags & NET_HEADER_F_NEEDS_CSUM;
    uint32_t kind = net->gso_type & 0x7f;
    struct headers found;

    if (sum && (!has(sender, VIRTIO_NET_F_CSUM) || net->csum_start < 14 ||
                (uint32_t)net->csum_start + net->csum_offset + 2 > frame->length))
        return DROP_CSUM_HEADER;
    if (sum && net->gso_type == 0 && (uint32_t)net->csum_start + net->csum_offset < decided_by(frame))
        return DROP_CSUM_HEADER;
    if (net->gso_type == 0)
        return DROP_NONE;
    if ((kind != NET_HEADER_GSO_TCPV4 && kind != NET_HEADER_GSO_TCPV6) || !sum || !find_headers(frame, &found))
        return DROP_GSO_HEADER;
    if (!has(sender, kind == NET_HEADER_GSO_TCPV4 ? VIRTIO_NET_F_HOST_TSO4 : VIRTIO_NET_F_HOST_TSO6) ||
        (net->gso_type & 0x80 && !has(sender, VIRTIO_NET_F_HOST_ECN)))
        return DROP_GSO_HEADER;
    if (found.ipv6 != (kind == NET_HEADER_GSO_TCPV6) || net->csum_start != found.tcp || net->csum_offset != 16)
        return DROP_GSO_HEADER;
    if (net->gso_size < 8 || net->gso_size + (found.payload - found.ip) > 65535)
        return DROP_GSO_HEADER;
    return DROP_NONE;
}

void set_tag(struct whole *frame, bool tagged, uint16_t control)
{
    bool is = load16(frame->bytes + 12) == 0x8100;
    int by = tagged - is;

    if (by != 0) {
        uint32_t from = is ? 16 : 12;

        memmove(frame->bytes + (int)from + 4 * by, frame->bytes + from, frame->length - from);
        frame->length = (uint32_t)((int)frame->length + 4 * by);
        frame->pushed = by > 0;
        if (frame->net.flags & NET_HEADER_F_NEEDS_CSUM)
            frame->net.csum_start = (uint16_t)(frame->net.csum_start + 4 * by);
    }
    if (tagged) {
        frame->bytes[12] = 0x81;
        frame->bytes[13] = 0;
        frame->bytes[14] = (uint8_t)(control >> 8);
        frame->bytes[15] = (uint8_t)control;
    }
}

void make_whole(struct whole *to, const struct frame *frame)
{
    to->net = frame->net;
    to->length = frame->length;
    FUZZ_CHECK(frame->length <= sizeof to->bytes && frame->head_length <= frame->length, "a frame of %u bytes, %u in its head",
               frame->length, frame->head_length);
    memcpy(to->bytes, frame->head, frame->head_length);
    uint32_t at = frame->head_length;

    for (uint32_t i = 0; i < frame->segment_count; i++) {
        FUZZ_CHECK(frame->segments[i].length <= frame->length - at, "segments beyond the length of %u", frame->length);
        memcpy(to->bytes + at, frame->segments[i].data, frame->segments[i].length);
        at += frame->segments[i].length;
    }
    FUZZ_CHECK(at == frame->length, "%u bytes of %u", at, frame->length);
}

static void check_bytes(const struct whole *wanted, const struct whole *got, const char *what)
{
    FUZZ_CHECK(wanted->length == got->length, "%s: %u bytes, wanted %u", what, got->length, wanted->length);
    for (uint32_t i = 0; i < got->length; i++)
        FUZZ_CHECK(wanted->bytes[i] == got->bytes[i], "%s: byte %u is %02x, wanted %02x", what, i, got->bytes[i],
                   wanted->bytes[i]);
}

void check_same(const struct whole *wanted, const struct whole *got, uint64_t receiver)
{
    const struct net_header *from = &wanted->net, *to = &got->net;
    bool sum = from->flags & NET_HEADER_F_NEEDS_CSUM, large = from->gso_type != 0;
    struct headers found;

    FUZZ_CHECK(to->flags == (sum ? NET_HEADER_F_NEEDS_CSUM : 0) && to->gso_type == from->gso_type, "flags %u, type %u",
               to->flags, to->gso_type);
    FUZZ_CHECK(to->num_buffers == 0 && to->gso_size == (large ? from->gso_size : 0), "%u buffers, pieces of %u",
               to->num_buffers, to->gso_size);
    if (sum) {
        FUZZ_CHECK(has(receiver, VIRTIO_NET_F_GUEST_CSUM), "a checksum is left to a receiver that has not negotiated it");
        FUZZ_CHECK(to->csum_start == from->csum_start && to->csum_offset == from->csum_offset, "the checksum is at %u + %u",
                   to->csum_start, to->csum_offset);
    }
    if (large) {
        FUZZ_CHECK(find_headers(wanted, &found) && to->hdr_len == found.payload, "headers of %u bytes", to->hdr_len);
        FUZZ_CHECK(has(receiver, found.ipv6 ? VIRTIO_NET_F_GUEST_TSO6 : VIRTIO_NET_F_GUEST_TSO4) &&
                   (!(to->gso_type & 0x80) || has(receiver, VIRTIO_NET_F_GUEST_ECN)), "a large frame is left to a receiver "
                   "that has not negotiated it");
    } else {
        FUZZ_CHECK(to->hdr_len == 0, "headers of %u bytes", to->hdr_len);
    }
    check_bytes(wanted, got, "handed on");
}

static void check_plain(const struct whole *got)
{
    static const struct net_header none;

    FUZZ_CHECK(memcmp(&got->net, &none, sizeof none) == 0, "a finished frame asks for something");
}

void check_completed(const struct whole *wanted, const struct whole *got)
{
    static struct whole right;
    uint32_t start = wanted->net.csum_start, field = start + wanted->net.csum_offset;
    uint16_t sum = (uint16_t)~plain_sum(0, wanted->bytes + start, wanted->length - start);

    right.length = wanted->length;
    memcpy(right.bytes, wanted->bytes, wanted->length);
    sum = sum ? sum : 0xffff;
    right.bytes[field] = (uint8_t)(sum >> 8);
    right.bytes[field + 1] = (uint8_t)sum;
    check_plain(got);
    check_bytes(&right, got, "completed");
}

/* Of the pseudo header. */
static uint16_t pseudo_sum(const uint8_t *ip, bool ipv6, uint32_t length)
{
    uint8_t last[4] = { 0, 6, (uint8_t)(length >> 8), (uint8_t)length };
    uint16_t addresses = ipv6 ? plain_sum(0, ip + 8, 32) : plain_sum(0, ip + 12, 8);

    return plain_sum(addresses, last, 4);
}

static void check_piece_sum(const struct whole *got, const struct headers *found, uint64_t receiver)
{
    uint32_t length = got->length - found->tcp;
    uint16_t pseudo = pseudo_sum(got->bytes + found->ip, found->ipv6, length);

    if (has(receiver, VIRTIO_NET_F_GUEST_CSUM)) {
        FUZZ_CHECK(got->net.flags == NET_HEADER_F_NEEDS_CSUM && got->net.gso_type == 0 && got->net.csum_start == found->tcp &&
                   got->net.csum_offset == 16, "a piece's checksum is asked for wrongly");
        FUZZ_CHECK(load16(got->bytes + found->tcp + 16) == pseudo, "the pseudo header's sum is %04x, wanted %04x",
                   load16(got->bytes + found->tcp + 16), pseudo);
    } else {
        check_plain(got);
        FUZZ_CHECK(plain_sum(pseudo, got->bytes + found->tcp, length) == 0xffff, "a piece's checksum is wrong");
    }
}

/* Everything that cutting changes in the headers, and nothing else. */
static void check_piece_headers(const struct whole *wanted, const struct whole *got, const struct headers *found,
                                uint32_t index, uint32_t offset, bool last)
{
    static struct whole right;
    uint8_t *ip = right.bytes + found->ip, *tcp = right.bytes + found->tcp;
    uint32_t total = got->length - (found->ipv6 ? found->tcp : found->ip), sequence = load32(tcp) + 0;

    memcpy(right.bytes, wanted->bytes, found->payload);
    right.length = found->payload;
    ip[found->ipv6 ? 4 : 2] = (uint8_t)(total >> 8);
    ip[found->ipv6 ? 5 : 3] = (uint8_t)total;
    if (!found->ipv6) {
        uint32_t id = load16(ip + 4) + index;

        ip[4] = (uint8_t)(id >> 8);
        ip[5] = (uint8_t)id;
        memcpy(ip + 10, got->bytes + found->ip + 10, 2);
        FUZZ_CHECK(plain_sum(0, got->bytes + found->ip, found->tcp - found->ip) == 0xffff, "piece %u: its IP checksum is wrong", index);
    }
    sequence = load32(tcp + 4) + offset;
    for (unsigned i = 0; i < 4; i++)
        tcp[4 + i] = (uint8_t)(sequence >> (24 - 8 * i));
    if (index > 0)
        tcp[13] &= 0x7f;
    if (!last)
        tcp[13] &= 0xf6;
    memcpy(tcp + 16, got->bytes + found->tcp + 16, 2);
    FUZZ_CHECK(memcmp(right.bytes, got->bytes, right.length) == 0, "piece %u: wrong headers", index);
}

void check_piece(const struct whole *wanted, const struct whole *got, uint64_t receiver, uint32_t index, uint32_t offset)
{
    uint32_t size = wanted->net.gso_size, left;
    struct headers found;

    FUZZ_CHECK(find_headers(wanted, &found) && got->length >= found.payload, "a piece of %u bytes", got->length);
    left = wanted->length - found.payload - offset;
    uint32_t part = left < size ? left : size;

    FUZZ_CHECK(got->length == found.payload + part, "piece %u has %u bytes of payload, wanted %u", index,
               got->length - found.payload, part);
    FUZZ_CHECK(memcmp(wanted->bytes + found.payload + offset, got->bytes + found.payload, part) == 0,
               "piece %u: wrong payload", index);
    check_piece_headers(wanted, got, &found, index, offset, part == left);
    check_piece_sum(got, &found, receiver);
}
