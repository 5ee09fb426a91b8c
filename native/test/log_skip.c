/*
 * log_skip.c - makes a switch that leaves marks of the dirty log out, for the tests of migration: linked only
 * into vhostkit-switch-hooked. VHOSTKIT_SKIP_LOG is a sum of 1 << enum log_site.
 */
#include <stdlib.h>

#include "vhost/dirty_log.h"

__attribute__((constructor)) static void read_skipped(void)
{
    const char *value = getenv("VHOSTKIT_SKIP_LOG");

    if (value != NULL)
        log_sites_skipped = (unsigned)strtoul(value, NULL, 0);
}
