/*
 * refusal.h - how a request is refused, in the four parts of PROTOCOL.md.
 */
#ifndef VHOSTKIT_REFUSAL_H
#define VHOSTKIT_REFUSAL_H

#include <stdbool.h>

/* reason is one of PROTOCOL.md's table. */
struct refusal {
    const char *reason;
    char wanted[128];
    char found[192];
    char hint[192];
};

/* Fills a refusal; always returns false, so that `return refuse(...)` reads well. */
__attribute__((format(printf, 3, 4))) bool
refuse(struct refusal *refusal, const char *reason, const char *wanted, ...);
void refusal_found(struct refusal *refusal, const char *format, ...) __attribute__((format(printf, 2, 3)));
void refusal_hint(struct refusal *refusal, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
