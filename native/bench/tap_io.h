/*
 * tap_io.h - frames written to taps and read from them, many with one system call.
 *
 * Operations are staged and then carried out in their order. One thread.
 */
#ifndef VHOSTKIT_BENCH_TAP_IO_H
#define VHOSTKIT_BENCH_TAP_IO_H

#include <stdbool.h>
#include <stdint.h>

#define TAP_IO_STAGED_MAX 64u

struct io_uring_sqe;
struct io_uring_cqe;

struct tap_io {
    const int *taps;              /* non-blocking descriptors */
    int ring;                     /* io_uring, or -1: one system call a frame */
    uint32_t frame_bytes;         /* of the frames that count when they are read, header included */
    unsigned staged;              /* operations since the last run */
    unsigned written, read;       /* frames moved since the last run */
    int error;                    /* errno of the first failure that is not "try again"; 0: none */
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    unsigned *sq_tail, *sq_array, *cq_head, *cq_tail;   /* shared with the kernel */
    unsigned sq_mask, cq_mask;
};

/* `batched`: with io_uring; without, or where the kernel does not allow it, frame by frame. Answers whether it is batched. */
bool tap_io_create(struct tap_io *io, const int *taps, unsigned count, bool batched);

/* At most TAP_IO_STAGED_MAX between two runs. */
void tap_io_write(struct tap_io *io, unsigned tap, void *frame, uint32_t bytes);
void tap_io_read(struct tap_io *io, unsigned tap, void *frame, uint32_t room);

/* Carries out what is staged: io->written and io->read are how many frames moved (set to 0 before the first is staged). False: io->error. */
bool tap_io_run(struct tap_io *io);

#endif
