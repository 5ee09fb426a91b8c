/*
 * input.h - the fuzzer's bytes as a stream of choices; zeros when they are used up.
 */
#ifndef VHOSTKIT_FUZZ_INPUT_H
#define VHOSTKIT_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const uint8_t *at;  /* next byte */
    size_t left;        /* bytes */
};

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
