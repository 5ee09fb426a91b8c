/*
 * capture_file.h - the file of a mirror: in a folder of the switch's own, under a name that is free.
 */
#ifndef VHOSTKIT_CAPTURE_FILE_H
#define VHOSTKIT_CAPTURE_FILE_H

#include "port/port_mirror.h"

/* A name that is taken gets .1 to .9 behind it: so a switch that crashes again and again fills ten files at the most. */
#define CAPTURE_NAMES_MAX 10u
#define CAPTURE_NAME_SIZE (MIRROR_NAME_SIZE + 2)

/*
 * Makes the file, which nobody else may read, in the folder, which is made if it is not there and must be the
 * switch's own. Returns its fd, and in `file` its name; -1 and the refusal.
 */
int capture_file_create(const char *folder, const char *name, char file[CAPTURE_NAME_SIZE], struct refusal *refusal);
/* Takes a file away that was just made. */
void capture_file_remove(const char *folder, const char file[CAPTURE_NAME_SIZE]);

#endif
