/*
 * kernel_bridge.c - taps on a Linux bridge.
 *
 * One thread calls it, once. All of it is made with ioctls inside a namespace of
 * the process's own: nothing of the host's network is touched, and nothing is
 * left behind however the process ends. IPv6 is off there, so that no frame
 * moves but those of the load.
 */
#include "kernel_bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BRIDGE "vkbridge"
#define QUEUE_FRAMES 1024   /* of a tap, as many as a guest's ring has entries */
#define NET_HEADER_BYTES 12

static bool refuse(const char *what, char *why, unsigned why_size)
{
    snprintf(why, why_size, "%s: %s", what, strerror(errno));
    return false;
}

/* A kernel without IPv6 has no such file: that is as good. */
static void turn_off_ipv6(void)
{
    static const char *const paths[] = { "/proc/sys/net/ipv6/conf/all/disable_ipv6",
                                         "/proc/sys/net/ipv6/conf/default/disable_ipv6" };

    for (unsigned i = 0; i < 2; i++) {
        int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            continue;
        if (write(fd, "1", 1) != 1)
            perror(paths[i]);
        close(fd);
    }
}

static bool set_up(int control, const char *name, char *why, unsigned why_size)
{
    struct ifreq request = { 0 };

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    request.ifr_flags = IFF_UP;
    return ioctl(control, SIOCSIFFLAGS, &request) == 0 || refuse("taking up the link", why, why_size);
}

static int open_tap(const char *name, bool offload, char *why, unsigned why_size)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int header = NET_HEADER_BYTES, fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0) {
        refuse("/dev/net/tun", why, why_size);
        return -1;
    }
    if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 ||
        ioctl(fd, TUNSETOFFLOAD, offload ? TUN_F_CSUM | TUN_F_TSO4 : 0) < 0) {
        refuse("making a tap", why, why_size);
        close(fd);
        return -1;
    }
    return fd;
}

static bool join_bridge(int control, const char *name, uint32_t mtu, char *why, unsigned why_size)
{
    struct ifreq request = { 0 };

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    request.ifr_qlen = QUEUE_FRAMES;
    if (ioctl(control, SIOCSIFTXQLEN, &request) < 0)
        return refuse("setting the queue of a tap", why, why_size);
    request.ifr_mtu = (int)mtu;
    if (ioctl(control, SIOCSIFMTU, &request) < 0)
        return refuse("setting the MTU of a tap", why, why_size);
    if (!set_up(control, name, why, why_size))
        return false;
    if (ioctl(control, SIOCGIFINDEX, &request) < 0)
        return refuse("finding a tap", why, why_size);
    int index = request.ifr_ifindex;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", BRIDGE);
    request.ifr_ifindex = index;
    return ioctl(control, SIOCBRADDIF, &request) == 0 || refuse("putting a tap on the bridge", why, why_size);
}

bool kernel_bridge_create(const struct kernel_bridge_options *options, int *fds, char *why, unsigned why_size)
{
    int control = -1;
    bool good = false;

    if (unshare(CLONE_NEWNET) < 0)
        return refuse("a network namespace of its own", why, why_size);
    turn_off_ipv6();
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (control < 0 || ioctl(control, SIOCBRADDBR, BRIDGE) < 0) {
        refuse("making a Linux bridge", why, why_size);
        goto out;
    }
    for (unsigned i = 0; i < options->taps; i++) {
        char name[IFNAMSIZ];

        snprintf(name, sizeof name, "vktap%u", i);
        fds[i] = open_tap(name, options->offload, why, why_size);
        if (fds[i] < 0 || !join_bridge(control, name, options->mtu, why, why_size))
            goto out;
    }
    good = set_up(control, BRIDGE, why, why_size);
out:
    if (control >= 0)
        close(control);
    return good;
}
