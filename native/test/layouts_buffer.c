/*
 * layouts_buffer.c - rows H43, H44 and H47, and H32 from the receiver's side:
 * how receive buffers are cut, and whether a frame has room in them.
 */
#include "layout.h"

#define RX_ONLY "rows of receive buffers"
#define ROOM(first, second) .no_tx = RX_ONLY, .rx = first, .merged = second

static const struct layout layouts[] = {
    { "H43 buffer of one byte", { BYTES(BUF, 1) }, ROOM(BROKEN(RUNT_BUFFER), BROKEN(RUNT_BUFFER)) },
    { "H43 buffer of 11 bytes", { BYTES(BUF, 11) }, ROOM(BROKEN(RUNT_BUFFER), BROKEN(RUNT_BUFFER)) },
    { "H43 chain of 11 single bytes", { RUN(BUF, 1, 11) }, ROOM(BROKEN(RUNT_BUFFER), BROKEN(RUNT_BUFFER)) },
    { "H43 buffer of 12 bytes: room for a header", { BYTES(BUF, 12) }, ROOM(DROPPED(RX_NO_ROOM), DROPPED(RX_NO_ROOM)) },
    { "H43 header in single bytes", { RUN(BUF, 1, 12), BYTES(BUF + 12, 60) }, ROOM(WORKS, WORKS) },
    { "H43 header cut in two", { BYTES(BUF, 5), BYTES(BUF + 5, 67) }, ROOM(WORKS, WORKS) },
    { "H43 everything in single bytes", { RUN(BUF, 1, 72) }, .size = 128, ROOM(WORKS, WORKS) },
    { "H43 single bytes, as many as the ring has", { RUN(BUF, 1, 8192) }, .size = 8192, .alone = true, .frame = 8180,
      ROOM(WORKS, WORKS) },
    { "H43 single bytes, one too few", { RUN(BUF, 1, 8192) }, .size = 8192, .alone = true, .frame = 8181,
      ROOM(DROPPED(RX_NO_ROOM), DROPPED(RX_NO_ROOM)) },
    { "H43 second buffer of a frame is a runt", { BYTES(BUF, 11) }, .copies = 2, .shift = 64, .frames = 1,
      ROOM(BROKEN(RUNT_BUFFER), BROKEN(RUNT_BUFFER)) },

    { "H44 one byte too few", { BYTES(BUF, 71) }, ROOM(DROPPED(RX_NO_ROOM), DROPPED(RX_NO_ROOM)) },
    { "H44 exact room", { BYTES(BUF, 72) }, ROOM(WORKS, WORKS) },
    { "H44 two buffers for a frame", { BYTES(BUF, 40) }, .copies = 2, .shift = 64, .frames = 1,
      ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H44 two buffers, one byte too few", { BYTES(BUF, 36) }, .copies = 2, .shift = 64, .frames = 1, .frame = 61,
      ROOM(DROPPED(RX_NO_ROOM), DROPPED(RX_NO_ROOM)) },
    { "H44 six buffers for a long frame", { BYTES(BUF, 1524) }, .copies = 6, .shift = 2048, .frames = 1, .frame = 9000,
      ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H44 buffers of two pieces, two for a frame", { BYTES(BUF, 13), BYTES(BUF + 13, 30) }, .copies = 2, .shift = 64,
      .frames = 1, ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H44 sixty buffers for a frame", { BYTES(BUF, 100) }, .size = 128, .copies = 60, .shift = 128, .frames = 1,
      .frame = 5988, .alone = true, ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H44 a full burst of frames, two buffers each", { BYTES(BUF, 50) }, .size = 128, .copies = 62, .shift = 64,
      .frames = 31, ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H44 a full burst of frames", { BYTES(BUF, 1524) }, .size = 64, .copies = 31, .shift = 2048, .frame = 1500,
      ROOM(WORKS, WORKS) },
    { "H44 longer buffer than the frame needs", { BYTES(BUF, 65535) }, ROOM(WORKS, WORKS) },

    { "H47 the same buffer for each frame", { BYTES(BUF, 72) }, .copies = 6, ROOM(WORKS, WORKS) },
    { "H47 the same buffer three times for one frame", { BYTES(BUF, 30) }, .copies = 3, .frames = 1,
      ROOM(DROPPED(RX_NO_ROOM), WORKS) },
    { "H47 the same bytes three times in a chain", { SAME(BUF, 24, 3) }, ROOM(WORKS, WORKS) },
    { "H47 the descriptor table is the buffer", { BYTES(OWN_DESC(0), 72) }, .last = true, ROOM(WORKS, WORKS) },
    { "H47 the used ring is the buffer", { BYTES(OWN_USED(0), 100) }, .last = true, ROOM(WORKS, WORKS) },
    { "H47 the used ring is the buffer, from its entries on", { BYTES(OWN_USED(12), 120) }, .last = true, .copies = 2,
      ROOM(WORKS, WORKS) },
    { "H47 avail ring entries are the buffer", { BYTES(OWN_AVAIL(4), 32), BYTES(BUF, 40) }, .last = true,
      ROOM(WORKS, WORKS) },
};

const struct layout_set buffer_layouts = LAYOUT_SET(layouts);
