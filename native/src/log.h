/*
 * log.h - lines for people: time, level, text, on stderr or in the log file.
 *
 * For the control thread, and for workers only where something broke (never per
 * frame). A line is one write(2), so lines of several threads do not mix.
 */
#ifndef VHOSTKIT_LOG_H
#define VHOSTKIT_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* path NULL: stderr. 0 or -errno. */
int log_open(const char *path, enum log_level level);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
