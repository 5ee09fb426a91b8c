/*
 * log.c - see log.h.
 *
 * Owns the log's file descriptor and level. Both are set once at the start,
 * before any thread is there, and only read afterwards, so no lock is needed:
 * a line is formatted on the caller's stack and leaves in one write(2) on a
 * file opened with O_APPEND. What does not fit is cut; text that came from a
 * guest or a client cannot break a line, as control characters are replaced.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Long enough for two socket paths and a sentence. */
#define LINE_SIZE 1024

static int log_fd = STDERR_FILENO;
static enum log_level log_level = LOG_LEVEL_INFO;

int log_open(const char *path, enum log_level level)
{
    log_level = level;
    if (!path)
        return 0;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    if (log_fd != STDERR_FILENO)
        close(log_fd);
    log_fd = fd;
    return 0;
}

static size_t line_begin(char *line, size_t size, enum log_level level)
{
    static const char *const names[] = { "error", "warn ", "info ", "debug" };
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t used = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, size - used, ".%03ldZ [%d] %s ", now.tv_nsec / 1000000L,
                             (int)getpid(), names[level]);
    return used;
}

void log_line(enum log_level level, const char *format, ...)
{
    if (level > log_level)
        return;
    int kept_errno = errno;
    char line[LINE_SIZE];
    size_t start = line_begin(line, sizeof line, level);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + start, sizeof line - start, format, arguments);
    va_end(arguments);
    size_t end = start + strlen(line + start);
    for (size_t i = start; i < end; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 127)
            line[i] = '?';
    }
    line[end++] = '\n'; /* in place of the final 0 */
    if (write(log_fd, line, end) < 0) {
        /* A log that cannot be written is not a reason to stop moving frames. */
    }
    errno = kept_errno;
}
