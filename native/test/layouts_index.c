/*
 * layouts_index.c - rows H1 to H7 and H48: indexes, heads, the used ring and wishes
 * for notifications.
 */
#include "layout.h"

#define PLAIN { BYTES(BUF, 72) }

static const struct layout layouts[] = {
    { "H1 avail idx one more than a ring ahead", PLAIN, .jump = 15, ALL_BROKEN(AVAIL_INDEX) },
    { "H1 avail idx half a circle ahead", PLAIN, .jump = 32768, ALL_BROKEN(AVAIL_INDEX) },
    { "H1 avail idx jumps over the wrap", PLAIN, .start = 65530, .jump = 100, ALL_BROKEN(AVAIL_INDEX) },
    { "H2 avail idx goes back by one", PLAIN, .jump = 65533, ALL_BROKEN(AVAIL_INDEX) },
    { "H2 avail idx goes back by a ring", PLAIN, .start = 7, .jump = 65518, ALL_BROKEN(AVAIL_INDEX) },
    { "H1 avail idx exactly a ring ahead", PLAIN, .copies = 16, .shift = 256, .alone = true, ALL_WORK },
    { "H1 a full ring and one more", PLAIN, .copies = 16, .shift = 256, .alone = true, .jump = 1, ALL_BROKEN(AVAIL_INDEX) },
    { "H3 slots begin anew in the middle of a burst", PLAIN, .start = 13, .copies = 10, .shift = 256, ALL_WORK },
    { "H3 idx wraps in a ring of 8192", PLAIN, .start = 65534, .size = 8192, .copies = 4, .shift = 256, ALL_WORK },
    { "H3 idx wraps in a ring of one", PLAIN, .start = 65535, .size = 1, .alone = true, ALL_WORK },
    { "H3 idx wraps from 65535 to 0 with a full ring", PLAIN, .start = 65528, .copies = 16, .shift = 256,
      .alone = true, ALL_WORK },
    { "H3 idx wraps between two chains", PLAIN, .start = 65535, .copies = 4, .shift = 256, ALL_WORK },
    { "H4 head one past the ring", PLAIN, .head = PAST(0), ALL_BROKEN(HEAD) },
    { "H4 head 32768", PLAIN, .head = NUMBER(32768), ALL_BROKEN(HEAD) },
    { "H4 head 65535", PLAIN, .head = NUMBER(65535), ALL_BROKEN(HEAD) },
    { "H4 head one past a ring of one", PLAIN, .head = PAST(0), .size = 1, .alone = true, ALL_BROKEN(HEAD) },
    { "H5 same head fourteen times in one batch", PLAIN, .copies = 14, .same_head = true, .revisits = true,
      ALL_WORK },
    { "H6 avail ring rewritten behind the first load", PLAIN, .copies = 8, .shift = 128, ALL_WORK },
    { "H7 used ring and idx overwritten while it runs", PLAIN, .scribble = true, ALL_WORK },
    { "H7 used idx 40000 at a restart", PLAIN, .start = 40000, ALL_WORK },
    { "H48 no call wanted, used_event far behind", PLAIN, .copies = 3, .shift = 128, .wish = 0xfff1, ALL_WORK },
    { "H48 used_event just ahead", PLAIN, .copies = 3, .shift = 128, .wish = 4, ALL_WORK },
    { "H48 used_event across the wrap", PLAIN, .start = 65533, .copies = 4, .shift = 128, .wish = 65535, ALL_WORK },
    { "H48 no call wanted, used_event just behind", PLAIN, .copies = 3, .shift = 128, .wish = 1, ALL_WORK },
    { "H48 used_event is half a circle away", PLAIN, .copies = 3, .shift = 128, .wish = 32768, ALL_WORK },
    { "H48 flags of the avail ring that mean nothing", PLAIN, .wish = 0xfffe, ALL_WORK },
};

const struct layout_set index_layouts = LAYOUT_SET(layouts);
