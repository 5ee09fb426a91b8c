/*
 * state_file_test.c - what is written comes back; what was changed by anything
 * else, if only by a bit, is refused and stays as it is.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/state_file.h"
#include "datapath.h"

static const struct port_config vm = {
    .name = "vm1", .network = "lan", .kind = PORT_VHOST_USER, .socket = "/run/a b/\xc3\xa4.sock",
    .role = PORT_ROLE_SERVER, .queues = 4, .mtu = 9000, .mac_limit = 16,
    .has_offered = true, .offered = 0xffff000130008000ull,
};
static const struct port_config tap = {
    .name = "host", .network = "lan", .kind = PORT_TAP, .ifname = "tap0", .queues = 1, .mtu = 1500, .mac_limit = 1024,
};
static const struct port_config *const both[] = { &vm, &tap };

static char folder[64];
static char path[96];
static char why[1024];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/vhostkit-state-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* so nothing else was left there */
}

static void put(const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, length), (ssize_t)length);
    close(fd);
}

static void assert_same_config(const struct port_config *one, const struct port_config *other)
{
    assert_string_equal(one->name, other->name);
    assert_string_equal(one->network, other->network);
    assert_string_equal(one->socket, other->socket);
    assert_string_equal(one->ifname, other->ifname);
    assert_int_equal(one->kind, other->kind);
    assert_int_equal(one->role, other->role);
    assert_int_equal(one->queues, other->queues);
    assert_int_equal(one->mtu, other->mtu);
    assert_int_equal(one->mac_limit, other->mac_limit);
    assert_int_equal(one->has_offered, other->has_offered);
    assert_true(one->offered == other->offered);
}

static bool parses(const char *text, size_t length)
{
    struct state found;
    bool good = state_parse(text, length, &found, why, sizeof why);
    if (good)
        state_free(&found);
    else
        assert_null(found.ports);
    return good;
}

static void what_is_written_comes_back(void **state)
{
    struct state found;
    struct stat status;
    (void)state;
    assert_true(state_write(path, both, 2, why, sizeof why));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(state_read(path, &found, why, sizeof why));
    assert_int_equal(found.count, 2);
    assert_same_config(&found.ports[0], &vm);
    assert_same_config(&found.ports[1], &tap);
    state_free(&found);
    assert_true(state_write(path, both, 0, why, sizeof why)); /* over the old one */
    assert_true(state_read(path, &found, why, sizeof why));
    assert_int_equal(found.count, 0);
    state_free(&found);
}

static void a_missing_file_is_an_empty_state(void **state)
{
    struct state found;
    (void)state;
    assert_true(state_read(path, &found, why, sizeof why));
    assert_int_equal(found.count, 0);
    state_free(&found);
}

static void every_changed_bit_is_noticed(void **state)
{
    char *text = state_text(both, 2);
    size_t length = strlen(text);
    (void)state;
    assert_true(parses(text, length));
    for (size_t i = 0; i < length; i++) {
        for (unsigned mask = 1; mask <= 0x100; mask <<= 1) {
            unsigned change = mask == 0x100 ? 0xff : mask;
            text[i] = (char)(text[i] ^ change);
            if (parses(text, length))
                fail_msg("byte %zu changed by 0x%02x was not noticed", i, change);
            text[i] = (char)(text[i] ^ change);
        }
    }
    free(text);
}

static void every_truncation_is_noticed(void **state)
{
    char *text = state_text(both, 2);
    (void)state;
    for (size_t length = 0; length < strlen(text); length++)
        assert_false(parses(text, length));
    free(text);
}

static void a_damaged_file_is_named_and_left_as_it_is(void **state)
{
    static const char damaged[] = "{\"vhostkit_state\":1,";
    char after[sizeof damaged] = { 0 };
    struct state found;
    (void)state;
    put(damaged, strlen(damaged));
    assert_false(state_read(path, &found, why, sizeof why));
    assert_non_null(strstr(why, path));
    assert_non_null(strstr(why, "move it away"));
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, after, sizeof after), (ssize_t)strlen(damaged));
    close(fd);
    assert_string_equal(after, damaged);
}

/* Text with a right checksum around the given ports. */
static char *sealed(const char *ports)
{
    uint64_t hash = 0xcbf29ce484222325ull; /* written out here on its own, as PROTOCOL.md describes it */
    char *text;
    for (const char *c = ports; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3ull;
    assert_true(asprintf(&text, "{\"vhostkit_state\":1,\"checksum\":\"%016llx\",\"ports\":%s}\n",
                         (unsigned long long)hash, ports) > 0);
    return text;
}

#define TAP_WITH(mtu, name, offered) \
    "{\"ifname\":\"t0\",\"kind\":\"tap\",\"mac_limit\":1,\"mtu\":" mtu ",\"name\":" name "," \
    "\"network\":\"n\"," \
    "\"offered\":" offered ",\"queues\":1,\"role\":null,\"socket\":null"

static void sealed_nonsense_is_refused_field_by_field(void **state)
{
    static const struct {
        const char *ports, *part;
    } rows[] = {
        { "[1]", "port 0" },
        { "[{}]", "port 0" },
        { "[" TAP_WITH("1500", "\"a\"", "null") ",\"zone\":1}]", "exactly the fields" },
        { "[" TAP_WITH("\"x\"", "\"a\"", "null") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500.0", "\"a\"", "null") "}]", "exactly the fields" },
        { "[" TAP_WITH("1", "\"a\"", "null") "}]", "mtu from 68 to 65535, found 1" },
        { "[" TAP_WITH("1500", "\"a/b\"", "null") "}]", "port name" },
        { "[" TAP_WITH("1500", "7", "null") "}]", "port name" },
        { "[" TAP_WITH("1500", "\"a\"", "\"0x10\"") "},{\"kind\":\"bus\"}]", "port 1" },
        { "[" TAP_WITH("1500", "\"a\"", "null") "}," TAP_WITH("1600", "\"a\"", "null") "}]", "\"a\" twice" },
        { "[" TAP_WITH("1500", "\"a\"", "16") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500", "\"a\"", "\"16\"") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500", "\"a\"", "\"0X10\"") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500", "\"a\"", "\"0x010\"") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500", "\"a\"", "\"-0x1\"") "}]", "exactly the fields" },
        { "[" TAP_WITH("1500", "\"a\"", "\"0x11112222333344445\"") "}]", "exactly the fields" },
    };
    (void)state;
    char *good = sealed("[" TAP_WITH("1500", "\"a\"", "\"0x10\"") "}]");
    assert_true(parses(good, strlen(good)));
    free(good);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = sealed(rows[i].ports);
        assert_false(parses(text, strlen(text)));
        if (!strstr(why, rows[i].part))
            fail_msg("%s: expected \"%s\" in \"%s\"", rows[i].ports, rows[i].part, why);
        free(text);
    }
}

static void odd_files_are_refused(void **state)
{
    struct state found;
    (void)state;
    char *large = malloc(STATE_SIZE_MAX + 1);
    memset(large, ' ', STATE_SIZE_MAX + 1);
    put(large, STATE_SIZE_MAX + 1);
    free(large);
    assert_false(state_read(path, &found, why, sizeof why));
    assert_non_null(strstr(why, "at most"));
    assert_false(state_read(folder, &found, why, sizeof why));
    assert_non_null(strstr(why, "regular file"));
    const char *other = "{\"vhostkit_state\":2,\"checksum\":\"\",\"ports\":[]}\n";
    assert_false(parses(other, strlen(other)));
    assert_non_null(strstr(why, "another version"));
}

/* As many words as there may be of everything. */
static void longest_policy(struct port_policy *policy)
{
    const struct rate_limit rate = { .bytes = 12500000000, .burst = 1073741824, .peak = 12500000000, .frames = 100000000 };
    policy->isolated = true;
    policy->storm = POLICY_STORM_MAX;
    policy->rx_rate = policy->tx_rate = rate;
    policy->vlan.mode = VLAN_TRUNK;
    policy->vlan.untagged = 1000;
    for (unsigned id = VLAN_ID_MAX; id > VLAN_ID_MAX - VLAN_TRUNK_MAX; id--)
        port_vlan_list(&policy->vlan, id);
    policy->mac_count = policy->ipv4_count = POLICY_ADDRESSES_MAX;
    for (unsigned i = 0; i < POLICY_ADDRESSES_MAX; i++) {
        policy->macs[i] = 0x020000000000u + i;
        policy->ipv4[i] = 0xdfdfdf00u - i - 1;
    }
    policy->mirror = (struct port_mirror){ .kind = MIRROR_FILE, .direction = MIRROR_BOTH, .snaplen = MIRROR_SNAPLEN_MAX,
                                           .limit = MIRROR_LIMIT_MAX };
    memset(policy->mirror.to, 'm', MIRROR_NAME_SIZE - 1);
}

static void the_largest_state_fits(void **state)
{
    static struct port_config ports[PORTS_MAX];
    static const struct port_config *list[PORTS_MAX];
    struct state found;
    (void)state;
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        ports[i] = vm;
        memset(ports[i].name, 'n', PORT_NAME_SIZE - 1);
        memset(ports[i].network, 'n', NETWORK_NAME_SIZE - 1);
        memset(ports[i].socket + 1, 1, SOCKET_PATH_SIZE - 2); /* six bytes each in JSON */
        char number[8];
        longest_policy(&ports[i].policy);
        snprintf(number, sizeof number, "%04u", i);
        memcpy(ports[i].name, number, 4);
        list[i] = &ports[i];
    }
    assert_true(state_write(path, list, PORTS_MAX, why, sizeof why));
    if (!state_read(path, &found, why, sizeof why))
        fail_msg("%s", why);
    assert_int_equal(found.count, PORTS_MAX);
    state_free(&found);
}

static void a_failed_write_leaves_the_old_file(void **state)
{
    char elsewhere[128];
    struct state found;
    (void)state;
    assert_true(state_write(path, both, 2, why, sizeof why));
    snprintf(elsewhere, sizeof elsewhere, "%s/.state.new", folder);
    assert_int_equal(mkdir(elsewhere, 0700), 0); /* in the way of the temporary file */
    assert_false(state_write(path, both, 1, why, sizeof why));
    assert_non_null(strstr(why, path));
    rmdir(elsewhere);
    assert_true(state_read(path, &found, why, sizeof why));
    assert_int_equal(found.count, 2);
    state_free(&found);
    assert_false(state_write("/nowhere/at/all", both, 2, why, sizeof why));
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        ROW(what_is_written_comes_back),
        ROW(a_missing_file_is_an_empty_state),
        ROW(every_changed_bit_is_noticed),
        ROW(every_truncation_is_noticed),
        ROW(a_damaged_file_is_named_and_left_as_it_is),
        ROW(sealed_nonsense_is_refused_field_by_field),
        ROW(odd_files_are_refused),
        ROW(the_largest_state_fits),
        ROW(a_failed_write_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
