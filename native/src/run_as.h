/*
 * run_as.h - the rights of another user, for good, before the program does anything.
 */
#ifndef VHOSTKIT_RUN_AS_H
#define VHOSTKIT_RUN_AS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The whole process becomes `user`: its uid, its group and the others it is in.
 * true as well when it is that user already; false and a sentence otherwise.
 */
bool run_as(const char *user, char *why, size_t why_size);

#endif
