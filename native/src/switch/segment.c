/*
 * segment.c - what a receiver has not negotiated is done here: the checksum is
 * completed, a large TCP frame is cut into frames of gso_size (as TSO hardware and
 * Linux's tcp_gso_segment do).
 *
 * Workers, each with its own work memory, and only for receivers that need it.
 * The frame is first copied into that memory as a whole, since a checksum
 * over bytes that the sender can still change would be worth nothing; the emitted frames
 * then point into the copy: only their headers are written anew. Relies on
 * offload_check having accepted the frame.
 */
#include <string.h>

#include "switch/checksum.h"
#include "switch/offload.h"
#include "switch/tcp_layout.h"
#include "worker/numa.h"

/*
 * Frames cut from one. gso_size may be as small as 8, so that one descriptor would
 * make 8192 frames, each with its own header: a sender could make its receiver's
 * worker do 20 times the work of its own. 1024 leaves room for a 64 KiB frame in
 * pieces of 64 bytes; TCP in practice uses 536 and more.
 */
#define SEGMENTS_MAX 1024u

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_PSH = 0x08,
    TCP_CWR = 0x80,
};

struct offload_work {
    struct frame frame;               /* frame being emitted */
    struct segment rest;              /* its bytes behind the head */
    uint8_t linear[FRAME_LENGTH_MAX]; /* whole source frame */
};

/* Where an emitted frame goes. */
struct sink {
    bool (*emit)(void *context, const struct frame *frame); /* takes it, during the call; false: no more */
    void *context;                                          /* of emit */
};

struct offload_work *offload_work_create(void)
{
    return node_alloc(sizeof(struct offload_work), -1); /* touched first by its worker, so on its node */
}

void offload_work_destroy(struct offload_work *work)
{
    node_free(work, sizeof *work);
}

/* False: too long, or the segments do not make up the length. */
static bool make_linear(struct offload_work *work, const struct frame *frame)
{
    uint32_t at = frame->head_length;
    if (frame->length > sizeof work->linear || at > frame->length)
        return false;
    memcpy(work->linear, frame->head, at);
    for (uint32_t i = 0; i < frame->segment_count && at < frame->length; i++) {
        uint32_t left = frame->length - at;
        uint32_t length = frame->segments[i].length < left ? frame->segments[i].length : left;
        memcpy(work->linear + at, frame->segments[i].data, length);
        at += length;
    }
    return at == frame->length;
}

/* Makes work->frame one of `length` bytes: head_filled in its head already, the others at `rest`. */
static bool emit_frame(struct offload_work *work, struct sink sink, uint32_t length, uint32_t head_filled,
                       uint8_t *rest)
{
    struct frame *frame = &work->frame;
    uint32_t head_length = length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX;
    if (head_length < head_filled) /* headers that fill a head, and a tag that was pushed before them */
        head_length = head_filled;
    uint32_t missing = head_length - head_filled;
    memcpy(frame->head + head_filled, rest, missing);
    work->rest = (struct segment){.data = rest + missing, .length = length - head_length};
    frame->length = length;
    frame->head_length = (uint16_t)head_length;
    frame->drop = DROP_NONE;
    frame->segment_count = work->rest.length != 0;
    frame->segments = &work->rest;
    return sink.emit(sink.context, frame);
}

static enum drop_reason complete_checksum(struct offload_work *work, const struct frame *frame,
                                          struct sink sink)
{
    uint32_t start = frame->net.csum_start;
    uint32_t field = start + frame->net.csum_offset;
    if (!(frame->net.flags & NET_HEADER_F_NEEDS_CSUM) || field + 2 > frame->length)
        return DROP_RX_OFFLOAD;

    /* The field holds the sum of the pseudo header, so summing it along gives the whole. */
    uint16_t sum = checksum_finish(checksum_add(0, work->linear + start, frame->length - start));
    /* In UDP 0 means "no checksum"; elsewhere 0 and 0xffff are equal, so no look at the protocol. */
    frame_store_be16(work->linear + field, sum != 0 ? sum : 0xffff);
    work->frame.net = (struct net_header){0};
    emit_frame(work, sink, frame->length, 0, work->linear);
    return DROP_NONE;
}

/* Lengths, identification and header checksum for the index-th frame cut from one. */
static void write_ip_header(uint8_t *head, const struct tcp_layout *layout, uint32_t index, uint32_t length)
{
    uint8_t *ip = head + layout->ip_offset;
    if (layout->ipv6) {
        frame_store_be16(ip + 4, (uint16_t)(length - layout->ip_offset - IPV6_HEADER_SIZE));
        return;
    }
    frame_store_be16(ip + 2, (uint16_t)(length - layout->ip_offset));
    frame_store_be16(ip + 4, (uint16_t)(frame_load_be16(ip + 4) + index));
    frame_store_be16(ip + 10, 0);
    frame_store_be16(ip + 10, checksum_finish(checksum_add(0, ip, layout->tcp_offset - layout->ip_offset)));
}

static void write_tcp_header(uint8_t *head, const struct tcp_layout *layout, uint32_t index, uint32_t offset,
                             bool last)
{
    uint8_t *tcp = head + layout->tcp_offset;
    uint32_t sequence = (uint32_t)frame_load_be16(tcp + 4) << 16 | frame_load_be16(tcp + 6);
    sequence += offset;
    frame_store_be16(tcp + 4, (uint16_t)(sequence >> 16));
    frame_store_be16(tcp + 6, (uint16_t)sequence);
    if (index != 0)
        tcp[13] &= (uint8_t)~TCP_CWR; /* the window was reduced once: RFC 3168, 6.1.2 */
    if (!last)
        tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
}

/* Not from what the sender left in the checksum field: drivers differ in whether the length is in there. */
static uint32_t pseudo_header_sum(const uint8_t *head, const struct tcp_layout *layout, uint32_t tcp_length)
{
    const uint8_t *ip = head + layout->ip_offset;
    uint32_t sum = layout->ipv6 ? checksum_add(0, ip + 8, 32) : checksum_add(0, ip + 12, 8);
    return sum + IP_PROTOCOL_TCP + tcp_length;
}

static enum drop_reason cut(struct offload_work *work, const struct frame *frame, bool partial_checksum,
                            struct sink sink)
{
    struct tcp_layout layout;
    uint32_t size = frame->net.gso_size;
    if (size == 0 || !tcp_layout_read(&layout, frame))
        return DROP_RX_OFFLOAD;
    uint32_t payload = frame->length - layout.payload;
    if ((payload + size - 1) / size > SEGMENTS_MAX)
        return DROP_RX_OFFLOAD;

    uint32_t offset = 0;
    uint32_t index = 0;
    do { /* once for a frame without payload, too */
        uint32_t part = payload - offset < size ? payload - offset : size;
        uint32_t length = layout.payload + part;
        uint8_t *head = work->frame.head;
        uint8_t *data = work->linear + layout.payload + offset;
        memcpy(head, work->linear, layout.payload);
        write_ip_header(head, &layout, index, length);
        write_tcp_header(head, &layout, index, offset, offset + part == payload);

        uint8_t *checksum = head + layout.tcp_offset + TCP_CHECKSUM_OFFSET;
        uint32_t sum = pseudo_header_sum(head, &layout, length - layout.tcp_offset);
        work->frame.net = (struct net_header){0};
        if (partial_checksum) {
            frame_store_be16(checksum, checksum_fold(sum));
            work->frame.net.flags = NET_HEADER_F_NEEDS_CSUM;
            work->frame.net.csum_start = (uint16_t)layout.tcp_offset;
            work->frame.net.csum_offset = TCP_CHECKSUM_OFFSET;
        } else {
            frame_store_be16(checksum, 0);
            sum = checksum_add(sum, head + layout.tcp_offset, layout.payload - layout.tcp_offset);
            frame_store_be16(checksum, checksum_finish(checksum_add(sum, data, part)));
        }
        if (!emit_frame(work, sink, length, layout.payload, data))
            break;
        offset += part;
        index++;
    } while (offset < payload);
    return DROP_NONE;
}

enum drop_reason offload_apply(struct offload_work *work, const struct frame *frame,
                               uint64_t receiver_features,
                               bool (*emit)(void *context, const struct frame *frame), void *context)
{
    struct sink sink = {emit, context};
    if (!make_linear(work, frame))
        return DROP_RX_OFFLOAD;
    if (frame->net.gso_type != NET_HEADER_GSO_NONE)
        return cut(work, frame, receiver_features & FEATURE(VIRTIO_NET_F_GUEST_CSUM), sink);
    return complete_checksum(work, frame, sink);
}
