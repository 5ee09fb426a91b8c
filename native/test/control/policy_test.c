/*
 * policy_test.c - a port's policy as JSON and in the state file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/policy_json.h"
#include "control/state_file.h"

static bool read_policy(const char *text, struct port_policy *policy)
{
    struct refusal refusal;
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    bool good = policy_from_json(object, policy, &refusal) && port_policy_valid(policy, &refusal);
    if (!good) {
        assert_string_equal(refusal.reason, "value-invalid");
        assert_true(refusal.wanted[0] && refusal.found[0] && refusal.hint[0]);
    }
    json_decref(object);
    return good;
}

static void there_and_back(void **state)
{
    struct port_policy policy;
    (void)state;
    assert_true(read_policy("{\"ipv4\":[\"10.0.0.1\"],\"isolated\":true,\"macs\":[\"52:54:00:aB:00:01\"],\"storm\":7}", &policy));
    assert_true(policy.isolated);
    assert_int_equal(policy.macs[0], 0x525400ab0001ull);
    assert_int_equal(policy.ipv4[0], 0x0a000001);
    json_t *object = policy_json(&policy);
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, "{\"ipv4\":[\"10.0.0.1\"],\"isolated\":true,\"macs\":[\"52:54:00:ab:00:01\"],\"storm\":7}");
    free(text);
    json_decref(object);
}

static void vlans_and_rates_there_and_back(void **state)
{
    static const char *const rows[] = { "{\"vlan\":{\"tag\":4094}}", "{\"vlan\":{\"trunk\":[1,64,4094]}}",
                                        "{\"vlan\":{\"native\":7,\"trunk\":[7,8]}}",
                                        "{\"mirror\":{\"direction\":\"both\",\"to\":\"vm2\"}}",
                                        "{\"mirror\":{\"direction\":\"rx\",\"file\":\"a.pcapng\",\"limit\":1048576,\"snaplen\":96}}",
                                        "{\"link\":true}", "{\"rate\":{\"rx\":{\"bytes\":1000},\"tx\":{\"frames\":1}}}",
                                        "{\"rate\":{\"tx\":{\"burst\":7,\"bytes\":1000,\"frames\":5,\"peak\":12500000000}}}" };
    struct port_policy policy;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(read_policy(rows[i], &policy));
        json_t *object = policy_json(&policy);
        char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
        assert_string_equal(text, rows[i]);
        free(text);
        json_decref(object);
    }
}

static void a_trunk_has_a_limit(void **state)
{
    struct port_policy policy;
    char text[4096] = "{\"vlan\":{\"trunk\":[1";
    (void)state;
    for (unsigned id = 2; id <= VLAN_TRUNK_MAX; id++)
        sprintf(text + strlen(text), ",%u", id);
    size_t end = strlen(text);
    strcpy(text + end, "]}}");
    assert_true(read_policy(text, &policy));
    strcpy(text + end, ",4000]}}");
    assert_false(read_policy(text, &policy));
}

static void nothing_set_is_no_policy(void **state)
{
    static const char *const rows[] = { "{}", "{\"isolated\":false}", "{\"macs\":[],\"ipv4\":[]}" };
    struct port_policy policy;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(read_policy(rows[i], &policy));
        assert_null(policy_json(&policy));
    }
}

static void flaws_are_refused(void **state)
{
    static const char *const rows[] = {
        "{\"mirror\":1}", "{\"mirror\":{}}", "{\"mirror\":{\"to\":1}}", "{\"mirror\":{\"to\":\"a\",\"file\":\"b\"}}",
        "{\"mirror\":{\"to\":\"a\",\"snaplen\":64}}", "{\"mirror\":{\"to\":\"a\",\"direction\":\"up\"}}", "{\"mirror\":{\"to\":\"a\",\"direction\":1}}",
        "{\"mirror\":{\"file\":\"a\",\"snaplen\":63}}", "{\"mirror\":{\"file\":\"a\",\"snaplen\":65536}}", "{\"mirror\":{\"file\":\"a\",\"limit\":1048575}}",
        "{\"mirror\":{\"file\":\"a\",\"limit\":-1}}", "{\"mirror\":{\"file\":\"a\",\"colour\":1}}",
        "[]", "{\"colour\":1}", "{\"link\":1}", "{\"link\":true,\"storm\":1}", "{\"link\":true,\"isolated\":true}",
        "{\"link\":true,\"vlan\":{\"tag\":1}}", "{\"isolated\":1}", "{\"isolated\":null}", "{\"storm\":0}", "{\"storm\":10000001}", "{\"storm\":1.5}", "{\"macs\":\"52:54:00:00:00:01\"}",
        "{\"macs\":[1]}", "{\"macs\":[\"52:54:00:00:00:1\"]}", "{\"macs\":[\"52:54:00:00:00:0g\"]}",
        "{\"macs\":[\"52-54-00-00-00-01\"]}", "{\"macs\":[\"52:54:00:00:00:01 \"]}",
        "{\"macs\":[\"00:00:00:00:00:00\"]}", "{\"macs\":[\"01:00:00:00:00:01\"]}",
        "{\"macs\":[\"52:54:00:00:00:0a\",\"52:54:00:00:00:0A\"]}", "{\"ipv4\":[\"10.0.0\"]}", "{\"ipv4\":{}}",
        "{\"ipv4\":[\"0.0.0.0\"]}", "{\"ipv4\":[\"224.0.0.1\"]}", "{\"ipv4\":[\"255.255.255.255\"]}",
        "{\"rate\":{}}", "{\"rate\":5}", "{\"rate\":{\"rx\":{}}}", "{\"rate\":{\"rx\":{\"bytes\":0}}}", "{\"rate\":{\"rx\":{\"bytes\":999}}}",
        "{\"rate\":{\"rx\":{\"burst\":999}}}", "{\"rate\":{\"rx\":{\"bytes\":1000,\"colour\":1}}}", "{\"rate\":{\"up\":{\"bytes\":1000}}}",
        "{\"rate\":{\"tx\":{\"bytes\":2000,\"peak\":1000}}}", "{\"rate\":{\"tx\":{\"frames\":100000001}}}",
        "{\"rate\":{\"tx\":{\"frames\":4294967297}}}",
        "{\"vlan\":10}", "{\"vlan\":{}}", "{\"vlan\":{\"tag\":0}}", "{\"vlan\":{\"tag\":4095}}", "{\"vlan\":{\"tag\":65537}}",
        "{\"vlan\":{\"tag\":1.5}}", "{\"vlan\":{\"tag\":1,\"trunk\":[1]}}", "{\"vlan\":{\"tag\":1,\"native\":1}}",
        "{\"vlan\":{\"native\":1}}", "{\"vlan\":{\"trunk\":[]}}", "{\"vlan\":{\"trunk\":[],\"native\":1}}",
        "{\"vlan\":{\"trunk\":[0]}}", "{\"vlan\":{\"trunk\":[4095]}}", "{\"vlan\":{\"trunk\":[2,2]}}", "{\"vlan\":{\"trunk\":2}}",
        "{\"vlan\":{\"trunk\":[2],\"native\":0}}", "{\"vlan\":{\"trunk\":[2],\"colour\":1}}",
        "{\"ipv4\":[\"10.0.0.1\",\"10.0.0.1\"]}", "{\"ipv4\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
    };
    struct port_policy policy;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (read_policy(rows[i], &policy))
            fail_msg("%s was taken", rows[i]);
}

static void the_state_file_keeps_it(void **state)
{
    struct port_config config = {
        .name = "host", .network = "lan", .kind = PORT_TAP, .ifname = "tap0", .queues = 1, .mtu = 1500, .mac_limit = 9,
        .policy = { .isolated = true, .rx_rate = { .bytes = 5000 }, .mirror = { MIRROR_FILE, MIRROR_TX, "a", 64, 1u << 20 }, .mac_count = 1, .macs = { 0x525400000001ull }, .ipv4_count = 1, .ipv4 = { 9 } },
    };
    const struct port_config *list = &config;
    char *text = state_text(&list, 1), why[400];
    struct state found;
    (void)state;
    assert_true(state_parse(text, strlen(text), &found, why, sizeof why));
    assert_int_equal(found.count, 1);
    assert_memory_equal(&found.ports[0].policy, &config.policy, sizeof config.policy);
    state_free(&found);
    free(text);
}

/* They become the name of a file: no folder can be in them. */
static void names_of_mirrors(void **state)
{
    static const char *const rows[] = { "{\"mirror\":{\"file\":\"../a\"}}", "{\"mirror\":{\"file\":\"/a\"}}", "{\"mirror\":{\"file\":\".a\"}}",
                                        "{\"mirror\":{\"file\":\"\"}}", "{\"mirror\":{\"to\":\"a b\"}}" };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct port_policy policy;
        struct refusal refusal;
        json_t *object = json_loads(rows[i], 0, NULL);
        assert_false(policy_from_json(object, &policy, &refusal) && port_policy_valid(&policy, &refusal));
        assert_string_equal(refusal.reason, "name-invalid");
        json_decref(object);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(vlans_and_rates_there_and_back),
        cmocka_unit_test(a_trunk_has_a_limit),
        cmocka_unit_test(nothing_set_is_no_policy),
        cmocka_unit_test(flaws_are_refused),
        cmocka_unit_test(names_of_mirrors),
        cmocka_unit_test(the_state_file_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
