/*
 * capture.h - frames on their way into a pcap-ng file (capture/pcapng.h).
 *
 * Workers copy frames into a ring of a fixed size and never wait: what finds no room is counted as lost.
 * A thread of the capture's own takes them out and writes them, so that a disk that is slow, full or gone
 * holds up nobody but that thread. The control thread opens and closes.
 */
#ifndef VHOSTKIT_CAPTURE_H
#define VHOSTKIT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "port/port_mirror.h"
#include "switch/frame.h"

struct capture;

/* At the same time, in one switch: each has a thread and a ring. */
#define CAPTURES_MAX 16u

/* A name that is taken gets .1 to .9 behind it: so a switch that crashes again and again fills ten files at the most. */
#define CAPTURE_NAMES_MAX 10u
#define CAPTURE_NAME_SIZE (MIRROR_NAME_SIZE + 2)

enum capture_state { CAPTURE_ON, CAPTURE_FULL, CAPTURE_FAILED };

struct capture_status {
    enum capture_state state;
    int error;                     /* CAPTURE_FAILED: an errno value */
    char file[CAPTURE_NAME_SIZE];  /* in the folder */
    uint64_t frames;               /* taken from workers */
    uint64_t lost;                 /* not taken, or not written: no room in the ring, file full or failed */
    uint64_t bytes;                /* of the file so far */
};

/*
 * Makes the file, which nobody else may read, in the folder, which is made if it is not there and must be the
 * switch's own; begins. `interface` is the name written into it. NULL and the refusal when it cannot be.
 */
struct capture *capture_open(const char *folder, const struct port_mirror *mirror, const char *interface,
                             struct refusal *refusal);
/* No worker knows it any more. Waits CAPTURE_CLOSE_MS for the rest to be written; a disk that takes longer is left alone with it. */
void capture_close(struct capture *capture);
#define CAPTURE_CLOSE_MS 500

/* Workers: a copy of the frames. */
void capture_frames(struct capture *capture, struct frame *const *frames, unsigned count,
                    enum mirror_direction direction);

void capture_status(const struct capture *capture, struct capture_status *status);

#endif
