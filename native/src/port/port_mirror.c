/*
 * port_mirror.c - see port_mirror.h. Pure; any thread.
 */
#include "port/port_mirror.h"

#include <inttypes.h>

#include "port/port_config.h"

static bool refuse_mirror(struct refusal *refusal, const char *wanted, uint64_t found)
{
    refuse(refusal, "value-invalid", "policy.mirror.%s", wanted);
    refusal_found(refusal, "%" PRIu64, found);
    refusal_hint(refusal, "give another one, or leave it out");
    return false;
}

static bool name_fits(const struct port_mirror *mirror, struct refusal *refusal)
{
    if (name_valid(mirror->to))
        return true;
    refuse(refusal, "name-invalid", "policy.mirror: a name like ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$");
    refusal_found(refusal, "\"%.80s\"", mirror->to);
    refusal_hint(refusal, "give the name of a port as \"to\", or as \"file\" one without a folder");
    return false;
}

bool port_mirror_valid(const struct port_mirror *mirror, struct refusal *refusal)
{
    if (mirror->kind == MIRROR_NONE)
        return true;
    if (!name_fits(mirror, refusal))
        return false;
    if (mirror->kind == MIRROR_PORT)
        return true;
    if (mirror->snaplen != 0 && (mirror->snaplen < MIRROR_SNAPLEN_MIN || mirror->snaplen > MIRROR_SNAPLEN_MAX))
        return refuse_mirror(refusal, "snaplen: 64 to 65535", mirror->snaplen);
    if (mirror->limit < MIRROR_LIMIT_MIN || mirror->limit > MIRROR_LIMIT_MAX)
        return refuse_mirror(refusal, "limit: 1048576 to 1099511627776", mirror->limit);
    return true;
}
