/*
 * classify.c - see the header. No state of its own; the network's MAC table is
 * shared by all workers.
 */
#include "switch/classify.h"

#include "switch/offload.h"
#include "switch/spoof.h"
#include "switch/topology.h"
#include "switch/vlan_tag.h"

/* Longest frame that may come from a port, whole or as a piece that TSO makes of it (R11, H42). */
static uint32_t longest_piece(const struct frame *frame)
{
    return frame->net.gso_type == NET_HEADER_GSO_NONE ? frame->length
                                                      : (uint32_t)frame->net.hdr_len + frame->net.gso_size;
}

/* Both lie at the beginning of the head, which holds more than 14 bytes: so 8 are loaded, and 2 of them shifted out. */
static inline uint64_t mac_at(const uint8_t *at)
{
    uint64_t wide;

    memcpy(&wide, at, sizeof wide);
    return be64toh(wide) >> 16;
}

static inline uint64_t destination_of(const struct frame *frame)
{
    return mac_at(frame->head);
}

static inline uint64_t source_of(const struct frame *frame)
{
    return mac_at(frame->head + 6);
}

static inline enum drop_reason frame_check(uint32_t longest, uint64_t features, struct frame *frame)
{
    if (__builtin_expect(frame->drop != DROP_NONE, 0))
        return (enum drop_reason)frame->drop;
    if (__builtin_expect(!offload_is_plain(frame), 0)) {
        enum drop_reason reason = offload_check(frame, features);

        if (reason != DROP_NONE)
            return reason;
    }
    if (__builtin_expect(longest_piece(frame) > longest, 0))
        return DROP_TOO_BIG;
    uint64_t source = source_of(frame);

    return source == 0 || mac_is_multicast(source) ? DROP_SOURCE_MAC : DROP_NONE;
}

/* Neighbours in a burst mostly have the same addresses: what was found for the last frame is kept. */
struct memory {
    uint64_t source;      /* key that was learnt already; 0: none */
    uint64_t destination; /* key that was looked up already; ~0: none */
    int where;            /* that destination's port */
};

static void drop_spoofed(const struct port_policy *policy, struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (frames[i].drop == DROP_NONE && !spoof_allowed(policy, &frames[i]))
            frames[i].drop = DROP_SPOOF;
}

static void drop_foreign_vlans(const struct port_policy *policy, struct frame *frames, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (frames[i].drop == DROP_NONE)
            frames[i].drop = (uint16_t)vlan_admit(&policy->vlan, &frames[i]);
}

/* The frame's VLAN above an address: two neighbours are alike only when both are. */
static inline uint64_t vlan_key(const struct vlan_set *vlans, const struct frame *frame)
{
    return vlans == NULL ? 0 : (uint64_t)(frame->vlan & VLAN_ID_MASK) << 48;
}

/* Where the frame's addresses are learnt. */
static inline struct mac_table *macs_of(struct mac_table *macs, struct vlan_set *vlans, const struct frame *frame)
{
    return vlans == NULL ? macs : vlan_set_macs(vlans, frame->vlan & VLAN_ID_MASK, macs);
}

/* Inlined twice, so that a network without VLANs (`vlans` constant NULL) has no trace of them. */
static inline __attribute__((always_inline)) void
classify(const struct port *from, const struct port_policy *policy, struct vlan_set *vlans, uint64_t features,
         struct frame *frames, unsigned count, int *where)
{
    struct memory last = { 0, UINT64_MAX, CLASS_FLOOD };
    uint32_t homes[BURST_MAX][2]; /* of each frame's destination and source */
    uint32_t to = 0, by = 0;
    uint32_t longest = from->config.mtu + FRAME_OVERHEAD;

    for (unsigned i = 0; i < count; i++) {
        frames[i].drop = (uint16_t)frame_check(longest, features, &frames[i]);
        if (frames[i].drop != DROP_NONE)
            continue;
        uint64_t destination = destination_of(&frames[i]), source = source_of(&frames[i]);

        struct mac_table *macs = macs_of(from->network->macs, vlans, &frames[i]);
        uint64_t vlan = vlan_key(vlans, &frames[i]);

        if ((destination | vlan) != last.destination)
            to = mac_table_home(macs, destination);
        if ((source | vlan) != last.source)
            by = mac_table_home(macs, source);
        homes[i][0] = to;
        homes[i][1] = by;
        last.destination = destination | vlan;
        last.source = source | vlan;
    }
    if (__builtin_expect(port_policy_checks_sources(policy), 0))
        drop_spoofed(policy, frames, count);
    last.destination = UINT64_MAX;
    last.source = 0;
    for (unsigned i = 0; i < count; i++) {
        if (frames[i].drop != DROP_NONE)
            continue;
        struct mac_table *macs = macs_of(from->network->macs, vlans, &frames[i]);
        uint64_t vlan = vlan_key(vlans, &frames[i]);
        uint64_t destination = destination_of(&frames[i]), source = source_of(&frames[i]);

        if ((source | vlan) != last.source)
            mac_table_learn(macs, from->id, homes[i][1], source);
        if ((destination | vlan) != last.destination)
            last.where = mac_is_multicast(destination) ? CLASS_FLOOD : mac_table_lookup(macs, homes[i][0], destination);
        last.source = source | vlan;
        last.destination = destination | vlan;
        where[i] = last.where == MAC_PORT_NONE ? CLASS_FLOOD : last.where;
        if (where[i] == (int)from->id)
            frames[i].drop = DROP_HAIRPIN;
    }
}

void classify_burst(const struct port *from, const struct port_policy *policy, struct vlan_set *vlans,
                    uint64_t features, struct frame *frames, unsigned count, int *where)
{
    if (__builtin_expect(vlans == NULL, 1)) {
        classify(from, policy, NULL, features, frames, count, where);
        return;
    }
    drop_foreign_vlans(policy, frames, count);
    classify(from, policy, vlans, features, frames, count, where);
}

void classify_link(const struct port *from, const struct port_policy *policy, const struct port *to,
                   uint64_t features, struct frame *frames, unsigned count, int *where)
{
    uint32_t longest = from->config.mtu + FRAME_OVERHEAD;

    for (unsigned i = 0; i < count; i++) {
        frames[i].drop = (uint16_t)frame_check(longest, features, &frames[i]);
        if (frames[i].drop == DROP_NONE && to == NULL)
            frames[i].drop = DROP_NO_DESTINATION;
        where[i] = to != NULL ? (int)to->id : CLASS_FLOOD;
    }
    if (port_policy_checks_sources(policy))
        drop_spoofed(policy, frames, count);
}
