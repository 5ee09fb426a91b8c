/*
 * stats.c - names and sentences of the drop reasons, from the one table in stats.h.
 * Constant data: any thread.
 */
#include "worker/stats.h"

const char *const drop_reason_name[DROP_REASON_COUNT] = {
#define X(id, name, sentence) [id] = name,
    DROP_REASONS(X)
#undef X
};

const char *const drop_reason_sentence[DROP_REASON_COUNT] = {
#define X(id, name, sentence) [id] = sentence,
    DROP_REASONS(X)
#undef X
};
