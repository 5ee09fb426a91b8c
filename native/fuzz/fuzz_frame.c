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

#include "frame_grammar.h"
#include "frame_model.h"
#include "input.h"
#include "quiesce.h"
#include "switch/checksum.h"
#include "switch/forward.h"
#include "switch/mac_table.h"
#include "switch/network.h"
#include "switch/offload.h"
#include "switch/retry.h"
#include "switch/topology.h"
#include "switch/vlan_tag.h"
#include "worker/worker.h"

#define PORTS 3u
#define PAYLOAD_MAX 65536u

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
    to->pushed = false;
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

static unsigned deliver(struct port *port, unsigned pair, struct worker *by, struct frame *const *list, unsigned count,
                        enum attempt attempt)
{
    static struct whole wanted, got;
    uint64_t receiver = features[port->id];

    (void)pair;
    (void)by;
    (void)attempt;
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
    return count;
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
    mprotect(behind_head, BURST_MAX * SENT_HEADERS_MAX, PROT_READ | PROT_WRITE);
    for (unsigned i = 0; i < sent_count; i++)
        sent_view(&sent[i], &frames[i], payload, behind_head + i * SENT_HEADERS_MAX);
    mprotect(behind_head, BURST_MAX * SENT_HEADERS_MAX, PROT_READ);
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
    behind_head = mmap(NULL, BURST_MAX * SENT_HEADERS_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    worker = aligned_alloc(64, (sizeof *worker + 63) / 64 * 64);
    FUZZ_CHECK(payload != MAP_FAILED && behind_head != MAP_FAILED && worker && quiesce_init() == 0, "no memory");
    for (uint32_t i = 0; i < PAYLOAD_MAX; i++)
        payload[i] = (uint8_t)(i * 167 + i / 251 * 13 + 5);
    mprotect(payload, PAYLOAD_MAX, PROT_READ);
    memset(worker, 0, sizeof *worker);
    worker->offload = offload_work_create();
    worker->egress = calloc(PORTS_MAX, sizeof *worker->egress);
    worker->vlan_forms = calloc(1, sizeof *worker->vlan_forms);
    worker->leftovers = calloc(LEFTOVERS_MAX, sizeof *worker->leftovers);
    FUZZ_CHECK(worker->offload && worker->egress && worker->vlan_forms && worker->leftovers, "no memory");
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
    topology = topology_create(list, PORTS, 1);
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

        if (kind < 5 && sent_count < BURST_MAX)
            sent_make(&sent[sent_count++], &in);
        else if (kind >= 5 && kind < 7 && sent_count > 0)
            sent_spoil(&sent[sent_count - 1], &in);
        else if (kind >= 7 && kind < 9)
            send_burst(&in);
        else if (kind >= 9)
            check_sums(&in);
    }
    send_burst(&in);
    clear_scene();
    return 0;
}
