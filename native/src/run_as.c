/*
 * run_as.c - see run_as.h.
 *
 * Called once by main(), while the process has one thread and before it opens
 * log, lock or socket: so nothing is made as root in a folder that the user may
 * write to, where a link of his could stand in its place.
 */
#include "run_as.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool fail(char *why, size_t why_size, const char *user, const char *what)
{
    snprintf(why, why_size, "--user %s: %s", user, what);
    return false;
}

bool run_as(const char *user, char *why, size_t why_size)
{
    errno = 0;
    const struct passwd *entry = getpwnam(user);
    if (!entry)
        return fail(why, why_size, user, errno ? strerror(errno) : "there is no such user");
    uid_t uid = entry->pw_uid;
    gid_t gid = entry->pw_gid;
    if (geteuid() == uid && getuid() == uid)
        return true;
    if (geteuid() != 0)
        return fail(why, why_size, user, "only root may start it as another user");
    if (initgroups(user, gid) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
        return fail(why, why_size, user, strerror(errno));
    if (uid != 0 && setuid(0) == 0)
        return fail(why, why_size, user, "the rights of root could not be given up");
    return true;
}
