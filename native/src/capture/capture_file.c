/*
 * capture_file.c - see capture_file.h. Control thread only.
 */
#include "capture/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse_file(struct refusal *refusal, const char *folder, const char *found, const char *hint)
{
    refuse(refusal, "mirror-failed", "a new file for the mirror in %s", folder);
    refusal_found(refusal, "%s", found);
    refusal_hint(refusal, "%s", hint);
    return -1;
}

/* The folder, if nobody else may put anything there. -1 and the refusal. */
static int folder_open(const char *folder, struct refusal *refusal)
{
    struct stat status;
    int fd = mkdir(folder, 0700) == 0 || errno == EEXIST
                 ? open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;

    if (fd < 0) {
        refuse_file(refusal, folder, strerror(errno), "make that folder, or start the switch with another one: --captures");
        return -1;
    }
    if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && (status.st_mode & 022) == 0)
        return fd;
    refuse_file(refusal, folder, "a folder that others own or may write to", "chown it to the switch's user, chmod it to 0700");
    close(fd);
    return -1;
}

/* The first name that is free. -1 and the refusal. */
static int file_create(const char *folder, int folder_fd, const char *name, char file[CAPTURE_NAME_SIZE],
                       struct refusal *refusal)
{
    int fd = -1;

    errno = EEXIST;
    for (unsigned i = 0; i < CAPTURE_NAMES_MAX && fd < 0 && errno == EEXIST; i++) {
        snprintf(file, CAPTURE_NAME_SIZE, i == 0 ? "%.63s" : "%.63s.%u", name, i);
        fd = openat(folder_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (fd < 0)
        refuse_file(refusal, folder, errno == EEXIST ? "ten files of that name" : strerror(errno),
                       "move the old ones away, or make room");
    return fd;
}

int capture_file_create(const char *folder, const char *name, char file[CAPTURE_NAME_SIZE], struct refusal *refusal)
{
    int folder_fd = folder_open(folder, refusal);
    int fd = folder_fd >= 0 ? file_create(folder, folder_fd, name, file, refusal) : -1;

    if (folder_fd >= 0)
        close(folder_fd);
    return fd;
}

void capture_file_remove(const char *folder, const char file[CAPTURE_NAME_SIZE])
{
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder_fd < 0)
        return;
    unlinkat(folder_fd, file, 0);
    close(folder_fd);
}
