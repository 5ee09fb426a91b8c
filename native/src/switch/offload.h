/*
 * offload.h - the virtio net header (VIRTIO 1.2, 5.1.6): checked against the
 * sender's features, and carried out in software for a receiver that has not
 * negotiated it (R12, R13). Works on private bytes only.
 */
#ifndef VHOSTKIT_OFFLOAD_H
#define VHOSTKIT_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"
#include "worker/stats.h"

/*
 * Checks and cleans frame->net of a frame from a sender with these negotiated
 * features (VIRTIO_NET_F_CSUM, HOST_TSO*, HOST_ECN; a tap: all of them): unknown
 * flags, hdr_len and num_buffers are set to what is right, never trusted; a checksum may not stand in headers that are
 * judged (VLAN tags, IP, ARP). Returns DROP_NONE, or
 * DROP_CSUM_HEADER or DROP_GSO_HEADER (R12, H33 to H36).
 */
enum drop_reason offload_check(struct frame *frame, uint64_t sender_features);

/* A frame that asks for nothing, which is nearly every one: its header is cleared, and that is the whole check. */
static inline bool offload_is_plain(struct frame *frame)
{
    if (((frame->net.flags & NET_HEADER_F_NEEDS_CSUM) | frame->net.gso_type) != 0)
        return false;
    frame->net = (struct net_header){ 0 };
    return true;
}

/* Whether a receiver with these features (GUEST_CSUM, GUEST_TSO*, GUEST_ECN) can take the frame as it is. */
bool offload_passes(const struct frame *frame, uint64_t receiver_features);

/* Room for a whole frame made linear, and for the frames cut from it. One a worker. */
struct offload_work;
struct offload_work *offload_work_create(void);
void offload_work_destroy(struct offload_work *work);

/*
 * For a checked frame that does not pass: calls emit with one or more frames that the receiver
 * can take: the checksum completed (R13), or a TSO frame cut into frames of gso_size. The emitted
 * frames and their segments live only during the call; when it returns false no more are made. Returns DROP_NONE, or DROP_RX_OFFLOAD, and
 * then nothing was emitted: too many frames to cut, or segments that do not make up the length.
 */
enum drop_reason offload_apply(struct offload_work *work, const struct frame *frame,
                               uint64_t receiver_features,
                               bool (*emit)(void *context, const struct frame *frame), void *context);

#endif
