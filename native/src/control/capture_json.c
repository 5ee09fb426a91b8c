/*
 * capture_json.c - see capture_json.h. Pure; control thread only.
 */
#include "control/capture_json.h"

#include <string.h>

static bool refuse_option(struct refusal *refusal, const char *wanted, json_int_t found)
{
    refuse(refusal, "value-invalid", "%s", wanted);
    refusal_found(refusal, "%" JSON_INTEGER_FORMAT, found);
    refusal_hint(refusal, "give another one, or leave it out");
    return false;
}

/* 0 when it is left out. */
static bool take_number(const json_t *params, const char *key, json_int_t least, json_int_t most, const char *wanted,
                        uint64_t *to, struct refusal *refusal)
{
    const json_t *value = json_object_get(params, key);
    json_int_t number = json_integer_value(value);

    *to = (uint64_t)number;
    return value == NULL || (number >= least && number <= most) || refuse_option(refusal, wanted, number);
}

/* [code, jt, jf, k], as a line of `tcpdump -ddd`. */
static bool take_instruction(const json_t *row, struct filter_instruction *to)
{
    static const json_int_t most[] = { UINT16_MAX, UINT8_MAX, UINT8_MAX, UINT32_MAX };
    json_int_t number[4];

    for (size_t i = 0; i < 4; i++) {
        const json_t *value = json_array_get(row, i);

        number[i] = json_integer_value(value);
        if (!json_is_integer(value) || number[i] < 0 || number[i] > most[i])
            return false;
    }
    *to = (struct filter_instruction){ (uint16_t)number[0], (uint8_t)number[1], (uint8_t)number[2], (uint32_t)number[3] };
    return json_array_size(row) == 4;
}

static bool refuse_filter(struct refusal *refusal, const char *wanted, unsigned at)
{
    refuse(refusal, "value-invalid", "filter: %s", wanted);
    refusal_found(refusal, "something else as instruction %u", at);
    refusal_hint(refusal, "give what tcpdump -ddd prints for Ethernet, without the line that counts");
    return false;
}

static bool take_filter(const json_t *rows, struct packet_filter *filter, struct refusal *refusal)
{
    const char *why;
    unsigned at;

    if (rows == NULL)
        return true;
    if (json_array_size(rows) > FILTER_LENGTH_MAX)
        return refuse_option(refusal, "filter: 1 to 512 instructions", (json_int_t)json_array_size(rows));
    filter->length = (unsigned)json_array_size(rows);
    for (at = 0; at < filter->length; at++)
        if (!take_instruction(json_array_get(rows, at), &filter->program[at]))
            return refuse_filter(refusal, "instructions of four numbers: code, jt, jf, k", at);
    return packet_filter_valid(filter, &why, &at) || refuse_filter(refusal, why, at);
}

bool capture_options_from_json(const json_t *params, struct capture_options *options, struct refusal *refusal)
{
    uint64_t snaplen;

    memset(options, 0, sizeof *options);
    if (!take_number(params, "snaplen", MIRROR_SNAPLEN_MIN, MIRROR_SNAPLEN_MAX, "snaplen: 64 to 65535", &snaplen, refusal) ||
        !take_number(params, "count", 1, INT64_MAX, "count: 1 or more", &options->count, refusal))
        return false;
    options->snaplen = (uint32_t)snaplen;
    return take_filter(json_object_get(params, "filter"), &options->filter, refusal);
}
