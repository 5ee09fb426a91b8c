/*
 * capture.c - see capture.h.
 *
 * A capture writes to a file, or to the connection of a client (a stream). The ring has one reader, the writer's thread, and one producer at a time: the worker that holds the lock, once
 * a burst, as with a receive ring. Positions run freely; a record never lies over the ring's end, a filler
 * stands there instead. The thread looks at the ring now and then (LOOK_*), so that no worker has to wake it.
 *
 * Control and writer each hold a reference, since the writer may hang in a write for as long as it likes. A file
 * belongs to the writer, a connection to both: control watches it for the client's going, the writer sends.
 */
#include "capture/capture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "capture/pcapng.h"
#include "worker/cycles.h"
#include "worker/stats.h"

/* 6 ms of 10 Gbit/s; pages that are not needed stay untouched. */
#define RING_BYTES (UINT64_C(8) << 20)

/* Written at once. Holds the longest block. */
#define BUFFER_BYTES (256u << 10)

/* Between two looks at the ring: short while frames come, doubled up to the longest while none do. */
#define LOOK_NS_MIN 1000000
#define LOOK_NS_MAX 16000000

/* A frame in the ring, before its bytes. */
struct record {
    uint32_t size;       /* with this header, a multiple of 8 */
    uint32_t captured;   /* bytes; FILLER: nothing up to the ring's end */
    uint32_t length;     /* of the whole frame */
    uint32_t direction;  /* enum mirror_direction */
    uint64_t time_ns;    /* CLOCK_REALTIME */
};

#define FILLER UINT32_MAX

/* A client that is there and does not read is asked again so often; when its capture has ended, for so long. */
#define STREAM_LOOK_MS 50
#define STREAM_REST_MS 2000

_Static_assert(BUFFER_BYTES >= FRAME_LENGTH_MAX + PCAPNG_PACKET_EXTRA + PCAPNG_PADDING_MAX, "a block fits");
_Static_assert(sizeof(struct record) % 8 == 0 && RING_BYTES % 8 == 0, "a filler's header always fits");

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

static void capture_release(struct capture *capture)
{
    if (atomic_fetch_sub(&capture->references, 1) > 1)
        return;
    if (capture->stream && atomic_load(&capture->fd) >= 0)
        close(atomic_load(&capture->fd));
    munmap(capture->ring, RING_BYTES);
    sem_destroy(&capture->ended);
    free(capture);
}

/* --- workers --- */

static uint64_t realtime_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool has_room(struct capture *capture, uint64_t end)
{
    if (end - capture->tail_seen <= RING_BYTES)
        return true;
    capture->tail_seen = atomic_load_explicit(&capture->tail, memory_order_acquire);
    return end - capture->tail_seen <= RING_BYTES;
}

static void copy_bytes(uint8_t *to, const struct frame *frame, uint32_t captured)
{
    uint32_t at = captured < frame->head_length ? captured : frame->head_length;

    memcpy(to, frame->head, at);
    for (uint32_t i = 0; i < frame->segment_count && at < captured; i++) {
        uint32_t left = captured - at, length = frame->segments[i].length;

        length = length < left ? length : left;
        memcpy(to + at, frame->segments[i].data, length);
        at += length;
    }
}

/* Puts one frame at *head and moves that on. False: no room. */
static bool put_frame(struct capture *capture, uint64_t *head, const struct frame *frame, uint32_t direction,
                      uint64_t now)
{
    uint32_t captured = frame->length < capture->snaplen ? frame->length : capture->snaplen;
    uint32_t size = ((uint32_t)sizeof(struct record) + captured + 7) & ~7u;
    uint64_t at = *head % RING_BYTES, filler = at + size > RING_BYTES ? RING_BYTES - at : 0;

    if (!has_room(capture, *head + filler + size))
        return false;
    if (filler > 0) {
        memcpy(capture->ring + at, &(uint32_t[]){ (uint32_t)filler, FILLER }, 8);
        *head += filler;
        at = 0;
    }
    struct record record = { size, captured, frame->length, direction, now };

    memcpy(capture->ring + at, &record, sizeof record);
    copy_bytes(capture->ring + at + sizeof record, frame, captured);
    *head += size;
    return true;
}

/* Those of the frames that the filter keeps; done before the lock is taken. */
static unsigned frames_keep(const struct capture *capture, struct frame *const *frames, unsigned count,
                            struct frame **kept)
{
    unsigned kept_count = 0;

    for (unsigned i = 0; i < count; i++)
        if (capture->filter.length == 0 || packet_filter_keeps(&capture->filter, frames[i]))
            kept[kept_count++] = frames[i];
    return kept_count;
}

void capture_frames(struct capture *capture, struct frame *const *frames, unsigned count,
                    enum mirror_direction direction)
{
    struct frame *kept[BURST_MAX];
    unsigned kept_count = frames_keep(capture, frames, count, kept), taken = 0;

    if (kept_count == 0)
        return;
    uint64_t now = realtime_ns();

    while (atomic_flag_test_and_set_explicit(&capture->lock, memory_order_acquire))
        cpu_relax();
    uint64_t head = atomic_load_explicit(&capture->head, memory_order_relaxed);
    bool on = atomic_load_explicit(&capture->state, memory_order_relaxed) == CAPTURE_ON;

    for (unsigned i = 0; on && i < kept_count; i++)
        taken += put_frame(capture, &head, kept[i], direction, now);
    atomic_store_explicit(&capture->head, head, memory_order_release);
    counter_add(&capture->frames, taken);
    if (on || !capture->stream) /* a stream that has ended wants no more */
        counter_add(&capture->lost, kept_count - taken);
    atomic_flag_clear_explicit(&capture->lock, memory_order_release);
}

/* --- the writer --- */

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

static void *capture_main(void *argument)
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

/* --- control thread --- */

static bool capture_launch(struct capture *capture)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, capture_main, capture);

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error == 0;
}

static struct capture *refuse_capture(struct refusal *refusal, const char *reason, const char *found)
{
    refuse(refusal, reason, "a thread and 9 MiB of memory for a capture");
    refusal_found(refusal, "%s", found);
    refusal_hint(refusal, "make room, and ask again");
    return NULL;
}

static struct capture *capture_create(const char *interface, uint32_t snaplen)
{
    struct capture *capture = aligned_alloc(64, (sizeof *capture + 63) / 64 * 64);
    void *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (capture == NULL || ring == MAP_FAILED) {
        free(capture);
        if (ring != MAP_FAILED)
            munmap(ring, RING_BYTES);
        return NULL;
    }
    memset(capture, 0, offsetof(struct capture, buffer));
    capture->ring = ring;
    capture->snaplen = snaplen != 0 ? snaplen : UINT32_MAX;
    capture->limit = UINT64_MAX;
    capture->buffered = pcapng_begin(capture->buffer, interface, snaplen);
    atomic_init(&capture->fd, -1);
    atomic_init(&capture->ending, false);
    atomic_init(&capture->references, 2);
    sem_init(&capture->ended, 0, 0);
    return capture;
}

/* One that no thread has. */
static void capture_discard(struct capture *capture)
{
    atomic_store(&capture->references, 1);
    capture_release(capture);
}

struct capture *capture_open(const char *folder, const struct port_mirror *mirror, const char *interface,
                             struct refusal *refusal)
{
    struct capture *capture = capture_create(interface, mirror->snaplen);

    if (capture == NULL)
        return refuse_capture(refusal, "mirror-failed", "no memory");
    capture->limit = mirror->limit;
    int fd = capture_file_create(folder, mirror->to, capture->file, refusal);

    atomic_store(&capture->fd, fd);
    if (fd >= 0 && capture_launch(capture))
        return capture;
    if (fd >= 0) {
        capture_file_remove(folder, capture->file);
        close(fd);
        refuse_capture(refusal, "mirror-failed", "no thread");
    }
    capture_discard(capture);
    return NULL;
}

struct capture *capture_stream(const struct capture_options *options, const char *interface, struct refusal *refusal)
{
    struct capture *capture = capture_create(interface, options->snaplen);

    if (capture == NULL)
        return refuse_capture(refusal, "limit", "no memory");
    capture->stream = true;
    capture->count = options->count;
    capture->filter = options->filter;
    if (capture_launch(capture))
        return capture;
    capture_discard(capture);
    return refuse_capture(refusal, "limit", "no thread");
}

void capture_attach(struct capture *capture, int fd)
{
    atomic_store(&capture->fd, fd);
}

void capture_leave(struct capture *capture)
{
    atomic_store(&capture->ending, true);
    capture_release(capture);
}

void capture_close(struct capture *capture)
{
    struct timespec limit;

    if (capture == NULL)
        return;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_nsec += CAPTURE_CLOSE_MS * 1000000L;
    limit.tv_sec += limit.tv_nsec / 1000000000L;
    limit.tv_nsec %= 1000000000L;
    atomic_store(&capture->ending, true);
    while (sem_clockwait(&capture->ended, CLOCK_MONOTONIC, &limit) != 0 && errno == EINTR)
        continue;
    capture_release(capture);
}

void capture_undo(struct capture *capture, const char *folder)
{
    if (capture == NULL)
        return;
    capture_file_remove(folder, capture->file);
    capture_close(capture);
}

void capture_status(const struct capture *capture, struct capture_status *status)
{
    status->state = (enum capture_state)atomic_load(&capture->state);
    status->error = atomic_load(&capture->error);
    memcpy(status->file, capture->file, sizeof status->file);
    status->frames = counter_read(&capture->frames);
    status->lost = counter_read(&capture->lost) + counter_read(&capture->unwritten);
    status->bytes = counter_read(&capture->bytes);
}
