/*
 * fuzz_filter.c - programs for the packet filter of captures, from somebody who may talk to the control socket, on
 * frames of somebody who must not be trusted at all.
 *
 * The first record of an input chooses the frame's shape and whether Linux is asked, too. Each other record is one
 * more instruction, mostly of a code that is known, or a few more bytes of the frame.
 *
 * Checked: what is valid ends, reads nothing beyond the frame (each piece of which has its own allocation), and says the same
 * however the frame is cut into pieces; where the two filters mean the same, Linux accepts the same programs and says the same.
 */
#include "capture/packet_filter.h"
#include "filter_oracle.h"
#include "input.h"

#define FRAME_ROOM 2048u
#define PIECES 3u

static struct packet_filter filter;
static uint8_t bytes[FRAME_ROOM];
static uint32_t length;

static void add_instruction(struct input *in)
{
    static const uint16_t codes[] = {
        0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c,
        0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87, 0x20, 0x28,
        0x30, 0x40, 0x48, 0x50, 0x60, 0x61, 0x80, 0x81, 0xb1,
    };
    struct filter_instruction *to = &filter.program[filter.length++];
    unsigned code = input_byte(in), wide = input_byte(in);

    to->code = code < 250 ? codes[code % (sizeof codes / sizeof codes[0])] : (uint16_t)input_number(in, 2);
    to->k = (uint32_t)input_number(in, wide % 8 < 6 ? 1 : wide % 8 == 6 ? 2 : 4);
    to->jump_true = input_byte(in);
    to->jump_false = input_byte(in);
}

static void add_bytes(struct input *in)
{
    while (in->left > 0 && length < FRAME_ROOM)
        bytes[length++] = input_byte(in);
}

/* The frame with so much in its head, the rest in pieces, each of them exactly as long as it says. */
static bool keeps(uint32_t head, unsigned pieces)
{
    struct segment rest[PIECES];
    struct frame frame = { .length = length, .head_length = (uint16_t)(length < head ? length : head), .segments = rest };
    uint32_t at = frame.head_length;

    memcpy(frame.head, bytes, at);
    for (unsigned i = 0; i < pieces && at < length; i++) {
        uint32_t size = i + 1 == pieces ? length - at : (length - at) / 2;

        rest[i] = (struct segment){ malloc(size ? size : 1), size };
        memcpy(rest[i].data, bytes + at, size);
        frame.segment_count++;
        at += size;
    }
    bool keep = packet_filter_keeps(&filter, &frame);

    for (unsigned i = 0; i < frame.segment_count; i++)
        free(rest[i].data);
    return keep;
}

/* Whether the two filters may differ about it: see filter_oracle.h, and Linux's loads at negative offsets. */
static bool is_apart(void)
{
    for (unsigned i = 0; i < filter.length; i++) {
        uint16_t code = filter.program[i].code;

        if (code == 0x6c || code == 0x7c || (code & 0xe7) == 0x40 || code == 0x60 || code == 0x61 ||
            filter.program[i].k > INT32_MAX)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = { data, size }, in;
    const char *why;
    unsigned at;

    filter.length = 0;
    length = 0;
    if (!input_record(&all, &in))
        return 0;
    bool ask_linux = input_byte(&in) % 64 == 1;
    uint32_t head = 1 + input_choice(&in, FRAME_HEAD_MAX + VLAN_TAG_SIZE);
    unsigned pieces = 1 + input_choice(&in, PIECES);

    while (input_record(&all, &in)) {
        if (input_seldom(&in, 4))
            add_bytes(&in);
        else if (filter.length < FILTER_LENGTH_MAX)
            add_instruction(&in);
    }
    bool valid = packet_filter_valid(&filter, &why, &at), keep = false;

    FUZZ_CHECK(valid || (why != NULL && (at < filter.length || filter.length == 0)), "no reason");
    if (valid && length > 0) {
        keep = keeps(head, pieces);
        FUZZ_CHECK(keep == keeps(FRAME_HEAD_MAX, 1), "kept %d, and in other pieces not so", keep);
    }
    if (!ask_linux || length == 0 || filter.length == 0 || is_apart())
        return 0;
    enum oracle_verdict verdict = filter_oracle(&filter, bytes, length);

    FUZZ_CHECK(valid == (verdict != ORACLE_REFUSES), "valid %d, Linux %d", valid, verdict);
    FUZZ_CHECK(!valid || keep == (verdict == ORACLE_KEEPS), "kept %d, Linux %d", keep, verdict);
    return 0;
}
