/*
 * session_test.c - what a well-behaved front end gets, and rows H9 and H53 to
 * H58: the life of rings, features and memory.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "session_rig.h"

/* All pairs started and enabled. */
static struct session_rig *running(unsigned pairs, uint64_t features)
{
    struct session_rig *rig = session_rig_open(pairs);

    session_rig_greet(rig, features);
    session_rig_set_memory(rig);
    for (unsigned i = 0; i < 2 * pairs; i++) {
        session_rig_start_ring(rig, i);
        if (features & FEATURE(VHOST_USER_F_PROTOCOL_FEATURES))
            assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, i, 1), SESSION_OK);
    }
    return rig;
}

static void a_usual_start(void **state)
{
    struct session_rig *rig = running(2, SESSION_RIG_FEATURES);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(vring_live(&rig->session.vrings[i]));
        assert_string_equal(rig->session.vrings[i].why, "");
    }
    assert_int_equal(session_say(rig, VHOST_USER_GET_QUEUE_NUM, NULL, 0, NULL, 0), SESSION_REPLY);
    assert_int_equal(rig->reply.payload.u64, 2);
    assert_int_equal(memory_map_size(rig->session.memory), 0x90000);
    session_rig_close(rig);
}

static struct burst burst;

static unsigned take_all(struct session_rig *rig, unsigned index)
{
    unsigned taken = ring_take(&rig->session.vrings[index].ring, &burst);

    ring_complete(&rig->session.vrings[index].ring, &burst);
    return taken;
}

static void send_frames(struct session_rig *rig, unsigned index, unsigned count)
{
    struct net_header header = { 0 };
    uint8_t frame[100] = { 2 };

    for (unsigned i = 0; i < count; i++) {
        driver_reap(&rig->queues[index]);
        assert_true(driver_send(&rig->queues[index], &header, frame, sizeof frame));
    }
    driver_publish(&rig->queues[index]);
}

static void stop_and_resume(void **state)
{
    struct session_rig *rig = running(1, SESSION_RIG_FEATURES);

    (void)state;
    send_frames(rig, 1, 5);
    assert_int_equal(take_all(rig, 1), 5);
    send_frames(rig, 1, 3);
    assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
    assert_int_equal(rig->reply.payload.state.index, 1);
    assert_int_equal(rig->reply.payload.state.num, 5); /* the first that is not done (R21) */
    assert_false(rig->session.vrings[1].ring.running);
    assert_int_equal(rig->session.vrings[1].kick_fd, -1);
    assert_true(rig->session.vrings[0].ring.running); /* the other goes on */
    assert_int_equal(take_all(rig, 1), 0);
    session_rig_start_ring(rig, 1); /* says base 0, and used->idx is the truth (R23) */
    assert_int_equal(take_all(rig, 1), 3);
    assert_int_equal(driver_reap(&rig->queues[1]), 3);
    assert_int_equal(rig->queues[1].errors, 0);
    session_rig_close(rig);
}

/* Every message that takes something away from workers does so between pause and resume. */
static void pauses(void **state)
{
    struct session_rig *rig = running(1, SESSION_RIG_FEATURES);
    unsigned before = rig->pauses;
    int fd = eventfd(0, EFD_CLOEXEC);

    (void)state;
    session_rig_set_memory(rig);
    assert_int_equal(rig->pauses, before + 1);
    assert_true(vring_live(&rig->session.vrings[1])); /* on the new mapping */
    assert_int_equal(session_say_fd(rig, VHOST_USER_SET_VRING_CALL, 1, fd), SESSION_OK);
    assert_int_equal(session_say_fd(rig, VHOST_USER_SET_VRING_KICK, 1, fd), SESSION_OK);
    assert_int_equal(session_say_u64(rig, VHOST_USER_SET_FEATURES, SESSION_RIG_FEATURES), SESSION_OK);
    assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
    assert_int_equal(session_say(rig, VHOST_USER_RESET_OWNER, NULL, 0, NULL, 0), SESSION_OK);
    assert_int_equal(rig->pauses, before + 6);
    close(fd);
    session_rig_close(rig);
}

/* The guest goes on writing rings that were stopped, re-pointed, taken away. */
static void reset_in_the_middle(void **state)
{
    struct session_rig *rig = running(1, SESSION_RIG_FEATURES);
    uint64_t where;

    (void)state;
    for (unsigned round = 0; round < 50; round++) {
        send_frames(rig, 1, 10);
        assert_int_equal(ring_take(&rig->session.vrings[1].ring, &burst), 10);
        ring_complete(&rig->session.vrings[1].ring, &burst);
        send_frames(rig, 1, 4);
        assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
        assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 0, 0), SESSION_REPLY);
        driver_reset(&rig->queues[0]);
        driver_reset(&rig->queues[1]);
        guest_ram_save(&rig->ram);
        assert_int_equal(take_all(rig, 1), 0);
        session_rig_set_memory(rig);
        assert_true(guest_ram_untouched(&rig->ram, &where)); /* nothing is written to a stopped ring */
        session_rig_start_ring(rig, 0);
        session_rig_start_ring(rig, 1);
    }
    session_rig_close(rig);
}

static void enable_and_disable(void **state)
{
    struct session_rig *rig = running(1, SESSION_RIG_FEATURES);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 1, i & 1), SESSION_OK);
        assert_int_equal(vring_live(&rig->session.vrings[1]), i & 1);
        assert_true(rig->session.vrings[1].ring.running); /* started all the time: must be emptied (R21) */
        send_frames(rig, 1, 1);
        assert_int_equal(take_all(rig, 1), 1);
    }
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 1, 2), SESSION_CLOSE);
    session_rig_close(rig);

    /* Without protocol features rings are enabled from the start. */
    rig = running(1, SESSION_RIG_FEATURES & ~FEATURE(VHOST_USER_F_PROTOCOL_FEATURES));
    assert_true(vring_live(&rig->session.vrings[0]));
    assert_true(vring_live(&rig->session.vrings[1]));
    session_rig_close(rig);
}

static void odd_queues(void **state)
{
    struct session_rig *rig = session_rig_open(2);

    (void)state;
    session_rig_greet(rig, SESSION_RIG_FEATURES);
    session_rig_set_memory(rig);
    session_rig_start_ring(rig, 3); /* the second transmit queue and nothing else */
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 3, 1), SESSION_OK);
    assert_int_equal(session_say_state(rig, VHOST_USER_SET_VRING_ENABLE, 0, 1), SESSION_OK);
    assert_true(vring_live(&rig->session.vrings[3]));
    for (unsigned i = 0; i < 3; i++)
        assert_false(vring_live(&rig->session.vrings[i]));
    send_frames(rig, 3, 2);
    assert_int_equal(take_all(rig, 3), 2);
    session_rig_start_ring(rig, 0); /* a receive queue without its transmit queue */
    assert_true(vring_live(&rig->session.vrings[0]));
    assert_false(vring_live(&rig->session.vrings[1]));
    session_rig_close(rig);
}

static void other_features_after_reset(void **state)
{
    static const uint64_t bits[] = {
        FEATURE(VIRTIO_F_RING_INDIRECT_DESC), FEATURE(VIRTIO_F_RING_EVENT_IDX),
            FEATURE(VIRTIO_NET_F_MRG_RXBUF),
    };
    struct session_rig *rig = running(1, SESSION_RIG_FEATURES);

    (void)state;
    for (unsigned mask = 0; mask < 16; mask++) {
        uint64_t features = FEATURE(VHOST_USER_F_PROTOCOL_FEATURES) | (mask & 8
                                                                       ? FEATURE(VIRTIO_F_VERSION_1) : 0);
        const struct ring *ring = &rig->session.vrings[1].ring;

        for (unsigned i = 0; i < 3; i++)
            features |= mask >> i & 1 ? bits[i] : 0;
        assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
        driver_reset(&rig->queues[1]);
        assert_int_equal(session_say_u64(rig, VHOST_USER_SET_FEATURES, features), SESSION_OK);
        session_rig_start_ring(rig, 1);
        assert_int_equal(ring->indirect, mask & 1);
        assert_int_equal(ring->event_idx, mask >> 1 & 1);
        assert_int_equal(ring->mergeable, mask >> 2 & 1);
        assert_int_equal(ring->header_size, mask & 12 ? 12 : 10);
        assert_false(ring->signalled_valid);
    }
    session_rig_close(rig);
}

static void legacy_driver(void **state)
{
    struct session_rig *rig = running(1, FEATURE(VHOST_USER_F_PROTOCOL_FEATURES));
    struct driver_options options = { .size = 64, .buffer_bytes = 256 };
    struct net_header header = { 0 };
    uint8_t frame[14] = { 2, 3 };

    (void)state;
    driver_destroy(&rig->queues[1]);
    assert_true(driver_create(&rig->queues[1], &rig->ram, &options));
    assert_int_equal(session_say_state(rig, VHOST_USER_GET_VRING_BASE, 1, 0), SESSION_REPLY);
    session_rig_start_ring(rig, 1);
    assert_true(driver_send(&rig->queues[1], &header, frame, sizeof frame));
    driver_publish(&rig->queues[1]);
    assert_int_equal(take_all(rig, 1), 1);
    assert_int_equal(burst.frames[0].drop, DROP_NONE);
    assert_int_equal(burst.frames[0].length, 14);
    session_rig_close(rig);
}

static void control_queue(void **state)
{
    (void)state;
    assert_int_equal(session_features_supported() &
                     (FEATURE(VIRTIO_NET_F_CTRL_VQ) | FEATURE(VIRTIO_NET_F_CTRL_RX)), 0);
}

static void packed_ring(void **state)
{
    struct session_rig *rig = session_rig_open(1);
    uint64_t packed = UINT64_C(1) << 34;

    (void)state;
    assert_int_equal(session_features_supported() & packed, 0);
    session_rig_greet(rig, SESSION_RIG_FEATURES);
    assert_false(session_accepts(rig, VHOST_USER_SET_FEATURES, &(uint64_t){ SESSION_RIG_FEATURES |
                                                                            packed }, 8,
                                 NULL, 0));
    assert_int_equal(rig->session.features, SESSION_RIG_FEATURES); /* as before */
    session_rig_close(rig);
}

static void announce_and_mtu(void **state)
{
    struct session_rig *rig = session_rig_open(1);
    static const uint8_t mac[8] = { 2, 1, 2, 3, 4, 5 };

    (void)state;
    session_rig_greet(rig, SESSION_RIG_FEATURES);
    assert_true(session_accepts(rig, VHOST_USER_SEND_RARP, mac, 8, NULL, 0));
    assert_int_equal(rig->announced, 1);
    assert_memory_equal(rig->announced_mac, mac, 6);
    assert_true(session_accepts(rig, VHOST_USER_NET_SET_MTU, &(uint64_t){ 9000 }, 8, NULL, 0));
    assert_int_equal(rig->session.mtu, 9000);
    assert_false(session_accepts(rig, VHOST_USER_NET_SET_MTU, &(uint64_t){ 67 }, 8, NULL, 0));
    assert_false(session_accepts(rig, VHOST_USER_NET_SET_MTU, &(uint64_t){ 65536 }, 8, NULL, 0));
    assert_int_equal(rig->session.mtu, 9000);
    session_rig_close(rig);
}

static void acknowledgements(void **state)
{
    struct session_rig *rig = session_rig_open(1);
    struct vhost_user_message message = {
        .header = { VHOST_USER_SET_OWNER, VHOST_USER_VERSION | VHOST_USER_NEED_REPLY, 0 },
    };

    (void)state;
    /* Before REPLY_ACK was negotiated the flag means nothing. */
    assert_int_equal(session_handle(&rig->session, &message, NULL, 0, &rig->reply), SESSION_OK);
    session_rig_greet(rig, SESSION_RIG_FEATURES);
    assert_int_equal(session_handle(&rig->session, &message, NULL, 0, &rig->reply), SESSION_REPLY);
    assert_int_equal(rig->reply.header.size, 8);
    assert_int_equal(rig->reply.payload.u64, 0);
    session_rig_close(rig);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROW("a usual start of two queue pairs", a_usual_start),
        ROW("R21 R23 stop answers the first chain not done; resume at used idx", stop_and_resume),
        ROW("R20 workers are out while anything changes", pauses),
        ROW("H9 reset in the middle, ring memory used for other things", reset_in_the_middle),
        ROW("H53 enable and disable; a disabled transmit ring still runs", enable_and_disable),
        ROW("H54 only vring 3; receive without transmit", odd_queues),
        ROW("H55 other features after a reset", other_features_after_reset),
        ROW("H56 legacy driver", legacy_driver),
        ROW("H57 the control queue is QEMU's: not offered", control_queue),
        ROW("H58 packed ring is not offered and refused", packed_ring),
        ROW("announce and MTU", announce_and_mtu),
        ROW("acknowledgements", acknowledgements),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
