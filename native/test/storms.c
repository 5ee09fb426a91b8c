/*
 * storms.c - see the header.
 */
#include "storms.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* --- its thread --- */

static struct {
    pthread_t thread;
    void (*act)(void);   /* over and over; NULL: burns time */
    atomic_bool stop;
    atomic_uint acts;
} storm;

static void *storm_main(void *unused)
{
    (void)unused;
    while (!atomic_load_explicit(&storm.stop, memory_order_relaxed)) {
        if (storm.act != NULL)
            storm.act();
        else
            for (volatile unsigned i = 0; i < 10000;)
                i = i + 1;
        atomic_fetch_add(&storm.acts, 1);
    }
    return NULL;
}

void storm_begin(void (*act)(void))
{
    storm.act = act;
    atomic_store(&storm.acts, 0);
    atomic_store(&storm.stop, false);
    assert_int_equal(pthread_create(&storm.thread, NULL, storm_main, NULL), 0);
}

void storm_end(void)
{
    atomic_store(&storm.stop, true);
    pthread_join(storm.thread, NULL);
}

unsigned storm_acts(void)
{
    return atomic_load(&storm.acts);
}

/* --- the machine --- */

static struct machine *evil;
static uint8_t evil_mac[6];
static uint32_t luck = 1;

void storm_machine(struct machine *machine, unsigned number)
{
    evil = machine;
    packet_mac(evil_mac, number);
}

uint32_t storm_any(void)
{
    luck = luck * 1664525 + 1013904223;
    return luck >> 8;
}

static void evil_reset(unsigned index)
{
    uint16_t base;

    vhost_peer_stop_ring(&evil->peer, index, &base);
    driver_reset(&evil->queues[index].driver);
    if (index == 0) {
        driver_refill(machine_rx(evil, 0));
        driver_publish(machine_rx(evil, 0));
    }
    machine_start_ring(evil, index, 0);
}

static void flood(const uint8_t *to, const uint8_t *from, uint32_t length)
{
    struct net_header header = { 0 };
    uint8_t frame[1500] = { 0 };

    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    driver_reap(machine_tx(evil, 0));
    for (unsigned i = 0; i < 32; i++)
        if (!driver_send(machine_tx(evil, 0), &header, frame, length))
            break;
    machine_publish(evil, 1);
}

static void do_kick_storm(void)
{
    machine_kick(evil, 0);
    machine_kick(evil, 1);
}

static void do_index_jump(void)
{
    struct driver_queue *tx = machine_tx(evil, 0);

    __atomic_store_n(&tx->avail->idx, (uint16_t)(tx->avail->idx + 257 + storm_any() % 30000), __ATOMIC_RELEASE);
    machine_kick(evil, 1);
    evil_reset(1);
}

/* A head whose chain is bad; then the ring anew, for it is broken. */
static void do_loop_chain(void)
{
    struct driver_queue *tx = machine_tx(evil, 0);

    for (uint16_t i = 0; i < tx->options.size; i++)
        driver_describe(tx, i, 0x1000, 100, VRING_DESC_F_NEXT, (uint16_t)((i + 1) % tx->options.size));
    driver_offer(tx, (uint16_t)(storm_any() % tx->options.size));
    driver_publish(tx);
    machine_kick(evil, 1);
    evil_reset(1);
}

/* Each head is a chain of a whole ring of empty descriptors: dropped, and as dear to walk as one may be. */
static void do_zero_lengths(void)
{
    struct driver_queue *tx = machine_tx(evil, 0);
    uint16_t waiting = (uint16_t)(tx->avail_idx - __atomic_load_n(&tx->used->idx, __ATOMIC_ACQUIRE));

    for (uint16_t i = 0; i < tx->options.size; i++)
        driver_describe(tx, i, UINT64_MAX, 0, i + 1 < tx->options.size ? VRING_DESC_F_NEXT : 0, (uint16_t)(i + 1));
    for (; waiting < tx->options.size; waiting++)
        driver_offer(tx, 0);
    driver_publish(tx);
    machine_kick(evil, 1);
}

void storm_do_nothing(void)
{
    usleep(1000);
}

static void do_segmentation(void)
{
    static uint8_t frame[65000];
    struct net_header header;
    uint8_t to[6];
    uint32_t length;

    packet_mac(to, 1);
    length = packet_tcp(frame, to, evil_mac, false, 60000, 536, &header);
    driver_reap(machine_tx(evil, 0));
    while (driver_send(machine_tx(evil, 0), &header, frame, length))
        continue;
    machine_publish(evil, 1);
}

static void do_addresses(void)
{
    uint32_t bits = storm_any();
    uint8_t from[6] = { 2, 7, (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits, (uint8_t)storm_any() }, to[6];

    packet_mac(to, 9); /* nobody's: to be flooded */
    flood(to, from, 60);
}

static void do_resets(void)
{
    evil_reset(storm_any() & 1);
}

void storm_do_broadcasts(void)
{
    static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };

    flood(everybody, evil_mac, 60);
}

static void do_runts(void)
{
    uint8_t to[6];

    packet_mac(to, 0);
    flood(to, evil_mac, 5);
}

/* Two buffers in a millisecond. */
static void do_read_slowly(void)
{
    static uint8_t frame[70000];
    struct net_header header;

    for (unsigned i = 0; i < 2; i++)
        driver_receive(machine_rx(evil, 0), &header, frame, sizeof frame);
    driver_refill(machine_rx(evil, 0));
    machine_publish(evil, 0);
    usleep(1000);
}

static void do_readdress(void)
{
    struct driver_queue *queue = &evil->queues[storm_any() & 1].driver;
    struct vhost_user_vring_addr where = {
        .index = queue == machine_tx(evil, 0), .desc_user = (uintptr_t)queue->desc, .avail_user = (uintptr_t)queue->avail,
        .used_user = (uintptr_t)queue->used,
    };

    if (storm_any() % 4 == 0)
        where.desc_user += 0x40000000; /* out of this world: the ring stops */
    vhost_peer_command(&evil->peer, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0);
}

const struct storm_kind storm_kinds[STORM_KINDS] = {
    { .name = "kick storm", .act = do_kick_storm },
    { .name = "index jumps", .act = do_index_jump },
    { .name = "chains that loop", .act = do_loop_chain },
    { .name = "a flood of empty descriptors", .act = do_zero_lengths },
    { .name = "receive buffers never posted", .act = storm_do_nothing, .sleeps = true, .deaf = true, .also = 2 },
    { .name = "a flood to be segmented", .act = do_segmentation,
      .features = FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4), .tx_buffer = 65536 },
    { .name = "a flood of addresses", .act = do_addresses, .storm = 2000 },
    { .name = "reset storm", .act = do_resets },
    { .name = "broadcast storm", .act = storm_do_broadcasts, .storm = 2000 },
    { .name = "a flood of runts", .act = do_runts },
    { .name = "a slow reader", .act = do_read_slowly, .sleeps = true, .also = 2 },
    { .name = "rings addressed anew", .act = do_readdress },
};
