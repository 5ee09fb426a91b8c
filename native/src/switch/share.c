/*
 * share.c - see the header. A few comparisons for each sender that competes,
 * on bursts that a driver is too slow for anyway.
 */
#include "switch/share.h"

static uint32_t later(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0 ? a : b;
}

/* What the best served one got; 0 when nobody is there. */
static uint32_t served_most(const struct share *share)
{
    uint32_t most = share->count > 0 ? share->senders[0].served : 0;

    for (uint32_t i = 1; i < share->count; i++)
        most = later(most, share->senders[i].served);
    return most;
}

/* Whether that is long ago. */
static bool is_past(const struct share *share, uint32_t turn, uint64_t ns, uint64_t now_ns)
{
    return share->turn - turn > SHARE_CALM || now_ns - ns > SHARE_CALM_NS;
}

static void share_forget(struct share *share, uint64_t now_ns)
{
    for (uint32_t i = 0; i < share->count;) {
        if (is_past(share, share->senders[i].turn, share->senders[i].came_ns, now_ns))
            share->senders[i] = share->senders[--share->count];
        else
            i++;
    }
}

/* A new one begins where the best served one is: it competes at once, and has no claims from before. */
static struct share_sender *sender_of(struct share *share, uint32_t port)
{
    for (uint32_t i = 0; i < share->count; i++)
        if (share->senders[i].port == port)
            return &share->senders[i];

    uint32_t served = served_most(share);

    if (share->count == SHARE_SENDERS) {
        share->senders[SHARE_SENDERS - 1].port = (uint16_t)port;
        return &share->senders[SHARE_SENDERS - 1];
    }
    struct share_sender *sender = &share->senders[share->count++];

    *sender = (struct share_sender){ .port = (uint16_t)port, .served = served };
    return sender;
}

/*
 * Chains that the others find still there when this one has got `more`: each enough for two of its bursts, which may
 * come close upon each other, up to being as well served.
 */
static uint32_t claims(const struct share *share, const struct share_sender *sender, uint32_t more)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < share->count; i++) {
        const struct share_sender *other = &share->senders[i];
        int32_t behind = (int32_t)(sender->served + more - 1 - other->served);

        if (other == sender || behind <= 0)
            continue;
        sum += (uint32_t)behind < 2u * other->asked ? (uint32_t)behind : 2u * other->asked;
    }
    return sum;
}

static void share_limit_arrears(struct share *share)
{
    uint32_t least = served_most(share) - SHARE_ARREARS;

    for (uint32_t i = 0; i < share->count; i++)
        share->senders[i].served = later(share->senders[i].served, least);
}

uint32_t share_allow_again(struct share *share, uint32_t port, uint32_t frames, uint32_t available)
{
    const struct share_sender *sender = sender_of(share, port);
    uint32_t low = 0, high = frames < available ? frames : available;

    while (low < high) { /* claims grow with what this one gets */
        uint32_t middle = (low + high + 1) / 2;

        if (middle + claims(share, sender, middle) > available)
            high = middle - 1;
        else
            low = middle;
    }
    return low;
}

uint32_t share_allow(struct share *share, uint32_t port, uint32_t frames, uint32_t available, uint64_t now_ns)
{
    share->turn++;
    if (is_past(share, share->short_turn, share->short_ns, now_ns)) {
        share->contested = false;
        share->count = 0;
        return frames;
    }
    share_forget(share, now_ns);

    struct share_sender *sender = sender_of(share, port);

    sender->turn = share->turn;
    sender->came_ns = now_ns;
    if (frames >= sender->asked)
        sender->asked = (uint16_t)frames;
    else
        sender->asked--;
    share_limit_arrears(share);
    return share_allow_again(share, port, frames, available);
}

void share_took(struct share *share, uint32_t port, uint32_t chains)
{
    sender_of(share, port)->served += chains;
}

void share_short(struct share *share, uint32_t port, uint32_t frames, uint64_t now_ns)
{
    if (!share->contested) {
        struct share_sender *sender = sender_of(share, port);

        share->contested = true;
        sender->asked = (uint16_t)frames;
        sender->turn = share->turn;
        sender->came_ns = now_ns;
    }
    share->short_turn = share->turn;
    share->short_ns = now_ns;
}
