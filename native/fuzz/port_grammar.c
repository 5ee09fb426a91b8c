/*
 * port_grammar.c - see the header. Each function takes what it needs of one record; behind its end stand
 * zeros, which choose the plainest thing.
 */
#include "port_grammar.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

const char *grammar_folder = "/run/vhostkit";

static const char *const names[] = { "vm1", "vm2", "vm3", "a", "B.9_-z", "0" };
static const char *const networks[] = { "lan", "lan", "wire", "n3" };
static const char *const interfaces[] = { "vkfuzz0", "vkfuzz1", "vkfuzz-none" };
static const char *const odd_texts[] = {
    "", ".", "..", "-x", "a/b", "a b", "\xc3\xa4", "\xf0\x9f\x98\x80", "%s%n", "\"\\", "\x01", "lan", "vm1", "/", "x\n",
};
static const char *const keys[] = {
    "name", "kind", "network", "socket", "role", "ifname", "queues", "mtu", "mac_limit", "policy", "offered", "colour",
};
static const char *const policy_keys[] = { "isolated", "link", "storm", "vlan", "rate", "macs", "ipv4", "colour" };

static json_int_t choose_number(struct input *in, const json_int_t *borders, unsigned count)
{
    unsigned choice = input_byte(in);
    json_int_t border = borders[choice % count];

    if (choice < 128)
        return border;
    if (choice < 160)
        return border < INT64_MAX ? border + 1 : border;
    if (choice < 192)
        return border > INT64_MIN ? border - 1 : border;
    return (json_int_t)input_number(in, 1 + choice % 8);
}

static const json_int_t any_borders[] = {
    0, 1, 2, 255, 4094, 65535, 2147483647, 4294967295, 4294967296, INT64_MAX, INT64_MIN, -1,
};

/* A text of up to some hundred bytes, as long as the longest fields and a little longer. */
static json_t *long_text(struct input *in, const char *begin)
{
    static const unsigned lengths[] = { 15, 16, 62, 63, 64, 106, 107, 108, 300 };
    char text[512];
    unsigned length = lengths[input_choice(in, COUNT(lengths))];
    int used = snprintf(text, sizeof text, "%s", begin);

    for (; (unsigned)used < length; used++)
        text[used] = (char)('a' + used % 26);
    text[used] = '\0';
    return json_string(text);
}

json_t *grammar_value(struct input *in)
{
    switch (input_choice(in, 10)) {
    case 0: return json_null();
    case 1: return json_true();
    case 2: return json_false();
    case 3: return json_integer(choose_number(in, any_borders, COUNT(any_borders)));
    case 4: return json_real((double)input_byte(in) / 2);
    case 5: return json_array();
    case 6: return json_object();
    case 7: return json_pack("[o]", grammar_value(in));
    case 8: return json_pack("{s:o}", odd_texts[input_choice(in, COUNT(odd_texts))], grammar_value(in));
    default: return json_string(odd_texts[input_choice(in, COUNT(odd_texts))]);
    }
}

/* One of the words; now and then an odd or a long one. */
static json_t *choose_text(struct input *in, const char *const *words, unsigned count)
{
    unsigned choice = input_byte(in);

    if (choice < 208)
        return json_string(words[choice % count]);
    if (choice < 232)
        return json_string(odd_texts[choice % COUNT(odd_texts)]);
    return long_text(in, "");
}

static json_t *choose_socket(struct input *in)
{
    unsigned choice = input_byte(in);
    char begin[300];

    if (choice < 208)
        return json_sprintf("%s/s%u", grammar_folder, choice % 6);
    if (choice < 216)
        return json_string(odd_texts[choice % COUNT(odd_texts)]);
    if (choice < 224)
        return json_sprintf("%s/none/s%u", grammar_folder, choice % 2);
    snprintf(begin, sizeof begin, "%s/", grammar_folder);
    return long_text(in, begin);
}

/* ---- policy ---- */

static json_t *choose_addresses(struct input *in, bool ipv4)
{
    json_t *list = json_array();
    unsigned choice = input_byte(in), count = choice < 240 ? choice % 4 : choice % 20;

    for (unsigned i = 0; i < count; i++) {
        unsigned byte = input_byte(in), which = byte & 32 ? 0 : i; /* now and then one that is there already */

        if (byte >= 250)
            json_array_append_new(list, grammar_value(in));
        else if (ipv4)
            json_array_append_new(list, json_sprintf("%u.0.%u.%u", byte == 249 ? 224 : byte == 248 ? 0 : 10, which, byte % 8));
        else
            json_array_append_new(list, json_sprintf(byte & 64 ? "%02X:54:0a:00:%02X:%02x" : "%02x:54:0a:00:%02x:%02x",
                                                     byte == 249 ? 0x53 : 0x52, which, byte % 8));
    }
    return list;
}

static json_t *choose_vlan(struct input *in)
{
    static const json_int_t ids[] = { 1, 2, 7, 10, 100, 4094 };
    unsigned shape = input_byte(in);

    if (shape < 96)
        return json_pack("{s:I}", "tag", choose_number(in, ids, COUNT(ids)));
    json_t *trunk = json_array(), *vlan = json_pack("{s:o}", "trunk", trunk);
    unsigned count = shape == 255 ? 254 + input_choice(in, 5) : shape % 5;
    json_int_t id = 1 + input_byte(in);

    for (unsigned i = 0; i < count; i++, id += count > 5 ? 1 : 1 + input_byte(in))
        json_array_append_new(trunk, json_integer(id));
    if (shape & 8)
        json_object_set_new(vlan, "native", json_integer(choose_number(in, ids, COUNT(ids))));
    if (shape >= 250)
        json_object_set_new(vlan, "tag", grammar_value(in));
    return vlan;
}

static json_t *choose_rate(struct input *in)
{
    static const json_int_t bytes[] = { 1000, 125000000, 12500000000, 65536 };
    static const json_int_t bursts[] = { 1, 65536, 1073741824 };
    static const json_int_t frames[] = { 1, 1000, 100000000 };
    unsigned which = input_byte(in);
    json_t *limit = json_object(), *rate = json_object();

    if (which & 1)
        json_object_set_new(limit, "bytes", json_integer(choose_number(in, bytes, COUNT(bytes))));
    if (which & 2)
        json_object_set_new(limit, "frames", json_integer(choose_number(in, frames, COUNT(frames))));
    if (which & 4)
        json_object_set_new(limit, "burst", json_integer(choose_number(in, bursts, COUNT(bursts))));
    if (which & 8)
        json_object_set_new(limit, "peak", json_integer(choose_number(in, bytes, COUNT(bytes))));
    if (which >= 240)
        json_object_set_new(limit, "colour", grammar_value(in));
    if (which & 16)
        json_object_set(rate, "rx", limit);
    if (!(which & 16) || which & 32)
        json_object_set(rate, "tx", limit);
    json_decref(limit);
    return rate;
}

static json_t *policy_value(unsigned key, struct input *in)
{
    static const json_int_t storms[] = { 1, 1000, 10000000 };

    switch (key) {
    case 0:
    case 1: return json_boolean(input_byte(in) % 4 != 3);
    case 2: return json_integer(choose_number(in, storms, COUNT(storms)));
    case 3: return choose_vlan(in);
    case 4: return choose_rate(in);
    case 5: return choose_addresses(in, false);
    case 6: return choose_addresses(in, true);
    default: return grammar_value(in);
    }
}

/* ---- ports ---- */

const char *grammar_name(struct input *in)
{
    return names[input_choice(in, COUNT(names))];
}

json_t *grammar_port(struct input *in)
{
    const char *name = grammar_name(in);
    unsigned shape = input_byte(in);
    const char *network = networks[input_choice(in, COUNT(networks))];

    if (shape % 8 == 7)
        return json_pack("{s:s, s:s, s:s, s:s}", "name", name, "kind", "tap", "network", network, "ifname",
                         interfaces[input_choice(in, COUNT(interfaces))]);
    json_t *port = json_pack("{s:s, s:s, s:s, s:o}", "name", name, "kind", "vhost-user", "network", network, "socket",
                             json_sprintf("%s/s%u", grammar_folder, input_choice(in, 6)));

    if (shape & 16)
        json_object_set_new(port, "role", json_string(shape & 32 ? "server" : "client"));
    if (shape & 64)
        json_object_set_new(port, "queues", json_integer(1 + input_choice(in, 4)));
    if (shape & 128)
        json_object_set_new(port, "mtu", json_integer(1500 + 10 * input_byte(in)));
    return port;
}

static json_t *field_value(unsigned key, struct input *in)
{
    static const char *const kinds[] = { "vhost-user", "tap" }, *const roles[] = { "client", "server" };
    static const char *const offers[] = { "0x0", "0x130008000", "0xffffffffffffffff", "0X1", "0x01", "1", "0x1ffffffffffffffff" };
    static const json_int_t queues[] = { 1, 2, 4, 64 }, mtus[] = { 68, 1500, 9000, 65535 };
    static const json_int_t limits[] = { 1, 16, 1024, 65536 };

    switch (key) {
    case 0: return choose_text(in, names, COUNT(names));
    case 1: return choose_text(in, kinds, COUNT(kinds));
    case 2: return choose_text(in, networks, COUNT(networks));
    case 3: return choose_socket(in);
    case 4: return choose_text(in, roles, COUNT(roles));
    case 5: return choose_text(in, interfaces, COUNT(interfaces));
    case 6: return json_integer(choose_number(in, queues, COUNT(queues)));
    case 7: return json_integer(choose_number(in, mtus, COUNT(mtus)));
    case 8: return json_integer(choose_number(in, limits, COUNT(limits)));
    case 9: return json_object();
    case 10: return choose_text(in, offers, COUNT(offers));
    default: return grammar_value(in);
    }
}

/* The policy to change; made when there is none. */
static json_t *policy_of(json_t *port)
{
    json_t *policy = json_object_get(port, "policy");

    if (json_is_object(policy))
        return policy;
    policy = json_object();
    json_object_set_new(port, "policy", policy);
    return policy;
}

void grammar_change(json_t *port, struct input *in)
{
    unsigned key = input_choice(in, COUNT(keys) + COUNT(policy_keys)), how = input_byte(in);
    bool inner = key >= COUNT(keys);
    json_t *object = inner ? policy_of(port) : port;
    const char *name = inner ? policy_keys[key - COUNT(keys)] : keys[key];

    if (how >= 240)
        json_object_del(object, name);
    else if (how >= 224)
        json_object_set_new(object, name, grammar_value(in));
    else
        json_object_set_new(object, name, inner ? policy_value(key - COUNT(keys), in) : field_value(key, in));
}

/* ---- texts ---- */

static const char *const words[] = {
    "{", "}", "[", "]", ",", ":", "\"", "null", "true", "1e3", "-0", "1.0", "\\u0000", "\\ud800", "\xc3", "\xff", " ", "\n",
    "\"name\":", "\"policy\":{", "\"jsonrpc\":\"2.0\"", "\"params\":", "\"id\":", "99999999999999999999", "[[[[[[[[",
};

size_t grammar_scramble(char *text, size_t length, size_t room, struct input *in)
{
    unsigned kind = input_choice(in, 6);
    size_t at = length ? input_number(in, 2) % length : 0;

    if (kind == 0 && length > 0) {
        text[at] = (char)input_byte(in);
    } else if (kind == 1 && length > 0) {
        text[at] = (char)(text[at] ^ (1 << input_byte(in) % 8));
    } else if (kind == 2) {
        size_t gone = 1 + input_byte(in) % 16;

        gone = gone < length - at ? gone : length - at;
        memmove(text + at, text + at + gone, length - at - gone);
        length -= gone;
    } else if (kind == 3) { /* a part again, somewhere else */
        size_t from = length ? input_number(in, 2) % length : 0, size = input_byte(in);
        char part[256];

        size = size < length - from ? size : length - from;
        size = size < room - length ? size : room - length;
        memcpy(part, text + from, size);
        memmove(text + at + size, text + at, length - at);
        memcpy(text + at, part, size);
        length += size;
    } else if (kind == 4) {
        length = at;
    } else {
        const char *word = words[input_choice(in, COUNT(words))];
        size_t size = strlen(word);

        if (size <= room - length) {
            memmove(text + at + size, text + at, length - at);
            memcpy(text + at, word, size);
            length += size;
        }
    }
    return length;
}
