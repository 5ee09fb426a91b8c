/*
 * quiesce_test.c - a worker that does not come to its quiet point ends the program; one that could not
 * run, since the whole program was stopped for longer than the limit, does not.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "quiesce.h"

static atomic_bool registered;

/* A worker in a burst, until a byte comes. */
static void *worker(void *argument)
{
    char byte;

    rcu_register_thread();
    atomic_store(&registered, true);
    while (read(*(int *)argument, &byte, 1) != 1)
        continue;
    quiesce_pass();
    rcu_unregister_thread();
    return NULL;
}

/* The control thread: waits, then exits with 0. */
static void wait_for_worker(int bytes, int ready)
{
    static const struct rlimit no_core = { 0, 0 };
    pthread_t thread;

    setrlimit(RLIMIT_CORE, &no_core);
    if (quiesce_init() != 0 || pthread_create(&thread, NULL, worker, &bytes) != 0)
        _exit(2);
    while (!atomic_load(&registered))
        continue;
    if (write(ready, "", 1) != 1)
        _exit(2);
    quiesce_wait();
    _exit(0);
}

static void pass(unsigned milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000L }, NULL);
}

/* A program whose control thread waits for its worker, which goes on when a byte is written to *bytes. */
static pid_t start(int *bytes)
{
    int to_worker[2], from_control[2];
    char byte;

    assert_int_equal(pipe(to_worker), 0);
    assert_int_equal(pipe(from_control), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        wait_for_worker(to_worker[0], from_control[1]);
    assert_int_equal(read(from_control[0], &byte, 1), 1);
    close(to_worker[0]);
    close(from_control[0]);
    close(from_control[1]);
    *bytes = to_worker[1];
    pass(100); /* it is in quiesce_wait() */
    return pid;
}

static int end_of(pid_t pid, int bytes)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(bytes);
    return status;
}

static void test_late_worker_ends_the_program(void **state)
{
    int bytes, status;
    pid_t pid = start(&bytes);

    (void)state;
    status = end_of(pid, bytes);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_stopped_program_goes_on(void **state)
{
    int bytes, status;
    pid_t pid = start(&bytes);

    (void)state;
    assert_int_equal(kill(pid, SIGSTOP), 0);
    pass(QUIESCE_LIMIT_MS + 500);
    assert_int_equal(write(bytes, "", 1), 1);
    assert_int_equal(kill(pid, SIGCONT), 0);
    status = end_of(pid, bytes);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_worker_ends_the_program),
        cmocka_unit_test(test_stopped_program_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
