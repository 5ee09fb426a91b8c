/*
 * capture_stream_test.c - frames to a client, over a pair of sockets: all of them, as many as it wanted, those that a
 * filter keeps; a client that does not read, and one that goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../pcapng_reader.h"
#include "capture/capture.h"
#include "tcp_packet.h"

static char folder[64];
static struct frame frames[BURST_MAX];
static struct frame *burst[BURST_MAX];
static struct segment rest[BURST_MAX];
static uint8_t bytes[BURST_MAX][9000];
static int client;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/vhostkit-capture-XXXXXX");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[96];

    (void)state;
    snprintf(path, sizeof path, "%s/stream", folder);
    unlink(path);
    return rmdir(folder);
}

static void make_frames(uint32_t length)
{
    for (unsigned i = 0; i < BURST_MAX; i++) {
        uint32_t head = length < FRAME_HEAD_MAX ? length : FRAME_HEAD_MAX;

        memset(bytes[i], (int)i, length);
        frames[i] = (struct frame){ .length = length, .head_length = (uint16_t)head, .segments = &rest[i],
                                    .segment_count = length > head };
        memcpy(frames[i].head, bytes[i], head);
        rest[i] = (struct segment){ bytes[i] + head, length - head };
        burst[i] = &frames[i];
    }
}

static struct capture *begin(struct capture_options options)
{
    struct refusal refusal;
    struct capture *capture = capture_stream(&options, "port1", &refusal);

    if (capture == NULL)
        fail_msg("%s, found %s", refusal.wanted, refusal.found);
    return capture;
}

/* Frames are taken before there is anybody to send them to. */
static void attach(struct capture *capture)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    client = pair[0];
    capture_attach(capture, pair[1]);
}

static void pause_ms(unsigned milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000L }, NULL);
}

/* All that comes until the capture's end, as a file. */
static struct pcapng_file receive(void)
{
    static uint8_t part[65536];
    struct pcapng_file file;
    char path[96];

    snprintf(path, sizeof path, "%s/stream", folder);
    FILE *stream = fopen(path, "wb");

    assert_non_null(stream);
    for (ssize_t got; (got = read(client, part, sizeof part)) > 0;)
        assert_int_equal(fwrite(part, 1, (size_t)got, stream), got);
    fclose(stream);
    close(client);
    assert_true(pcapng_open(&file, folder, "stream"));
    return file;
}

/* Frames of the file, the bytes of each all one number; they must be followed by statistics. */
static unsigned count_frames(struct pcapng_file *file, uint32_t length, uint32_t captured)
{
    struct pcapng_frame found;
    unsigned count = 0;
    int more;

    for (; (more = pcapng_next(file, &found)) == 1; count++) {
        assert_int_equal(found.length, length);
        assert_int_equal(found.captured, captured);
        for (uint32_t i = 1; i < captured; i++)
            assert_int_equal(found.data[i], found.data[0]);
    }
    assert_int_equal(more, 0);
    assert_true(file->counted);
    pcapng_close(file);
    return count;
}

static void all_of_them(void **state)
{
    struct capture *capture = begin((struct capture_options){ .snaplen = 300 });

    (void)state;
    make_frames(1500);
    capture_frames(capture, burst, 5, MIRROR_RX);
    attach(capture);
    capture_frames(capture, burst, 7, MIRROR_TX);
    capture_leave(capture);
    struct pcapng_file file = receive();

    assert_string_equal(file.interface, "port1");
    assert_int_equal(file.snaplen, 300);
    assert_int_equal(count_frames(&file, 1500, 300), 12);
    assert_true(file.received == 12 && file.dropped == 0);
}

/* The capture ends by itself, and nobody's frames beyond that count as lost. */
static void as_many_as_were_wanted(void **state)
{
    struct capture *capture = begin((struct capture_options){ .count = 40 });
    struct capture_status status;

    (void)state;
    make_frames(60);
    attach(capture);
    for (unsigned i = 0; i < 3; i++)
        capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    struct pcapng_file file = receive();

    assert_int_equal(count_frames(&file, 60, 60), 40);
    assert_true(file.received == 40 && file.dropped == 0);
    capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    capture_status(capture, &status);
    assert_int_equal(status.state, CAPTURE_FULL);
    assert_int_equal(status.lost, 0);
    capture_leave(capture);
}

/* Also a byte that is not in the head, and not among those that are kept. */
static void those_that_a_filter_keeps(void **state)
{
    struct capture_options options = { .snaplen = 64, .filter = { 4, { { 0x30, 0, 0, 1400 }, { 0x35, 0, 1, 20 }, { 6, 0, 0, 1 },
                                                                       { 6, 0, 0, 0 } } } };
    struct capture *capture = begin(options);

    (void)state;
    make_frames(1500);
    attach(capture);
    capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    capture_leave(capture);
    struct pcapng_file file = receive();

    assert_int_equal(count_frames(&file, 1500, 64), BURST_MAX - 20);
    assert_int_equal(file.received, BURST_MAX - 20);
}

/* It holds up nobody: what finds no room is lost, and it gets the rest when it reads again. */
static void a_client_that_does_not_read(void **state)
{
    struct capture *capture = begin((struct capture_options){ 0 });
    unsigned sent = 0;

    (void)state;
    make_frames(9000);
    attach(capture);
    for (; sent < 100 * BURST_MAX; sent += BURST_MAX)
        capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    pause_ms(100);
    capture_leave(capture); /* and is waited for a while */
    pause_ms(300);
    struct pcapng_file file = receive();
    unsigned count = count_frames(&file, 9000, 9000);

    assert_true(count > 900 && count < sent);
    assert_int_equal(file.received, sent);
    assert_int_equal(file.dropped, sent - count);
}

/* Nothing waits for it, and no signal comes. */
static void a_client_that_goes(void **state)
{
    struct capture *capture = begin((struct capture_options){ 0 });
    struct capture_status status;
    unsigned waited = 0;

    (void)state;
    make_frames(1000);
    attach(capture);
    close(client);
    do {
        capture_frames(capture, burst, BURST_MAX, MIRROR_TX);
        pause_ms(5);
        capture_status(capture, &status);
    } while (status.state == CAPTURE_ON && ++waited < 1000);
    assert_int_equal(status.state, CAPTURE_FAILED);
    capture_leave(capture);
}

/* Neither may one be kept by a client that never reads, nor one whose client was gone before it was attached. */
static void ends_that_wait_for_nobody(void **state)
{
    struct capture *capture = begin((struct capture_options){ 0 });
    char byte;

    (void)state;
    capture_leave(capture);
    capture = begin((struct capture_options){ 0 });
    make_frames(9000);
    attach(capture);
    for (unsigned i = 0; i < 30; i++)
        capture_frames(capture, burst, BURST_MAX, MIRROR_RX);
    capture_leave(capture);
    pause_ms(5000); /* STREAM_REST_MS and more: the thread has ended, and with it the connection */
    while (recv(client, &byte, 1, MSG_DONTWAIT) == 1)
        assert_int_not_equal(recv(client, bytes, sizeof bytes, MSG_DONTWAIT), -1);
    assert_int_equal(recv(client, &byte, 1, MSG_DONTWAIT), 0);
    close(client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_as_were_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(those_that_a_filter_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_does_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_that_wait_for_nobody, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("capture: stream", tests, NULL, NULL);
}
