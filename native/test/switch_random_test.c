/*
 * switch_random_test.c - the real program under random frames, 60 bytes to 64 KiB, over random chain shapes, between
 * senders and receivers of random features and VLANs: each arrival is compared byte by byte with what random_frame.c,
 * which knows nothing of the switch, says it must be.
 *
 * --frames N goes on for longer, --seed N elsewhere; a failure says the seed with which it comes again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random_frame.h"
#include "switch/frame.h"
#include "switch_rig.h"

/* At the same time on one switch, each with a network of its own; then a new switch. */
#define PAIRS 4u
#define FRAMES_OF_A_PAIR 400u
#define BATCH_MAX 12u
#define VLAN 7u

/* A sender and its receiver. */
struct random_pair {
    struct machine *sender, *receiver;
    uint64_t takes;          /* negotiated features of the receiver */
    unsigned mtu;
    int tag_change;
};

static uint64_t frames_wanted = 24000, seed = 1, state;
static uint64_t sent, arrived, bytes_arrived, longest;
static struct arrival arrivals[RANDOM_PIECES_MAX];
static struct arrival *expected; /* [expected_room] of one batch */
static uint32_t expected_count;
#define EXPECTED_ROOM 512u

static uint32_t random_below(uint32_t bound)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)((state >> 16) % bound);
}

static uint64_t maybe(unsigned bit)
{
    return random_below(2) ? FEATURE(bit) : 0;
}

static uint64_t ring_features(void)
{
    return maybe(VIRTIO_F_RING_EVENT_IDX) | maybe(VIRTIO_F_RING_INDIRECT_DESC);
}

static struct machine_options sender_options(void)
{
    uint64_t features = ring_features() | FEATURE(VIRTIO_NET_F_CSUM);

    if (random_below(8) == 0)
        features &= ~FEATURE(VIRTIO_NET_F_CSUM);
    else
        features |= maybe(VIRTIO_NET_F_HOST_TSO4) | maybe(VIRTIO_NET_F_HOST_TSO6) | maybe(VIRTIO_NET_F_HOST_ECN);
    return (struct machine_options){
        .features = features, .tx_buffer = 66000, .ring_size = 64, .tx_pieces = (uint16_t)(1 + random_below(8)),
        .tx_indirect = features & FEATURE(VIRTIO_F_RING_INDIRECT_DESC), .legacy = random_below(6) == 0,
    };
}

static struct machine_options receiver_options(unsigned mtu)
{
    uint64_t features = ring_features() | maybe(VIRTIO_NET_F_MRG_RXBUF);
    uint32_t most = mtu + 30;

    if (random_below(3) != 0)
        features |= FEATURE(VIRTIO_NET_F_GUEST_CSUM) | maybe(VIRTIO_NET_F_GUEST_TSO4) | maybe(VIRTIO_NET_F_GUEST_TSO6) |
                    maybe(VIRTIO_NET_F_GUEST_ECN);
    bool large = features & (FEATURE(VIRTIO_NET_F_GUEST_TSO4) | FEATURE(VIRTIO_NET_F_GUEST_TSO6));

    if (large)
        most = 66000;
    if (features & FEATURE(VIRTIO_NET_F_MRG_RXBUF)) /* a frame takes 1 to 60 buffers */
        most = most / 60 + 20 + random_below(4000);
    return (struct machine_options){ .features = features, .rx_buffer = most, .ring_size = most > 60000 ? 64 : 256,
                                     .rx_pieces = (uint16_t)(1 + random_below(2)), .legacy = random_below(6) == 0 };
}

static json_t *vlan_policy(bool access)
{
    return access ? json_pack("{s:{s:i}}", "vlan", "tag", (int)VLAN) : json_pack("{s:{s:[i]}}", "vlan", "trunk", (int)VLAN);
}

static struct machine *add_machine(struct switch_rig *rig, struct machine_options options, unsigned network, unsigned mtu,
                                   json_t *policy)
{
    char name[16];
    json_t *more;

    snprintf(name, sizeof name, "net%u", network);
    more = json_pack("{s:s, s:i}", "network", name, "mtu", (int)mtu);
    if (policy != NULL)
        json_object_set_new(more, "policy", policy);
    return switch_add_machine_as(rig, options, more);
}

static void make_pair(struct switch_rig *rig, unsigned index, struct random_pair *pair)
{
    bool tagged;

    pair->mtu = random_below(2) ? 1500 : 9000;
    pair->tag_change = random_below(2) ? TAG_KEPT : random_below(2) ? TAG_PUSHED : TAG_POPPED;
    tagged = pair->tag_change != TAG_KEPT;
    pair->sender = add_machine(rig, sender_options(), index, pair->mtu,
                               tagged ? vlan_policy(pair->tag_change == TAG_PUSHED) : NULL);
    pair->receiver = add_machine(rig, receiver_options(pair->mtu), index, pair->mtu,
                                 tagged ? vlan_policy(pair->tag_change == TAG_POPPED) : NULL);
    pair->takes = pair->receiver->features;
}

static void choose_tags(struct recipe *recipe, int tag_change)
{
    recipe->tags = tag_change == TAG_KEPT ? random_below(4) % 3 : tag_change == TAG_POPPED;
    recipe->tag[0] = (uint16_t)(tag_change == TAG_POPPED ? random_below(8) << 13 | VLAN : random_below(0x10000));
    recipe->tag[1] = (uint16_t)random_below(0x10000);
}

/* Small ones mostly, as on a real wire; one in 16 is as long as it may be. */
static uint32_t choose_length(uint32_t least, uint32_t most)
{
    uint32_t bound = random_below(3) == 0 ? most : least + 600 < most ? least + 600 : most;

    return least >= most || random_below(16) == 0 ? most : least + random_below(bound - least + 1);
}

static void choose_segments(const struct random_pair *pair, struct recipe *recipe)
{
    uint64_t features = pair->sender->features;
    uint32_t headers = recipe_headers(recipe), most = 65535 - (headers - 14 - 4 * recipe->tags) - (recipe->tags == 2 ? 4 : 0);
    uint32_t largest = pair->mtu + 14 - headers;

    if (!(features & (recipe->ipv6 ? FEATURE(VIRTIO_NET_F_HOST_TSO6) : FEATURE(VIRTIO_NET_F_HOST_TSO4))) ||
        recipe->kind != RECIPE_TCP || random_below(3) == 0)
        return;
    recipe->checksum = true;
    recipe->ecn = features & FEATURE(VIRTIO_NET_F_HOST_ECN) && random_below(2);
    recipe->payload = choose_length(0, random_below(4) ? 9000 : most);
    uint32_t least = recipe->payload / (RANDOM_PIECES_MAX - 1) + 8;

    recipe->gso_size = (uint16_t)choose_length(least, least > largest ? least : largest);
}

static void choose_recipe(const struct random_pair *pair, unsigned index, struct recipe *recipe)
{
    *recipe = (struct recipe){ .number = (uint32_t)sent, .from = 2 * index, .to = 2 * index + 1,
                               .kind = random_below(8) == 0 ? RECIPE_PLAIN : random_below(3) == 0 ? RECIPE_UDP : RECIPE_TCP };
    choose_tags(recipe, pair->tag_change);
    if (recipe->kind != RECIPE_PLAIN) {
        recipe->ipv6 = random_below(2);
        recipe->ip_words = random_below(3) ? 0 : random_below(recipe->ipv6 ? 3 : 6);
        recipe->tcp_words = random_below(recipe->ipv6 ? 4 : 6);
        recipe->flags = (uint8_t)random_below(256);
        recipe->checksum = pair->sender->features & FEATURE(VIRTIO_NET_F_CSUM) && random_below(3);
    }
    uint32_t headers = recipe_headers(recipe);

    recipe->payload = choose_length(headers < 60 ? 60 - headers : 0, pair->mtu + 14 - headers);
    choose_segments(pair, recipe);
}

/* Descriptors anew at random places: empty ones, too, and such that cut headers in two. */
static void reshape(struct driver_queue *queue, uint32_t total)
{
    struct vring_desc *table = queue->tables[queue->free_slots[queue->free_count]]; /* the slot just taken */
    unsigned pieces = queue->options.pieces;
    uint64_t at = table[0].addr;
    uint32_t left = total;

    for (unsigned i = 0; i < pieces; i++) {
        uint32_t length = i + 1 == pieces ? left : random_below(2) ? random_below(left + 1) : random_below(left < 20 ? left + 1 : 20);

        table[i].addr = at;
        table[i].len = length;
        at += length;
        left -= length;
    }
}

/* Receive chains that a frame of that length takes. */
static uint32_t chains_of(const struct driver_queue *rx, uint32_t length)
{
    bool mergeable = rx->options.features & FEATURE(VIRTIO_NET_F_MRG_RXBUF);

    return mergeable ? (rx->header_size + length + rx->options.buffer_bytes - 1) / rx->options.buffer_bytes : 1;
}

/* Stages one frame if the receiver has room for what becomes of it. False: the batch is full. */
static bool stage(const struct random_pair *pair, unsigned index, uint32_t *room)
{
    static uint8_t bytes[RANDOM_FRAME_MAX];
    struct driver_queue *tx = machine_tx(pair->sender, 0), *rx = machine_rx(pair->receiver, 0);
    uint64_t before = state;
    struct recipe recipe;
    struct net_header net;
    uint32_t need, slots = rx->slots;
    unsigned count;

    for (choose_recipe(pair, index, &recipe);; recipe.payload /= 2) { /* never more than all its buffers hold */
        count = recipe_arrivals(&recipe, pair->takes, pair->tag_change, VLAN, arrivals);
        need = 0;
        for (unsigned i = 0; i < count; i++)
            need += chains_of(rx, arrivals[i].length);
        if (need <= slots)
            break;
    }
    uint32_t length = recipe_send(&recipe, bytes, &net);

    if (need > *room || expected_count + count > EXPECTED_ROOM || !driver_send(tx, &net, bytes, length)) {
        state = before; /* the same one begins the next batch */
        return false;
    }
    if (tx->options.pieces > 1)
        reshape(tx, tx->header_size + length);
    for (unsigned i = 0; i < count; i++) {
        expected[expected_count].net = arrivals[i].net;
        expected[expected_count].length = arrivals[i].length;
        expected[expected_count].checksum_at = arrivals[i].checksum_at;
        memcpy(expected[expected_count++].bytes, arrivals[i].bytes, arrivals[i].length);
    }
    *room -= need;
    sent++;
    return true;
}

/* All slots of the last batch come back, so that each batch begins alike, and a seed says which frames there are. */
static void reap_all(struct driver_queue *tx)
{
    uint64_t limit = machine_clock_ms() + 5000;

    for (driver_reap(tx); tx->free_count < tx->slots; driver_reap(tx)) {
        if (machine_clock_ms() > limit)
            fail_msg("seed %" PRIu64 ", frame %" PRIu64 ": %u of %u transmit slots came back", seed, sent, tx->free_count, tx->slots);
        nanosleep(&(struct timespec){ .tv_nsec = 20000 }, NULL);
    }
}

static void run_batch(const struct random_pair *pair, unsigned index)
{
    static uint8_t found[RANDOM_FRAME_MAX];
    struct driver_queue *rx = machine_rx(pair->receiver, 0);
    uint32_t room = rx->slots;
    unsigned count = 0;

    reap_all(machine_tx(pair->sender, 0));
    expected_count = 0;
    while (count < BATCH_MAX && stage(pair, index, &room))
        count++;
    machine_publish(pair->sender, 1);
    for (uint32_t i = 0; i < expected_count; i++) {
        struct net_header net = { 0 };
        int length = machine_receive(pair->receiver, 0, &net, found, sizeof found, 5000);
        const char *differs = arrival_differs(&expected[i], &net, found, length);

        if (differs != NULL || rx->errors != 0)
            fail_msg("seed %" PRIu64 ", batch before frame %" PRIu64 ", arrival %u of %u differs in %s: %d bytes, wanted %u"
                     " (mtu %u, tags %d, features 0x%" PRIx64 ")", seed, sent, i, expected_count,
                     differs != NULL ? differs : "its used entries", length, expected[i].length, pair->mtu, pair->tag_change,
                     pair->takes);
        arrived++;
        bytes_arrived += expected[i].length;
        longest = expected[i].length > longest ? expected[i].length : longest;
    }
}

/* One switch with its pairs; nothing but the frames that were sent may have come. */
static void run_switch(void)
{
    struct switch_rig *rig = switch_open(NULL);
    struct random_pair pairs[PAIRS];

    for (unsigned i = 0; i < PAIRS; i++)
        make_pair(rig, i, &pairs[i]);
    for (uint64_t end = sent + PAIRS * FRAMES_OF_A_PAIR; sent < end && sent < frames_wanted;)
        for (unsigned i = 0; i < PAIRS; i++)
            run_batch(&pairs[i], i);
    for (unsigned i = 0; i < 2 * PAIRS; i++)
        assert_int_equal(driver_used_waiting(machine_rx(&rig->machines[i], 0)), 0);
    switch_close(rig);
}

static void random_frames(void **unused)
{
    (void)unused;
    state = seed * 0x9e3779b97f4a7c15u | 1;
    expected = malloc(EXPECTED_ROOM * sizeof *expected);
    assert_non_null(expected);
    while (sent < frames_wanted)
        run_switch();
    free(expected);
    printf("# %" PRIu64 " random frames sent, %" PRIu64 " arrived, %" PRIu64 " MB, the longest of %" PRIu64
           " bytes: 0 wrong bytes (seed %" PRIu64 ")\n", sent, arrived, bytes_arrived / 1000000, longest, seed);
    if (frames_wanted >= 20000) /* the longest packet there is, with a tag */
        assert_int_equal(longest, FRAME_LENGTH_MAX);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("random frames, chains, features and VLANs", random_frames),
    };
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    for (int i = 2; i + 1 < argc; i += 2) {
        uint64_t *to = strcmp(argv[i], "--frames") == 0 ? &frames_wanted : strcmp(argv[i], "--seed") == 0 ? &seed : NULL;

        if (to == NULL) {
            fprintf(stderr, "usage: %s SWITCH [--frames N] [--seed N]\n", argv[0]);
            return 2;
        }
        *to = strtoull(argv[i + 1], NULL, 10);
    }
    return cmocka_run_group_tests_name("switch: random frames", tests, NULL, NULL);
}
