/*
 * capture.h - frames on their way into pcap-ng (capture/pcapng.h): the file of a mirror, or a client's connection.
 *
 * Workers copy frames into a ring of a fixed size and never wait: what finds no room is counted as lost.
 * A thread of the capture's own takes them out and writes them, so that a disk that is slow, full or gone, or
 * a client that does not read, holds up nobody but that thread. The control thread opens and closes.
 */
#ifndef VHOSTKIT_CAPTURE_H
#define VHOSTKIT_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/capture_file.h"
#include "capture/packet_filter.h"
#include "port/port_mirror.h"
#include "switch/frame.h"

struct capture;

/* Mirrors to files, and as many clients again, at the same time, in one switch: each has a thread and a ring. */
#define CAPTURES_MAX 16u

enum capture_state { CAPTURE_ON, CAPTURE_FULL, CAPTURE_FAILED };

/* What a client wants. */
struct capture_options {
    uint32_t snaplen;            /* bytes kept of a frame; 0: all */
    uint64_t count;              /* frames after which it ends; 0: none */
    struct packet_filter filter; /* length 0: every frame */
};

struct capture_status {
    enum capture_state state;
    int error;                     /* CAPTURE_FAILED: an errno value */
    char file[CAPTURE_NAME_SIZE];  /* in the folder; "" for a client's */
    uint64_t frames;               /* taken from workers */
    uint64_t lost;                 /* not taken, or not written: no room in the ring, file full or failed */
    uint64_t bytes;                /* of the file, or sent, so far */
};

/* Makes the file (capture_file.h) and begins. `interface` is the name written into it. NULL and the refusal when it cannot be. */
struct capture *capture_open(const char *folder, const struct port_mirror *mirror, const char *interface,
                             struct refusal *refusal);
/* No worker knows it any more. Waits CAPTURE_CLOSE_MS for the rest to be written; a disk that takes longer is left alone with it. */
void capture_close(struct capture *capture);
#define CAPTURE_CLOSE_MS 500
/* The same for one that was opened in vain: its file, in the folder that it was opened in, goes as well. */
void capture_undo(struct capture *capture, const char *folder);

/*
 * One for a client: frames are taken from now on, and sent when the connection is attached. It ends when the client has
 * as many as it wanted, or is gone: the connection is shut down then, which whoever watches it sees.
 */
struct capture *capture_stream(const struct capture_options *options, const char *interface, struct refusal *refusal);
/* The connection is the capture's now. Its bytes are sent without waiting by the capture's thread alone. */
void capture_attach(struct capture *capture, int fd);
/* No worker knows it any more, nobody watches the connection. What is left is sent, with the counts, to a client that still reads. */
void capture_leave(struct capture *capture);

/* Workers: a copy of the frames. */
void capture_frames(struct capture *capture, struct frame *const *frames, unsigned count,
                    enum mirror_direction direction);

void capture_status(const struct capture *capture, struct capture_status *status);

#endif
