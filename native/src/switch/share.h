/*
 * share.h - how senders that compete for one receive ring divide its buffers.
 *
 * Whoever comes first would take all there is, so a sender with full bursts would
 * leave nothing to one with single frames. While a ring is contested, each sender
 * may take only so many buffers that those who got fewer find what they last
 * asked for: a sender that wants little gets all of it, the others the same (max-min
 * fairness), whenever they come and whenever the driver posts: what a sender is behind is
 * remembered. A ring is contested from the moment a burst found too few buffers
 * until that did not happen for SHARE_CALM bursts or SHARE_CALM_NS; at other times nobody looks here.
 *
 * Pure. The holder of the receive ring's lock calls it. Counted in chains: a frame
 * over several of them takes more at once, and its sender waits longer. `now_ns` is monotonic.
 *
 * The shares are right only if `available` is all that the burst can get: a caller that looks at the ring once more
 * gives the sender what the driver posted in between, past the claims of the others, and may do so each time.
 */
#ifndef VHOSTKIT_SHARE_H
#define VHOSTKIT_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* Senders that are told apart; more of them share one account, in the last place. */
#define SHARE_SENDERS 64u

/*
 * Bursts to the ring after which a sender that did not come is forgotten, and a ring that was never short is free to all;
 * and the time after which that is so however few bursts there were. What is held back for senders that went away may be
 * the whole ring, and whoever is left may be a TCP that sends one frame and then waits for 200 ms.
 */
#define SHARE_CALM 1024u
#define SHARE_CALM_NS UINT64_C(50000000)

/* A sender that asked for little cannot save up more chains than this for later: two bursts. */
#define SHARE_ARREARS 64u

struct share_sender {
    uint16_t port;   /* id of the port that the frames come from */
    uint16_t asked;  /* frames of its largest burst lately: grows at once, shrinks by one a burst */
    uint32_t served; /* chains it was given; only differences count */
    uint32_t turn;   /* when it came last, in bursts */
    uint64_t came_ns; /* and in time */
};

struct share {
    bool contested;     /* some burst found too few buffers lately */
    uint32_t count;     /* senders known */
    uint32_t turn;      /* counts bursts while contested */
    uint32_t short_turn; /* the last one that found too few */
    uint64_t short_ns;  /* when that was */
    struct share_sender senders[SHARE_SENDERS];
};

/* How many of `available` chains the port may have now for the `frames` frames of a burst. Only while contested. */
uint32_t share_allow(struct share *share, uint32_t port, uint32_t frames, uint32_t available, uint64_t now_ns);
/* The same burst once more, with what is left of it. */
uint32_t share_allow_again(struct share *share, uint32_t port, uint32_t frames, uint32_t available);
/* It was given so many. */
void share_took(struct share *share, uint32_t port, uint32_t chains);
/* A burst of `frames` found too few: the ring is contested from now on. */
void share_short(struct share *share, uint32_t port, uint32_t frames, uint64_t now_ns);

#endif
