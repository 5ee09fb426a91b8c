/*
 * tap_io.c - frames written to taps and read from them.
 *
 * vhost-net, which a VM would use, runs inside the kernel and pays no system call
 * for a frame. io_uring comes nearest to that from outside: one call carries out a
 * burst of writes and reads, inline, in their order. The descriptors are
 * non-blocking, so an operation that cannot go on ends with EAGAIN instead of being parked.
 */
#include "tap_io.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITES = 1, READS = 2 };

static void *map_ring(int ring, size_t bytes, uint64_t what)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, (off_t)what);
}

static bool open_ring(struct tap_io *io, unsigned count)
{
    struct io_uring_params params = { 0 };

    io->ring = (int)syscall(__NR_io_uring_setup, TAP_IO_STAGED_MAX, &params);
    if (io->ring < 0)
        return false;
    uint8_t *sq = map_ring(io->ring, params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    uint8_t *cq = map_ring(io->ring, params.cq_off.cqes + params.cq_entries * sizeof *io->cqes, IORING_OFF_CQ_RING);

    io->sqes = map_ring(io->ring, params.sq_entries * sizeof *io->sqes, IORING_OFF_SQES);
    if (sq == MAP_FAILED || cq == MAP_FAILED || io->sqes == MAP_FAILED ||
        syscall(__NR_io_uring_register, io->ring, IORING_REGISTER_FILES, io->taps, count) < 0)
        return false;
    io->sq_tail = (unsigned *)(sq + params.sq_off.tail);
    io->sq_array = (unsigned *)(sq + params.sq_off.array);
    io->sq_mask = *(unsigned *)(sq + params.sq_off.ring_mask);
    io->cq_head = (unsigned *)(cq + params.cq_off.head);
    io->cq_tail = (unsigned *)(cq + params.cq_off.tail);
    io->cq_mask = *(unsigned *)(cq + params.cq_off.ring_mask);
    io->cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
    return true;
}

bool tap_io_create(struct tap_io *io, const int *taps, unsigned count, bool batched)
{
    *io = (struct tap_io){ .taps = taps, .ring = -1 };
    if (batched && !open_ring(io, count))
        io->ring = -1;
    return io->ring >= 0;
}

static void account(struct tap_io *io, unsigned kind, int result)
{
    if (result >= 0) {
        io->written += kind == WRITES;
        io->read += kind == READS && (uint32_t)result == io->frame_bytes;
    } else if (result != -EAGAIN && io->error == 0) {
        io->error = -result;
    }
}

static void stage(struct tap_io *io, unsigned kind, unsigned tap, void *frame, uint32_t bytes)
{
    unsigned at = (*io->sq_tail + io->staged++) & io->sq_mask;

    io->sqes[at] = (struct io_uring_sqe){
        .opcode = kind == WRITES ? IORING_OP_WRITE : IORING_OP_READ, .flags = IOSQE_FIXED_FILE, .fd = (int)tap,
        .addr = (uint64_t)(uintptr_t)frame, .len = bytes, .user_data = kind,
    };
    io->sq_array[at] = at;
}

static int result_of(ssize_t moved)
{
    return moved < 0 ? -errno : (int)moved;
}

void tap_io_write(struct tap_io *io, unsigned tap, void *frame, uint32_t bytes)
{
    if (io->ring >= 0)
        stage(io, WRITES, tap, frame, bytes);
    else
        account(io, WRITES, result_of(write(io->taps[tap], frame, bytes)));
}

void tap_io_read(struct tap_io *io, unsigned tap, void *frame, uint32_t room)
{
    if (io->ring >= 0)
        stage(io, READS, tap, frame, room);
    else
        account(io, READS, result_of(read(io->taps[tap], frame, room)));
}

static bool submit(struct tap_io *io)
{
    unsigned count = io->staged, head = *io->cq_head;

    __atomic_store_n(io->sq_tail, *io->sq_tail + count, __ATOMIC_RELEASE);
    io->staged = 0;
    if (syscall(__NR_io_uring_enter, io->ring, count, count, IORING_ENTER_GETEVENTS, NULL, 0) != (long)count) {
        io->error = errno;
        return false;
    }
    while (head != __atomic_load_n(io->cq_tail, __ATOMIC_ACQUIRE)) {
        const struct io_uring_cqe *done = &io->cqes[head++ & io->cq_mask];

        account(io, (unsigned)done->user_data, done->res);
    }
    __atomic_store_n(io->cq_head, head, __ATOMIC_RELEASE);
    return true;
}

bool tap_io_run(struct tap_io *io)
{
    bool good = true;

    /* Without a ring it was carried out as it was staged. */
    if (io->ring >= 0)
        good = submit(io);
    return good && io->error == 0;
}
