/*
 * packet_filter_test.c - programs as tcpdump compiles them on frames of all shapes; random programs, judged by
 * Linux's own filter; and programs that must not run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../filter_oracle.h"
#include "capture/packet_filter.h"
#include "tcp_packet.h"

static struct packet_filter filter;
static uint64_t random_state = 7;
static uint8_t bytes[2000];

static struct frame frame_of(uint32_t length, uint32_t head, struct segment rest[3])
{
    struct frame frame = { .length = length, .head_length = (uint16_t)(length < head ? length : head), .segments = rest };
    uint32_t at = frame.head_length;

    memcpy(frame.head, bytes, at);
    for (unsigned i = 0; i < 3 && at < length; i++) {
        uint32_t size = i == 2 || length - at < 3 ? length - at : 1 + (uint32_t)random_next(&random_state) % (length - at);

        rest[frame.segment_count++] = (struct segment){ bytes + at, size };
        at += size;
    }
    return frame;
}

static bool keeps(uint32_t length, uint32_t head)
{
    struct segment rest[3];
    struct frame frame = frame_of(length, head, rest);

    return packet_filter_keeps(&filter, &frame);
}

static void program(const struct filter_instruction *from, unsigned length)
{
    const char *why;
    unsigned at;

    memcpy(filter.program, from, length * sizeof *from);
    filter.length = length;
    if (!packet_filter_valid(&filter, &why, &at))
        fail_msg("instruction %u: wanted %s", at, why);
}

/* tcpdump -y EN10MB -ddd 'tcp port 80', of 4.99.3. */
static const struct filter_instruction tcp_port_80[] = {
    { 40, 0, 0, 12 }, { 21, 0, 6, 34525 }, { 48, 0, 0, 20 }, { 21, 0, 15, 6 }, { 40, 0, 0, 54 }, { 21, 12, 0, 80 },
    { 40, 0, 0, 56 }, { 21, 10, 11, 80 }, { 21, 0, 10, 2048 }, { 48, 0, 0, 23 }, { 21, 0, 8, 6 }, { 40, 0, 0, 20 },
    { 69, 6, 0, 8191 }, { 177, 0, 0, 14 }, { 72, 0, 0, 14 }, { 21, 2, 0, 80 }, { 72, 0, 0, 16 }, { 21, 0, 1, 80 },
    { 6, 0, 0, 262144 }, { 6, 0, 0, 0 },
};

/* TCP over IPv4 with a header of `ip_words` words, from port 4000 to `port`. */
static void make_tcp(unsigned ip_words, uint16_t port)
{
    memset(bytes, 0, sizeof bytes);
    frame_store_be16(bytes + 12, 0x0800);
    bytes[14] = (uint8_t)(0x40 | ip_words);
    bytes[23] = 6;
    frame_store_be16(bytes + 14 + 4 * ip_words, 4000);
    frame_store_be16(bytes + 16 + 4 * ip_words, port);
}

static void what_tcpdump_compiles(void **state)
{
    (void)state;
    program(tcp_port_80, sizeof tcp_port_80 / sizeof tcp_port_80[0]);
    for (unsigned words = 5; words <= 15; words++)
        for (unsigned head = 14; head <= FRAME_HEAD_MAX; head++) { /* ports in the head, behind it, and across */
            make_tcp(words, 80);
            assert_true(keeps(200, head));
            assert_false(keeps(14 + 4 * words + 3, head)); /* ends within the port */
            make_tcp(words, 81);
            assert_false(keeps(200, head));
        }
    make_tcp(5, 80);
    bytes[23] = 17; /* UDP */
    assert_false(keeps(200, 128));
    make_tcp(5, 80);
    bytes[21] = 1; /* a fragment that is not the first */
    assert_false(keeps(200, 128));
}

/* Codes that every program below draws from; 0xffff and 0x07ff are none. */
static const uint16_t codes[] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x74, 0x84, 0x94, 0x9c,
    0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50,
    0x60, 0x61, 0x80, 0x81, 0xb1, 0xffff, 0x07ff,
};

static struct filter_instruction random_instruction(unsigned left)
{
    uint16_t code = codes[random_next(&random_state) % (sizeof codes / sizeof codes[0])];
    uint64_t random = random_next(&random_state);
    bool jump = (code & 7) == 5, memory = code == 0x60 || code == 0x61 || code == 0x02 || code == 0x03;
    uint32_t k = random % 4 == 0 ? (uint32_t)random_next(&random_state) : (uint32_t)random_next(&random_state) % 300;

    if (code >= 0x7ff && random % 16 != 0) /* most programs are right */
        code = 0x30;
    if (memory || code == 0x64 || code == 0x74)
        k %= random % 32 == 0 ? 40 : 16;
    if ((code & 0xe7) == 0x20 || (code & 0xe7) == 0x40 || code == 0xb1)
        k %= 260;
    if (jump && code != 0x05 && random % 2 == 0) /* on the border, with the small bytes of some frames */
        k %= 4;
    if (jump && code == 0x05)
        k %= left + (random % 32 == 0);
    return (struct filter_instruction){ code, jump ? (uint8_t)((random >> 8) % (left < 250 ? left + (random % 64 == 1) : 250)) : 0,
                                        jump ? (uint8_t)((random >> 16) % (left < 250 ? left + (random % 64 == 2) : 250)) : 0, k };
}

static bool is_indirect(unsigned at)
{
    return (filter.program[at].code & 0xe7) == 0x40;
}

/* Nothing jumps between an indirect load and what makes its X small. */
static void mend_jumps(void)
{
    for (unsigned i = 0; i + 1 < filter.length; i++) {
        struct filter_instruction *at = &filter.program[i];

        if (at->code == 0x05 && i + 1 + at->k < filter.length && is_indirect(i + 1 + at->k))
            at->k--;
        if ((at->code & 7) != 5 || at->code == 0x05)
            continue;
        if (i + 1 + at->jump_true < filter.length && is_indirect(i + 1 + at->jump_true))
            at->jump_true--;
        if (i + 1 + at->jump_false < filter.length && is_indirect(i + 1 + at->jump_false))
            at->jump_false--;
    }
}

/* X is small where it is an offset, so that sums are as Linux's; all memory is set before it is read. */
static void random_program(void)
{
    unsigned length = 0, body = 1 + (unsigned)random_next(&random_state) % 40;

    for (unsigned i = 0; i < 16; i++)
        filter.program[length++] = (struct filter_instruction){ 0x02, 0, 0, i };
    for (unsigned i = 0; i < body; i++) {
        filter.program[length] = random_instruction(body - i);
        if (is_indirect(length)) {
            filter.program[length + 1] = filter.program[length];
            filter.program[length++] = (struct filter_instruction){ 0xb1, 0, 0, (uint32_t)i }; /* X = 4 * (byte & 15) */
        }
        length++;
    }
    filter.program[length++] = (struct filter_instruction){ 0x16, 0, 0, 0 };
    filter.length = length;
    mend_jumps();
}

static void random_programs_agree_with_linux(void **state)
{
    unsigned ran = 0, refused = 0, kept = 0;

    (void)state;
    for (unsigned i = 0; i < 8000; i++) {
        const char *why;
        unsigned at;
        uint32_t length = 14 + (uint32_t)random_next(&random_state) % 300;

        random_program();
        for (unsigned j = 0; j < length; j++)
            bytes[j] = (uint8_t)random_next(&random_state) & (i % 2 ? 3 : 255);
        bool valid = packet_filter_valid(&filter, &why, &at);
        enum oracle_verdict verdict = filter_oracle(&filter, bytes, length);

        assert_int_equal(valid, verdict != ORACLE_REFUSES);
        refused += !valid;
        if (!valid)
            continue;
        bool keep = keeps(length, 1 + (uint32_t)random_next(&random_state) % FRAME_HEAD_MAX);

        if (keep != (verdict == ORACLE_KEEPS))
            fail_msg("program %u: kept %d, Linux %d", i, keep, verdict == ORACLE_KEEPS);
        ran++;
        kept += keep;
    }
    print_message("%u ran, %u of their frames were kept; %u refused\n", ran, kept, refused);
    assert_true(ran > 3000 && refused > 50 && kept > ran / 10 && kept < ran - ran / 10);
}

static void refuse_program(const char *wanted, unsigned where, const struct filter_instruction *from, unsigned length)
{
    const char *why;
    unsigned at;

    memcpy(filter.program, from, length * sizeof *from);
    filter.length = length;
    assert_false(packet_filter_valid(&filter, &why, &at));
    assert_string_equal(why, wanted);
    assert_int_equal(at, where);
}

static void what_must_not_run(void **state)
{
    static const struct {
        struct filter_instruction one;
        const char *wanted;
    } rows[] = {
        { { 0x05, 0, 0, 1 }, "a jump within the program" },          /* one too far */
        { { 0x05, 0, 0, UINT32_MAX }, "a jump within the program" }, /* backwards, if it were added */
        { { 0x15, 1, 0, 0 }, "a jump within the program" }, { { 0x15, 0, 255, 0 }, "a jump within the program" },
        { { 0x60, 0, 0, 16 }, "a word of memory from 0 to 15" }, { { 0x02, 0, 0, UINT32_MAX }, "a word of memory from 0 to 15" },
        { { 0x34, 0, 0, 0 }, "a divisor that is not 0" }, { { 0x94, 0, 0, 0 }, "a divisor that is not 0" },
        { { 0x64, 0, 0, 32 }, "a shift by at most 31" }, { { 0x28, 0, 0, 0xfffff000u }, "an offset below 2^31" },
        { { 0x81 | 0x18, 0, 0, 0 }, "an instruction of the classic packet filter" },
        { { 0xffff, 0, 0, 0 }, "an instruction of the classic packet filter" },
        { { 0x106, 0, 0, 0 }, "an instruction of the classic packet filter" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse_program(rows[i].wanted, 0, (struct filter_instruction[]){ rows[i].one, { 6, 0, 0, 1 } }, 2);
    refuse_program("a return at the end", 1, (struct filter_instruction[]){ { 6, 0, 0, 1 }, { 0x07, 0, 0, 0 } }, 2);
    refuse_program("1 to 512 instructions", 0, tcp_port_80, 0);
    filter.length = FILTER_LENGTH_MAX + 1;
    const char *why;
    unsigned at;

    assert_false(packet_filter_valid(&filter, &why, &at));
}

/* The longest program there is, on the shortest frame, and divisions by what a frame says. */
static void what_only_a_frame_tells(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof bytes);
    for (unsigned i = 0; i < FILTER_LENGTH_MAX - 1; i++)
        filter.program[i] = (struct filter_instruction){ 0x04, 0, 0, 1 };
    filter.program[FILTER_LENGTH_MAX - 1] = (struct filter_instruction){ 0x16, 0, 0, 0 };
    filter.length = FILTER_LENGTH_MAX;
    assert_true(keeps(14, 14));
    program((struct filter_instruction[]){ { 0x30, 0, 0, 0 }, { 0x07, 0, 0, 0 }, { 0x3c, 0, 0, 0 }, { 6, 0, 0, 1 } }, 4);
    assert_false(keeps(14, 14)); /* by 0 */
    bytes[0] = 1;
    assert_true(keeps(14, 14));
    program((struct filter_instruction[]){ { 0x01, 0, 0, UINT32_MAX }, { 0x50, 0, 0, 5 }, { 6, 0, 0, 1 } }, 3);
    assert_false(keeps(1500, 128)); /* the sum does not wrap to byte 4 */
    program((struct filter_instruction[]){ { 0x00, 0, 0, 1 }, { 0x01, 0, 0, 40 }, { 0x6c, 0, 0, 0 }, { 0x16, 0, 0, 0 } }, 4);
    assert_false(keeps(14, 14)); /* shifted out */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_tcpdump_compiles),
        cmocka_unit_test(random_programs_agree_with_linux),
        cmocka_unit_test(what_must_not_run),
        cmocka_unit_test(what_only_a_frame_tells),
    };
    return cmocka_run_group_tests_name("packet filter", tests, NULL, NULL);
}
