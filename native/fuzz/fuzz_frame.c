/*
 * fuzz_frame.c - frames with odd headers on their way through the switch: offload headers, VLAN tags, anti-spoofing,
 * classification, checksums and segmentation, as one worker does it between three ports.
 *
 * The first record of an input chooses what each port negotiated and its policy. Each other record is one step:
 * one more frame in the burst (tags, IPv4 with options, IPv6 with extension headers, TCP, UDP, ARP; its offload
 * header right, or near to it), bytes of the last one changed, or the burst sent from one of the ports. Sums over odd
 * pieces are taken, too.
 *
 * Checked, against frame_model: frames are dropped for their header when it is wrong and not otherwise; an honest
 * frame passes; each receiver gets the frame's bytes in the form that its VLANs want, with what it has not negotiated done
 * right: payload put together again, lengths, sequence numbers, sums. Nobody gets what policies forbid. The sender's
 * memory is read only.
 */
#include <sys/mman.h>

#include "frame_model.h"
#include "input.h"
#include "quiesce.h"
#include "switch/checksum.h"
#include "switch/forward.h"
#include "switch/mac_table.h"
#include "switch/network.h"
#include "switch/offload.h"
#include "switch/topology.h"
#include "switch/vlan_tag.h"
#include "worker/worker.h"

#define PORTS 3u
#define HEADERS_MAX 512u
#define PAYLOAD_MAX 65536u
#define PIECES_MAX 16u

/* A frame of the burst as its sender made it. */
struct sent {
    uint8_t headers[HEADERS_MAX];      /* its beginning; the rest is of the payload */
    uint32_t header_length;
    uint32_t payload_length;
    struct net_header net;
    bool honest;                       /* nobody has a reason to drop it */
    struct segment pieces[PIECES_MAX];
    uint8_t cuts[3];                   /* how it lies in memory */
};

static struct port ports[PORTS];
static uint64_t features[PORTS];
static struct network *network;
static struct topology *topology;
static struct worker *worker;
static uint8_t *payload;               /* everybody's, read only */
static uint8_t *behind_head;           /* headers that do not fit the head, of one frame each; read only for the switch */
static struct sent sent[BURST_MAX];
static unsigned sent_count;
static struct frame frames[BURST_MAX];
static struct port *sender;
static unsigned delivered;             /* to receivers, of this burst */

/* ---- receivers ---- */

/* The pieces that one frame is cut into. */
struct cutting {
    const struct whole *wanted;
    uint64_t receiver;
    uint32_t pieces, offset; /* so far */
    uint32_t limit;          /* then no more are taken */
};

static bool take_piece(void *context, const struct frame *frame)
{
    static struct whole got;
    struct cutting *cutting = context;

    FUZZ_CHECK(cutting->pieces < cutting->limit, "a piece after the last that was wanted");
    make_whole(&got, frame);
    if (cutting->wanted->net.gso_type == 0) {
        check_completed(cutting->wanted, &got);
        cutting->offset = cutting->wanted->length;
    } else {
        check_piece(cutting->wanted, &got, cutting->receiver, cutting->pieces, cutting->offset);
        cutting->offset += cutting->wanted->net.gso_size;
    }
    return ++cutting->pieces < cutting->limit;
}

/* What has not been negotiated is done in software. */
static void check_offload(const struct whole *wanted, const struct frame *frame, uint64_t receiver, uint32_t limit)
{
    struct cutting cutting = { wanted, receiver, 0, 0, limit };
    enum drop_reason reason = offload_apply(worker->offload, frame, receiver, take_piece, &cutting);
    struct headers found = { 0 };

    if (reason == DROP_NONE) {
        uint32_t whole = wanted->net.gso_type && find_headers(wanted, &found) ? wanted->length - found.payload : wanted->length;

        FUZZ_CHECK(cutting.pieces == limit || (cutting.pieces > 0 && cutting.offset >= whole), "%u pieces, and %u bytes of %u",
                   cutting.pieces, cutting.offset, whole);
        return;
    }
    FUZZ_CHECK(cutting.pieces == 0, "refused, and %u pieces made", cutting.pieces);
    FUZZ_CHECK(wanted->net.gso_type && find_headers(wanted, &found) &&
               (wanted->length - found.payload) / wanted->net.gso_size >= 1024, "a frame that can be cut is refused");
}

static void original(const struct sent *from, struct whole *to)
{
    to->net = from->net;
    to->length = from->header_length + from->payload_length;
    memcpy(to->bytes, from->headers, from->header_length);
    memcpy(to->bytes + from->header_length, payload, from->payload_length);
}

/* As the receiver's VLANs want it. */
static void dress(struct whole *frame, const struct port *to)
{
    const struct port_vlan *from_vlan = &sender->policy->vlan, *to_vlan = &to->policy->vlan;
    bool tagged = frame->bytes[12] == 0x81 && frame->bytes[13] == 0;
    uint16_t control = tagged ? (uint16_t)(frame->bytes[14] << 8 | frame->bytes[15]) : 0;

    if (network_vlans(network) == NULL)
        return;
    if ((control & 0xfff) == 0)
        control |= from_vlan->untagged;
    unsigned id = control & 0xfff;

    FUZZ_CHECK(to_vlan->mode == VLAN_PLAIN || id == to_vlan->untagged || to_vlan->tagged[id / 64] >> id % 64 & 1,
               "VLAN %u got to a port that does not carry it", id);
    FUZZ_CHECK(id != 0xfff, "the reserved VLAN");
    set_tag(frame, id != to_vlan->untagged, control);
}

static void check_policy(const struct whole *frame, const struct port *to)
{
    const struct port_policy *policy = sender->policy;
    uint64_t source = 0;
    bool known = policy->mac_count == 0;

    for (unsigned i = 0; i < 6; i++)
        source = source << 8 | frame->bytes[6 + i];
    for (unsigned i = 0; i < policy->mac_count; i++)
        known |= policy->macs[i] == source;
    FUZZ_CHECK(known, "%012llx is spoofed", (unsigned long long)source);
    FUZZ_CHECK(source != 0 && !(source >> 40 & 1), "a wrong source address");
    FUZZ_CHECK(to != sender, "it came back");
    FUZZ_CHECK(!policy->isolated || !to->policy->isolated, "isolated ports met");
}

/* IPv4 and ARP senders, where they stand plainly behind at most two tags. */
static void check_ipv4(const struct whole *frame)
{
    const struct port_policy *policy = sender->policy;
    uint32_t at = 12, type = 0, address = 0;

    for (unsigned tags = 0; tags <= 2 && at + 2 <= frame->length; tags++, at += 4) {
        type = (uint32_t)frame->bytes[at] << 8 | frame->bytes[at + 1];
        if (type != 0x8100 && type != 0x88a8)
            break;
    }
    bool arp = type == 0x0806 || type == 0x8035;

    if (policy->ipv4_count == 0 || (type != 0x0800 && !arp))
        return;
    FUZZ_CHECK(at + 2 + (arp ? 28 : 20) <= frame->length, "a header that was cut short");
    for (unsigned i = 0; i < 4; i++)
        address = address << 8 | frame->bytes[at + 2 + (arp ? 14 : 12) + i];
    bool known = address == 0;

    for (unsigned i = 0; i < policy->ipv4_count; i++)
        known |= policy->ipv4[i] == address;
    FUZZ_CHECK(known, "%08x is spoofed", address);
}

static uint32_t longest(const struct whole *frame)
{
    struct headers found;

    return frame->net.gso_type && find_headers(frame, &found) ? found.payload + frame->net.gso_size : frame->length;
}

static void deliver(struct port *port, unsigned pair, struct worker *by, struct frame *const *list, unsigned count)
{
    static struct whole wanted, got;
    uint64_t receiver = features[port->id];

    (void)pair;
    (void)by;
    FUZZ_CHECK(count <= sent_count, "%u frames delivered of %u", count, sent_count);
    for (unsigned i = 0; i < count; i++) {
        const struct frame *frame = list[i];
        bool here = frame >= frames && frame < frames + BURST_MAX;
        unsigned index = (unsigned)(frame - (here ? frames : worker->vlan_forms->frames));

        FUZZ_CHECK(index < sent_count, "a frame of another burst");
        original(&sent[index], &wanted);
        FUZZ_CHECK(header_verdict(&wanted, features[sender->id]) == DROP_NONE, "a wrong header is handed on");
        FUZZ_CHECK(longest(&wanted) <= sender->config.mtu + FRAME_OVERHEAD, "longer than the sender's MTU allows");
        check_policy(&wanted, port);
        check_ipv4(&wanted);
        dress(&wanted, port);
        delivered++;
        if (offload_passes(frame, receiver)) {
            make_whole(&got, frame);
            check_same(&wanted, &got, receiver);
        } else {
            check_offload(&wanted, frame, receiver, sent[index].cuts[2] >= 224 ? 1 + sent[index].cuts[2] % 4 : UINT32_MAX);
        }
    }
}

/* ---- frames ---- */

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_addresses(uint8_t *to, struct input *in)
{
    uint8_t choice = input_byte(in);

    memset(to, 0, 12);
    to[0] = to[6] = 0x52;
    to[5] = choice % 4;          /* 3: nobody's */
    to[11] = choice / 4 % 4;
    if (choice & 16)
        memset(to, 0xff, 6);
    if (choice >= 0xf0)
        to[6] = 0x53;            /* multicast */
    if (choice >= 0xf8)
        memset(to + 6, 0, 6);
}

static uint32_t put_tags(uint8_t *to, struct input *in)
{
    static const uint16_t ids[] = { 1, 2, 7, 0, 4095, 4094, 100, 3 };
    uint8_t choice = input_byte(in);
    unsigned count = choice < 96 ? 0 : choice < 208 ? 1 : choice < 240 ? 2 : 3;

    for (unsigned i = 0; i < count; i++) {
        put16(to + 4 * i, i + 1 < count && choice & 16 ? 0x88a8 : 0x8100);
        put16(to + 4 * i + 2, ids[(choice + i) % 8] | (choice & 8 ? 0x6000u : 0));
    }
    return 4 * count;
}

/* Extension headers of IPv6: hop-by-hop, routing, destination options. */
static uint32_t put_extensions(uint8_t *to, uint8_t *next, unsigned count)
{
    static const uint8_t kinds[] = { 0, 43, 60 };
    uint32_t at = 0;

    for (unsigned i = 0; i < count; i++) {
        *next = kinds[i % 3];
        to[at + 1] = i % 2; /* 8 or 16 bytes */
        next = to + at;
        at += 8 + 8 * (i % 2);
    }
    *next = 6;
    return at;
}

/* IP and what is in it up to the payload; returns its length and the offset of the transport's header. */
static uint32_t put_packet(uint8_t *to, struct input *in, uint32_t payload_length, uint32_t *type, uint32_t *transport)
{
    uint8_t kind = input_byte(in), options = input_byte(in), flags = input_byte(in);
    bool ipv6 = kind & 1, udp = kind % 8 == 6;
    uint32_t length = udp ? 8 : 20 + options % 11 * 4;
    uint8_t protocol = udp ? 17 : 6;

    if (kind >= 240) { /* ARP, or RARP */
        static const uint8_t fixed[] = { 0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0, 0, 0, 0, 0, 10, 0, 0, 1 };

        *type = kind & 2 ? 0x8035 : 0x0806;
        *transport = 0;
        memcpy(to, fixed, sizeof fixed);
        to[13] = options % 4;
        to[17] = flags % 4;
        return kind == 255 ? 20 : 28;
    }
    if (kind >= 232) {
        *type = kind == 232 ? 46 : 0x88cc;
        *transport = 0;
        return options;
    }
    *type = ipv6 ? 0x86dd : 0x0800;
    if (ipv6) {
        to[0] = 0x60;
        to[6] = protocol;
        to[7] = 64;
        for (unsigned i = 8; i < 40; i++)
            to[i] = (uint8_t)(i * 37 + flags);
        *transport = 40 + (kind >= 200 ? put_extensions(to + 40, to + 6, 1 + options % 3) : 0);
        put16(to + 4, *transport - 40 + length + payload_length);
    } else {
        *transport = 20 + (kind >= 128 ? options / 16 % 11 * 4u : 0);
        to[0] = (uint8_t)(0x40 | *transport / 4);
        put16(to + 2, *transport + length + payload_length);
        put16(to + 4, 0xfffe + flags);
        to[8] = 64;
        to[9] = protocol;
        memcpy(to + 12, (const uint8_t[]){ 10, 0, 0, (uint8_t)(flags % 4), 10, 0, 0, 9 }, 8);
        put16(to + 10, (uint16_t)~plain_sum(0, to, *transport));
    }
    uint8_t *at = to + *transport;

    put16(at, 68 + kind % 2);
    put16(at + 2, 67);
    if (udp) {
        put16(at + 4, 8 + payload_length);
    } else {
        put16(at + 4, 0xffff);
        put16(at + 6, 0xf000 + options * 13u);
        at[12] = (uint8_t)(length / 4 << 4);
        at[13] = flags;
    }
    return *transport + length;
}

/* What an honest driver asks for; returns whether it may. */
static bool put_offload(struct sent *to, struct input *in, uint32_t ip, uint32_t transport, bool tcp, bool ipv6)
{
    uint8_t kind = input_byte(in);
    uint32_t size = input_number(in, 2) & 0x3fff;

    if (kind < 64 || transport == 0)
        return true;
    to->net.flags = NET_HEADER_F_NEEDS_CSUM;
    to->net.csum_start = (uint16_t)(ip + transport);
    to->net.csum_offset = tcp ? 16 : 6;
    if (kind < 128)
        return true;
    to->net.gso_type = ipv6 ? NET_HEADER_GSO_TCPV6 : NET_HEADER_GSO_TCPV4;
    to->net.gso_type |= kind & 16 ? NET_HEADER_GSO_ECN : 0;
    to->net.gso_size = (uint16_t)(kind & 8 ? size : 536 + size % 1024);
    to->net.hdr_len = (uint16_t)(to->header_length + input_byte(in) % 8);
    return tcp && to->net.gso_size >= 8;
}

static void add_frame(struct input *in)
{
    struct sent *to = &sent[sent_count];
    uint8_t scale;
    uint32_t type = 0, transport = 0, at = 12;

    if (sent_count == BURST_MAX)
        return;
    memset(to, 0, sizeof *to);
    scale = input_byte(in);
    to->payload_length = input_byte(in) * (scale < 128 ? 6u : scale < 192 ? 64u : 256u);
    put_addresses(to->headers, in);
    at += put_tags(to->headers + at, in);
    uint32_t ip = at + 2, length = put_packet(to->headers + ip, in, to->payload_length, &type, &transport);

    put16(to->headers + at, type);
    to->header_length = ip + length;
    if (to->header_length + to->payload_length > FRAME_LENGTH_MAX)
        to->payload_length = FRAME_LENGTH_MAX - to->header_length;
    bool tcp = transport != 0 && (type == 0x86dd ? to->headers[ip + 6] : to->headers[ip + 9]) == 6;
    bool fits = put_offload(to, in, ip, transport, tcp, type == 0x86dd);

    for (unsigned i = 0; i < 3; i++)
        to->cuts[i] = input_byte(in);
    to->honest = fits && to->header_length <= FRAME_HEAD_MAX && !(to->headers[6] & 1) && at <= 12 + 2 * 4 &&
                 (to->headers[6] | to->headers[11]);
    sent_count++;
}

/* Bytes of the last frame's headers, or of its offload header. */
static void spoil_frame(struct input *in)
{
    struct sent *to = sent_count ? &sent[sent_count - 1] : NULL;

    for (unsigned i = 1 + input_choice(in, 4); i > 0 && to; i--) {
        uint8_t where = input_byte(in), value = input_byte(in);

        if (where < 12)
            ((uint8_t *)&to->net)[where] = value;
        else if (where < 24)
            ((uint8_t *)&to->net)[where - 12] ^= (uint8_t)(1u << value % 8);
        else if (where < 28)
            to->payload_length = value < 128 ? value : PAYLOAD_MAX - HEADERS_MAX;
        else if (where < 32 && to->header_length > FRAME_LENGTH_MIN)
            to->header_length -= value % (to->header_length - FRAME_LENGTH_MIN + 1);
        else
            to->headers[where - 20u] = value;
        if (to->header_length + to->payload_length > FRAME_LENGTH_MAX)
            to->payload_length = FRAME_LENGTH_MAX - to->header_length;
        to->honest = false;
    }
}

/* As ingress makes it: a private head, and pieces of the sender's memory. */
static void make_frame(unsigned index)
{
    struct sent *from = &sent[index];
    struct frame *frame = &frames[index];
    uint32_t in_head = from->header_length < FRAME_HEAD_MAX ? from->header_length : FRAME_HEAD_MAX;
    uint8_t *more = behind_head + index * HEADERS_MAX;
    unsigned count = 0;

    memset(frame, 0, sizeof *frame);
    frame->net = from->net;
    frame->length = from->header_length + from->payload_length;
    frame->head_length = (uint16_t)(frame->length < FRAME_HEAD_MAX ? frame->length : FRAME_HEAD_MAX);
    memcpy(frame->head, from->headers, in_head);
    memcpy(frame->head + in_head, payload, frame->head_length - in_head);
    uint32_t at = frame->head_length - in_head; /* of the payload */

    if (from->header_length > in_head) {
        memcpy(more, from->headers + in_head, from->header_length - in_head);
        from->pieces[count++] = (struct segment){ more, from->header_length - in_head };
    }
    while (at < from->payload_length) {
        uint32_t left = from->payload_length - at, part = count + 1 < PIECES_MAX ? 1 + from->cuts[count % 2] * 16u : left;

        part = from->cuts[0] == 0 || part > left ? left : part;
        from->pieces[count++] = (struct segment){ payload + at, part };
        at += part;
    }
    frame->segments = from->pieces;
    frame->segment_count = count;
}

/* ---- one burst ---- */

/* Of all reasons, those that the header's verdict must agree with. */
static void check_verdict(unsigned index)
{
    static struct whole frame;
    unsigned drop = frames[index].drop, verdict;
    bool plain = !sender->policy->isolated && port_policy_checks_sources(sender->policy) == 0 && network_vlans(network) == NULL;

    if (drop == DROP_VLAN)
        return;
    original(&sent[index], &frame);
    if (network_vlans(network) && frame.bytes[12] == 0x81 && frame.bytes[13] == 0 &&
        ((frame.bytes[14] & 0xf) | frame.bytes[15]) == 0)
        set_tag(&frame, true, (uint16_t)(frame.bytes[14] << 8 | sender->policy->vlan.untagged));
    verdict = header_verdict(&frame, features[sender->id]);
    if (verdict != DROP_NONE || drop == DROP_CSUM_HEADER || drop == DROP_GSO_HEADER)
        FUZZ_CHECK(drop == verdict, "dropped for %s, and should be for %s", drop_reason_name[drop], drop_reason_name[verdict]);
    else if (longest(&frame) > sender->config.mtu + FRAME_OVERHEAD || drop == DROP_TOO_BIG)
        FUZZ_CHECK(drop == DROP_TOO_BIG && longest(&frame) > sender->config.mtu + FRAME_OVERHEAD, "%u bytes, and dropped for %s",
                   longest(&frame), drop_reason_name[drop]);
    else if (sent[index].honest && plain)
        FUZZ_CHECK(drop == DROP_NONE || drop == DROP_HAIRPIN, "an honest frame is dropped for %s", drop_reason_name[drop]);
}

static uint64_t vlan_drops(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < PORTS; i++)
        sum += counter_read(&ports[i].tx[0].drops[DROP_VLAN]);
    return sum;
}

static void send_burst(struct input *in)
{
    unsigned passed = 0;
    uint64_t before = vlan_drops();

    sender = &ports[input_choice(in, PORTS)];
    mprotect(behind_head, BURST_MAX * HEADERS_MAX, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < sent_count; i++)
        make_frame(i);
    mprotect(behind_head, BURST_MAX * HEADERS_MAX, PROT_READ);
    delivered = 0;
    if (sent_count > 0)
        forward_burst(worker, sender, 0, features[sender->id], frames, sent_count);
    for (unsigned i = 0; i < sent_count; i++) {
        check_verdict(i);
        passed += frames[i].drop == DROP_NONE;
    }
    FUZZ_CHECK(delivered + (vlan_drops() - before) >= passed, "%u frames passed, %u were delivered", passed, delivered);
    sent_count = 0;
}

static void check_sums(struct input *in)
{
    uint32_t at = (uint32_t)input_number(in, 2) % 1024, sum = (uint32_t)input_number(in, 2);
    uint32_t first = 2 * (uint32_t)input_byte(in), rest = (uint32_t)input_number(in, 2) & 0x7fff;
    uint32_t both = checksum_add(checksum_add(sum, payload + at, first), payload + at + first, rest);

    FUZZ_CHECK(checksum_fold(both) == plain_sum(sum, payload + at, first + rest), "%u bytes at %u, after %u: another sum",
               rest, at, first);
    FUZZ_CHECK(checksum_finish(both) == (uint16_t)~checksum_fold(both), "it is not inverted");
}

/* ---- the scene ---- */

static const struct port_ops ops = { .deliver = deliver };

static void choose_policy(struct port_policy *policy, struct input *in, unsigned index, bool vlans)
{
    uint8_t choice = input_byte(in);
    static const uint16_t ids[] = { 1, 2, 7, 100, 4094 };

    memset(policy, 0, sizeof *policy);
    policy->isolated = choice % 8 == 7;
    if (choice >= 224) {
        policy->mac_count = 2;
        policy->macs[0] = 0x520000000000 + index;
        policy->macs[1] = 0x520000000003;
    }
    if (choice >= 192 && choice & 8) {
        policy->ipv4_count = 2;
        policy->ipv4[0] = 0x0a000000 + index + 1;
        policy->ipv4[1] = 0x0a000002;
    }
    if (!vlans || choice % 4 == 3)
        return;
    policy->vlan.untagged = choice & 16 ? 0 : ids[choice / 32 % 5];
    policy->vlan.mode = choice % 4 == 0 && policy->vlan.untagged ? VLAN_ACCESS : VLAN_TRUNK;
    if (policy->vlan.mode == VLAN_TRUNK)
        for (unsigned i = 0; i < 5; i++)
            if (i == 0 || choice >> i & 1)
                port_vlan_list(&policy->vlan, ids[i]);
}

static uint64_t spread_features(uint8_t bits, bool sends)
{
    static const uint8_t of_sender[] = { VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_HOST_ECN };
    static const uint8_t of_receiver[] = { VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN };
    uint64_t set = 0;

    for (unsigned i = 0; i < 4; i++)
        if (bits >> i & 1)
            set |= FEATURE(sends ? of_sender[i] : of_receiver[i]);
    return set;
}

static void set_up(void)
{
    payload = mmap(NULL, PAYLOAD_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    behind_head = mmap(NULL, BURST_MAX * HEADERS_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker = aligned_alloc(64, (sizeof *worker + 63) / 64 * 64);
    FUZZ_CHECK(payload != MAP_FAILED && behind_head != MAP_FAILED && worker && quiesce_init() == 0, "no memory");
    for (uint32_t i = 0; i < PAYLOAD_MAX; i++)
        payload[i] = (uint8_t)(i * 167 + i / 251 * 13 + 5);
    mprotect(payload, PAYLOAD_MAX, PROT_READ);
    memset(worker, 0, sizeof *worker);
    worker->offload = offload_work_create();
    worker->egress = calloc(PORTS_MAX, sizeof *worker->egress);
    worker->vlan_forms = calloc(1, sizeof *worker->vlan_forms);
    FUZZ_CHECK(worker->offload && worker->egress && worker->vlan_forms, "no memory");
}

static void set_scene(struct input *in)
{
    struct port_config config = { .kind = PORT_VHOST_USER, .queues = 1, .mac_limit = 16 };
    struct port *list[PORTS] = { &ports[0], &ports[1], &ports[2] };
    uint8_t shape = input_byte(in);

    network = network_create("lan", 0);
    FUZZ_CHECK(network, "no network");
    for (unsigned i = 0; i < PORTS; i++) {
        struct port *port = &ports[i];

        memset(port, 0, sizeof *port);
        config.mtu = shape & 64 ? 9000 : shape & 128 ? 65535 : 1500;
        features[i] = spread_features(~input_byte(in), true);
        features[i] |= spread_features(input_byte(in), false);
        choose_policy(&config.policy, in, i, shape & 1);
        if (!(shape & 2))
            config.policy = (struct port_policy){ .vlan = config.policy.vlan };
        snprintf(config.name, sizeof config.name, "p%u", i);
        FUZZ_CHECK(port_init(port, sizeof *port, &ops, NULL, &config), "no port");
        port->id = i;
        port->network = network;
        FUZZ_CHECK(network_join(network, port, list, i), "port %u does not join", i);
        network->ports++;
    }
    topology = topology_create(list, PORTS);
    FUZZ_CHECK(topology, "no topology");
    worker->topology = topology;
}

static void clear_scene(void)
{
    topology_destroy(topology);
    for (unsigned i = 0; i < PORTS; i++) {
        network_leave(network, &ports[i]);
        port_deinit(&ports[i]);
    }
    network_destroy(network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = { data, size }, in;

    if (!worker)
        set_up();
    input_record(&all, &in);
    set_scene(&in);
    sent_count = 0;
    while (input_record(&all, &in)) {
        unsigned kind = input_choice(&in, 10);

        if (kind < 5)
            add_frame(&in);
        else if (kind < 7)
            spoil_frame(&in);
        else if (kind < 9)
            send_burst(&in);
        else
            check_sums(&in);
    }
    send_burst(&in);
    clear_scene();
    return 0;
}
