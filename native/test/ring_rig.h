/*
 * ring_rig.h - one ring under test, in process: guest memory with guard pages,
 * a driver queue that is used raw, and the device's struct ring on top.
 *
 * Three regions: A holds the rings, B follows A in guest addresses (but not in
 * ours), C lies behind a hole. Every operation checks that the device changed
 * nothing but its used ring and the ranges the test allowed.
 */
#ifndef VHOSTKIT_TEST_RING_RIG_H
#define VHOSTKIT_TEST_RING_RIG_H

#include "driver.h"
#include "rows.h"
#include "vhost/ring.h"

#define RIG_A 0x0ull
#define RIG_A_SIZE 0x200000ull
#define RIG_B 0x200000ull
#define RIG_B_SIZE 0x100000ull
#define RIG_B_END (RIG_B + RIG_B_SIZE)
#define RIG_C 0x800000ull
#define RIG_C_SIZE 0x40000ull
#define RIG_C_END (RIG_C + RIG_C_SIZE)
/* Free for buffers and tables of the tests. */
#define RIG_BUFFERS 0x240000ull

/* What a modern driver negotiates. */
#define RIG_FEATURES (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_RING_INDIRECT_DESC))

struct ring_rig {
    struct guest_ram ram;
    struct memory_map map;        /* the device's view of ram */
    struct driver_queue driver;   /* raw */
    struct ring_address where;
    struct ring ring;             /* under test */
    struct burst burst;           /* of the last rig_take */
    struct segment scratch[RING_SEGMENTS_MAX];
};

/* The rig of this program, opened afresh: what was open before is closed. */
struct ring_rig *rig_open(bool receives, uint16_t size, uint64_t features);
void rig_close(void);

/* The next call must fail with this fault; stays broken and touches nothing more afterwards. */
void rig_expect_broken(struct ring_rig *rig, enum ring_fault fault);

/* A net header of zeros and a frame of `length` bytes with a pattern of `seed`, contiguous at `guest`. */
void rig_put_frame(struct ring_rig *rig, uint64_t guest, uint32_t length, uint8_t seed);
/* Fails unless the frame is what rig_put_frame wrote. */
void rig_check_frame(const struct frame *frame, uint32_t length, uint8_t seed);
uint8_t rig_pattern(uint32_t at, uint8_t seed);

/* Publishes what is staged and takes one burst; the memory must stay as it is. */
unsigned rig_take(struct ring_rig *rig);
/* Gives the burst back; only the used ring may change. Returns ring_notify(). */
bool rig_complete(struct ring_rig *rig);
/* Takes and completes all that is there; returns the number of chains. */
unsigned rig_drain(struct ring_rig *rig);

/* Delivers a pattern frame, publishes; only used ring and ranges allowed since rig_save may change. */
enum drop_reason rig_deliver(struct ring_rig *rig, uint32_t length, uint8_t seed);
/* Begins a check: everything but the used ring is to stay. rig_take and rig_complete do it themselves. */
void rig_save(struct ring_rig *rig);
void rig_check_untouched(struct ring_rig *rig);

#endif
