/*
 * switch_tap_test.c - the real program with a tap port: the host's own network
 * stack on the other side. Needs root and /dev/net/tun; everything happens in
 * a network namespace of its own, so the host's network is not touched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "switch_rig.h"

#define TEST_TYPE 0x88b5 /* local experiment */
#define ROOM 70000u

static uint8_t frame[ROOM], found[ROOM];
static const char *missing; /* what this host lacks, or NULL */

/* A persistent tap, up, in this process's namespace. */
static void make_tap(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    strcpy(request.ifr_name, name);
    assert_int_equal(ioctl(fd, TUNSETIFF, &request), 0);
    assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
    close(fd);
    assert_int_equal(ioctl(control, SIOCGIFFLAGS, &request), 0);
    request.ifr_flags |= IFF_UP;
    assert_int_equal(ioctl(control, SIOCSIFFLAGS, &request), 0);
    close(control);
}

/* The host's end of the tap: raw frames with the virtio net header of 10 bytes. */
static int open_host_side(const char *name)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(0x0003), .sll_ifindex = (int)if_nametoindex(name),
    };
    int one = 1;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x0003));

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one), 0);
    assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void host_send(int fd, const struct net_header *net, uint32_t length)
{
    struct iovec parts[] = { { (void *)net, NET_HEADER_LEGACY_SIZE }, { frame, length } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

    assert_int_equal(sendmsg(fd, &message, 0), NET_HEADER_LEGACY_SIZE + length);
}

/* The next frame of that type at the host; its length, or -1 after two seconds. */
static int host_receive(int fd, uint16_t type, struct net_header *net)
{
    uint64_t limit = machine_clock_ms() + 2000;

    while (machine_clock_ms() < limit) {
        struct iovec parts[] = { { net, NET_HEADER_LEGACY_SIZE }, { found, sizeof found } };
        struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
        struct pollfd entry = { .fd = fd, .events = POLLIN };
        ssize_t got;

        if (poll(&entry, 1, 100) <= 0)
            continue;
        got = recvmsg(fd, &message, 0);
        if (got > NET_HEADER_LEGACY_SIZE + 14 && found[12] == type >> 8 && found[13] == (type & 0xff))
            return (int)got - (int)NET_HEADER_LEGACY_SIZE;
    }
    return -1;
}

/* The same at machine 0. */
static int vm_receive(struct switch_rig *rig, uint16_t type, struct net_header *net)
{
    for (;;) {
        int length = machine_receive(&rig->machines[0], 0, net, found, sizeof found, 2000);

        if (length < 0 || (found[12] == type >> 8 && found[13] == (type & 0xff)))
            return length;
    }
}

/* A switch with one machine and one tap in a fresh namespace; *host is the tap's other side. */
static struct switch_rig *with_tap(uint64_t features, int *host)
{
    struct switch_rig *rig;
    int fd;

    if (missing) {
        fprintf(stderr, "# SKIPPED tap tests: %s\n", missing);
        skip();
    }
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    /* No chatter of the host's own. */
    fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        assert_int_equal(write(fd, "1", 1), 1);
        close(fd);
    }
    make_tap("vktest0");
    *host = open_host_side("vktest0");
    rig = switch_open(NULL);
    switch_add_machine(rig, (struct machine_options){ .features = features, .tx_buffer = 68000,
                                                      .rx_buffer = 68000,
                                                       .ring_size = 64 });
    json_decref(switch_call(rig, "port.add", json_pack("{s:s, s:s, s:s, s:s}", "name", "host", "kind", "tap",
                                                       "network", "lan", "ifname", "vktest0")));
    return rig;
}

static void to_and_fro(void **state)
{
    int host;
    struct switch_rig *rig = with_tap(0, &host);
    uint8_t vm[6], mine[6];
    struct net_header net = { 0 };

    (void)state;
    packet_mac(vm, 0);
    packet_mac(mine, 99);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t length = 60 + i * 7;

        packet_plain(frame, length, mine, vm, TEST_TYPE, i);
        assert_true(machine_send(&rig->machines[0], 0, &(struct net_header){ 0 }, frame, length));
        assert_int_equal(host_receive(host, TEST_TYPE, &net), length);
        assert_int_equal(packet_number(found, length), i);
        packet_plain(frame, length, vm, mine, TEST_TYPE, i + 1000);
        host_send(host, &(struct net_header){ 0 }, length);
        assert_int_equal(vm_receive(rig, TEST_TYPE, &net), length);
        assert_int_equal(packet_number(found, length), i + 1000);
    }
    assert_true(switch_counter(rig, "host", "rx", "frames") >= 200);
    assert_int_equal(switch_counter(rig, "host", "tx", "frames"), 200);
    close(host);
    switch_close(rig);
}

static void checksums_and_segments(void **state)
{
    const uint64_t all = FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4) |
                         FEATURE(VIRTIO_NET_F_GUEST_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_TSO4);
    struct net_header net;
    uint8_t vm[6], mine[6];
    uint32_t length;
    int host;
    struct switch_rig *rig = with_tap(all, &host);

    (void)state;
    packet_mac(vm, 0);
    packet_mac(mine, 99);
    length = packet_tcp(frame, mine, vm, false, 20000, 1448, &net);
    assert_true(machine_send(&rig->machines[0], 0, &net, frame, length));
    assert_int_equal(host_receive(host, 0x0800, &net), length); /* whole: the host takes TSO */
    assert_int_equal(net.gso_type & ~NET_HEADER_GSO_ECN, NET_HEADER_GSO_TCPV4);
    assert_int_equal(net.gso_size, 1448);
    assert_int_equal(net.flags & NET_HEADER_F_NEEDS_CSUM, NET_HEADER_F_NEEDS_CSUM);
    length = packet_tcp(frame, vm, mine, false, 20000, 1448, &net);
    host_send(host, &net, length);
    assert_int_equal(vm_receive(rig, 0x0800, &net), length); /* and so does the machine */
    assert_int_equal(net.gso_type, NET_HEADER_GSO_TCPV4);
    assert_memory_equal(found, frame, length);
    close(host);
    switch_close(rig);

    rig = with_tap(0, &host); /* a machine without any of it */
    length = packet_tcp(frame, vm, mine, false, 4000, 1000, &net);
    host_send(host, &net, length);
    for (uint32_t next = 0; next < 4000; next += 1000) {
        assert_int_equal(vm_receive(rig, 0x0800, &net), PACKET_TCP4 + 1000);
        assert_int_equal(net.flags | net.gso_type, 0);
        assert_true(packet_tcp_valid(found, PACKET_TCP4 + 1000));
        assert_int_equal(packet_tcp_sequence(found), next);
    }
    close(host);
    switch_close(rig);
}

static void tap_goes_away(void **state)
{
    int host;
    struct switch_rig *rig = with_tap(0, &host);
    json_t *answer;
    uint8_t vm[6];

    (void)state;
    packet_mac(vm, 0);
    answer = switch_answer(rig, "port.add", json_pack("{s:s, s:s, s:s, s:s}", "name", "none", "kind", "tap",
                                                      "network", "lan", "ifname", "vknone0"), 2000);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(answer, "error"),
                                                                          "data"),
                                                          "reason")), "tap-missing");
    json_decref(answer);
    json_decref(switch_call(rig, "port.del", json_pack("{s:s}", "name", "host")));
    assert_true(if_nametoindex("vktest0") != 0); /* persistent: not ours to delete */
    packet_plain(frame, 100, (uint8_t[6]){ 255, 255, 255, 255, 255, 255 }, vm, TEST_TYPE, 1);
    assert_true(machine_send(&rig->machines[0], 0, &(struct net_header){ 0 }, frame, 100));
    switch_wait_counter(rig, "vm0", "drops", "no_destination", 1);
    close(host);
    switch_close(rig);
}

/* Two whole pages of each buffer that was filled: zero pages that were never written, or that a balloon took. */
static void punch_payload(const struct machine *machine, const struct driver_queue *queue)
{
    for (unsigned slot = 0; slot < queue->slots; slot++)
        for (unsigned i = 0; i < machine->ram.count; i++) {
            const struct guest_ram_region *region = &machine->ram.regions[i];
            const uint8_t *at = queue->buffers[slot] + 1000;

            if (at >= region->host && at < region->host + region->size)
                assert_int_equal(fallocate(region->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                           (at - region->host + (off_t)region->file_offset + 4095) / 4096 * 4096, 8192), 0);
        }
}

/* The kernel makes no page for itself under memory_guard.h: what it cannot read is made first. */
static void missing_pages_are_sent(void **state)
{
    int host;
    struct switch_rig *rig = with_tap(FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_HOST_TSO4), &host);
    struct machine *machine = &rig->machines[0];
    struct driver_queue *queue = machine_tx(machine, 0);
    struct net_header net = { 0 }, got;
    uint8_t vm[6], mine[6];

    (void)state;
    packet_mac(vm, 0);
    packet_mac(mine, 99);
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t length = packet_tcp(frame, mine, vm, false, 20000, 1448, &net);

        driver_reap(queue);
        assert_true(driver_send(queue, &net, frame, length));
        punch_payload(machine, queue);
        machine_publish(machine, 1);
        assert_int_equal(host_receive(host, 0x0800, &got), length);
    }
    assert_int_equal(switch_counter(rig, "host", "drops", "tap"), 0);
    close(host);
    switch_close(rig);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        ROW("tap: frames to and fro", to_and_fro),
        ROW("tap: checksum and TSO requests are kept, or carried out", checksums_and_segments),
        ROW("tap: pages of the sender are missing", missing_pages_are_sent),
        ROW("tap: missing, removed", tap_goes_away),
    };
    missing = geteuid() != 0 ? "wanted root, to make a tap" : NULL;
    if (!missing && access("/dev/net/tun", R_OK | W_OK) != 0)
        missing = "wanted /dev/net/tun";
    switch_program(argc > 1 ? argv[1] : "vhostkit-switch");
    return cmocka_run_group_tests_name("switch: tap", tests, NULL, NULL);
}
