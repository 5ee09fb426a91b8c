/*
 * capture_parts.h - what the parts of a capture share: capture.c (workers put frames in, control opens and closes) and
 * capture_writer.c (its thread). Nobody else includes it.
 */
#ifndef VHOSTKIT_CAPTURE_PARTS_H
#define VHOSTKIT_CAPTURE_PARTS_H

#include <semaphore.h>
#include <stdatomic.h>

#include "capture/capture.h"
#include "worker/stats.h"

/* 6 ms of 10 Gbit/s; pages that are not needed stay untouched. */
#define RING_BYTES (UINT64_C(8) << 20)

/* Written at once. Holds the longest block. */
#define BUFFER_BYTES (256u << 10)

/* A frame in the ring, before its bytes. */
struct record {
    uint32_t size;       /* with this header, a multiple of 8 */
    uint32_t captured;   /* bytes; FILLER: nothing up to the ring's end */
    uint32_t length;     /* of the whole frame */
    uint32_t direction;  /* enum mirror_direction */
    uint64_t time_ns;    /* CLOCK_REALTIME */
};

#define FILLER UINT32_MAX

struct capture {
    uint8_t *ring;                  /* [RING_BYTES] */
    uint32_t snaplen;               /* bytes kept of a frame */
    bool stream;                    /* goes to a client */
    uint64_t limit;                 /* bytes of the file */
    uint64_t count;                 /* stream: frames after which it ends; 0: none */
    char file[CAPTURE_NAME_SIZE];   /* "" for a stream */
    struct packet_filter filter;    /* frames that are kept; length 0: all */

    _Alignas(64) atomic_flag lock;  /* of the producers: head, tail_seen, and the two counters */
    _Atomic uint64_t head;          /* position behind the last record */
    uint64_t tail_seen;             /* tail as last read */
    counter frames;                 /* that found room */
    counter lost;                   /* that did not */

    _Alignas(64) _Atomic uint64_t tail; /* position of the first record that the writer has not taken */
    counter unwritten;              /* frames that were in the ring, and are not in the file */
    counter bytes;                  /* of the file or stream */
    counter written;                /* frames in it */
    _Atomic int state;              /* enum capture_state */
    _Atomic int error;              /* errno value of the write that failed */
    _Atomic int fd;                 /* a stream's is -1 until it is attached */
    uint32_t buffered;              /* writer: bytes in buffer */
    uint32_t buffered_frames;       /* writer: frames in it */
    uint8_t buffer[BUFFER_BYTES];   /* writer: blocks to be written */

    atomic_bool ending;             /* control wants it closed */
    atomic_uint references;         /* control's and the writer's */
    sem_t ended;                    /* posted by the writer */
};

/* The writer's thread; its argument is the capture. */
void *capture_main(void *argument);
/* Gives up a reference; with the last one it is freed. */
void capture_release(struct capture *capture);
/* CLOCK_REALTIME. */
uint64_t realtime_ns(void);

#endif
