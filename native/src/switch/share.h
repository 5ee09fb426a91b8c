/*
 * share.h - how senders that compete for one receive ring divide its buffers.
 *
 * Whoever comes first would take all there is, so a sender with full bursts would
 * leave nothing to one with single frames. While a ring is contested, each sender
 * may take only so many buffers that those who got fewer find what they last
 * asked for: a sender that wants little gets all of it, the others the same (max-min
 * fairness). A ring is contested from the moment a burst found too few buffers
 * until that did not happen for SHARE_CALM bursts; at other times nobody looks here.
 *
 * Pure. The holder of the receive ring's lock calls it. Counted in chains: a frame
 * over several of them takes more at once, and its sender waits longer.
 */
#ifndef VHOSTKIT_SHARE_H
#define VHOSTKIT_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* Senders that are told apart; more of them share one account, in the last place. */
#define SHARE_SENDERS 64u

/* Bursts to the ring after which a sender that did not come is forgotten, and a ring that was never short is free to all. */
#define SHARE_CALM 1024u

/* A sender that asked for little cannot save up more chains than this for later: two bursts. */
#define SHARE_ARREARS 64u

struct share_sender {
    uint16_t port;   /* id of the port that the frames come from */
    uint16_t asked;  /* frames of its largest burst lately: grows at once, shrinks by one a burst */
    uint32_t served; /* chains it was given; only differences count */
    uint32_t turn;   /* when it came last */
};

struct share {
    bool contested;     /* some burst found too few buffers lately */
    uint32_t count;     /* senders known */
    uint32_t turn;      /* counts bursts while contested */
    uint32_t short_turn; /* the last one that found too few */
    struct share_sender senders[SHARE_SENDERS];
};

/* How many of `available` chains the port may have now for the `frames` frames of a burst. Only while contested. */
uint32_t share_allow(struct share *share, uint32_t port, uint32_t frames, uint32_t available);
/* The same burst once more, with what is left of it. */
uint32_t share_allow_again(struct share *share, uint32_t port, uint32_t frames, uint32_t available);
/* It was given so many. */
void share_took(struct share *share, uint32_t port, uint32_t chains);
/* A burst of `frames` found too few: the ring is contested from now on. */
void share_short(struct share *share, uint32_t port, uint32_t frames);

#endif
