/*
 * policy_json.c - see policy_json.h. Owns nothing; control thread only.
 */
#include "control/policy_json.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static json_t *macs_json(const struct port_policy *policy)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < policy->mac_count; i++) {
        uint64_t mac = policy->macs[i];

        json_array_append_new(list, json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40) & 0xff,
                                                 (unsigned)(mac >> 32) & 0xff, (unsigned)(mac >> 24) & 0xff,
                                                 (unsigned)(mac >> 16) & 0xff, (unsigned)(mac >> 8) & 0xff,
                                                 (unsigned)mac & 0xff));
    }
    return list;
}

static json_t *ipv4_json(const struct port_policy *policy)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < policy->ipv4_count; i++) {
        uint32_t a = policy->ipv4[i];

        json_array_append_new(list, json_sprintf("%u.%u.%u.%u", a >> 24, a >> 16 & 0xff, a >> 8 & 0xff, a & 0xff));
    }
    return list;
}

json_t *policy_json(const struct port_policy *policy)
{
    if (!port_policy_any(policy))
        return NULL;
    json_t *object = json_object();

    if (policy->isolated)
        json_object_set_new(object, "isolated", json_true());
    if (policy->storm > 0)
        json_object_set_new(object, "storm", json_integer(policy->storm));
    if (policy->mac_count > 0)
        json_object_set_new(object, "macs", macs_json(policy));
    if (policy->ipv4_count > 0)
        json_object_set_new(object, "ipv4", ipv4_json(policy));
    return object;
}

static bool refuse_value(struct refusal *refusal, const char *key, const char *wanted, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    refuse(refusal, "value-invalid", "policy.%s: %s", key, wanted);
    refusal_found(refusal, "%.100s", text != NULL ? text : "another value");
    refusal_hint(refusal, "see port.add in PROTOCOL.md");
    free(text);
    return false;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

/* Exactly xx:xx:xx:xx:xx:xx. */
static bool mac_parse(const char *text, uint64_t *mac)
{
    *mac = 0;
    if (text == NULL || strlen(text) != 17)
        return false;
    for (unsigned i = 0; i < 17; i++) {
        if (i % 3 == 2 ? text[i] != ':' : hex_digit(text[i]) < 0)
            return false;
        if (i % 3 != 2)
            *mac = *mac << 4 | (unsigned)hex_digit(text[i]);
    }
    return true;
}

static bool take_macs(const json_t *list, struct port_policy *policy, struct refusal *refusal)
{
    if (!json_is_array(list) || json_array_size(list) > POLICY_ADDRESSES_MAX)
        return refuse_value(refusal, "macs", "a list of at most 16 addresses", list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);

        if (!mac_parse(json_string_value(value), &policy->macs[i]))
            return refuse_value(refusal, "macs", "addresses like 52:54:00:12:34:56", value);
    }
    policy->mac_count = (unsigned)json_array_size(list);
    return true;
}

static bool take_ipv4(const json_t *list, struct port_policy *policy, struct refusal *refusal)
{
    if (!json_is_array(list) || json_array_size(list) > POLICY_ADDRESSES_MAX)
        return refuse_value(refusal, "ipv4", "a list of at most 16 addresses", list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        const char *text = json_string_value(value);
        struct in_addr address;

        if (text == NULL || inet_pton(AF_INET, text, &address) != 1)
            return refuse_value(refusal, "ipv4", "addresses like 10.0.0.1", value);
        policy->ipv4[i] = ntohl(address.s_addr);
    }
    policy->ipv4_count = (unsigned)json_array_size(list);
    return true;
}

static bool take_isolated(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    policy->isolated = json_is_true(value);
    return json_is_boolean(value) || refuse_value(refusal, "isolated", "true or false", value);
}

static bool take_storm(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    json_int_t rate = json_integer_value(value);

    if (!json_is_integer(value) || rate < 1 || rate > POLICY_STORM_MAX)
        return refuse_value(refusal, "storm", "frames a second, 1 to 10000000", value);
    policy->storm = (unsigned)rate;
    return true;
}

bool policy_from_json(const json_t *object, struct port_policy *policy, struct refusal *refusal)
{
    static const struct {
        const char *key;
        bool (*take)(const json_t *value, struct port_policy *policy, struct refusal *refusal);
    } keys[] = { { "isolated", take_isolated }, { "storm", take_storm }, { "macs", take_macs }, { "ipv4", take_ipv4 } };
    size_t known = 0;

    memset(policy, 0, sizeof *policy);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(object, keys[i].key);

        if (value != NULL && !keys[i].take(value, policy, refusal))
            return false;
        known += value != NULL;
    }
    if (object == NULL || (json_is_object(object) && known == json_object_size(object)))
        return true;
    refuse(refusal, "value-invalid", "policy: an object of isolated, storm, macs and ipv4");
    refusal_found(refusal, "other keys");
    refusal_hint(refusal, "see port.add in PROTOCOL.md");
    return false;
}
