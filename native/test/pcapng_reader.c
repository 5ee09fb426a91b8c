/*
 * pcapng_reader.c - see the header.
 */
#include "pcapng_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t word(const struct pcapng_file *file, uint32_t at)
{
    uint32_t value;

    memcpy(&value, file->bytes + at, 4);
    return value;
}

static uint32_t half(const struct pcapng_file *file, uint32_t at)
{
    uint16_t value;

    memcpy(&value, file->bytes + at, 2);
    return value;
}

/* Size of the block at file->at, 0 when there is no whole one of that type. */
static uint32_t block_size(const struct pcapng_file *file, uint32_t type)
{
    uint32_t left = file->size - file->at;

    if (left < 12 || word(file, file->at) != type)
        return 0;
    uint32_t size = word(file, file->at + 4);

    return size >= 12 && size % 4 == 0 && size <= left && word(file, file->at + size - 4) == size ? size : 0;
}

/* Offset of an option's value among those from `at` to `end`, and its length; 0: it is not there. */
static uint32_t option(const struct pcapng_file *file, uint32_t at, uint32_t end, uint32_t code, uint32_t *length)
{
    while (at + 4 <= end && half(file, at) != 0) {
        *length = half(file, at + 2);
        if (half(file, at) == code)
            return at + 4 + *length <= end ? at + 4 : 0;
        at += 4 + (*length + 3) / 4 * 4;
    }
    return 0;
}

static bool read_bytes(struct pcapng_file *file, const char *path)
{
    FILE *stream = fopen(path, "rb");

    if (stream == NULL)
        return false;
    fseek(stream, 0, SEEK_END);
    file->size = (uint32_t)ftell(stream);
    rewind(stream);
    file->bytes = malloc(file->size + 1);
    bool good = file->bytes != NULL && fread(file->bytes, 1, file->size, stream) == file->size;

    fclose(stream);
    return good;
}

static bool read_section(struct pcapng_file *file)
{
    uint32_t size = block_size(file, 0x0a0d0d0a);

    if (size < 28 || word(file, 8) != 0x1a2b3c4d || half(file, 12) != 1 || half(file, 14) != 0)
        return false;
    file->at = size;
    return true;
}

static bool read_interface(struct pcapng_file *file)
{
    uint32_t size = block_size(file, 1), at = file->at, end = at + size - 4, length = 0;

    if (size < 20 || half(file, at + 8) != 1)
        return false;
    file->snaplen = word(file, at + 12);
    uint32_t resolution = option(file, at + 16, end, 9, &length);

    if (resolution == 0 || length != 1 || file->bytes[resolution] != 9)
        return false;
    uint32_t name = option(file, at + 16, end, 2, &length);

    if (name == 0 || length >= sizeof file->interface)
        return false;
    memcpy(file->interface, file->bytes + name, length);
    file->at = at + size;
    return true;
}

bool pcapng_open(struct pcapng_file *file, const char *folder, const char *name)
{
    char path[256];

    memset(file, 0, sizeof *file);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (read_bytes(file, path) && read_section(file) && read_interface(file))
        return true;
    pcapng_close(file);
    return false;
}

void pcapng_close(struct pcapng_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

static bool read_number(const struct pcapng_file *file, uint32_t at, uint32_t end, uint32_t code, uint64_t *number)
{
    uint32_t length = 0, value = option(file, at, end, code, &length);

    if (value == 0 || length != 8)
        return false;
    memcpy(number, file->bytes + value, 8);
    return true;
}

static bool read_statistics(struct pcapng_file *file)
{
    uint32_t size = block_size(file, 5), at = file->at;

    if (size < 24 || word(file, at + 8) != 0 || !read_number(file, at + 20, at + size - 4, 4, &file->received) ||
        !read_number(file, at + 20, at + size - 4, 5, &file->dropped))
        return false;
    file->at += size;
    return file->counted = true;
}

int pcapng_next(struct pcapng_file *file, struct pcapng_frame *frame)
{
    if (block_size(file, 5) > 0 && !read_statistics(file))
        return -1;
    uint32_t at = file->at, length = 0;

    if (at == file->size)
        return 0;
    uint32_t size = block_size(file, 6);

    if (size < 32 || word(file, at + 8) != 0 || word(file, at + 20) > size - 32)
        return -1;
    frame->time_ns = (uint64_t)word(file, at + 12) << 32 | word(file, at + 16);
    frame->captured = word(file, at + 20);
    frame->length = word(file, at + 24);
    frame->data = file->bytes + at + 28;
    uint32_t flags = option(file, at + 28 + (frame->captured + 3) / 4 * 4, at + size - 4, 2, &length);

    frame->direction = flags != 0 && length == 4 ? word(file, flags) & 3 : 0;
    file->at = at + size;
    return frame->captured <= frame->length ? 1 : -1;
}
