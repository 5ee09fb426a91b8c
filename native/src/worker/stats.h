/*
 * stats.h - counters, and the one table of drop reasons.
 *
 * Each queue has its own counters in their own cache lines. A counter has one
 * writer at a time (the worker that owns the queue, or the holder of the
 * receive ring's lock); the control thread only reads. So an addition is a
 * plain load and store, made relaxed-atomic to be well defined.
 */
#ifndef VHOSTKIT_STATS_H
#define VHOSTKIT_STATS_H

#include <stdatomic.h>
#include <stdint.h>

/* enum name, name in the protocol, sentence. The names are stable: TypeScript and the docs use them. */
#define DROP_REASONS(X)                                                                          \
    X(DROP_NONE, "none", "not dropped")                                                          \
    X(DROP_RUNT, "runt", "shorter than a net header and an Ethernet header")                     \
    X(DROP_TOO_BIG, "too_big", "longer than the MTU of the sender's port allows")                \
    X(DROP_MTU, "mtu", "longer than the MTU of the receiver's port allows")                      \
    X(DROP_CSUM_HEADER, "csum_header", "checksum request not negotiated, outside the frame or in its headers") \
    X(DROP_GSO_HEADER, "gso_header", "segmentation request not negotiated or not matching the frame") \
    X(DROP_SOURCE_MAC, "source_mac", "source address is multicast or zero")                      \
    X(DROP_VLAN, "vlan", "its VLAN tag, or having none, is not allowed by the port's policy")     \
    X(DROP_SPOOF, "spoof", "sent from an address that the port's policy does not allow")         \
    X(DROP_ISOLATED, "isolated", "from an isolated port, with only isolated ones to go to")      \
    X(DROP_STORM, "storm", "to be flooded, beyond what the port's policy allows a second")        \
    X(DROP_RATE_RX, "rate_rx", "beyond the rate at which the port may send")                     \
    X(DROP_RATE_TX, "rate_tx", "beyond the rate at which the port may be sent to")               \
    X(DROP_MIRROR, "mirror", "sent by a port that is there for the frames of a mirror only")      \
    X(DROP_HAIRPIN, "hairpin", "destination is the port it came from")                           \
    X(DROP_NO_DESTINATION, "no_destination", "no other port on the network")                     \
    X(DROP_TX_DISABLED, "tx_disabled", "sent on a queue that is started but not enabled")        \
    X(DROP_RX_NOT_READY, "rx_not_ready", "receiver has no running, enabled receive queue")       \
    X(DROP_RX_NO_ROOM, "rx_no_room", "receiver has posted too few buffers")                      \
    X(DROP_RX_PAGES, "rx_pages", "receiver's memory was not there, and making it has taken the time that it may") \
    X(DROP_RX_BROKEN, "rx_broken", "receiver's queue is broken")                                 \
    X(DROP_RX_OFFLOAD, "rx_offload", "receiver cannot take the frame and it cannot be segmented") \
    X(DROP_TAP, "tap", "the tap did not take it")

enum drop_reason {
#define X(id, name, sentence) id,
    DROP_REASONS(X)
#undef X
    DROP_REASON_COUNT
};

extern const char *const drop_reason_name[DROP_REASON_COUNT];
extern const char *const drop_reason_sentence[DROP_REASON_COUNT];

typedef _Atomic uint64_t counter;

/* Counters of one queue in one direction. */
struct queue_stats {
    _Alignas(64) counter frames; /* forwarded from, or delivered to, the queue */
    counter bytes;               /* of those, without net headers */
    counter kicks;               /* wake-ups by the driver */
    counter calls;               /* notifications sent to the driver */
    counter drops[DROP_REASON_COUNT];
    counter cycles;              /* of its worker in rounds that found frames here; only with several workers */
    counter retried;             /* frames for which it had no buffer at first, and that were tried again */
    counter late;                /* of those: delivered after all; the others are among the drops */
};

static inline void counter_add(counter *to, uint64_t amount)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

static inline uint64_t counter_read(const counter *from)
{
    return atomic_load_explicit((counter *)from, memory_order_relaxed);
}

#endif
