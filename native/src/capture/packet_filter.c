/*
 * packet_filter.c - see packet_filter.h. Pure; workers, while somebody captures with a filter.
 *
 * The check lets only those codes pass that run() knows, so that there is one list of them and nothing is
 * ever decoded in parts.
 */
#include "capture/packet_filter.h"

#include <string.h>

enum { MEMORY_WORDS = 16 };

/* Class, size and mode, operation and source: bpf(4). */
enum {
    LD = 0x00, LDX = 0x01, ST = 0x02, STX = 0x03, ALU = 0x04, JMP = 0x05, RET = 0x06, MISC = 0x07,
    W = 0x00, H = 0x08, B = 0x10,
    IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0,
    ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70, NEG = 0x80, MOD = 0x90, XOR = 0xa0,
    JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40,
    K = 0x00, X = 0x08, A = 0x10,
    TAX = 0x00, TXA = 0x80,
};

/* --- the check --- */

/* What `k` must be for the instruction; NULL: it is right. */
static const char *flaw_of(const struct filter_instruction *at, unsigned left)
{
    switch (at->code) {
    case LD | W | ABS: case LD | H | ABS: case LD | B | ABS: case LDX | B | MSH:
        return at->k > INT32_MAX ? "an offset below 2^31" : NULL;
    case LD | W | IND: case LD | H | IND: case LD | B | IND:
    case LD | W | LEN: case LD | IMM: case LDX | IMM: case LDX | W | LEN:
    case ALU | ADD | K: case ALU | ADD | X: case ALU | SUB | K: case ALU | SUB | X: case ALU | MUL | K: case ALU | MUL | X:
    case ALU | OR | K: case ALU | OR | X: case ALU | AND | K: case ALU | AND | X: case ALU | XOR | K: case ALU | XOR | X:
    case ALU | DIV | X: case ALU | MOD | X: case ALU | LSH | X: case ALU | RSH | X: case ALU | NEG:
    case MISC | TAX: case MISC | TXA: case RET | K: case RET | A:
        return NULL;
    case ALU | DIV | K: case ALU | MOD | K:
        return at->k == 0 ? "a divisor that is not 0" : NULL;
    case ALU | LSH | K: case ALU | RSH | K:
        return at->k > 31 ? "a shift by at most 31" : NULL;
    case LD | MEM: case LDX | MEM: case ST: case STX:
        return at->k >= MEMORY_WORDS ? "a word of memory from 0 to 15" : NULL;
    case JMP | JA:
        return at->k >= left ? "a jump within the program" : NULL;
    case JMP | JEQ | K: case JMP | JEQ | X: case JMP | JGT | K: case JMP | JGT | X: case JMP | JGE | K: case JMP | JGE | X:
    case JMP | JSET | K: case JMP | JSET | X:
        return at->jump_true >= left || at->jump_false >= left ? "a jump within the program" : NULL;
    default:
        return "an instruction of the classic packet filter";
    }
}

bool packet_filter_valid(const struct packet_filter *filter, const char **why, unsigned *at)
{
    *at = 0;
    *why = "1 to 512 instructions";
    if (filter->length == 0 || filter->length > FILTER_LENGTH_MAX)
        return false;
    for (*at = 0; *at < filter->length; (*at)++)
        if ((*why = flaw_of(&filter->program[*at], filter->length - *at - 1)) != NULL)
            return false;
    *at = filter->length - 1;
    *why = "a return at the end";
    return (filter->program[*at].code & 0x07) == RET;
}

/* --- the run --- */

/* Beyond the private head: bytes may lie over several segments, which may change meanwhile. */
static void gather(const struct frame *frame, uint64_t at, unsigned size, uint8_t *bytes)
{
    uint64_t start = frame->head_length;
    unsigned done = 0;

    for (; done < size && at + done < start; done++)
        bytes[done] = frame->head[at + done];
    for (uint32_t i = 0; i < frame->segment_count && done < size; i++) {
        const struct segment *segment = &frame->segments[i];

        for (; done < size && at + done < start + segment->length; done++)
            bytes[done] = *(const volatile uint8_t *)&segment->data[at + done - start];
        start += segment->length;
    }
}

/* A number of 1, 2 or 4 bytes. False: it is not all in the frame. */
static bool load(const struct frame *frame, uint64_t at, unsigned size, uint32_t *value)
{
    uint8_t bytes[4] = { 0 };
    const uint8_t *from = bytes;

    if (at + size > frame->length)
        return false;
    if (at + size <= frame->head_length)
        from = frame->head + at;
    else
        gather(frame, at, size, bytes);
    *value = 0;
    for (unsigned i = 0; i < size; i++)
        *value = *value << 8 | from[i];
    return true;
}

static uint32_t shift_left(uint32_t value, uint32_t by)
{
    return by < 32 ? value << by : 0;
}

static uint32_t shift_right(uint32_t value, uint32_t by)
{
    return by < 32 ? value >> by : 0;
}

bool packet_filter_keeps(const struct packet_filter *filter, const struct frame *frame)
{
    uint32_t a = 0, x = 0, memory[MEMORY_WORDS] = { 0 };

    for (const struct filter_instruction *at = filter->program;; at++) {
        uint32_t k = at->k;
        bool taken;

        switch (at->code) {
        case LD | W | ABS: if (!load(frame, k, 4, &a)) return false; continue;
        case LD | H | ABS: if (!load(frame, k, 2, &a)) return false; continue;
        case LD | B | ABS: if (!load(frame, k, 1, &a)) return false; continue;
        case LD | W | IND: if (!load(frame, (uint64_t)x + k, 4, &a)) return false; continue;
        case LD | H | IND: if (!load(frame, (uint64_t)x + k, 2, &a)) return false; continue;
        case LD | B | IND: if (!load(frame, (uint64_t)x + k, 1, &a)) return false; continue;
        case LDX | B | MSH:
            if (!load(frame, k, 1, &x))
                return false;
            x = (x & 0x0f) * 4;
            continue;
        case LD | W | LEN: a = frame->length; continue;
        case LDX | W | LEN: x = frame->length; continue;
        case LD | IMM: a = k; continue;
        case LDX | IMM: x = k; continue;
        case LD | MEM: a = memory[k]; continue;
        case LDX | MEM: x = memory[k]; continue;
        case ST: memory[k] = a; continue;
        case STX: memory[k] = x; continue;
        case ALU | ADD | K: a += k; continue;
        case ALU | ADD | X: a += x; continue;
        case ALU | SUB | K: a -= k; continue;
        case ALU | SUB | X: a -= x; continue;
        case ALU | MUL | K: a *= k; continue;
        case ALU | MUL | X: a *= x; continue;
        case ALU | DIV | K: a /= k; continue;
        case ALU | MOD | K: a %= k; continue;
        case ALU | DIV | X: if (x == 0) return false; a /= x; continue;
        case ALU | MOD | X: if (x == 0) return false; a %= x; continue;
        case ALU | OR | K: a |= k; continue;
        case ALU | OR | X: a |= x; continue;
        case ALU | AND | K: a &= k; continue;
        case ALU | AND | X: a &= x; continue;
        case ALU | XOR | K: a ^= k; continue;
        case ALU | XOR | X: a ^= x; continue;
        case ALU | LSH | K: a <<= k; continue;
        case ALU | RSH | K: a >>= k; continue;
        case ALU | LSH | X: a = shift_left(a, x); continue;
        case ALU | RSH | X: a = shift_right(a, x); continue;
        case ALU | NEG: a = -a; continue;
        case MISC | TAX: x = a; continue;
        case MISC | TXA: a = x; continue;
        case JMP | JA: at += k; continue;
        case JMP | JEQ | K: taken = a == k; break;
        case JMP | JEQ | X: taken = a == x; break;
        case JMP | JGT | K: taken = a > k; break;
        case JMP | JGT | X: taken = a > x; break;
        case JMP | JGE | K: taken = a >= k; break;
        case JMP | JGE | X: taken = a >= x; break;
        case JMP | JSET | K: taken = (a & k) != 0; break;
        case JMP | JSET | X: taken = (a & x) != 0; break;
        case RET | K: return k != 0;
        case RET | A: return a != 0;
        default: return false; /* the check lets nothing else pass */
        }
        at += taken ? at->jump_true : at->jump_false;
    }
}
