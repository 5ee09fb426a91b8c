/*
 * switch_migrate_test.c - rule R19 with the real program: a test that plays QEMU while it migrates a VM with two queue
 * pairs under load. The dirty log is switched on for each queue pair apart, as QEMU 7.2 does it, memory is copied page
 * by page as the log says, the VM stops in the middle of its traffic, and the copy must be equal.
 *
 * What the guest itself writes is its hypervisor's to track, so only what the switch writes is compared: receive
 * buffers and used rings. The second program it is given is the switch that leaves marks out; then the copy must differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flow.h"
#include "switch_rig.h"
#include "vhost/dirty_log.h"

#define LOG_BYTES 4096u
#define GUEST_TOP (UINT64_C(8) << 20) /* more than the machine has */
#define ROUNDS 200u

static const struct machine_options two_pairs = {
    .features = FEATURE(VIRTIO_F_RING_EVENT_IDX) | FEATURE(VIRTIO_NET_F_MQ), .pairs = 2,
};
static const char *sound_program, *hooked_program;
static struct flow flow;

/* The destination of the migration, and what is to be copied to it. */
static struct {
    int fd;                   /* of the log */
    uint8_t *log;             /* a bit for each page; shared with the switch */
    uint8_t memory[GUEST_TOP];
    uint64_t pages;           /* copied because the log said so */
} copy;

static int end_flow(void **state)
{
    (void)state;
    flow_abandon(&flow);
    return 0;
}

static void copy_page(struct machine *machine, uint64_t page)
{
    const uint8_t *from = guest_ram_at(&machine->ram, page * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);

    if (from == NULL || (page + 1) * GUEST_PAGE_SIZE > GUEST_TOP)
        fail_msg("page %#llx is in the log, but not in the guest", (unsigned long long)page);
    memcpy(copy.memory + page * GUEST_PAGE_SIZE, from, GUEST_PAGE_SIZE);
}

/* A bit is cleared, then its page is copied. */
static void copy_dirty(struct machine *machine)
{
    for (uint64_t i = 0; i < LOG_BYTES; i++) {
        uint8_t bits = __atomic_exchange_n(&copy.log[i], 0, __ATOMIC_ACQ_REL);

        for (unsigned bit = 0; bit < 8; bit++) {
            if (!(bits >> bit & 1))
                continue;
            copy_page(machine, i * 8 + bit);
            copy.pages++;
        }
    }
}

static void copy_everything(struct machine *machine)
{
    for (unsigned i = 0; i < machine->ram.count; i++) {
        const struct guest_ram_region *region = &machine->ram.regions[i];

        for (uint64_t at = 0; at < region->size; at += GUEST_PAGE_SIZE)
            copy_page(machine, (region->guest_addr + at) / GUEST_PAGE_SIZE);
    }
}

/* Log, features, addresses; all of it once for each queue pair. */
static void log_on(struct machine *machine)
{
    struct vhost_peer *peer = &machine->peer;
    struct vhost_user_log log = { .size = LOG_BYTES };

    for (unsigned pair = 0; pair < 2; pair++) {
        if (!vhost_peer_command(peer, VHOST_USER_SET_LOG_BASE, &log, sizeof log, &copy.fd, 1) ||
            !vhost_peer_set_features(peer, machine->features | FEATURE(VHOST_F_LOG_ALL)))
            fail_msg("log on: %s", peer->why);
        for (unsigned i = 2 * pair; i < 2 * pair + 2; i++) {
            const struct driver_queue *queue = &machine->queues[i].driver;
            struct vhost_user_vring_addr where = {
                .index = i, .flags = VHOST_VRING_F_LOG, .desc_user = (uintptr_t)queue->desc,
                .avail_user = (uintptr_t)queue->avail, .used_user = (uintptr_t)queue->used, .log_guest = queue->used_guest,
            };

            if (!vhost_peer_command(peer, VHOST_USER_SET_VRING_ADDR, &where, sizeof where, NULL, 0))
                fail_msg("log of queue %u: %s", i, peer->why);
        }
    }
}

static unsigned differing(const uint8_t *ours, uint64_t guest, uint64_t length)
{
    unsigned count = 0;

    for (uint64_t i = 0; i < length; i++)
        count += ours[i] != copy.memory[guest + i];
    return count;
}

/* Bytes in which the copy is not what the switch wrote. */
static unsigned stale_bytes(struct machine *machine)
{
    unsigned stale = 0;

    for (unsigned i = 0; i < machine->queue_count; i++) {
        const struct driver_queue *queue = &machine->queues[i].driver;
        uint64_t used_bytes = 6 + 8u * (uint64_t)queue->options.size;

        stale += differing((const uint8_t *)queue->used, queue->used_guest, used_bytes);
        for (unsigned slot = 0; slot < queue->slots && queue->options.receives; slot++)
            stale += differing(queue->buffers[slot], guest_ram_address(queue->ram, queue->buffers[slot]),
                               queue->options.buffer_bytes);
    }
    return stale;
}

/* A whole migration; the number of stale bytes at its end. `skipped`: marks that are left out, bits of enum log_site. */
static unsigned migrate(unsigned skipped)
{
    char text[16];

    snprintf(text, sizeof text, "%u", skipped);
    setenv("VHOSTKIT_SKIP_LOG", text, 1);
    switch_program(skipped ? hooked_program : sound_program);
    struct switch_rig *rig = switch_open(NULL);
    struct machine *machine = switch_add_machine(rig, two_pairs);

    switch_add_machine(rig, two_pairs);
    memset(copy.log, 0, LOG_BYTES);
    copy.pages = 0;
    flow = (struct flow){ 0 };
    flow_start(&flow, machine, 0, &rig->machines[1], 1);
    flow_wait(&flow, 1000);
    uint64_t before = flow_received(&flow);

    log_on(machine);
    copy_everything(machine);
    for (unsigned round = 0; round < ROUNDS; round++) {
        copy_dirty(machine);
        usleep(500);
    }
    flow_wait(&flow, 1000); /* it all runs on with the log */
    flow_abandon(&flow);    /* the CPUs stop, whatever is on its way */
    for (unsigned i = 0; i < machine->queue_count; i++) {
        uint16_t base;

        assert_true(vhost_peer_stop_ring(&machine->peer, i, &base));
    }
    copy_dirty(machine);
    assert_int_equal(atomic_load(&flow.corrupt), 0);
    assert_int_equal(flow_repeated(&flow), 0);
    unsigned stale = stale_bytes(machine);

    print_message("# %llu frames while a VM was copied, %llu pages because of the log%s: %u bytes of the copy are stale\n",
                  (unsigned long long)(flow_received(&flow) - before), (unsigned long long)copy.pages,
                  skipped == 0 ? "" : skipped & 1u << LOG_HEADER ? ", frames not marked" : ", used rings not marked", stale);
    switch_close(rig);
    return stale;
}

static void moved_under_load(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(migrate(0), 0);
    assert_true(copy.pages > 0);
}

static void marks_are_needed(void **state)
{
    (void)state;
    assert_true(migrate(1u << LOG_HEADER | 1u << LOG_DATA) > 0);
    assert_true(migrate(1u << LOG_USED_ENTRY | 1u << LOG_USED_INDEX | 1u << LOG_AVAIL_EVENT | 1u << LOG_USED_FLAGS) > 0);
}

static int open_log(void **state)
{
    (void)state;
    copy.fd = memfd_create("log", MFD_CLOEXEC);
    if (copy.fd < 0 || ftruncate(copy.fd, LOG_BYTES) != 0)
        return -1;
    copy.log = mmap(NULL, LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, copy.fd, 0);
    return copy.log == MAP_FAILED ? -1 : 0;
}

static int close_log(void **state)
{
    (void)state;
    munmap(copy.log, LOG_BYTES);
    return close(copy.fd);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        { "R19 a VM is moved under load: the copy is equal", moved_under_load, NULL, end_flow, NULL },
        { "R19 without marks the copy is stale", marks_are_needed, NULL, end_flow, NULL },
    };
    if (argc != 3) {
        fprintf(stderr, "usage: test-switch-migrate SWITCH SWITCH-HOOKED\n");
        return 2;
    }
    sound_program = argv[1];
    hooked_program = argv[2];
    return cmocka_run_group_tests_name("switch: migration", tests, open_log, close_log);
}
