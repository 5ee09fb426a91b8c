/*
 * flooder.h - a front-end process that is there to be killed: two play VMs that flood each other through the switch.
 */
#ifndef VHOSTKIT_TEST_FLOODER_H
#define VHOSTKIT_TEST_FLOODER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct flooder {
    pid_t pid;
};

/* The test program is started again with this as its first argument; main() then returns flooder_main(). */
#define FLOODER_ARGUMENT "--flooder"
int flooder_main(int argc, char **argv);

/* Starts one on the sockets `one` and `two` in the folder. True when frames go to and fro; false after 10 s. */
bool flooder_start(struct flooder *flooder, const char *folder, const char *one, const char *two);
/* SIGKILL, and waits for the end. */
void flooder_kill(struct flooder *flooder);

uint64_t flooder_now_ns(void);

#endif
