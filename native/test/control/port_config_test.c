/*
 * port_config_test.c - names and the ranges of every field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "port/port_config.h"

static struct port_config good_vhost_user(void)
{
    return (struct port_config){ .name = "vm1", .network = "lan", .kind = PORT_VHOST_USER,
                                 .socket = "/run/vm1.sock", .queues = 1, .mtu = 1500, .mac_limit = 1024 };
}

static struct port_config good_tap(void)
{
    return (struct port_config){ .name = "host", .network = "lan", .kind = PORT_TAP, .ifname = "tap0",
                                 .queues = 1, .mtu = 1500, .mac_limit = 1024 };
}

static void assert_refused(const struct port_config *config, const char *reason)
{
    struct refusal refusal;
    assert_false(port_config_valid(config, &refusal));
    assert_string_equal(refusal.reason, reason);
    assert_true(refusal.wanted[0] && refusal.found[0] && refusal.hint[0]);
}

static void names(void **state)
{
    static const char *const good[] = { "a", "0", "vm-1", "a_b.c-D", "A..", NULL };
    static const char *const bad[] = { "", "-a", ".a", "_a", "a b", "a/b", "a\n", "\xc3\xa4", "a:", NULL };
    char name[PORT_NAME_SIZE + 1];
    (void)state;
    for (const char *const *n = good; *n; n++)
        assert_true(name_valid(*n));
    for (const char *const *n = bad; *n; n++)
        assert_false(name_valid(*n));
    memset(name, 'a', sizeof name);
    name[PORT_NAME_SIZE] = 0;
    assert_false(name_valid(name));
    name[PORT_NAME_SIZE - 1] = 0;
    assert_true(name_valid(name));
}

static void good_ones_pass(void **state)
{
    struct refusal refusal;
    struct port_config one = good_vhost_user(), two = good_tap();
    (void)state;
    assert_true(port_config_valid(&one, &refusal));
    assert_true(port_config_valid(&two, &refusal));
}

static void numbers_have_ranges(void **state)
{
    static const struct {
        size_t at;
        unsigned low, high;
    } rows[] = {
        { offsetof(struct port_config, queues), 1, PORT_QUEUES_MAX },
        { offsetof(struct port_config, mtu), PORT_MTU_MIN, PORT_MTU_MAX },
        { offsetof(struct port_config, mac_limit), 1, PORT_MAC_LIMIT_MAX },
    };
    struct refusal refusal;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct port_config config = good_vhost_user();
        unsigned *value = (unsigned *)((char *)&config + rows[i].at);
        *value = rows[i].low;
        assert_true(port_config_valid(&config, &refusal));
        *value = rows[i].high;
        assert_true(port_config_valid(&config, &refusal));
        *value = rows[i].low - 1;
        assert_refused(&config, "value-invalid");
        *value = rows[i].high + 1;
        assert_refused(&config, "value-invalid");
    }
}

static void paths_and_interfaces(void **state)
{
    static const char *const bad_sockets[] = { "", "/", "relative", "/folder/", NULL };
    static const char *const bad_taps[] = { "", ".", "..", "a/b", "a b", "a:1", NULL };
    (void)state;
    for (const char *const *path = bad_sockets; *path; path++) {
        struct port_config config = good_vhost_user();
        strcpy(config.socket, *path);
        assert_refused(&config, "socket-invalid");
    }
    for (const char *const *ifname = bad_taps; *ifname; ifname++) {
        struct port_config config = good_tap();
        strcpy(config.ifname, *ifname);
        assert_refused(&config, "name-invalid");
    }
}

static void fields_of_the_other_kind_are_refused(void **state)
{
    struct port_config config = good_vhost_user();
    (void)state;
    strcpy(config.ifname, "tap0");
    assert_refused(&config, "value-invalid");
    config = good_tap();
    strcpy(config.socket, "/a");
    assert_refused(&config, "value-invalid");
    config = good_tap();
    config.queues = 2;
    assert_refused(&config, "value-invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(numbers_have_ranges),
        cmocka_unit_test(paths_and_interfaces),
        cmocka_unit_test(fields_of_the_other_kind_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
