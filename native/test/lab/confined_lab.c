/*
 * confined_lab.c - the switch and its guests under the policies of templates/apparmor, seen
 * from inside a host whose kernel has AppArmor.
 *
 *   confined-lab
 *
 * Runs as root where the policies are loaded and the folders are made (confined-init; test/system/confined.test.ts
 * boots such a machine). The switch stands where an installed one does, so its profile holds it; a process with two
 * play guests stands for a QEMU that libvirt confines. Each step prints one JSON object a line and judges nothing:
 * that is done by the test that reads the lines. The last one is {"step": "end"}.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_frames.h"
#include "lab_switch.h"
#include "machine.h"

#define SWITCH "/usr/bin/vhostkit-switch"
#define QEMU_PROFILE "vhostkit-lab-qemu"
#define CAPTURE LAB_FOLDER "/captures/vm1.pcapng"
#define ELSEWHERE "/run/elsewhere"

#define SOCKET(name) LAB_FOLDER "/machines/" name "/net0.sock"

static struct lab_switch lab;

static void tell(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(line);
}

/* What confines a process, as the kernel names it: "PROFILE (MODE)". */
static json_t *label_of(pid_t pid)
{
    char path[64], label[128] = "";

    snprintf(path, sizeof path, "/proc/%d/attr/current", (int)pid);
    FILE *file = fopen(path, "re");

    if (file == NULL || fgets(label, sizeof label, file) == NULL)
        lab_fail("%s cannot be read", path);
    fclose(file);
    label[strcspn(label, "\n")] = '\0';
    return json_string(label);
}

/* --- a pair of play guests --- */

static struct machine machines[2];

static void pair_create(const char *first, const char *second, bool huge)
{
    const char *const sockets[] = { first, second };

    umask(0007); /* the switch's group may connect: the folder's setgid makes it the socket's */
    for (unsigned i = 0; i < 2; i++) {
        if (!machine_create(&machines[i], &(struct machine_options){ .socket = sockets[i], .huge = huge }))
            lab_fail("%s: %s: %s", sockets[i], machines[i].peer.why, strerror(errno));
        machines[i].peer.timeout_ms = 10000;
    }
}

static void pair_come(bool again)
{
    for (unsigned i = 0; i < 2; i++)
        if (again ? !machine_reattach(&machines[i]) : !machine_attach(&machines[i]))
            lab_fail("%s: %s", machines[i].peer.path, machines[i].peer.why);
}

/* Frames both ways, between the addresses of `number` and the next. */
static unsigned pair_pass(unsigned number)
{
    return lab_frames_pass(&machines[0], &machines[1], number, number + 1) +
           lab_frames_pass(&machines[1], &machines[0], number + 1, number);
}

/* --- the process of the guests --- */

struct guests {
    pid_t pid;
    int orders;  /* a byte for each thing to do */
    int answers; /* an unsigned for each that was done */
};

/* From here on this process may do what a QEMU of libvirt may. */
static void confine(void)
{
    static const char order[] = "changeprofile " QEMU_PROFILE;
    int fd = open("/proc/self/attr/current", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, order, sizeof order - 1) < 0)
        lab_fail("this process cannot take the profile " QEMU_PROFILE ": %s", strerror(errno));
    close(fd);
}

/* errno of making a socket there, 0 when it can be made. */
static int try_bind(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    int error = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;

    close(fd);
    return error;
}

/* errno of opening it for writing. */
static int try_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : errno;
}

/* 'a': come; 'r': come again; 'p': pass frames; 's', 'l': errno of a socket elsewhere, and of the switch's log. */
static unsigned obey(char order)
{
    switch (order) {
    case 'a':
        pair_come(false);
        return 0;
    case 'r':
        pair_come(true);
        return 0;
    case 'p':
        return pair_pass(1);
    case 's':
        return (unsigned)try_bind(LAB_FOLDER "/captures/guest.sock");
    case 'l':
        return (unsigned)try_open(LAB_LOG);
    default:
        lab_fail("no such order: %c", order);
    }
}

static void guests_live(int orders, int answers)
{
    char order;

    confine();
    pair_create(SOCKET("vm1"), SOCKET("vm2"), false);
    while (read(orders, &order, 1) == 1) {
        unsigned answer = obey(order);

        if (write(answers, &answer, sizeof answer) != sizeof answer)
            lab_fail("nobody hears the guests");
    }
    exit(0);
}

static void guests_start(struct guests *guests)
{
    int orders[2], answers[2];

    if (pipe2(orders, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0)
        lab_fail("no pipe");
    fflush(NULL);
    guests->pid = fork();
    if (guests->pid == 0) {
        close(orders[1]);
        close(answers[0]);
        guests_live(orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    guests->orders = orders[1];
    guests->answers = answers[0];
}

static int guests_do(struct guests *guests, char order)
{
    unsigned answer;

    if (write(guests->orders, &order, 1) != 1 || read(guests->answers, &answer, sizeof answer) != sizeof answer)
        lab_fail("the guests have ended");
    return (int)answer;
}

/* --- the steps --- */

static void add_port(const char *name, const char *socket, json_t *policy)
{
    json_decref(lab_switch_call(&lab, "port.add",
                                json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", name, "kind", "vhost-user", "network", "lan",
                                          "socket", socket, "policy", policy)));
}

static void wait_up(const char *name)
{
    json_t *port = lab_switch_wait_up(&lab, name);

    if (port == NULL)
        lab_fail("port %s does not come up", name);
    json_decref(port);
}

/* The switch, confined with its supervisor, moves frames of confined guests; a mirror writes its file. */
static void step_traffic(struct guests *guests)
{
    struct stat file = { 0 };

    add_port("vm1", SOCKET("vm1"), json_pack("{s:{s:s}}", "mirror", "file", "vm1.pcapng"));
    add_port("vm2", SOCKET("vm2"), json_object());
    guests_do(guests, 'a');
    wait_up("vm1");
    wait_up("vm2");
    int passed = guests_do(guests, 'p');

    tell(json_pack("{s:s, s:o, s:o, s:o, s:i}", "step", "traffic", "supervisor", label_of(lab.pid), "switch",
                   label_of(lab_switch_serving(&lab)), "guests", label_of(guests->pid), "passed", passed));
    /* The file is written as frames come; when the port lets go of it, it is whole. */
    json_decref(lab_switch_call(&lab, "port.set", json_pack("{s:s, s:{}}", "name", "vm1", "policy")));
    if (stat(CAPTURE, &file) != 0)
        lab_fail("%s: %s", CAPTURE, strerror(errno));
    tell(json_pack("{s:s, s:I}", "step", "mirror", "bytes", (json_int_t)file.st_size));
}

static void step_crash(struct guests *guests)
{
    lab_switch_crash(&lab);
    guests_do(guests, 'r');
    wait_up("vm1");
    wait_up("vm2");
    int passed = guests_do(guests, 'p');

    tell(json_pack("{s:s, s:o, s:i}", "step", "crash", "switch", label_of(lab_switch_serving(&lab)), "passed", passed));
}

/* Guests of a QEMU that nobody confines, with memory on hugepages that have no name, as the driver "qemu" gives them. */
static void step_hugepages(void)
{
    pair_create(SOCKET("vm3"), SOCKET("vm4"), true);
    add_port("vm3", SOCKET("vm3"), json_object());
    add_port("vm4", SOCKET("vm4"), json_object());
    pair_come(false);
    wait_up("vm3");
    wait_up("vm4");
    tell(json_pack("{s:s, s:i}", "step", "hugepages", "passed", (int)pair_pass(3)));
    for (unsigned i = 0; i < 2; i++)
        machine_destroy(&machines[i]);
}

/* A switch whose files shall lie elsewhere, in a folder where its user may make files. */
static void step_elsewhere(void)
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();

    if (pid == 0) {
        execl(SWITCH, SWITCH, "--control", ELSEWHERE "/switch.sock", "--state", ELSEWHERE "/state.json", "--user", "vhostkit",
              "--log", ELSEWHERE "/log", NULL);
        _exit(127);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        lab_fail("the switch elsewhere ended with status 0x%x", (unsigned)status);
    tell(json_pack("{s:s, s:i}", "step", "elsewhere", "exit", WEXITSTATUS(status)));
}

/* A QEMU that a guest has taken over looks around. */
static void step_guests(struct guests *guests)
{
    tell(json_pack("{s:s, s:i, s:i}", "step", "guests", "socket", guests_do(guests, 's'), "log", guests_do(guests, 'l')));
}

int main(void)
{
    const char *const options[] = { "--user", "vhostkit", "--cores", "0", NULL };
    struct guests guests;
    int status = 0;

    guests_start(&guests);
    lab_switch_start(&lab, SWITCH, options, NULL);
    step_traffic(&guests);
    step_crash(&guests);
    step_hugepages();
    step_elsewhere();
    step_guests(&guests);
    lab_switch_stop(&lab);
    close(guests.orders);
    if (waitpid(guests.pid, &status, 0) != guests.pid || status != 0)
        lab_fail("the guests ended with status 0x%x", (unsigned)status);
    puts("{\"step\": \"end\"}");
    return 0;
}
