/*
 * rate.c - token buckets kept as times, as in meter.c, one for each limit. Workers; pure but for the meter.
 *
 * Time is counted in sixteenths of a nanosecond: at 100 Gbit/s a frame of 64 bytes takes 5 ns, and whole
 * ones would be a fifth wrong. 64 bits of them are 36 years.
 */
#include "switch/rate.h"

#define TICKS_PER_NS 16u
#define TICKS_PER_S UINT64_C(16000000000)

#define BURST_LEAST UINT64_C(65536)

/* How long a peak may be exceeded: what a guest sends between two looks of ours comes at once. */
#define PEAK_TOLERANCE (TICKS_PER_S / 100)

_Static_assert(RATE_BURST_MAX <= UINT64_MAX / TICKS_PER_S && BURST_LEAST <= RATE_BURST_MAX, "a burst fits in ticks");

static bool has_room(const _Atomic uint64_t *due, uint64_t now, uint64_t tolerance)
{
    uint64_t at = atomic_load_explicit((_Atomic uint64_t *)due, memory_order_relaxed);

    return at <= now || at - now <= tolerance;
}

static void take(_Atomic uint64_t *due, uint64_t now, uint64_t cost)
{
    uint64_t at = atomic_load_explicit(due, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(due, &at, (at > now ? at : now) + cost, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
}

static uint64_t burst_ticks(const struct rate_limit *limit)
{
    if (limit->burst == 0 && limit->bytes / 10 > BURST_LEAST)
        return TICKS_PER_S / 10; /* as bytes, at 100 Gbit/s, the product below would not fit */
    return (limit->burst != 0 ? limit->burst : BURST_LEAST) * TICKS_PER_S / limit->bytes;
}

/* Refused on the first limit that is used up; only then is anything taken, so two workers may both just pass. */
bool rate_take(struct rate_meter *meter, const struct rate_limit *limit, uint64_t now_ns, uint32_t length)
{
    uint64_t now = now_ns * TICKS_PER_NS;
    unsigned together = limit->frames / 10 > 1 ? limit->frames / 10 : 1;

    if ((limit->bytes != 0 && !has_room(&meter->average, now, burst_ticks(limit))) ||
        (limit->peak != 0 && !has_room(&meter->peak, now, PEAK_TOLERANCE)) ||
        (limit->frames != 0 && !has_room(&meter->frames, now, (together - 1) * (TICKS_PER_S / limit->frames))))
        return false;
    if (limit->bytes != 0)
        take(&meter->average, now, length * TICKS_PER_S / limit->bytes);
    if (limit->peak != 0)
        take(&meter->peak, now, length * TICKS_PER_S / limit->peak);
    if (limit->frames != 0)
        take(&meter->frames, now, TICKS_PER_S / limit->frames);
    return true;
}

static bool refuse_rate(struct refusal *refusal, const char *direction, const char *wanted, uint64_t found)
{
    refuse(refusal, "value-invalid", "policy.rate.%s: %s", direction, wanted);
    refusal_found(refusal, "%llu", (unsigned long long)found);
    refusal_hint(refusal, "rates are a second, in bytes or frames");
    return false;
}

bool rate_limit_valid(const struct rate_limit *limit, const char *direction, struct refusal *refusal)
{
    if (limit->bytes != 0 && (limit->bytes < RATE_BYTES_MIN || limit->bytes > RATE_BYTES_MAX))
        return refuse_rate(refusal, direction, "bytes, 1000 to 12500000000", limit->bytes);
    if (limit->bytes == 0 && (limit->burst | limit->peak) != 0)
        return refuse_rate(refusal, direction, "burst and peak only with bytes", limit->burst | limit->peak);
    if (limit->peak != 0 && (limit->peak < limit->bytes || limit->peak > RATE_BYTES_MAX))
        return refuse_rate(refusal, direction, "a peak from bytes to 12500000000", limit->peak);
    if (limit->burst > RATE_BURST_MAX)
        return refuse_rate(refusal, direction, "a burst of 1 to 1073741824 bytes", limit->burst);
    if (limit->frames > RATE_FRAMES_MAX)
        return refuse_rate(refusal, direction, "frames, 1 to 100000000", limit->frames);
    return true;
}
