/*
 * port_json.c - see port_json.h.
 *
 * Owns nothing; control thread only. Reads ports through datapath.h and leaves
 * them as they are. Objects under construction may be NULL when memory ran
 * out; jansson's _new setters take that, and the line then fails as a whole.
 */
#include "control/port_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/json_rpc.h"
#include "control/policy_json.h"

static const char *kind_name(enum port_kind kind)
{
    return kind == PORT_TAP ? "tap" : "vhost-user";
}

static const char *role_name(enum port_role role)
{
    return role == PORT_ROLE_SERVER ? "server" : "client";
}

json_t *port_config_json(const struct port_config *config)
{
    bool tap = config->kind == PORT_TAP;
    json_t *object = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I}", "name", config->name, "kind",
                     kind_name(config->kind), "network", config->network, "socket",
                     tap ? json_null() : rpc_text(config->socket), "role",
                     tap ? json_null() : json_string(role_name(config->role)), "ifname",
                     tap ? rpc_text(config->ifname) : json_null(), "queues", (json_int_t)config->queues,
                     "mtu", (json_int_t)config->mtu, "mac_limit", (json_int_t)config->mac_limit);
    json_t *policy = policy_json(&config->policy);
    if (policy)
        json_object_set_new(object, "policy", policy);
    return object;
}

/* What is too long for its field is refused here; any other flaw by port_config_valid(). */
static bool take_string(const json_t *object, const char *key, const char *reason, char *to, size_t size,
                        struct refusal *refusal)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        return true;
    if (strlen(text) < size) {
        strcpy(to, text);
        return true;
    }
    refuse(refusal, reason, "a %s of at most %zu bytes", key, size - 1);
    refusal_found(refusal, "%zu bytes, \"%.100s\"", strlen(text), text);
    refusal_hint(refusal, "choose a shorter %s", key);
    return false;
}

static bool take_number(const json_t *object, const char *key, unsigned otherwise, unsigned *to,
                        struct refusal *refusal)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) {
        *to = otherwise;
        return true;
    }
    json_int_t number = json_integer_value(value);
    if (number >= 0 && number <= UINT32_MAX) {
        *to = (unsigned)number;
        return true;
    }
    refuse(refusal, "value-invalid", "%s as a small positive number", key);
    refusal_found(refusal, "%" JSON_INTEGER_FORMAT, number);
    refusal_hint(refusal, "leave %s out for the default", key);
    return false;
}

/* One of two words; the first is the default. */
static bool take_word(const json_t *object, const char *key, const char *first, const char *second,
                      bool *is_second, struct refusal *refusal)
{
    const char *word = json_string_value(json_object_get(object, key));
    *is_second = word && strcmp(word, second) == 0;
    if (!word || *is_second || strcmp(word, first) == 0)
        return true;
    refuse(refusal, "value-invalid", "%s \"%s\" or \"%s\"", key, first, second);
    refusal_found(refusal, "\"%.100s\"", word);
    refusal_hint(refusal, "see port.add in PROTOCOL.md");
    return false;
}

bool port_config_from_json(const json_t *object, struct port_config *config, struct refusal *refusal)
{
    bool tap, server;
    memset(config, 0, sizeof *config);
    if (!take_word(object, "kind", "vhost-user", "tap", &tap, refusal) ||
        !take_word(object, "role", "client", "server", &server, refusal) ||
        !take_string(object, "name", "name-invalid", config->name, sizeof config->name, refusal) ||
        !take_string(object, "network", "name-invalid", config->network, sizeof config->network, refusal) ||
        !take_string(object, "socket", "socket-invalid", config->socket, sizeof config->socket, refusal) ||
        !take_string(object, "ifname", "name-invalid", config->ifname, sizeof config->ifname, refusal) ||
        !take_number(object, "queues", 1, &config->queues, refusal) ||
        !take_number(object, "mtu", 1500, &config->mtu, refusal) ||
        !take_number(object, "mac_limit", PORT_MAC_LIMIT_DEFAULT, &config->mac_limit, refusal) ||
        !policy_from_json(json_object_get(object, "policy"), &config->policy, refusal))
        return false;
    config->kind = tap ? PORT_TAP : PORT_VHOST_USER;
    config->role = server ? PORT_ROLE_SERVER : PORT_ROLE_CLIENT;
    return port_config_valid(config, refusal);
}

json_t *feature_set_json(uint64_t features)
{
    return json_sprintf("0x%" PRIx64, features);
}

static json_t *feature_names_json(uint64_t features)
{
    json_t *names = json_array();
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(features >> bit & 1))
            continue;
        const char *name = virtio_feature_name(bit);
        json_array_append_new(names, name ? json_string(name) : json_sprintf("bit %u", bit));
    }
    return names;
}

static json_t *features_json(const struct port_status *status)
{
    return json_pack("{s:o, s:o, s:o}", "offered", feature_set_json(status->offered), "negotiated",
                     feature_set_json(status->negotiated), "names", feature_names_json(status->negotiated));
}

static json_t *memory_json(const struct port_status *status)
{
    return json_pack("{s:i, s:I, s:i, s:i, s:i}", "regions", (int)status->memory_regions, "bytes",
                     (json_int_t)status->memory_bytes, "node", status->memory_node, "remote",
                     (int)status->memory_remote, "strays", (int)status->memory_strays);
}

static json_t *rings_json(const struct port_status *status)
{
    json_t *rings = json_array();
    for (unsigned i = 0; i < status->ring_count; i++) {
        const struct ring_status *ring = &status->rings[i];
        json_array_append_new(rings, json_pack("{s:i, s:i, s:b, s:b, s:o, s:i}", "index", (int)ring->index,
                                               "size", (int)ring->size, "started", ring->started, "enabled",
                                               ring->enabled, "broken", rpc_text(ring->broken), "worker",
                                               ring->worker));
    }
    return rings;
}

static json_t *mirror_status_json(const struct port_mirror *mirror, const struct mirror_status *status)
{
    static const char *const state_names[] = { "on", "waiting", "full", "failed", "off" };
    json_t *object = json_pack("{s:s}", "state", state_names[status->state]);

    if (status->state == MIRROR_IS_FAILED)
        json_object_set_new(object, "why", rpc_text(strerror(status->error)));
    if (mirror->kind == MIRROR_PORT)
        return object;
    json_object_set_new(object, "file", rpc_text(status->file[0] ? status->file : NULL));
    json_object_set_new(object, "frames", json_integer((json_int_t)status->frames));
    json_object_set_new(object, "lost", json_integer((json_int_t)status->lost));
    json_object_set_new(object, "bytes", json_integer((json_int_t)status->bytes));
    return object;
}

static json_t *clients_json(const struct port_status *status)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < status->client_count; i++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:I}", "frames", (json_int_t)status->clients[i].frames, "lost",
                                              (json_int_t)status->clients[i].lost, "bytes", (json_int_t)status->clients[i].bytes));
    return list;
}

json_t *port_json(const struct port *port)
{
    static const char *const state_names[] = { "waiting", "connected", "up", "broken" };
    struct port_status status;
    port_status(port, &status);
    json_t *object = port_config_json(port_config_of(port));
    json_object_set_new(object, "state", json_string(state_names[status.state]));
    json_object_set_new(object, "connects", json_integer((json_int_t)status.connects));
    json_object_set_new(object, "last_error", rpc_text(status.last_error[0] ? status.last_error : NULL));
    const struct port_mirror *mirror = &port_config_of(port)->policy.mirror;
    if (mirror->kind != MIRROR_NONE)
        json_object_set_new(object, "mirror", mirror_status_json(mirror, &status.mirror));
    if (status.client_count > 0)
        json_object_set_new(object, "captures", clients_json(&status));
    bool tap = port_config_of(port)->kind == PORT_TAP;
    json_object_set_new(object, "features", tap ? json_null() : features_json(&status));
    json_object_set_new(object, "memory", tap ? json_null() : memory_json(&status));
    json_object_set_new(object, "rings", rings_json(&status));
    return object;
}

/* Frames and bytes of one direction, over all queues; adds the drops to the sums. */
static json_t *direction_json(const struct port *port,
                              const struct queue_stats *(*stats_of)(const struct port *, unsigned),
                              uint64_t drops[DROP_REASON_COUNT])
{
    uint64_t frames = 0, bytes = 0;
    for (unsigned pair = 0; pair < port_queue_count(port); pair++) {
        const struct queue_stats *stats = stats_of(port, pair);
        frames += counter_read(&stats->frames);
        bytes += counter_read(&stats->bytes);
        for (unsigned reason = 0; reason < DROP_REASON_COUNT; reason++)
            drops[reason] += counter_read(&stats->drops[reason]);
    }
    return json_pack("{s:I, s:I}", "frames", (json_int_t)frames, "bytes", (json_int_t)bytes);
}

static json_t *queue_json(unsigned index, const struct queue_stats *stats)
{
    return json_pack("{s:i, s:I, s:I, s:I, s:I}", "index", (int)index, "frames",
                     (json_int_t)counter_read(&stats->frames), "bytes",
                     (json_int_t)counter_read(&stats->bytes), "kicks",
                     (json_int_t)counter_read(&stats->kicks), "calls",
                     (json_int_t)counter_read(&stats->calls));
}

/* Of frames to the port: tried again when it had no buffers, and delivered by that. */
static json_t *retry_json(const struct port *port)
{
    uint64_t tried = 0, delivered = 0;
    for (unsigned pair = 0; pair < port_queue_count(port); pair++) {
        tried += counter_read(&port_tx_stats(port, pair)->retried);
        delivered += counter_read(&port_tx_stats(port, pair)->late);
    }
    return json_pack("{s:I, s:I}", "tried", (json_int_t)tried, "delivered", (json_int_t)delivered);
}

json_t *port_stats_json(const struct port *port)
{
    uint64_t counts[DROP_REASON_COUNT] = { 0 };
    json_t *rx = direction_json(port, port_rx_stats, counts);
    json_t *tx = direction_json(port, port_tx_stats, counts);
    json_t *drops = json_object();
    for (unsigned reason = DROP_NONE + 1; reason < DROP_REASON_COUNT; reason++)
        json_object_set_new(drops, drop_reason_name[reason], json_integer((json_int_t)counts[reason]));
    json_t *queues = json_array();
    for (unsigned pair = 0; pair < port_queue_count(port); pair++) {
        json_array_append_new(queues, queue_json(2 * pair, port_tx_stats(port, pair)));
        json_array_append_new(queues, queue_json(2 * pair + 1, port_rx_stats(port, pair)));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", port_config_of(port)->name, "rx", rx, "tx", tx,
                     "drops", drops, "retry", retry_json(port), "queues", queues);
}
