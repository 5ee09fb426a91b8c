/*
 * capture_writer.c - the thread of a capture: takes frames out of its ring, and writes them to its file, or sends them to
 * its client. The thread looks at the ring now and then (LOOK_*), so that no worker has to wake it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture_parts.h"
#include "capture/pcapng.h"

/* Between two looks at the ring: short while frames come, doubled up to the longest while none do. */
#define LOOK_NS_MIN 1000000
#define LOOK_NS_MAX 16000000

/* A client that is there and does not read is asked again so often; when its capture has ended, for so long. */
#define STREAM_LOOK_MS 50
#define STREAM_REST_MS 2000

_Static_assert(BUFFER_BYTES >= FRAME_LENGTH_MAX + PCAPNG_PACKET_EXTRA + PCAPNG_PADDING_MAX, "a block fits");

static void capture_end(struct capture *capture, enum capture_state state, int error)
{
    atomic_store(&capture->error, error);
    atomic_store(&capture->state, (int)state);
}

/* Whether a client that does not read is waited for any longer; `waited_ms` since its capture has ended. */
static bool client_waits(struct capture *capture, int fd, int *waited_ms)
{
    struct pollfd entry = { .fd = fd, .events = POLLOUT };

    if (atomic_load(&capture->ending) && (*waited_ms += STREAM_LOOK_MS) > STREAM_REST_MS)
        return false;
    poll(&entry, 1, STREAM_LOOK_MS);
    return true;
}

/* All of it, 0; or an errno value. */
static int write_whole(struct capture *capture, const uint8_t *data, uint32_t size)
{
    int fd = atomic_load(&capture->fd), waited_ms = 0;
    uint32_t done = 0;

    while (done < size) {
        ssize_t written = capture->stream ? send(fd, data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT)
                                          : write(fd, data + done, size - done);

        if (written >= 0)
            done += (uint32_t)written;
        else if (capture->stream && errno == EAGAIN && client_waits(capture, fd, &waited_ms))
            continue;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

/* Writes what is buffered. When that fails a file is cut back to its last whole write, so that it can be read. */
static void buffer_write(struct capture *capture)
{
    int error = write_whole(capture, capture->buffer, capture->buffered);

    if (error == 0) {
        counter_add(&capture->bytes, capture->buffered);
        counter_add(&capture->written, capture->buffered_frames);
    } else {
        if (!capture->stream && ftruncate(atomic_load(&capture->fd), (off_t)counter_read(&capture->bytes)) != 0)
            error = errno;
        counter_add(&capture->unwritten, capture->buffered_frames);
        capture_end(capture, CAPTURE_FAILED, error);
    }
    capture->buffered = capture->buffered_frames = 0;
}

/* A stream has as many frames as were wanted. */
static void end_counted(struct capture *capture)
{
    if (capture->count > 0 && counter_read(&capture->written) + capture->buffered_frames == capture->count)
        capture_end(capture, CAPTURE_FULL, 0);
}

static void buffer_add(struct capture *capture, const struct record *record, const uint8_t *data)
{
    const struct pcapng_packet packet = {
        .time_ns = record->time_ns, .captured = record->captured, .length = record->length,
        .direction = record->direction == MIRROR_RX ? PCAPNG_INBOUND : PCAPNG_OUTBOUND, .data = data,
    };
    uint32_t most = record->captured + PCAPNG_PACKET_EXTRA + PCAPNG_PADDING_MAX;

    if (capture->buffered + most > BUFFER_BYTES)
        buffer_write(capture);
    if (atomic_load(&capture->state) == CAPTURE_ON &&
        counter_read(&capture->bytes) + capture->buffered + most > capture->limit)
        capture_end(capture, CAPTURE_FULL, 0);
    if (atomic_load(&capture->state) != CAPTURE_ON) {
        counter_add(&capture->unwritten, !capture->stream);
        return;
    }
    capture->buffered += pcapng_packet(capture->buffer + capture->buffered, &packet);
    capture->buffered_frames++;
    end_counted(capture);
}

/* Everything that is in the ring goes to the file. False: nothing was there. */
static bool ring_drain(struct capture *capture)
{
    uint64_t tail = atomic_load_explicit(&capture->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&capture->head, memory_order_acquire);
    bool any = tail != head;

    while (tail != head) {
        const uint8_t *at = capture->ring + tail % RING_BYTES;
        struct record record = { 0 };

        memcpy(&record, at, 8);
        if (record.captured != FILLER) {
            memcpy(&record, at, sizeof record);
            buffer_add(capture, &record, at + sizeof record);
        }
        tail += record.size;
        atomic_store_explicit(&capture->tail, tail, memory_order_release);
    }
    if (capture->buffered > 0)
        buffer_write(capture);
    return any;
}

static void sleep_ns(long duration_ns)
{
    nanosleep(&(struct timespec){ .tv_nsec = duration_ns }, NULL);
}

/* Until control has an end for it, and nothing is left; a stream also when its client is gone, or has what it wanted. */
static void write_all(struct capture *capture)
{
    long look_ns = LOOK_NS_MIN;

    for (;;) {
        bool ending = atomic_load(&capture->ending); /* read before the ring: what came before it is written */

        if (ring_drain(capture))
            look_ns = LOOK_NS_MIN;
        else if (ending)
            return;
        else
            look_ns = look_ns < LOOK_NS_MAX ? 2 * look_ns : LOOK_NS_MAX;
        if (capture->stream && atomic_load(&capture->state) != CAPTURE_ON)
            return;
        if (!ending)
            sleep_ns(look_ns);
    }
}

/* The last words to a client: what it should have got, and what it did not. */
static void stream_conclude(struct capture *capture)
{
    uint64_t written = counter_read(&capture->written), lost = counter_read(&capture->lost);

    if (atomic_load(&capture->state) != CAPTURE_FAILED) {
        capture->buffered = pcapng_statistics(capture->buffer, realtime_ns(), written + lost, lost);
        buffer_write(capture);
    }
    shutdown(atomic_load(&capture->fd), SHUT_RDWR); /* control sees that, too */
}

void *capture_main(void *argument)
{
    struct capture *capture = argument;

    pthread_setname_np(pthread_self(), "capture");
    while (atomic_load(&capture->fd) < 0 && !atomic_load(&capture->ending))
        sleep_ns(LOOK_NS_MIN);
    if (atomic_load(&capture->fd) >= 0) {
        write_all(capture);
        if (capture->stream)
            stream_conclude(capture);
        else
            close(atomic_load(&capture->fd));
    }
    sem_post(&capture->ended);
    capture_release(capture);
    return NULL;
}
