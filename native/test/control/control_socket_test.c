/*
 * control_socket_test.c - clients of every temper on one loop, in one thread:
 * slow, silent, greedy, gone, too many, not allowed. The answers are made up.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/control_listener.h"
#include "control/control_socket.h"
#include "control/json_rpc.h"
#include "log.h"

static char folder[64], path[96], why[256];
static struct event_loop *loop;
static struct control_listener listener;
static struct control_socket *control;
static unsigned answered;
static int handed, handed_count;

/* "big N": N bytes; "subscribe"; "event": an event goes out first; "none": nothing; "capture" hands over; else an echo. */
static char *answer(void *owner, const char *line, size_t length, struct answer_effect *effect)
{
    char *text;
    unsigned size;
    (void)owner;
    answered++;
    effect->subscribe = length == 9 && memcmp(line, "subscribe", 9) == 0;
    if (length >= 7 && memcmp(line, "capture", 7) == 0)
        effect->live = (struct live_capture *)&handed; /* nobody looks at it here */
    if (length == 13 && memcmp(line, "capture event", 13) == 0)
        control_socket_publish(control, "EVENT\n");
    if (length == 5 && memcmp(line, "event", 5) == 0)
        control_socket_publish(control, "EVENT\n");
    if (length == 4 && memcmp(line, "none", 4) == 0)
        return NULL;
    if (length > 4 && sscanf(line, "big %u", &size) == 1) {
        text = malloc(size + 1);
        memset(text, 'b', size);
        strcpy(text + size - 1, "\n");
        return text;
    }
    return asprintf(&text, "ok %.*s\n", (int)(length < 20 ? length : 20), line) < 0 ? NULL : text;
}

static void hand_over(struct live_capture *live, int fd)
{
    assert_ptr_equal(live, &handed);
    handed = fd;
    handed_count++;
}

static int set_up(void **state)
{
    (void)state;
    log_open("/dev/null", LOG_LEVEL_ERROR);
    strcpy(folder, "/tmp/vhostkit-control-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    chmod(folder, 0755);
    snprintf(path, sizeof path, "%s/control", folder);
    if (control_listener_open(&listener, path, NULL, why, sizeof why) != LISTENER_OPEN)
        return -1;
    loop = event_loop_create();
    control = control_socket_create(loop, &listener, answer, hand_over, NULL);
    answered = handed_count = 0;
    return control ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    control_socket_destroy(control);
    event_loop_destroy(loop);
    control_listener_close(&listener, true);
    return rmdir(folder); /* nothing is left */
}

static void stop(void *owner)
{
    event_loop_stop(owner);
}

static void run_for(unsigned milliseconds)
{
    struct event_timer end = { 0 };
    event_loop_start_timer(loop, &end, milliseconds, stop, loop);
    assert_int_equal(event_loop_run(loop), 0);
}

static int connect_client(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What comes until `wanted` bytes are there, the end of the connection, or 4 s; the number of bytes. */
static size_t hear(int fd, char *text, size_t size, size_t wanted, bool *ended)
{
    size_t used = 0;
    *ended = false;
    for (unsigned i = 0; i < 2000 && used < wanted && !*ended; i++) {
        run_for(2);
        ssize_t count = recv(fd, text + used, size - used - 1, 0);
        if (count == 0 || (count < 0 && errno == ECONNRESET))
            *ended = true;
        else if (count > 0)
            used += (size_t)count;
    }
    text[used] = 0;
    return used;
}

static void assert_hears(int fd, const char *expected)
{
    char text[512];
    bool ended;
    hear(fd, text, sizeof text, strlen(expected), &ended);
    assert_string_equal(text, expected);
}

static void assert_ends(int fd, const char *part)
{
    char text[1024];
    bool ended;
    hear(fd, text, sizeof text, sizeof text - 1, &ended);
    if (!ended || !strstr(text, part))
        fail_msg("expected the end after \"%s\", found \"%s\"%s", part, text, ended ? "" : " and no end");
    close(fd);
}

static void requests_are_answered_in_order(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "one\ntwo\nthr");
    assert_hears(fd, "ok one\nok two\n");
    say(fd, "ee\n\n");
    assert_hears(fd, "ok three\nok \n");
    close(fd);
}

static void a_client_that_sends_its_end_still_gets_its_answers(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "big 900000\nlast\nunfinished");
    shutdown(fd, SHUT_WR);
    static char text[1000000];
    bool ended;
    size_t length = hear(fd, text, sizeof text, sizeof text - 1, &ended);
    assert_true(ended);
    assert_int_equal(length, 900000 + strlen("ok last\n"));
    assert_string_equal(text + 900000, "ok last\n");
    close(fd);
}

static void a_slow_request_ends_the_connection(void **state)
{
    (void)state;
    int fd = connect_client();
    for (unsigned i = 0; i < 7; i++) { /* each byte in time, the whole too late */
        say(fd, "x");
        run_for(270);
    }
    assert_ends(fd, "a request must be complete within 2 s");
    assert_int_equal(answered, 0);
}

static void an_idle_client_and_many_quick_requests_have_no_deadline(void **state)
{
    (void)state;
    int idle = connect_client(), busy = connect_client();
    say(busy, "a");
    for (unsigned i = 0; i < 5; i++) { /* always a request under way, none for long */
        run_for(500);
        say(busy, "\nb");
    }
    run_for(10);
    say(idle, "still here\n");
    assert_hears(idle, "ok still here\n");
    assert_hears(busy, "ok a\nok b\nok b\nok b\nok b\n");
    close(idle);
    close(busy);
}

static void requests_have_a_size_limit(void **state)
{
    char *line = malloc(REQUEST_SIZE_MAX + 2);
    (void)state;
    memset(line, 'x', REQUEST_SIZE_MAX + 1);
    strcpy(line + REQUEST_SIZE_MAX, "\n");
    int fd = connect_client();
    say(fd, line);
    assert_hears(fd, "ok xxxxxxxxxxxxxxxxxxxx\n");
    strcpy(line + REQUEST_SIZE_MAX, "x");
    run_for(10);
    say(fd, line);
    assert_ends(fd, "a request has at most 65536 bytes");
    assert_int_equal(answered, 1);
    free(line);
}

static void a_client_that_does_not_read_is_not_read_from(void **state)
{
    char text[64], more[1000 * 5 + 1] = "";
    (void)state;
    int fd = connect_client();
    for (unsigned i = 0; i < 1000; i++)
        strcpy(more + 5 * i, "more\n");
    say(fd, "big 3000000\n");
    say(fd, more);
    run_for(50);
    assert_int_equal(answered, 1); /* one answer is all that is kept for it */
    static char all[3100000];
    bool ended;
    size_t wanted = 3000000 + 1000 * strlen("ok more\n");
    assert_int_equal(hear(fd, all, sizeof all, wanted, &ended), wanted);
    assert_int_equal(answered, 1001);
    assert_int_equal(recv(fd, text, sizeof text, 0), -1);
    close(fd);
}

static void clients_that_vanish_do_no_harm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        int fd = connect_client();
        say(fd, i % 2 ? "big 1000000\nx\n" : "part");
        if (i % 3)
            run_for(1);
        close(fd);
    }
    run_for(20);
    int fd = connect_client();
    say(fd, "there\n");
    assert_hears(fd, "ok there\n");
    close(fd);
}

static void no_answer_ends_the_connection(void **state)
{
    (void)state;
    int fd = connect_client();
    say(fd, "none\nmore\n");
    assert_ends(fd, "");
}

static void there_is_room_for_64(void **state)
{
    int fds[CLIENTS_MAX];
    (void)state;
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        fds[i] = connect_client();
        run_for(1);
    }
    int late = connect_client();
    assert_ends(late, "\"reason\":\"limit\"");
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        say(fds[i], "me\n");
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        assert_hears(fds[i], "ok me\n");
    close(fds[0]);
    run_for(10);
    fds[0] = connect_client();
    say(fds[0], "new\n");
    assert_hears(fds[0], "ok new\n");
    for (unsigned i = 0; i < CLIENTS_MAX; i++)
        close(fds[i]);
}

static void events_go_to_those_who_asked(void **state)
{
    (void)state;
    int listening = connect_client(), deaf = connect_client();
    control_socket_publish(control, "EVENT\n");
    assert_false(control_socket_has_subscribers(control));
    say(listening, "subscribe\n");
    assert_hears(listening, "ok subscribe\n");
    assert_true(control_socket_has_subscribers(control));
    say(deaf, "event\n");
    assert_hears(deaf, "ok event\n");
    say(listening, "event\n");
    assert_hears(listening, "EVENT\nEVENT\nok event\n");
    close(listening);
    close(deaf);
    run_for(10);
    assert_false(control_socket_has_subscribers(control));
}

static void publish_bytes(size_t bytes)
{
    char event[1025];
    memset(event, 'e', 1024);
    strcpy(event + 1023, "\n");
    for (size_t sent = 0; sent < bytes; sent += 1024)
        control_socket_publish(control, event);
}

static void a_subscriber_that_does_not_read_loses_its_connection(void **state)
{
    (void)state;
    int sleeping = connect_client(), reading = connect_client();
    say(sleeping, "subscribe\n");
    say(reading, "subscribe\n");
    assert_hears(sleeping, "ok subscribe\n");
    assert_hears(reading, "ok subscribe\n");
    static char text[1100 * 1024];
    bool ended;
    for (unsigned i = 0; i < 10; i++) {
        publish_bytes(100 * 1024);
        assert_int_equal(hear(reading, text, sizeof text, 100 * 1024, &ended), 100 * 1024);
    }
    size_t kept = hear(sleeping, text, sizeof text, sizeof text - 1, &ended);
    assert_true(ended);
    assert_true(kept > 0 && kept < 1000 * 1024); /* what the kernel had taken */
    assert_true(control_socket_has_subscribers(control));
    close(sleeping);
    close(reading);
}

static void events_have_their_room_beside_a_long_answer(void **state)
{
    (void)state;
    int fd = connect_client();
    static char text[4000000];
    bool ended;
    say(fd, "subscribe\n");
    assert_hears(fd, "ok subscribe\n");
    say(fd, "big 3000000\n");
    run_for(10);
    publish_bytes(256 * 1024);
    assert_int_equal(hear(fd, text, sizeof text, 3000000 + 256 * 1024, &ended), 3000000 + 256 * 1024);
    say(fd, "alive\n");
    assert_hears(fd, "ok alive\n");
    close(fd);
}

/* The answer first, then the connection is somebody else's: no word of ours comes on it, and what it says is not ours to hear. */
static void a_connection_is_handed_over(void **state)
{
    (void)state;
    char text[64];
    bool ended;
    int fd = connect_client();
    say(fd, "subscribe\n");
    assert_hears(fd, "ok subscribe\n");
    say(fd, "capture event\nfollows\n"); /* an event is published while it is answered */
    assert_hears(fd, "EVENT\nok capture event\n");
    run_for(10);
    assert_int_equal(handed_count, 1);
    assert_true(handed >= 0);
    assert_int_equal(answered, 2);
    assert_false(control_socket_has_subscribers(control));
    control_socket_publish(control, "EVENT\n");
    say(handed, "stream\n");
    assert_hears(fd, "stream\n");
    say(fd, "more\n");
    run_for(10);
    assert_int_equal(answered, 2);
    close(handed);
    hear(fd, text, sizeof text, 1, &ended);
    assert_true(ended);
    close(fd);
}

static void nobody_takes_over_a_connection_that_is_gone(void **state)
{
    (void)state;
    int fd = connect_client();
    run_for(10);
    say(fd, "capture\n");
    close(fd);
    run_for(20);
    assert_int_equal(handed_count, 1);
    assert_int_equal(handed, -1);
    fd = connect_client(); /* and it is served on */
    say(fd, "hello\n");
    assert_hears(fd, "ok hello\n");
    close(fd);
}

/* What a client of that user and those groups hears of "hello"; run in a child. */
static void hears_as(uid_t uid, gid_t group, bool served)
{
    pid_t child = fork();
    if (child == 0) {
        char text[64] = "";
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (setgroups(1, &group) < 0 || setgid(65533) < 0 || setuid(uid) < 0 ||
            connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
            _exit(9);
        if (send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0)
            _exit(1);
        _exit(recv(fd, text, sizeof text, 0) > 0 ? 0 : 1);
    }
    int status = -1;
    for (unsigned i = 0; i < 1000 && waitpid(child, &status, WNOHANG) == 0; i++)
        run_for(2);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), served ? 0 : 1);
}

static void only_its_group_is_served(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("not root: cannot play other users, so this is not tested\n");
        skip();
    }
    listener.group = 4242;
    assert_int_equal(chmod(path, 0666), 0); /* as if somebody had opened it wide */
    hears_as(65534, 4242, true);
    hears_as(65534, 4243, false);
}

static void the_socket_file_is_as_it_should_be(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0660);
    assert_int_equal(status.st_gid, listener.group);
}

static void a_held_path_is_refused_and_a_dead_one_replaced(void **state)
{
    struct control_listener second;
    (void)state;
    assert_int_equal(control_listener_open(&second, path, NULL, why, sizeof why), LISTENER_HELD);
    assert_non_null(strstr(why, path));
    control_socket_destroy(control);
    control_listener_close(&listener, false); /* as after kill -9 */
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(control_listener_open(&listener, path, NULL, why, sizeof why), LISTENER_OPEN);
    control = control_socket_create(loop, &listener, answer, NULL, NULL);
    int fd = connect_client();
    say(fd, "again\n");
    assert_hears(fd, "ok again\n");
    close(fd);
}

static void what_is_not_ours_is_left_alone(void **state)
{
    struct control_listener second;
    char other[sizeof folder + 8];
    (void)state;
    snprintf(other, sizeof other, "%s/file", folder);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(control_listener_open(&second, other, NULL, why, sizeof why), LISTENER_FAILED);
    assert_non_null(strstr(why, "is not a socket"));
    assert_int_equal(unlink(other), 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", other);
    int foreign = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(foreign, (struct sockaddr *)&address, sizeof address) + listen(foreign, 1), 0);
    assert_int_equal(control_listener_open(&second, other, NULL, why, sizeof why), LISTENER_HELD);
    assert_int_equal(unlink(other), 0);
    close(foreign);
    assert_int_equal(control_listener_open(&second, "/nowhere/at/all", NULL, why, sizeof why),
                     LISTENER_FAILED);
    assert_int_equal(control_listener_open(&second, path, "no such group", why, sizeof why), LISTENER_FAILED);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(requests_are_answered_in_order),
        ROW(a_client_that_sends_its_end_still_gets_its_answers),
        ROW(a_slow_request_ends_the_connection),
        ROW(an_idle_client_and_many_quick_requests_have_no_deadline),
        ROW(requests_have_a_size_limit),
        ROW(a_client_that_does_not_read_is_not_read_from),
        ROW(clients_that_vanish_do_no_harm),
        ROW(no_answer_ends_the_connection),
        ROW(there_is_room_for_64),
        ROW(events_go_to_those_who_asked),
        ROW(a_subscriber_that_does_not_read_loses_its_connection),
        ROW(events_have_their_room_beside_a_long_answer),
        ROW(a_connection_is_handed_over),
        ROW(nobody_takes_over_a_connection_that_is_gone),
        ROW(only_its_group_is_served),
        ROW(the_socket_file_is_as_it_should_be),
        ROW(a_held_path_is_refused_and_a_dead_one_replaced),
        ROW(what_is_not_ours_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
