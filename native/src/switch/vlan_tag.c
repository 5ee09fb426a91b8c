/*
 * vlan_tag.c - see the header. Pure; workers.
 */
#include "switch/vlan_tag.h"

#include <string.h>

#include "switch/tcp_layout.h"

/* Destination and source address, before the tag. */
#define ADDRESSES_SIZE 12u

static bool is_tag(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN;
}

/* The port's VLAN for a frame that names none. False: it has none. */
static bool take_untagged(const struct port_vlan *vlan, uint16_t *id)
{
    *id = vlan->untagged;
    return vlan->untagged != 0 || vlan->mode == VLAN_PLAIN;
}

/* Whether a tag with that id may come from the port. */
static bool tag_allowed(const struct port_vlan *vlan, uint16_t id)
{
    if (vlan->mode == VLAN_PLAIN)
        return id <= VLAN_ID_MAX;
    return vlan->mode == VLAN_TRUNK && port_vlan_carries(vlan, id);
}

enum drop_reason vlan_admit(const struct port_vlan *vlan, struct frame *frame)
{
    uint16_t type = frame_load_be16(frame->head + ADDRESSES_SIZE), id;

    if (!is_tag(type)) {
        if (!take_untagged(vlan, &id))
            return DROP_VLAN;
        frame->vlan = id;
        return DROP_NONE;
    }
    if (type != ETHERTYPE_VLAN || frame->head_length < FRAME_LENGTH_MIN + VLAN_TAG_SIZE)
        return DROP_VLAN;
    uint16_t control = frame_load_be16(frame->head + ADDRESSES_SIZE + 2);

    id = control & VLAN_ID_MASK;
    if (id == 0 ? !take_untagged(vlan, &id) : !tag_allowed(vlan, id))
        return DROP_VLAN;
    if (vlan->mode == VLAN_ACCESS && is_tag(frame_load_be16(frame->head + ADDRESSES_SIZE + VLAN_TAG_SIZE)))
        return DROP_VLAN;
    frame_store_be16(frame->head + ADDRESSES_SIZE + 2, (uint16_t)((control & ~VLAN_ID_MASK) | id));
    frame->vlan = id | VLAN_TAGGED;
    return DROP_NONE;
}

/* What an offload header says about places in the frame moves with them. */
static void shift_offsets(struct frame *frame, int by)
{
    if (frame->net.flags & NET_HEADER_F_NEEDS_CSUM)
        frame->net.csum_start = (uint16_t)(frame->net.csum_start + by);
    if (frame->net.gso_type != NET_HEADER_GSO_NONE)
        frame->net.hdr_len = (uint16_t)(frame->net.hdr_len + by);
    frame->length = (uint32_t)((int)frame->length + by);
    frame->head_length = (uint16_t)(frame->head_length + by);
}

static bool tag_push(const struct frame *frame, struct frame *to)
{
    if (frame->length + VLAN_TAG_SIZE > FRAME_LENGTH_MAX)
        return false;
    memcpy(to->head, frame->head, ADDRESSES_SIZE);
    frame_store_be16(to->head + ADDRESSES_SIZE, ETHERTYPE_VLAN);
    frame_store_be16(to->head + ADDRESSES_SIZE + 2, frame->vlan & VLAN_ID_MASK);
    memcpy(to->head + ADDRESSES_SIZE + VLAN_TAG_SIZE, frame->head + ADDRESSES_SIZE,
           frame->head_length - ADDRESSES_SIZE);
    shift_offsets(to, (int)VLAN_TAG_SIZE);
    return true;
}

static bool tag_pop(const struct frame *frame, struct frame *to)
{
    bool checksum = frame->net.flags & NET_HEADER_F_NEEDS_CSUM;

    if (is_tag(frame_load_be16(frame->head + ADDRESSES_SIZE + VLAN_TAG_SIZE)) ||
        (checksum && frame->net.csum_start < FRAME_LENGTH_MIN + VLAN_TAG_SIZE))
        return false;
    memcpy(to->head, frame->head, ADDRESSES_SIZE);
    memcpy(to->head + ADDRESSES_SIZE, frame->head + ADDRESSES_SIZE + VLAN_TAG_SIZE,
           frame->head_length - ADDRESSES_SIZE - VLAN_TAG_SIZE);
    shift_offsets(to, -(int)VLAN_TAG_SIZE);
    return true;
}

bool vlan_other_form(const struct frame *frame, struct frame *to)
{
    to->net = frame->net;
    to->length = frame->length;
    to->head_length = frame->head_length;
    to->drop = DROP_NONE;
    to->vlan = frame->vlan ^ VLAN_TAGGED;
    to->segment_count = frame->segment_count;
    to->segments = frame->segments;
    return frame->vlan & VLAN_TAGGED ? tag_pop(frame, to) : tag_push(frame, to);
}
