/*
 * capture_test.c - frames into a file and read back; a ring that is full, a file that is, a disk that is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../pcapng_reader.h"
#include "capture/capture.h"
#include "tcp_packet.h"

static char folder[64], captures[80];
static struct frame frames[BURST_MAX];
static struct frame *burst[BURST_MAX];
static struct segment rest[BURST_MAX][2];
static uint8_t bytes[BURST_MAX][FRAME_LENGTH_MAX];
static uint64_t random_state = 3;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/vhostkit-capture-XXXXXX");
    snprintf(captures, sizeof captures, "%s/captures", mkdtemp(folder) != NULL ? folder : "");
    return folder[0] != '\0' ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    for (int i = 0; i < 11; i++) {
        snprintf(path, sizeof path, i == 0 ? "%s/vm1" : "%s/vm1.%d", captures, i);
        unlink(path);
    }
    rmdir(captures);
    rmdir(folder);
    return 0;
}

static struct capture *begin(unsigned snaplen, uint64_t limit)
{
    struct port_mirror mirror = { MIRROR_FILE, MIRROR_BOTH, "vm1", snaplen, limit };
    struct refusal refusal;
    struct capture *capture = capture_open(captures, &mirror, "port1", &refusal);

    if (capture == NULL)
        fail_msg("%s, found %s", refusal.wanted, refusal.found);
    return capture;
}

/* Frame `index` of the burst: random bytes, beyond the head in two segments. */
static void make_frame(unsigned index, uint32_t length)
{
    struct frame *frame = &frames[index];
    uint32_t head = length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX, first = (length - head) / 3;

    for (uint32_t i = 0; i < length; i++)
        bytes[index][i] = (uint8_t)random_next(&random_state);
    *frame = (struct frame){ .length = length, .head_length = (uint16_t)head, .segments = rest[index],
                             .segment_count = length > head ? 2 : 0 };
    memcpy(frame->head, bytes[index], head);
    rest[index][0] = (struct segment){ bytes[index] + head, first };
    rest[index][1] = (struct segment){ bytes[index] + head + first, length - head - first };
    burst[index] = frame;
}

/* The rest is written when this returns; /tmp is not that slow. */
static struct capture_status finish(struct capture *capture)
{
    struct capture_status status;

    for (unsigned i = 0; i < 500; i++) { /* until the ring was emptied: what is lost is known then */
        uint64_t before;

        capture_status(capture, &status);
        before = status.bytes + status.lost;
        nanosleep(&(struct timespec){ .tv_nsec = 40000000 }, NULL);
        capture_status(capture, &status);
        if (before == status.bytes + status.lost)
            break;
    }
    capture_close(capture);
    return status;
}

static void frames_come_back(void **state)
{
    static const uint32_t lengths[] = { 14, 15, 16, 17, 60, 127, 128, 129, 131, 1514, 9014, 65550 };
    struct pcapng_file file;
    struct pcapng_frame found;
    struct timespec now;
    struct stat status;
    char path[96];

    (void)state;
    for (unsigned snaplen = 0; snaplen <= 100; snaplen += 100) {
        struct capture *capture = begin(snaplen, MIRROR_LIMIT_DEFAULT);
        unsigned count = sizeof lengths / sizeof lengths[0];

        for (unsigned i = 0; i < count; i++)
            make_frame(i, lengths[i]);
        capture_frames(capture, burst, count, MIRROR_RX);
        capture_frames(capture, burst, 3, MIRROR_TX);
        assert_int_equal(finish(capture).frames, count + 3);
        assert_true(pcapng_open(&file, captures, snaplen == 0 ? "vm1" : "vm1.1"));
        assert_string_equal(file.interface, "port1");
        assert_int_equal(file.snaplen, snaplen);
        clock_gettime(CLOCK_REALTIME, &now);
        for (unsigned i = 0; i < count + 3; i++) {
            unsigned index = i < count ? i : i - count;
            uint32_t kept = snaplen != 0 && lengths[index] > snaplen ? snaplen : lengths[index];

            assert_int_equal(pcapng_next(&file, &found), 1);
            assert_int_equal(found.length, lengths[index]);
            assert_int_equal(found.captured, kept);
            assert_memory_equal(found.data, bytes[index], kept);
            assert_int_equal(found.direction, i < count ? 1 : 2);
            assert_in_range(found.time_ns / 1000000000, (uint64_t)now.tv_sec - 60, (uint64_t)now.tv_sec);
        }
        assert_int_equal(pcapng_next(&file, &found), 0);
        pcapng_close(&file);
    }
    snprintf(path, sizeof path, "%s/vm1", captures);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* Frames of 64 KiB, so many times the ring, as fast as they can be made: none waits, each is written or counted. */
static void what_finds_no_room_is_counted(void **state)
{
    struct capture *capture = begin(0, MIRROR_LIMIT_MAX);
    struct pcapng_file file;
    struct pcapng_frame found;
    uint64_t read = 0;

    (void)state;
    for (unsigned i = 0; i < BURST_MAX; i++)
        make_frame(i, 65000 + i);
    for (unsigned i = 0; i < 60; i++)
        capture_frames(capture, burst, BURST_MAX, MIRROR_TX);
    struct capture_status status = finish(capture);

    assert_int_equal(status.state, CAPTURE_ON);
    assert_int_equal(status.frames + status.lost, 60 * BURST_MAX);
    assert_true(status.lost > 0 && status.frames >= 100);
    assert_true(pcapng_open(&file, captures, "vm1"));
    for (int more; (more = pcapng_next(&file, &found)) != 0; read++) {
        assert_int_equal(more, 1);
        assert_in_range(found.length, 65000, 65000 + BURST_MAX - 1);
        assert_memory_equal(found.data, bytes[found.length - 65000], found.length);
    }
    assert_int_equal(read, status.frames);
    pcapng_close(&file);
}

/* Small frames of many lengths, many times round the ring, at a pace that the writer keeps: none is lost or changed. */
static void the_ring_goes_round(void **state)
{
    struct capture *capture = begin(0, MIRROR_LIMIT_MAX);
    struct pcapng_file file;
    struct pcapng_frame found;
    uint64_t read = 0;

    (void)state;
    for (unsigned i = 0; i < BURST_MAX; i++)
        make_frame(i, 1001 + 7 * i);
    for (unsigned i = 0; i < 640; i++) {
        struct capture_status status;

        capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
        if (i % 64 == 63)
            do {
                nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
                capture_status(capture, &status);
            } while (status.bytes < (uint64_t)i * BURST_MAX * 1001 && status.state == CAPTURE_ON);
    }
    assert_int_equal(finish(capture).lost, 0);
    assert_true(pcapng_open(&file, captures, "vm1"));
    for (; pcapng_next(&file, &found) == 1; read++) {
        unsigned index = read % BURST_MAX;

        assert_int_equal(found.length, 1001 + 7 * index);
        assert_memory_equal(found.data, bytes[index], found.length);
    }
    assert_int_equal(read, 640 * BURST_MAX);
    pcapng_close(&file);
}

/* Frames of the file, all of them whole. */
static uint64_t count_frames(void)
{
    struct pcapng_file file;
    struct pcapng_frame found;
    uint64_t count = 0;
    int more;

    assert_true(pcapng_open(&file, captures, "vm1"));
    for (; (more = pcapng_next(&file, &found)) == 1; count++)
        continue;
    assert_int_equal(more, 0);
    pcapng_close(&file);
    return count;
}

static struct capture_status push_two_megabytes(uint64_t limit)
{
    struct capture *capture = begin(0, limit);

    for (unsigned i = 0; i < BURST_MAX; i++)
        make_frame(i, 1500);
    for (unsigned i = 0; i < 48; i++)
        capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL); /* the writer has seen its end by then, */
    capture_frames(capture, burst, BURST_MAX, MIRROR_RX);       /* or else takes these, too */
    return finish(capture);
}

static void a_full_file_ends_it(void **state)
{
    struct capture_status status = push_two_megabytes(MIRROR_LIMIT_MIN);
    uint64_t count = count_frames();

    (void)state;
    assert_int_equal(status.state, CAPTURE_FULL);
    assert_in_range(status.bytes, MIRROR_LIMIT_MIN - 2000, MIRROR_LIMIT_MIN);
    assert_int_equal(count + status.lost, 49 * BURST_MAX);
}

static void a_disk_that_takes_no_more_ends_it(void **state)
{
    struct rlimit before, small = { 700001, 0 };

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct capture_status status = push_two_megabytes(MIRROR_LIMIT_MAX);

    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status.state, CAPTURE_FAILED);
    assert_int_not_equal(status.error, 0);
    assert_int_equal(count_frames() + status.lost, 49 * BURST_MAX); /* it can be read: no half block at its end */
}

static void names_that_are_taken(void **state)
{
    struct port_mirror mirror = { MIRROR_FILE, MIRROR_BOTH, "vm1", 0, MIRROR_LIMIT_MIN };
    struct refusal refusal;
    char path[128], target[96];

    (void)state;
    mkdir(captures, 0700);
    snprintf(path, sizeof path, "%s/vm1", captures);
    snprintf(target, sizeof target, "%s/elsewhere", folder);
    assert_int_equal(symlink(target, path), 0); /* is not followed */
    for (unsigned i = 1; i < CAPTURE_NAMES_MAX; i++) {
        struct capture *capture = begin(0, MIRROR_LIMIT_MIN);
        struct capture_status status;
        char name[8];

        snprintf(name, sizeof name, "vm1.%u", i);
        capture_status(capture, &status);
        assert_string_equal(status.file, name);
        capture_close(capture);
    }
    assert_int_not_equal(access(target, F_OK), 0);
    assert_null(capture_open(captures, &mirror, "port1", &refusal));
    assert_string_equal(refusal.reason, "mirror-failed");
}

static void a_folder_of_others_is_refused(void **state)
{
    struct port_mirror mirror = { MIRROR_FILE, MIRROR_BOTH, "vm1", 0, MIRROR_LIMIT_MIN };
    struct refusal refusal;
    char target[96];

    (void)state;
    mkdir(captures, 0700);
    chmod(captures, 0777);
    assert_null(capture_open(captures, &mirror, "port1", &refusal));
    assert_string_equal(refusal.reason, "mirror-failed");
    rmdir(captures);
    snprintf(target, sizeof target, "%s/real", folder);
    mkdir(target, 0700);
    assert_int_equal(symlink(target, captures), 0);
    assert_null(capture_open(captures, &mirror, "port1", &refusal));
    unlink(captures);
    rmdir(target);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(frames_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_finds_no_room_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_ring_goes_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_file_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_takes_no_more_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_others_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
