/*
 * scratch.c - see the header. A fuzzer that dies leaves its folder behind; `run` removes it with its own.
 */
#include "scratch.h"

#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

#include "input.h"

static char folder[64];
static pid_t owner;

static void remove_folder(void)
{
    DIR *all = opendir(folder);

    if (getpid() != owner || all == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(all)) != NULL;)
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            unlinkat(dirfd(all), entry->d_name, 0);
    closedir(all);
    rmdir(folder);
}

const char *scratch_folder(void)
{
    const char *above = getenv("TMPDIR");

    if (folder[0] != '\0')
        return folder;
    /* Ports' socket paths, with some letters behind it, are at most 107 bytes. */
    snprintf(folder, sizeof folder, "%s/vhostkit-fuzz-XXXXXX", above && strlen(above) < 40 ? above : "/tmp");
    FUZZ_CHECK(mkdtemp(folder), "no folder %s", folder);
    owner = getpid();
    atexit(remove_folder);
    return folder;
}
