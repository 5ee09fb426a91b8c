/*
 * vlan_tag.h - 802.1Q tags on frames: which VLAN a frame belongs to when it comes in, and its other
 * form, with or without the tag, for the ports that want that.
 *
 * Workers, only in networks that have ports with VLAN settings. All on the private head: the tag stands
 * there, and so do the offsets of the net header that move with it.
 */
#ifndef VHOSTKIT_VLAN_TAG_H
#define VHOSTKIT_VLAN_TAG_H

#include <stddef.h>

#include "port/port_vlan.h"
#include "switch/frame.h"
#include "worker/stats.h"

/* In frame->vlan, beside the id: the head begins with a tag. */
#define VLAN_TAGGED 0x1000u
#define VLAN_ID_MASK 0x0fffu

/*
 * Sets frame->vlan, or returns DROP_VLAN when the port does not carry the frame's VLAN. A tag with id 0
 * says a priority and no VLAN: such a frame counts as untagged, and its tag gets the VLAN's id. Service
 * tags (802.1ad) are refused, as is an access port's tag behind a tag: what is below an outer tag must not
 * become the outer one elsewhere.
 */
enum drop_reason vlan_admit(const struct port_vlan *vlan, struct frame *frame);

/* Whether the port wants the frame's VLAN with a tag. */
static inline bool vlan_wants_tag(const struct port_vlan *vlan, const struct frame *frame)
{
    return (frame->vlan & VLAN_ID_MASK) != vlan->untagged;
}

/*
 * Makes *to the frame with its tag where it has none, and without where it has one. False when that
 * cannot be: it would be too long, or a second tag would come to light.
 */
bool vlan_other_form(const struct frame *frame, struct frame *to);

/* The other forms of a burst's frames, made when the first port wants them. One a worker. */
struct vlan_forms {
    uint32_t made;    /* a bit for each of frames that is there */
    uint32_t failed;  /* and for each that cannot be made */
    struct frame frames[BURST_MAX];
};

/* Frame `index` of a burst as the port wants it, or NULL. */
static inline struct frame *vlan_form_for(struct vlan_forms *forms, const struct port_vlan *vlan,
                                          struct frame *frame, unsigned index)
{
    if (vlan_wants_tag(vlan, frame) == ((frame->vlan & VLAN_TAGGED) != 0))
        return frame;
    uint32_t bit = UINT32_C(1) << index;

    if (!((forms->made | forms->failed) & bit))
        *(vlan_other_form(frame, &forms->frames[index]) ? &forms->made : &forms->failed) |= bit;
    return forms->made & bit ? &forms->frames[index] : NULL;
}

_Static_assert(BURST_MAX == 32, "a bit for each frame");

#endif
