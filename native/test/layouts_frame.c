/*
 * layouts_frame.c - rows H31 to H38 and H56: net header and frame, as a guest sends
 * them. Patches count from the first byte of the net header: 0 flags, 1
 * gso_type, 2 hdr_len, 4 gso_size, 6 csum_start, 8 csum_offset, 10 num_buffers.
 */
#include "layout.h"

#define SENT_ONLY "the switch writes the header of what is received"
#define SENT(verdict) .no_rx = SENT_ONLY, .tx = verdict
#define CSUM DROPPED(CSUM_HEADER)
#define GSO DROPPED(GSO_HEADER)
/* A frame of 1014 bytes that asks for its checksum at `start` + `offset` (of 256 bytes each). */
#define ASKS(start_low, start_high, offset_low, offset_high)                                                    \
    .patches = { { 0, 1 }, { 6, start_low }, { 8, offset_low }, { start_high ? 7 : 9, start_high ? start_high : offset_high } }
#define LONG { BYTES(BUF, 12 + 1014) }
/* A TCP packet of 9000 bytes, to be cut. */
#define TSO4 { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 1448
#define TSO6 { BYTES(BUF, 12 + 74 + 9000) }, .content = CONTENT_TCP6, .gso_size = 1428
/* Of a frame behind the net header. */
#define FRAME(offset) (12 + (offset))

static const struct layout layouts[] = {
    { "H31 one byte", { BYTES(BUF, 1) }, SENT(DROPPED(RUNT)) },
    { "H31 one byte less than a net header", { BYTES(BUF, 11) }, SENT(DROPPED(RUNT)) },
    { "H31 net header without a frame", { BYTES(BUF, 12) }, SENT(DROPPED(RUNT)) },
    { "H31 one byte less than an Ethernet header", { BYTES(BUF, 25) }, SENT(DROPPED(RUNT)) },
    { "H31 runt in two pieces", { BYTES(BUF, 20), BYTES(BUF + 20, 5) }, SENT(DROPPED(RUNT)) },
    { "H31 runt in single bytes", { RUN(BUF, 1, 25) }, .size = 32, SENT(DROPPED(RUNT)) },
    { "H31 runts one behind the other", { BYTES(BUF, 20) }, .copies = 12, .shift = 64, SENT(DROPPED(RUNT)) },
    { "H31 an Ethernet header and nothing more", { BYTES(BUF, 26) }, SENT(WORKS) },
    { "H32 header in single bytes", { RUN(BUF, 1, 12), BYTES(BUF + 12, 60) }, SENT(WORKS) },
    { "H32 header and frame in one, the rest in another", { BYTES(BUF, 60), BYTES(BUF + 60, 200) }, SENT(WORKS) },
    { "H32 header and frame apart", { BYTES(BUF, 12), BYTES(BUF + 100, 1500) }, SENT(WORKS) },
    { "H32 everything in single bytes", { RUN(BUF, 1, 200) }, .size = 256, SENT(WORKS) },
    { "H32 Ethernet header in single bytes", { BYTES(BUF, 12), RUN(BUF + 12, 1, 14), BYTES(BUF + 26, 46) }, .size = 32,
      SENT(WORKS) },
    { "H32 net header cut in the middle of a field", { BYTES(BUF, 7), BYTES(BUF + 7, 65) }, SENT(WORKS) },
    { "H32 pieces end where the private copy does", { BYTES(BUF, 12 + 128), BYTES(BUF + 400, 300) }, SENT(WORKS) },
    { "H32 one byte behind the private copy", { BYTES(BUF, 12 + 129) }, SENT(WORKS) },
    { "H32 exactly a private copy", { BYTES(BUF, 12 + 128) }, SENT(WORKS) },
    { "H32 addresses cut in two", { BYTES(BUF, 17), BYTES(BUF + 17, 55) }, SENT(WORKS) },

    { "H33 csum_start 0", LONG, ASKS(0, 0, 16, 0), SENT(CSUM) },
    { "H33 csum_start in the Ethernet header", LONG, ASKS(13, 0, 16, 0), SENT(CSUM) },
    { "H33 csum_start right behind the Ethernet header", LONG, ASKS(14, 0, 0, 0), SENT(WORKS) },
    { "H33 csum_start at the end of the frame", LONG, ASKS(0xf6, 3, 0, 0), SENT(CSUM) },
    { "H33 csum_offset 65535", LONG, ASKS(34, 0, 255, 255), SENT(CSUM) },
    { "H33 a frame without room for a checksum", { BYTES(BUF, 26) }, ASKS(14, 0, 0, 0), SENT(CSUM) },
    { "H33 a frame that is its checksum", { BYTES(BUF, 28) }, ASKS(14, 0, 0, 0), SENT(WORKS) },
    { "H33 csum_start past the frame", LONG, ASKS(0, 8, 16, 0), SENT(CSUM) },
    { "H33 csum_start 65280", LONG, ASKS(0, 255, 16, 0), SENT(CSUM) },
    { "H33 csum_offset past the frame", LONG, ASKS(34, 0, 16, 4), SENT(CSUM) },
    { "H33 csum_offset 65280", LONG, ASKS(34, 0, 0, 255), SENT(CSUM) },
    { "H33 sum of both is past 65535", LONG, ASKS(254, 255, 16, 0), SENT(CSUM) },
    { "H33 checksum over the last two bytes", LONG, ASKS(0xf4, 3, 0, 0), SENT(WORKS) },
    { "H33 checksum half over the end", LONG, ASKS(0xf5, 3, 0, 0), SENT(CSUM) },
    { "H33 bad places, and no checksum is asked for", LONG, .patches = { { 6, 1 }, { 9, 255 } }, SENT(WORKS) },
    { "H34 checksum asked for without the feature", LONG, ASKS(34, 0, 16, 0), .sender_without = FEATURE(VIRTIO_NET_F_CSUM),
      SENT(CSUM) },
    { "H34 checksum asked for with the feature", LONG, ASKS(34, 0, 16, 0), SENT(WORKS) },

    { "H35 TCP over IPv4 to be cut", TSO4, SENT(WORKS) },
    { "H35 TCP over IPv6 to be cut", TSO6, SENT(WORKS) },
    { "H35 gso_type unknown", TSO4, .patches = { { 1, 2 } }, SENT(GSO) },
    { "H35 gso_type UDP", TSO4, .patches = { { 1, 3 } }, SENT(GSO) },
    { "H35 gso_type both at once", TSO4, .patches = { { 1, 5 } }, SENT(GSO) },
    { "H35 gso_type is ECN alone", TSO4, .patches = { { 1, 0x80 } }, SENT(GSO) },
    { "H35 ECN without the feature", TSO4, .patches = { { 1, 0x81 } }, SENT(GSO) },
    { "H35 IPv4 without the feature", TSO4, .sender_without = FEATURE(VIRTIO_NET_F_HOST_TSO4), SENT(GSO) },
    { "H35 IPv6 without the feature", TSO6, .sender_without = FEATURE(VIRTIO_NET_F_HOST_TSO6), SENT(GSO) },
    { "H35 gso_size 1", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 1, SENT(GSO) },
    { "H35 gso_size 0", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 0, .patches = { { 1, 1 } },
      SENT(GSO) },
    { "H35 gso_size 7: less than receivers take", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 7,
      SENT(GSO) },
    { "H35 gso_size 8", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 8, SENT(WORKS) },
    { "H35 longest gso_size", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 65495, SENT(WORKS) },
    { "H35 gso_size and headers are longer than a packet", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4,
      .gso_size = 65496, SENT(GSO) },
    { "H35 gso_size 65535", { BYTES(BUF, 12 + 54 + 9000) }, .content = CONTENT_TCP4, .gso_size = 65535, SENT(GSO) },
    { "H35 to be cut, without a checksum", TSO4, .patches = { { 0, 2 } }, SENT(GSO) },
    { "H35 checksum of UDP", TSO4, .patches = { { 8, 6 } }, SENT(GSO) },
    { "H35 an ARP frame to be cut", TSO4, .patches = { { FRAME(13), 6 } }, SENT(GSO) },
    { "H35 IPv6 type on an IPv4 frame", TSO4, .patches = { { FRAME(12), 0x86 }, { FRAME(13), 0xdd } }, SENT(GSO) },
    { "H35 IPv4 request on an IPv6 frame", TSO6, .patches = { { 1, 1 } }, SENT(GSO) },
    { "H35 UDP to be cut as TCP", TSO4, .patches = { { FRAME(23), 17 } }, SENT(GSO) },
    { "H35 a fragment to be cut", TSO4, .patches = { { FRAME(20), 0x20 } }, SENT(GSO) },
    { "H35 IPv4 header too short", TSO4, .patches = { { FRAME(14), 0x44 } }, SENT(GSO) },
    { "H35 TCP header too short", TSO4, .patches = { { FRAME(46), 0x40 } }, SENT(GSO) },
    { "H35 IPv4 header goes past the frame's headers", TSO4, .patches = { { FRAME(14), 0x4f } }, SENT(GSO) },
    { "H35 IPv4 packet of version 5", TSO4, .patches = { { FRAME(14), 0x55 } }, SENT(GSO) },
    { "H35 last fragment to be cut", TSO4, .patches = { { FRAME(21), 1 } }, SENT(GSO) },
    { "H35 don't-fragment is no fragment", TSO4, .patches = { { FRAME(20), 0x40 } }, SENT(WORKS) },
    { "H35 IPv6 with a hop-by-hop header", TSO6, .patches = { { FRAME(20), 255 } }, SENT(GSO) },
    { "H35 IPv6 packet of version 4", TSO6, .patches = { { FRAME(14), 0x45 } }, SENT(GSO) },
    { "H35 TCP header of sixty bytes", TSO4, .patches = { { FRAME(46), 0xf0 } }, SENT(WORKS) },
    { "H35 csum_start is not TCP's", TSO4, .patches = { { 6, 35 } }, SENT(GSO) },
    { "H35 cut within the Ethernet header's length", { BYTES(BUF, 26) }, .patches = { { 1, 1 }, { 4, 100 } }, SENT(GSO) },
    { "H35 hdr_len 0", TSO4, .patches = { { 2, 0 }, { 3, 0 } }, SENT(WORKS) },
    { "H35 hdr_len is a lie", TSO4, .patches = { { 2, 255 }, { 3, 255 } }, SENT(WORKS) },

    { "H36 unknown flags and num_buffers when sent", { BYTES(BUF, 72) }, .patches = { { 0, 0xfe }, { 10, 77 }, { 11, 7 } },
      SENT(WORKS) },
    { "H37 header changes behind the first load", { BYTES(BUF, 30), BYTES(BUF + 30, 282) }, ASKS(34, 0, 16, 0),
      SENT(WORKS) },
    { "H38 addresses change behind the first load", { BYTES(BUF, 312) }, SENT(WORKS) },
    { "H38 a frame longer than its private copy", { BYTES(BUF, 12 + 127), BYTES(BUF + 139, 500) }, SENT(WORKS) },
    { "H56 legacy header of 10 bytes", { BYTES(BUF, 72) }, .without = FEATURE(VIRTIO_F_VERSION_1), ALL_WORK },
    { "H56 legacy header apart", { BYTES(BUF, 10), BYTES(BUF + 10, 62) }, .without = FEATURE(VIRTIO_F_VERSION_1), ALL_WORK },
    { "H56 legacy header in single bytes", { RUN(BUF, 1, 10), BYTES(BUF + 10, 62) },
      .without = FEATURE(VIRTIO_F_VERSION_1), ALL_WORK },
    { "H56 legacy header, longest frame", { BYTES(BUF, 12 + FRAME_LENGTH_MAX) }, .without = FEATURE(VIRTIO_F_VERSION_1),
      .frame = FRAME_LENGTH_MAX, .no_tx = "its length depends on the header's", .rx = WORKS, .merged = WORKS },
    { "H56 receive buffer of 10 bytes, which is a legacy header", { BYTES(BUF, 10) },
      .without = FEATURE(VIRTIO_F_VERSION_1), .no_tx = "another row", .rx = DROPPED(RX_NO_ROOM),
      .merged = BROKEN(RUNT_BUFFER) },
    { "H56 legacy runt", { BYTES(BUF, 23) }, .without = FEATURE(VIRTIO_F_VERSION_1), .tx = DROPPED(RUNT),
      .rx = DROPPED(RX_NO_ROOM), .merged = DROPPED(RX_NO_ROOM) },
};

const struct layout_set frame_layouts = LAYOUT_SET(layouts);
