/*
 * control_model.c - see the header. Nothing here is shared with the code under test but the JSON library.
 */
#include "control_model.h"

#include "input.h"

void model_free(struct model *model)
{
    json_decref(model->ports);
    json_decref(model->lost);
    free(model->file);
}

/* ---- answers ---- */

static json_t *load_line(const char *line)
{
    size_t length = line ? strlen(line) : 0;

    FUZZ_CHECK(length > 0 && strchr(line, '\n') == line + length - 1, "not one line: %s", line ? line : "nothing");
    json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    FUZZ_CHECK(json_is_object(root), "no JSON: %s", line);
    const char *version = json_string_value(json_object_get(root, "jsonrpc"));

    FUZZ_CHECK(version && strcmp(version, "2.0") == 0, "no JSON-RPC: %s", line);
    return root;
}

static void check_id(const json_t *request, const json_t *id, const char *answer)
{
    const json_t *asked = json_is_object(request) ? json_object_get(request, "id") : NULL;
    bool known = json_is_string(asked) || json_is_number(asked);

    FUZZ_CHECK(known ? json_equal(asked, id) : json_is_null(id), "a wrong id: %s", answer);
}

static void check_refusal(const json_t *data, const char *answer)
{
    static const char *const reasons[] = {
        "port-exists", "port-unknown", "name-invalid", "socket-invalid", "socket-in-use", "tap-missing", "tap-failed",
        "value-invalid", "link", "limit", "state-failed",
    };
    static const char *const parts[] = { "reason", "wanted", "found", "hint" };
    const char *reason = json_string_value(json_object_get(data, "reason"));
    bool known = false;

    FUZZ_CHECK(json_object_size(data) == 4, "not four parts: %s", answer);
    for (unsigned i = 0; i < 4; i++)
        FUZZ_CHECK(json_is_string(json_object_get(data, parts[i])), "no %s: %s", parts[i], answer);
    FUZZ_CHECK(json_string_length(json_object_get(data, "wanted")) > 0 &&
               json_string_length(json_object_get(data, "hint")) > 0, "nothing is said: %s", answer);
    for (unsigned i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        known |= strcmp(reason, reasons[i]) == 0;
    FUZZ_CHECK(known, "a reason that is in no table: %s", answer);
}

static void check_error(const json_t *error, const char *answer)
{
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    const json_t *data = json_object_get(error, "data");

    FUZZ_CHECK(json_string_length(json_object_get(error, "message")) > 0, "an error without a message: %s", answer);
    FUZZ_CHECK(code == 1 || code == -32700 || (code <= -32600 && code >= -32602), "a wrong code: %s", answer);
    FUZZ_CHECK((code == 1) == (data != NULL) && json_object_size(error) == (code == 1 ? 3u : 2u), "wrong parts: %s", answer);
    if (code == 1)
        check_refusal(data, answer);
}

enum model_outcome model_check_answer(const json_t *request, const char *answer, const struct answer_effect *effect)
{
    json_t *root = load_line(answer);
    const json_t *error = json_object_get(root, "error"), *result = json_object_get(root, "result");
    const char *method = json_string_value(json_object_get(request, "method"));
    enum model_outcome outcome = MODEL_TOLD;

    check_id(request, json_object_get(root, "id"), answer);
    FUZZ_CHECK(json_object_size(root) == 3 && !error != !result, "wrong members: %s", answer);
    FUZZ_CHECK(effect->subscribe == (result && strcmp(method, "events.subscribe") == 0), "subscribed by %s", method ? method : "nothing");
    FUZZ_CHECK(!effect->live == !(result && strcmp(method, "capture.start") == 0), "a capture by %s", method ? method : "nothing");
    if (error) {
        check_error(error, answer);
        outcome = MODEL_REFUSED;
    } else if (strcmp(method, "port.add") == 0) {
        outcome = MODEL_ADDED;
    } else if (strcmp(method, "port.del") == 0) {
        outcome = MODEL_DELETED;
    }
    json_decref(root);
    return outcome;
}

void model_check_event(char *line)
{
    json_t *root = load_line(line);
    const json_t *params = json_object_get(root, "params");

    FUZZ_CHECK(json_is_string(json_object_get(params, "type")) && json_is_integer(json_object_get(params, "seq")),
               "a wrong event: %s", line);
    json_decref(root);
    free(line);
}

/* ---- changes ---- */

void model_check_same(const struct model *old, const struct model *now, bool file)
{
    FUZZ_CHECK(json_equal(old->ports, now->ports), "the ports changed");
    FUZZ_CHECK(json_equal(old->lost, now->lost), "the lost ports changed");
    FUZZ_CHECK(old->port_count == now->port_count && old->network_count == now->network_count, "the counts changed");
    FUZZ_CHECK(!file || strcmp(old->file, now->file) == 0, "the state file changed: %s to %s", old->file, now->file);
}

static json_t *port_named(const json_t *ports, const char *name)
{
    json_t *port;
    size_t i;

    json_array_foreach((json_t *)ports, i, port) {
        if (strcmp(json_string_value(json_object_get(port, "name")), name) == 0)
            return port;
    }
    return NULL;
}

/* Ports of `some` that are not `name` are in `all`, just so. */
static void check_others(const json_t *some, const json_t *all, const char *name)
{
    json_t *port;
    size_t i;

    json_array_foreach((json_t *)some, i, port) {
        const char *other = json_string_value(json_object_get(port, "name"));

        FUZZ_CHECK(strcmp(other, name) == 0 || json_equal(port, port_named(all, other)), "port %s changed, too", other);
    }
}

static void lower(json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char text[32];
        const char *at = json_string_value(json_array_get(list, i));
        unsigned length = 0;

        for (; at && at[length] && length < sizeof text - 1; length++)
            text[length] = (char)(at[length] >= 'A' && at[length] <= 'F' ? at[length] + 32 : at[length]);
        text[length] = '\0';
        json_array_set_new(list, i, json_string(text));
    }
}

/* In ascending order. Short lists: one by one is good enough. */
static json_t *sorted(const json_t *list)
{
    json_t *result = json_array(), *value;
    size_t i;

    json_array_foreach((json_t *)list, i, value) {
        size_t at = json_array_size(result);

        while (at > 0 && json_integer_value(json_array_get(result, at - 1)) > json_integer_value(value))
            at--;
        json_array_insert(result, at, value);
    }
    return result;
}

/* A policy as port.list shows it: only what was set. NULL: none. */
static json_t *normal_policy(const json_t *policy)
{
    static const char *const flags[] = { "isolated", "link" }, *const lists[] = { "macs", "ipv4" };
    json_t *normal = json_is_object(policy) ? json_deep_copy(policy) : json_object();
    json_t *vlan = json_object_get(normal, "vlan"), *trunk = json_object_get(vlan, "trunk");

    for (unsigned i = 0; i < 2; i++) {
        if (json_is_false(json_object_get(normal, flags[i])))
            json_object_del(normal, flags[i]);
        if (json_array_size(json_object_get(normal, lists[i])) == 0)
            json_object_del(normal, lists[i]);
    }
    lower(json_object_get(normal, "macs"));
    if (trunk)
        json_object_set_new(vlan, "trunk", sorted(trunk));
    if (json_object_size(normal) > 0)
        return normal;
    json_decref(normal);
    return NULL;
}

/* What was asked is what is shown; what was left out is its default. */
static void check_shown(const json_t *params, const json_t *port)
{
    static const struct {
        const char *key;
        int otherwise; /* of vhost-user ports; -1: a text */
    } numbers[] = { { "queues", 1 }, { "mtu", 1500 }, { "mac_limit", 1024 }, { NULL, 0 } };
    bool tap = strcmp(json_string_value(json_object_get(params, "kind")), "tap") == 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)params, key, value) {
        if (strcmp(key, "policy") != 0)
            FUZZ_CHECK(json_equal(value, json_object_get(port, key)), "%s is not what was asked", key);
    }
    for (unsigned i = 0; numbers[i].key; i++)
        if (!json_object_get(params, numbers[i].key))
            FUZZ_CHECK(json_integer_value(json_object_get(port, numbers[i].key)) == numbers[i].otherwise, "%s is %lld",
                       numbers[i].key, (long long)json_integer_value(json_object_get(port, numbers[i].key)));
    if (!tap && !json_object_get(params, "role"))
        FUZZ_CHECK(strcmp(json_string_value(json_object_get(port, "role")), "client") == 0, "the role is another one");
    json_t *asked = normal_policy(json_object_get(params, "policy"));
    const json_t *shown = json_object_get(port, "policy");

    FUZZ_CHECK(asked ? json_equal(asked, shown) : !shown, "the policy is another one");
    json_decref(asked);
}

void model_check_change(const json_t *request, const char *answer, enum model_outcome outcome, const struct model *old,
                        const struct model *now)
{
    const json_t *params = json_object_get(request, "params");
    const char *name = json_string_value(json_object_get(params, "name"));
    json_t *before = port_named(old->ports, name), *after = port_named(now->ports, name);

    check_others(old->ports, now->ports, name);
    check_others(now->ports, old->ports, name);
    FUZZ_CHECK(json_array_size(now->ports) == now->port_count, "%u ports are counted", now->port_count);
    if (outcome == MODEL_DELETED) {
        FUZZ_CHECK(!after, "port %s is still there", name);
        return;
    }
    json_t *root = json_loads(answer, 0, NULL);

    FUZZ_CHECK(!before && after, "port %s was %s, and is %s", name, before ? "there" : "not there", after ? "there" : "not");
    FUZZ_CHECK(json_equal(after, json_object_get(json_object_get(root, "result"), "port")), "the answer is not what port.list shows");
    check_shown(params, after);
    json_decref(root);
}

void model_check_restart(const char *before, const char *after)
{
    json_t *one = json_loads(before, 0, NULL), *other = json_loads(after, 0, NULL);
    const json_t *ports = json_object_get(one, "ports"), *back = json_object_get(other, "ports");
    json_t *port;
    size_t i;

    FUZZ_CHECK(json_array_size(ports) == json_array_size(back), "%zu ports came back as %zu", json_array_size(ports),
               json_array_size(back));
    json_array_foreach((json_t *)ports, i, port) {
        json_t *same = port_named(back, json_string_value(json_object_get(port, "name")));

        if (json_is_null(json_object_get(port, "offered")) && same) /* met for the first time now */
            json_object_set_new(same, "offered", json_null());
    }
    check_others(ports, back, "");
    json_decref(one);
    json_decref(other);
}
