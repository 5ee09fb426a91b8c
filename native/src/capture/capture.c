/*
 * capture.c - see capture.h.
 *
 * A capture writes to a file, or to the connection of a client (a stream). The ring has one reader,
 * the writer's thread, and one producer at a time: the worker that holds the lock, once a burst, as with a receive
 * ring. Positions run freely; a record never lies over the ring's end, a filler
 * stands there instead. The thread is in capture_writer.c.
 *
 * Control and writer each hold a reference, since the writer may hang in a write for as long as it likes. A file
 * belongs to the writer, a connection to both: control watches it for the client's going, the writer sends.
 */
#include "capture/capture_parts.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "capture/pcapng.h"
#include "worker/cycles.h"

_Static_assert(sizeof(struct record) % 8 == 0 && RING_BYTES % 8 == 0, "a filler's header always fits");

void capture_release(struct capture *capture)
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

uint64_t realtime_ns(void)
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
