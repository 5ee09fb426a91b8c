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

static json_t *vlan_json(const struct port_vlan *vlan)
{
    if (vlan->mode == VLAN_ACCESS)
        return json_pack("{s:i}", "tag", (int)vlan->untagged);
    json_t *trunk = json_array(), *object = json_pack("{s:o}", "trunk", trunk);

    for (unsigned id = 0; id < VLAN_IDS; id++)
        if (port_vlan_listed(vlan, id))
            json_array_append_new(trunk, json_integer(id));
    if (vlan->untagged != 0)
        json_object_set_new(object, "native", json_integer(vlan->untagged));
    return object;
}

static void rate_json(json_t *rates, const char *direction, const struct rate_limit *limit)
{
    json_t *object = json_object();

    if (!rate_limited(limit)) {
        json_decref(object);
        return;
    }
    if (limit->bytes != 0)
        json_object_set_new(object, "bytes", json_integer((json_int_t)limit->bytes));
    if (limit->burst != 0)
        json_object_set_new(object, "burst", json_integer((json_int_t)limit->burst));
    if (limit->peak != 0)
        json_object_set_new(object, "peak", json_integer((json_int_t)limit->peak));
    if (limit->frames != 0)
        json_object_set_new(object, "frames", json_integer(limit->frames));
    json_object_set_new(rates, direction, object);
}

static json_t *rates_json(const struct port_policy *policy)
{
    json_t *rates = json_object();

    rate_json(rates, "rx", &policy->rx_rate);
    rate_json(rates, "tx", &policy->tx_rate);
    return rates;
}

static const char *const mirror_directions[] = { [MIRROR_RX] = "rx", [MIRROR_TX] = "tx", [MIRROR_BOTH] = "both" };

static json_t *mirror_json(const struct port_mirror *mirror)
{
    json_t *object = json_pack("{s:s, s:s}", mirror->kind == MIRROR_PORT ? "to" : "file", mirror->to, "direction",
                               mirror_directions[mirror->direction]);

    if (mirror->kind == MIRROR_PORT)
        return object;
    if (mirror->snaplen != 0)
        json_object_set_new(object, "snaplen", json_integer(mirror->snaplen));
    json_object_set_new(object, "limit", json_integer((json_int_t)mirror->limit));
    return object;
}

json_t *policy_json(const struct port_policy *policy)
{
    if (!port_policy_any(policy))
        return NULL;
    json_t *object = json_object();

    if (policy->isolated)
        json_object_set_new(object, "isolated", json_true());
    if (policy->link)
        json_object_set_new(object, "link", json_true());
    if (policy->storm > 0)
        json_object_set_new(object, "storm", json_integer(policy->storm));
    if (policy->vlan.mode != VLAN_PLAIN)
        json_object_set_new(object, "vlan", vlan_json(&policy->vlan));
    if (rate_limited(&policy->rx_rate) || rate_limited(&policy->tx_rate))
        json_object_set_new(object, "rate", rates_json(policy));
    if (policy->mac_count > 0)
        json_object_set_new(object, "macs", macs_json(policy));
    if (policy->ipv4_count > 0)
        json_object_set_new(object, "ipv4", ipv4_json(policy));
    if (policy->mirror.kind != MIRROR_NONE)
        json_object_set_new(object, "mirror", mirror_json(&policy->mirror));
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

static bool take_link(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    policy->link = json_is_true(value);
    return json_is_boolean(value) || refuse_value(refusal, "link", "true or false", value);
}

static bool take_storm(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    json_int_t rate = json_integer_value(value);

    if (!json_is_integer(value) || rate < 1 || rate > POLICY_STORM_MAX)
        return refuse_value(refusal, "storm", "frames a second, 1 to 10000000", value);
    policy->storm = (unsigned)rate;
    return true;
}

static bool vlan_id(const json_t *value, uint16_t *id)
{
    json_int_t number = json_integer_value(value);

    *id = (uint16_t)number;
    return json_is_integer(value) && number >= 1 && number <= VLAN_ID_MAX;
}

static bool take_trunk(const json_t *list, struct port_vlan *vlan)
{
    uint16_t id;

    vlan->mode = VLAN_TRUNK;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!vlan_id(json_array_get(list, i), &id) || port_vlan_listed(vlan, id))
            return false;
        port_vlan_list(vlan, id);
    }
    return json_is_array(list);
}

/* {"tag": N}, or {"trunk": [N, …]} and maybe "native": N; sizes are port_vlan_valid()'s. */
static bool take_vlan(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    const json_t *tag = json_object_get(value, "tag"), *trunk = json_object_get(value, "trunk");
    const json_t *native = json_object_get(value, "native");
    size_t known = (tag != NULL) + (trunk != NULL) + (native != NULL);
    bool good = json_object_size(value) == known;

    if (tag != NULL) {
        policy->vlan.mode = VLAN_ACCESS;
        good = good && known == 1 && vlan_id(tag, &policy->vlan.untagged);
    } else {
        good = good && trunk != NULL && take_trunk(trunk, &policy->vlan) &&
               (native == NULL || vlan_id(native, &policy->vlan.untagged));
    }
    return good || refuse_value(refusal, "vlan", "{\"tag\": N} or {\"trunk\": [N, …], \"native\": N}, "
                                                 "ids 1 to 4094, each once", value);
}

/* One direction: at least one number, none of them 0; their sizes are rate_limit_valid()'s. */
static bool take_rate_limit(const json_t *object, struct rate_limit *limit)
{
    static const char *const keys[] = { "bytes", "burst", "peak", "frames" };
    uint64_t values[4] = { 0 };
    size_t known = 0;

    for (size_t i = 0; i < 4; i++) {
        const json_t *value = json_object_get(object, keys[i]);

        if (value == NULL)
            continue;
        if (!json_is_integer(value) || json_integer_value(value) < 1 || json_integer_value(value) > INT64_C(12500000000))
            return false;
        values[i] = (uint64_t)json_integer_value(value);
        known++;
    }
    if (known == 0 || known != json_object_size(object) || values[3] > RATE_FRAMES_MAX)
        return false;
    *limit = (struct rate_limit){ values[0], values[1], values[2], (unsigned)values[3] };
    return rate_limited(limit);
}

static bool take_rate(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    const json_t *rx = json_object_get(value, "rx"), *tx = json_object_get(value, "tx");
    size_t known = (rx != NULL) + (tx != NULL);

    if (known > 0 && known == json_object_size(value) && (rx == NULL || take_rate_limit(rx, &policy->rx_rate)) &&
        (tx == NULL || take_rate_limit(tx, &policy->tx_rate)))
        return true;
    return refuse_value(refusal, "rate", "rx or tx, each with bytes (and burst, peak) or frames, 1 and more", value);
}

static bool take_direction(const json_t *value, struct port_mirror *mirror)
{
    const char *word = value != NULL ? json_string_value(value) : "both";

    for (unsigned i = MIRROR_RX; word != NULL && i <= MIRROR_BOTH; i++)
        if (strcmp(word, mirror_directions[i]) == 0)
            mirror->direction = (enum mirror_direction)i;
    return mirror->direction != 0;
}

/* A number that fits in 63 bits and is not 0; what is left out stays as it is. */
static bool take_count(const json_t *value, uint64_t *to)
{
    if (value == NULL)
        return true;
    *to = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) > 0;
}

/* {"to": port} or {"file": name, "snaplen", "limit"}, both with a direction; sizes and names are port_mirror_valid()'s. */
static bool take_mirror(const json_t *value, struct port_policy *policy, struct refusal *refusal)
{
    struct port_mirror *mirror = &policy->mirror;
    const json_t *to = json_object_get(value, "to"), *file = json_object_get(value, "file");
    const json_t *direction = json_object_get(value, "direction");
    const json_t *snaplen = json_object_get(value, "snaplen"), *limit = json_object_get(value, "limit");
    const char *name = json_string_value(to != NULL ? to : file);
    uint64_t kept = 0;
    size_t known = 1 + (direction != NULL) + (to == NULL ? (snaplen != NULL) + (limit != NULL) : 0);

    mirror->kind = to != NULL ? MIRROR_PORT : MIRROR_FILE;
    mirror->limit = to != NULL ? 0 : MIRROR_LIMIT_DEFAULT;
    if (name == NULL || strlen(name) >= sizeof mirror->to || known != json_object_size(value) ||
        !take_direction(direction, mirror) ||
        (to == NULL && (!take_count(snaplen, &kept) || kept > MIRROR_SNAPLEN_MAX || !take_count(limit, &mirror->limit))))
        return refuse_value(refusal, "mirror", "to (a port) or file (a name, and snaplen, limit), and direction rx, tx or both",
                            value);
    strcpy(mirror->to, name);
    mirror->snaplen = (unsigned)kept;
    return true;
}

bool policy_from_json(const json_t *object, struct port_policy *policy, struct refusal *refusal)
{
    static const struct {
        const char *key;
        bool (*take)(const json_t *value, struct port_policy *policy, struct refusal *refusal);
    } keys[] = { { "isolated", take_isolated }, { "link", take_link }, { "storm", take_storm }, { "vlan", take_vlan },
                 { "rate", take_rate },         { "macs", take_macs },   { "ipv4", take_ipv4 },
                 { "mirror", take_mirror } };
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
    refuse(refusal, "value-invalid", "policy: an object of isolated, link, storm, vlan, rate, macs, ipv4 and mirror");
    refusal_found(refusal, "other keys");
    refusal_hint(refusal, "see port.add in PROTOCOL.md");
    return false;
}
