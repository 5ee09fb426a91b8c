/*
 * layout_place.c - see the header. Everything here is done as the guest, before
 * the device looks.
 */
#include "layout_place.h"

#include <stdio.h>
#include <string.h>

#include "packet.h"

/* One descriptor of a layout, before it has a place. */
struct flat {
    uint64_t at;
    uint32_t length;
    uint16_t flags; /* without NEXT and INDIRECT of its own accord */
    uint32_t next;  /* NUMBER, PAST or 0 */
    uint16_t clear;
};

static struct flat flat[PLACED_RANGES_MAX];

const char *layout_left_out(const struct layout_case *which)
{
    const struct layout *layout = which->layout;

    if (which->indirect ? layout->no_indirect != NULL : layout->no_direct != NULL)
        return which->indirect ? layout->no_indirect : layout->no_direct;
    return which->receives ? layout->no_rx : layout->no_tx;
}

void layout_case_name(const struct layout_case *which, char *name, size_t size)
{
    snprintf(name, size, "%s: %s, %s, %s%s", which->layout->name, which->indirect ? "indirect" : "direct",
             which->receives ? "RX" : "TX", which->event_idx ? "event index" : "flags",
             which->mergeable ? ", mergeable" : "");
}

/* OWN_ addresses become those of the areas; buffers move on from copy to copy. */
static uint64_t resolve(const struct placed *placed, uint64_t at, uint16_t copy)
{
    const struct layout *layout = placed->which->layout;
    uint64_t areas[] = { 0, placed->desc, placed->avail, placed->used };

    if (at >> 56 == OWN_BIT >> 56)
        return areas[at >> 48 & 3] + (at & 0xffffffff);
    return at + (uint64_t)copy * layout->shift;
}

static unsigned flatten(const struct placed *placed, uint16_t copy)
{
    const struct layout *layout = placed->which->layout;
    unsigned count = 0;

    for (unsigned p = 0; p < LAYOUT_PIECES && (p == 0 || layout->pieces[p].at != 0 || layout->pieces[p].length != 0 ||
                                               layout->pieces[p].times != 0 || layout->pieces[p].set != 0);
         p++) {
        const struct piece *piece = &layout->pieces[p];

        for (unsigned i = 0; i < (piece->times ? piece->times : 1) && count < PLACED_RANGES_MAX; i++)
            flat[count++] = (struct flat){
                .at = resolve(placed, piece->at + (uint64_t)i * piece->step, copy), .length = piece->length,
                .flags = piece->set, .next = piece->next, .clear = piece->clear,
            };
    }
    return count;
}

unsigned placed_ranges(const struct placed *placed, uint16_t copy, struct guest_ram_range *ranges)
{
    unsigned count, kept = 0;

    if (copy == GOOD_COPY) {
        ranges[0] = (struct guest_ram_range){ GOOD_BUF, GOOD_BYTES };
        return 1;
    }
    count = flatten(placed, copy);
    for (unsigned i = 0; i < count; i++)
        if (flat[i].length > 0 && !(flat[i].flags & VRING_DESC_F_INDIRECT))
            ranges[kept++] = (struct guest_ram_range){ flat[i].at, flat[i].length };
    return kept;
}

uint64_t placed_bytes(const struct placed *placed, uint16_t copy)
{
    static struct guest_ram_range ranges[PLACED_RANGES_MAX];
    unsigned count = placed_ranges(placed, copy, ranges);
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += ranges[i].length;
    return bytes;
}

/* --- what is sent --- */

static void fill_stream(const struct placed *placed, uint8_t *stream, uint32_t bytes, uint16_t copy)
{
    const struct layout *layout = placed->which->layout;
    uint8_t *frame = stream + placed->header_size, to[6], from[6];
    struct net_header net = { 0 };

    for (uint32_t i = 0; i < bytes; i++)
        stream[i] = i < placed->header_size ? 0 : (uint8_t)(i * 31 + (i >> 8) * 7 + copy);
    if (copy == GOOD_COPY)
        return;
    if (layout->content != CONTENT_PATTERN) {
        bool ipv6 = layout->content == CONTENT_TCP6;

        packet_mac(to, 1);
        packet_mac(from, 2);
        packet_tcp(frame, to, from, ipv6, bytes - placed->header_size - (ipv6 ? PACKET_TCP6 : PACKET_TCP4),
                   layout->gso_size, &net);
        memcpy(stream, &net, placed->header_size);
    }
    for (unsigned i = 0; i < LAYOUT_PATCHES; i++)
        if (layout->patches[i].at != 0 || layout->patches[i].byte != 0)
            stream[layout->patches[i].at] = layout->patches[i].byte;
}

static void write_content(const struct placed *placed, uint16_t copy)
{
    static struct guest_ram_range ranges[PLACED_RANGES_MAX];
    static uint8_t stream[70000];
    uint64_t bytes = placed_bytes(placed, copy);
    unsigned count = placed_ranges(placed, copy, ranges);
    uint32_t total = bytes < sizeof stream ? (uint32_t)bytes : (uint32_t)sizeof stream, at = 0;

    fill_stream(placed, stream, total, copy);
    for (unsigned i = 0; i < count && at < total; i++) {
        uint32_t part = ranges[i].length < total - at ? (uint32_t)ranges[i].length : total - at;

        guest_put(ranges[i].guest, stream + at, part);
        at += part;
    }
}

/* --- descriptors --- */

static void write_descriptor(uint64_t table, uint32_t index, struct vring_desc desc)
{
    guest_put(table + 16ull * index, &desc, sizeof desc);
}

/* Where descriptor `i` of `count` stands behind the first. */
static uint32_t place_of(const struct placed *placed, unsigned i, unsigned count)
{
    return placed->which->layout->backwards && i > 0 ? count - i : i;
}

/* Descriptors [from, to) of the flat list as a table; the first gets index `base`, the table has `entries`. */
static void write_part(const struct placed *placed, uint64_t table, uint32_t base, uint32_t entries, unsigned from,
                       unsigned to, bool ends)
{
    for (unsigned i = from; i < to; i++) {
        const struct flat *f = &flat[i];
        uint32_t at = base + place_of(placed, i - from, to - from);
        bool more = i + 1 < to || !ends || f->next != 0;
        uint16_t flags = (uint16_t)(f->flags | (more ? VRING_DESC_F_NEXT : 0) |
                                    (placed->which->receives ? VRING_DESC_F_WRITE : 0));
        uint32_t next = f->next >= PAST(0) ? entries + (f->next - PAST(0))
                        : f->next != 0     ? base + (f->next - NUMBER(0))
                                           : base + place_of(placed, i - from + 1, to - from);

        if (f->flags & VRING_DESC_F_WRITE) /* the wrong direction */
            flags ^= placed->which->receives ? VRING_DESC_F_WRITE : 0;
        write_descriptor(table, at, (struct vring_desc){ f->at, f->length, flags & (uint16_t)~f->clear, (uint16_t)next });
    }
}

static uint16_t write_chain(const struct placed *placed, uint16_t copy)
{
    const struct layout *layout = placed->which->layout;
    unsigned count = flatten(placed, copy), direct = layout->direct;
    uint64_t table = resolve(placed, layout->table_at ? layout->table_at : TABLE, 0) + copy * TABLE_STEP;
    uint32_t entries = count - direct, base = copy * (direct + 1u);

    if (!placed->which->indirect) {
        write_part(placed, placed->desc, copy * count, placed->size, 0, count, true);
        return (uint16_t)(copy * count);
    }
    write_part(placed, placed->desc, base, placed->size, 0, direct, false);
    write_part(placed, table, 0, entries, direct, count, true);
    write_descriptor(placed->desc, base + direct,
                     (struct vring_desc){
                         .addr = table,
                         .len = layout->table_bytes ? NUMBER_BYTES(layout->table_bytes) : 16 * entries,
                         .flags = VRING_DESC_F_INDIRECT | layout->table_set,
                     });
    return (uint16_t)base;
}

static uint16_t head_of(const struct placed *placed, uint16_t copy)
{
    const struct layout *layout = placed->which->layout;
    unsigned count = placed->which->indirect ? layout->direct + 1u : flatten(placed, 0);

    if (copy == GOOD_COPY)
        return (uint16_t)(placed->size - 1);
    if (layout->head >= PAST(0))
        return (uint16_t)(placed->size + (layout->head - PAST(0)));
    return (uint16_t)(layout->head ? layout->head - NUMBER(0) : layout->same_head ? 0 : copy * count);
}

/* --- the whole --- */

void layout_place(struct placed *placed, const struct layout_case *which)
{
    const struct layout *layout = which->layout;
    uint16_t size = layout->size ? layout->size : 16;
    uint64_t features = FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_RING_INDIRECT_DESC) |
                        (which->event_idx ? FEATURE(VIRTIO_F_RING_EVENT_IDX) : 0) |
                        (which->mergeable ? FEATURE(VIRTIO_NET_F_MRG_RXBUF) : 0);

    *placed = (struct placed){ .which = which, .size = size, .features = features & ~layout->without };
    placed->header_size = placed->features & (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_NET_F_MRG_RXBUF))
                              ? NET_HEADER_SIZE : NET_HEADER_LEGACY_SIZE;
    placed->desc = DESC_END - 16ull * size;
    placed->avail = AVAIL_END - (6 + 2ull * size);
    placed->used = (USED_END - (6 + 8ull * size)) & ~3ull;
    layout_memory_reset();
    guest_put16(placed->avail, layout->wish);
    guest_put16(placed->avail + 2, layout->start);
    guest_put16(placed->avail + 4 + 2ull * size, layout->wish);
    guest_put16(placed->used, 0);
    guest_put16(placed->used + 2, layout->start);
    for (uint16_t copy = 0; copy < (layout->copies ? layout->copies : 1); copy++) {
        if (!which->receives)
            write_content(placed, copy);
    }
    for (uint16_t copy = 0; copy < (layout->copies ? layout->copies : 1); copy++)
        write_chain(placed, copy);
    if (layout->alone)
        return;
    if (!which->receives)
        write_content(placed, GOOD_COPY);
    write_descriptor(placed->desc, size - 1u,
                     (struct vring_desc){ GOOD_BUF, GOOD_BYTES, which->receives ? VRING_DESC_F_WRITE : 0, 0 });
}

void placed_post(struct placed *placed, uint16_t copy)
{
    uint16_t entry = (uint16_t)(placed->which->layout->start + placed->posted);

    placed->copies[placed->posted] = placed->which->layout->same_head && copy != GOOD_COPY ? 0 : copy;
    placed->heads[placed->posted] = head_of(placed, copy);
    guest_put16(placed->avail + 4 + 2ull * (entry & (placed->size - 1u)), placed->heads[placed->posted]);
    placed->posted++;
}

void placed_publish(const struct placed *placed, uint16_t jump)
{
    guest_put16(placed->avail + 2, (uint16_t)(placed->which->layout->start + placed->posted + jump));
}
