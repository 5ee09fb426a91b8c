/*
 * scratch.h - a folder of the process's own, in $TMPDIR or /tmp, gone at its end.
 */
#ifndef VHOSTKIT_FUZZ_SCRATCH_H
#define VHOSTKIT_FUZZ_SCRATCH_H

/* Makes it when called first. */
const char *scratch_folder(void);

#endif
