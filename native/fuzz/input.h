/*
 * input.h - the fuzzer's bytes as records of choices; zeros when a record is used up.
 *
 * An input is a row of records of RECORD_SIZE bytes: the first sets the scene, each
 * other one is one step (a message, a move of the guest, a request). So every
 * input means something, and what is changed, inserted or left out in one step
 * leaves the meaning of the others alone; records.c mutates along the same lines.
 */
#ifndef VHOSTKIT_FUZZ_INPUT_H
#define VHOSTKIT_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_SIZE 16u

struct input {
    const uint8_t *at;  /* next byte */
    size_t left;        /* bytes */
};

/* Takes the next record off `whole`. False: there is none. */
static inline bool input_record(struct input *whole, struct input *record)
{
    size_t size = whole->left < RECORD_SIZE ? whole->left : RECORD_SIZE;

    *record = (struct input){ whole->at, size };
    whole->at += size;
    whole->left -= size;
    return size > 0;
}

static inline uint8_t input_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static inline uint64_t input_number(struct input *input, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | input_byte(input);
    return value;
}

/* One of `count`. */
static inline unsigned input_choice(struct input *input, unsigned count)
{
    return input_byte(input) % count;
}

/* True for one byte in `out_of`, and never for the zeros behind a record's end. */
static inline bool input_seldom(struct input *input, unsigned out_of)
{
    return input_byte(input) % out_of == out_of - 1;
}

/* A rule was broken: the fuzzer keeps the input and stops. */
#define FUZZ_CHECK(condition, ...)                     \
    do {                                               \
        if (!(condition)) {                            \
            fprintf(stderr, "broken: " __VA_ARGS__);   \
            fprintf(stderr, "\n");                     \
            abort();                                   \
        }                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
