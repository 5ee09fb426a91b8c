/*
 * records.c - mutates inputs as what they are: rows of records (input.h).
 *
 * libFuzzer calls it in place of its own mutator. Steps are inserted, left out,
 * repeated, exchanged and taken over from other inputs as a whole; inside
 * a step libFuzzer's own mutations work, with its dictionary of compared values.
 */
#include "input.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t out_size, unsigned seed);

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static uint32_t below(uint32_t *state, size_t count)
{
    return next_random(state) % (uint32_t)count;
}

/* Pads the last record with zeros; returns the number of records. */
static size_t make_whole(uint8_t *data, size_t size)
{
    size_t count = (size + RECORD_SIZE - 1) / RECORD_SIZE;

    memset(data + size, 0, count * RECORD_SIZE - size);
    return count;
}

static void mutate_record(uint8_t *record)
{
    size_t size = LLVMFuzzerMutate(record, RECORD_SIZE, RECORD_SIZE);

    memset(record + size, 0, RECORD_SIZE - size);
}

/* A step out of nothing: mostly small numbers, since they are what choices are made of. */
static void make_record(uint8_t *record, uint32_t *state)
{
    for (unsigned i = 0; i < RECORD_SIZE; i++) {
        uint32_t random = next_random(state);

        record[i] = random & 0x300 ? (uint8_t)(random & 0xff) % 24 : (uint8_t)random;
    }
}

/* Room for a record at `at`. */
static uint8_t *open_gap(uint8_t *data, size_t count, size_t at)
{
    memmove(data + (at + 1) * RECORD_SIZE, data + at * RECORD_SIZE, (count - at) * RECORD_SIZE);
    return data + at * RECORD_SIZE;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t state = seed | 1;
    size_t room = max_size / RECORD_SIZE;
    uint8_t copy[RECORD_SIZE];

    if (room == 0)
        return size;
    if (size > room * RECORD_SIZE)
        size = room * RECORD_SIZE;
    size_t count = make_whole(data, size);
    size_t at = count ? below(&state, count) : 0;

    if (count == 0) {
        make_record(data, &state);
        return RECORD_SIZE;
    }
    switch (below(&state, 10)) {
    case 0:
    case 1:
        if (count < room)
            make_record(open_gap(data, count++, at + 1), &state);
        break;
    case 2: /* a step again, a little changed or not at all */
        if (count < room) {
            memcpy(copy, data + at * RECORD_SIZE, RECORD_SIZE);
            memcpy(open_gap(data, count, 1 + below(&state, count)), copy, RECORD_SIZE);
            count++;
        }
        break;
    case 3:
        if (count > 2) {
            memmove(data + at * RECORD_SIZE, data + (at + 1) * RECORD_SIZE, (count - at - 1) * RECORD_SIZE);
            count--;
        }
        break;
    case 4: {
        size_t to = below(&state, count);

        memcpy(copy, data + at * RECORD_SIZE, RECORD_SIZE);
        memcpy(data + at * RECORD_SIZE, data + to * RECORD_SIZE, RECORD_SIZE);
        memcpy(data + to * RECORD_SIZE, copy, RECORD_SIZE);
        break;
    }
    case 5: data[at * RECORD_SIZE + below(&state, RECORD_SIZE)] = (uint8_t)below(&state, 24); break;
    default: mutate_record(data + at * RECORD_SIZE); break;
    }
    return count * RECORD_SIZE;
}

/* The beginning of one, and behind it the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t out_size, unsigned seed)
{
    uint32_t state = seed | 1;
    size_t head = below(&state, one_size / RECORD_SIZE + 1) * RECORD_SIZE;
    size_t from = below(&state, other_size / RECORD_SIZE + 1) * RECORD_SIZE;
    size_t tail = other_size - from;

    if (head > out_size)
        head = out_size / RECORD_SIZE * RECORD_SIZE;
    if (tail > out_size - head)
        tail = out_size - head;
    memcpy(out, one, head);
    memcpy(out + head, other + from, tail);
    return head + tail;
}
