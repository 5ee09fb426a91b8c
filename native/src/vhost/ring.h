/*
 * ring.h - one split virtqueue, seen from the device (VIRTIO 1.2, 2.7).
 *
 * No I/O and no threads of its own: memory in, frames and stores out, so that
 * tests and fuzzers drive it in process. Rules: R1 to R18, R27, R28.
 *
 * Who calls what: between ring_start() and ring_stop() the worker that owns a
 * transmit ring calls ring_take/ring_complete; any worker holding a receive
 * ring's lock calls ring_deliver/ring_publish. The control thread calls
 * start, stop and the setters only while the port is paused.
 *
 * A ring that breaks a rule is "broken": `fault` names the rule, nothing of
 * it is touched any more until it is stopped and started again.
 */
#ifndef VHOSTKIT_RING_H
#define VHOSTKIT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"
#include "vhost/memory_map.h"
#include "vhost/virtio.h"
#include "worker/stats.h"

struct dirty_log;

/* Why a ring is broken: enum name, stable name in the protocol, sentence. */
#define RING_FAULTS(X)                                                                        \
    X(RING_FAULT_NONE, "none", "not broken")                                                  \
    X(RING_FAULT_AVAIL_INDEX, "avail_index", "avail idx is more than a ring ahead")           \
    X(RING_FAULT_HEAD, "head_range", "head is not a descriptor of the ring")                  \
    X(RING_FAULT_NEXT, "next_range", "next is not a descriptor of the table")                 \
    X(RING_FAULT_CHAIN_LENGTH, "chain_length", "chain has more descriptors than the queue")   \
    X(RING_FAULT_CHAIN_BYTES, "chain_bytes", "chain has 2^32 bytes or more")                  \
    X(RING_FAULT_DIRECTION, "direction", "device-writable descriptor to transmit, or readable to receive") \
    X(RING_FAULT_INDIRECT_FEATURE, "indirect_feature", "indirect descriptor without the feature") \
    X(RING_FAULT_INDIRECT_SIZE, "indirect_size", "indirect table is empty, not of whole descriptors or too long") \
    X(RING_FAULT_INDIRECT_NESTED, "indirect_nested", "indirect descriptor inside an indirect table") \
    X(RING_FAULT_INDIRECT_NEXT, "indirect_next", "indirect descriptor with NEXT")             \
    X(RING_FAULT_ADDRESS, "address", "address is not in the guest's memory")                  \
    X(RING_FAULT_RUNT_BUFFER, "runt_buffer", "receive buffers shorter than the net header")    \
    X(RING_FAULT_LOG, "dirty_log", "dirty log is too small for the guest's memory")           \
    X(RING_FAULT_MEMORY, "memory_gone", "the guest's memory was taken away")

enum ring_fault {
#define X(id, name, sentence) id,
    RING_FAULTS(X)
#undef X
    RING_FAULT_COUNT
};

extern const char *const ring_fault_name[RING_FAULT_COUNT];
extern const char *const ring_fault_sentence[RING_FAULT_COUNT];

/* Budget of one ring_take(): chains, descriptors and bytes (R28). */
#define RING_TAKE_CHAINS BURST_MAX
#define RING_TAKE_DESCRIPTORS 256u
#define RING_TAKE_BYTES (4u * 65536u)

/* A frame may be spread over this many receive chains, and descriptors of them (R15, R28). */
#define RING_DELIVER_CHAINS 64u
#define RING_DELIVER_DESCRIPTORS 512u

/*
 * Segments that one take may need: the budget, and beyond it one whole chain of
 * a full ring, each descriptor cut once more at a region border.
 */
#define RING_SEGMENTS_MAX (RING_TAKE_DESCRIPTORS + VRING_SIZE_MAX + MEMORY_REGIONS_MAX)

/*
 * Heads and first descriptors read ahead, each once (R1), so that a burst waits for the guest's
 * cache lines together instead of one by one. Entry i is avail entry first + i.
 */
struct ring_window {
    uint16_t first;  /* avail index of entry 0, free-running */
    uint16_t count;  /* entries that hold something */
    uint16_t heads[BURST_MAX];
    struct vring_desc descs[BURST_MAX]; /* private copies; of a head that is out of range: nothing */
    /* Our address of a chain that is one plain descriptor in one region, checked; NULL: chain_walk() it. */
    uint8_t *data[BURST_MAX];
};

/* Used entries that wait for ring_publish() in private memory, so that the driver's lines are written in one go. */
#define RING_USED_PENDING 64u

/* What a started ring knows. Everything here is ours; the guest's part is behind the three pointers. */
struct ring {
    const struct vring_desc *desc;   /* descriptor area */
    struct vring_avail *avail;       /* driver area */
    struct vring_used *used;         /* device area */
    const struct memory_map *memory; /* of the port */
    struct dirty_log *log;           /* NULL: not logging (R19) */
    uint64_t used_log_addr;          /* guest address of the used ring, for the log */
    bool log_used;                   /* VHOST_VRING_F_LOG was set */

    uint16_t size;        /* entries, a power of two up to 32768 */
    uint16_t last_avail;  /* next avail entry to process, free-running */
    uint16_t avail_seen;  /* avail->idx as last loaded: entries up to it need no new load */
    bool avail_polled;    /* it was loaded in this operation: not again (R1) */
    uint16_t used_idx;    /* next used entry to write, free-running; the private truth (H7) */
    uint16_t used_published; /* used->idx as the driver sees it */
    uint16_t signalled;   /* used_idx at the last notification */
    bool signalled_valid; /* false after start: the first notification is unconditional (R17) */

    bool event_idx;   /* VIRTIO_F_RING_EVENT_IDX negotiated */
    bool indirect;    /* VIRTIO_F_RING_INDIRECT_DESC negotiated */
    bool mergeable;   /* VIRTIO_NET_F_MRG_RXBUF negotiated */
    uint8_t net_flags; /* of a net header: those that the driver takes (VIRTIO_NET_F_GUEST_CSUM) */
    uint8_t header_size; /* 12, or 10 for a legacy driver without MRG_RXBUF */

    struct ring_window window; /* read ahead from last_avail on */
    uint16_t pending_count;    /* used entries before used_idx that are not in the ring yet */
    struct vring_used_elem pending[RING_USED_PENDING];

    /* The last frame that found no room: one that needs as much is not tried in vain again (R28). */
    uint32_t short_need;   /* bytes it needed; 0: none */
    uint16_t short_avail;  /* avail->idx then: more buffers may help */
    bool short_limit;      /* a limit was met, so more buffers do not help */

    bool running;     /* between ring_start and ring_stop */
    _Atomic uint8_t fault; /* enum ring_fault; not 0: broken */
    uint16_t fault_index;  /* last_avail when it broke */
};

/* Where the ring lies, as the front end said: untrusted (SET_VRING_ADDR, SET_VRING_NUM). */
struct ring_address {
    uint32_t size;         /* entries */
    uint64_t desc_user;    /* front-end addresses of the three areas */
    uint64_t avail_user;
    uint64_t used_user;
    uint64_t used_log_guest; /* guest address to log the used ring at */
    bool log_used;
};

/*
 * Checks the addresses (H8) and starts. Resumes at used->idx, whatever base was
 * given: in-order completion makes that the first chain not done (R23).
 * `features` are the negotiated ones; all derived flags are computed here (H55).
 * False and a sentence in why when refused; the ring then stays stopped.
 */
bool ring_start(struct ring *ring, const struct memory_map *memory, const struct ring_address *where,
                uint64_t features, char *why, size_t why_size);

/*
 * Resolves the addresses again after a new memory table, new features or a new
 * log, and keeps the indexes. False: it must be stopped, why says why.
 */
bool ring_rebase(struct ring *ring, const struct memory_map *memory, const struct ring_address *where,
                 uint64_t features, char *why, size_t why_size);

/* Stops; returns the first chain not processed, for GET_VRING_BASE. Clears the fault. */
uint16_t ring_stop(struct ring *ring);

/* Marks a ring broken; the first reason stays. */
void ring_break(struct ring *ring, enum ring_fault fault);

static inline bool ring_usable(const struct ring *ring)
{
    return ring->running && atomic_load_explicit(&ring->fault, memory_order_relaxed) == RING_FAULT_NONE;
}

/* One worker's room for what ring_take() returns: frames and all their segments. */
struct burst {
    unsigned count;
    uint16_t heads[BURST_MAX];
    struct frame frames[BURST_MAX];
    struct segment segments[RING_SEGMENTS_MAX];
};

/*
 * Takes up to RING_TAKE_CHAINS chains off a transmit ring: every one of them
 * becomes a frame, bad ones with `drop` set (runt, too long), and must be given
 * back with ring_complete(). Returns the number; 0 when there is nothing or the
 * ring is broken.
 */
unsigned ring_take(struct ring *ring, struct burst *burst);

/* Chains that are known to be there behind those taken; more may have come since. Loads nothing. */
static inline unsigned ring_left(const struct ring *ring)
{
    return (uint16_t)(ring->avail_seen - ring->last_avail);
}

/*
 * Gives the chains of the burst back in order with length 0, publishes them with
 * one store. Call ring_notify() afterwards. The receivers must have been published
 * before, so that a crash in between repeats frames and loses none (R23).
 */
void ring_complete(struct ring *ring, const struct burst *burst);

/* About `frames` frames are going to be delivered: reads ahead what they need. */
void ring_expect(struct ring *ring, unsigned frames);

/* Chains that are there for frames now; 0 too when the ring is broken, or breaks by it. Loads avail->idx. */
unsigned ring_room(struct ring *ring);

/*
 * Copies one frame into the chains of a receive ring, header first. Returns
 * DROP_NONE when it was delivered, else why not; then no chain was consumed. It
 * becomes visible to the driver with ring_publish().
 * `scratch` holds RING_SEGMENTS_MAX segments.
 */
enum drop_reason ring_deliver(struct ring *ring, const struct frame *frame, struct segment *scratch);

/*
 * Delivers the leading frames that need nothing but a copy into one plain buffer: none that the switch has to complete or to cut, no
 * dirty log, no frame longer than `longest`. Returns how many, and adds their bytes; the next one, if
 * any, is for ring_deliver(). Call ring_expect() before.
 */
unsigned ring_deliver_plain(struct ring *ring, struct frame *const *frames, unsigned count, uint32_t longest,
                            uint64_t *bytes);

/* Publishes what was delivered, with one store to used->idx. */
void ring_publish(struct ring *ring);

/* Whether the driver wants a notification for what was published since the last (R17). Stores that it was sent. */
bool ring_notify(struct ring *ring);

/* Whether the driver has made chains available. Loads avail->idx. */
bool ring_has_work(const struct ring *ring);

/* Asks the driver for kicks; true when work came in meanwhile, so do not sleep (R18). */
bool ring_arm(struct ring *ring);

/* Tells the driver that kicks are not needed. */
void ring_disarm(struct ring *ring);

#endif
