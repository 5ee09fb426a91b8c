/*
 * fuzz_state.c - state files that somebody else wrote, or half wrote.
 *
 * The first record of an input chooses how the file is written down (its version, the checksum, spaces and
 * order of keys). Each other record is one step in making it: one more port, a field changed, a port twice
 * or gone, bytes of the ports' text changed (then the checksum is made right again, so that the checks behind it are met)
 * or bytes of the whole file. A first byte of 255 says that the input is the file's text itself.
 *
 * Checked: a file that only right steps made is accepted; of one that is accepted, every port is right for itself,
 * names are there once, the checksum is what it should be by our own count, and what is written
 * for those ports says exactly the same and is accepted again, in some inputs through a real file; a refusal has a reason
 * and leaves nothing behind.
 */
#include <inttypes.h>
#include <unistd.h>

#include "control/state_file.h"
#include "datapath.h"
#include "port_grammar.h"
#include "scratch.h"

#define TEXT_ROOM 65536u
#define PORTS_ROOM 24u

static json_t *ports;               /* of the file that is being made */
static bool right;                  /* so far nothing is wrong with it */
static struct input scrambles[16];  /* to be done to the whole text at last */
static unsigned scramble_count;
static char text[TEXT_ROOM];
static size_t length;
static bool through_file;           /* what is accepted is also written and read */

static bool is_named(const json_t *list, const char *name, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const char *other = json_string_value(json_object_get(json_array_get(list, i), "name"));

        if (other != NULL && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

/* What port.add may leave out stands in the file. */
static void fill_in(json_t *port)
{
    static const char *const defaults[][2] = {
        { "vhost-user", "{\"role\":\"client\",\"ifname\":null,\"queues\":1,\"mtu\":1500,\"mac_limit\":1024,\"offered\":null}" },
        { "tap", "{\"role\":null,\"socket\":null,\"queues\":1,\"mtu\":1500,\"mac_limit\":1024,\"offered\":null}" },
    };
    bool tap = strcmp(json_string_value(json_object_get(port, "kind")), "tap") == 0;
    json_t *missing = json_loads(defaults[tap][1], 0, NULL);

    json_object_update_missing(port, missing);
    json_decref(missing);
}

static void add_port(struct input *in)
{
    json_t *port = grammar_port(in);

    fill_in(port);
    if (json_array_size(ports) >= PORTS_ROOM) {
        json_decref(port);
        return;
    }
    right &= !is_named(ports, json_string_value(json_object_get(port, "name")), json_array_size(ports));
    json_array_append_new(ports, port);
}

static json_t *some_port(struct input *in)
{
    size_t count = json_array_size(ports);

    return count ? json_array_get(ports, input_byte(in) % count) : NULL;
}

/* Bytes of the ports' text; what is no JSON any more is left as it was. */
static void scramble_ports(struct input *in)
{
    char *before = json_dumps(ports, JSON_COMPACT);
    size_t size = strlen(before);

    memcpy(text, before, size);
    free(before);
    size = grammar_scramble(text, size, TEXT_ROOM - 1, in);
    json_t *after = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_array(after)) {
        json_decref(after);
        return;
    }
    json_decref(ports);
    ports = after;
    right = false;
}

static void make_step(struct input *in)
{
    json_t *port;

    switch (input_choice(in, 12)) {
    case 0:
    case 1:
    case 2:
    case 3: add_port(in); break;
    case 4:
    case 5:
    case 6:
        port = some_port(in);
        if (json_is_object(port)) {
            grammar_change(port, in);
            right = false;
        }
        break;
    case 7:
        port = some_port(in);
        if (port && json_array_size(ports) < PORTS_ROOM) {
            json_array_append_new(ports, json_deep_copy(port));
            right = false;
        }
        break;
    case 8: json_array_remove(ports, input_byte(in)); break;
    case 9: scramble_ports(in); break;
    case 10:
        if (json_array_size(ports) < PORTS_ROOM)
            json_array_append_new(ports, grammar_value(in));
        right = false;
        break;
    default:
        if (scramble_count < 16)
            scrambles[scramble_count++] = *in;
        right = false;
        break;
    }
}

/* FNV-1a, once more: PROTOCOL.md names it. */
static void checksum(const json_t *list, char to[17])
{
    char *canonical = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *c = canonical; *c; c++) {
        hash ^= (uint8_t)*c;
        hash *= UINT64_C(1099511628211);
    }
    free(canonical);
    snprintf(to, 17, "%016" PRIx64, hash);
}

/* The file's text as the first record wants it. */
static void write_down(struct input scene)
{
    static const size_t flags[] = { JSON_COMPACT, JSON_COMPACT | JSON_SORT_KEYS, JSON_INDENT(2), 0, JSON_COMPACT | JSON_ENSURE_ASCII };
    unsigned form = input_choice(&scene, 5), oddity = input_byte(&scene);
    char sum[17];

    through_file = oddity % 16 == 15;

    checksum(ports, sum);
    if (oddity >= 250)
        sum[input_byte(&scene) % 16] ^= 1;
    json_t *root = json_pack("{s:i, s:s, s:O}", "vhostkit_state", oddity == 249 ? 2 : 1, "checksum", sum, "ports", ports);

    if (oddity == 248)
        json_object_set_new(root, "colour", grammar_value(&scene));
    if (oddity == 247)
        json_object_set_new(root, "vhostkit_state", grammar_value(&scene));
    right &= oddity < 246;
    char *plain = json_dumps(root, flags[form]);

    json_decref(root);
    FUZZ_CHECK(plain, "the file cannot be written down");
    length = strlen(plain);
    FUZZ_CHECK(length + 1 < TEXT_ROOM, "a file of %zu bytes", length);
    memcpy(text, plain, length);
    free(plain);
    if (oddity != 246)
        text[length++] = '\n';
    for (unsigned i = 0; i < scramble_count; i++)
        length = grammar_scramble(text, length, TEXT_ROOM, &scrambles[i]);
}

static const struct port_config *list[PORTS_MAX + 1];

static void check_ports(const struct state *state)
{
    struct refusal refusal;

    for (unsigned i = 0; i < state->count; i++) {
        list[i] = &state->ports[i];
        FUZZ_CHECK(port_config_valid(list[i], &refusal), "port %u is wrong: %s", i, refusal.wanted);
        for (unsigned m = 0; m < list[i]->policy.mac_count; m++)
            for (unsigned n = 0; n < m; n++)
                FUZZ_CHECK(list[i]->policy.macs[m] != list[i]->policy.macs[n], "an address twice in port %u", i);
        for (unsigned j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(list[i]->name, list[j]->name) != 0, "\"%s\" twice", list[i]->name);
    }
}

/* What would be written for these ports. */
static char *text_of(const struct state *state)
{
    for (unsigned i = 0; i < state->count; i++)
        list[i] = &state->ports[i];
    char *made = state_text(list, state->count);

    FUZZ_CHECK(made, "no text");
    return made;
}

static void check_again(const char *made)
{
    struct state state;
    char why[512];

    FUZZ_CHECK(state_parse(made, strlen(made), &state, why, sizeof why), "its own text is refused: %s", why);
    char *again = text_of(&state);

    FUZZ_CHECK(strcmp(again, made) == 0, "another text the second time");
    free(again);
    state_free(&state);
}

static void check_file(const struct state *state, const char *made)
{
    char path[256], why[512];
    struct state back;

    snprintf(path, sizeof path, "%s/state", scratch_folder());
    for (unsigned i = 0; i < state->count; i++)
        list[i] = &state->ports[i];
    FUZZ_CHECK(state_write(path, list, state->count, why, sizeof why), "%s", why);
    FUZZ_CHECK(state_read(path, &back, why, sizeof why), "%s", why);
    char *again = text_of(&back);

    FUZZ_CHECK(strcmp(again, made) == 0, "another text from the file");
    free(again);
    state_free(&back);
}

static void check_accepted(const struct state *state)
{
    json_t *root = json_loadb(text, length, 0, NULL);
    char *made = text_of(state), sum[17];
    json_t *other = json_loads(made, 0, NULL);

    check_ports(state);
    checksum(json_object_get(root, "ports"), sum);
    FUZZ_CHECK(strcmp(sum, json_string_value(json_object_get(root, "checksum"))) == 0, "accepted without its checksum");
    FUZZ_CHECK(json_equal(root, other), "accepted, and says something else than %s", made);
    check_again(made);
    if (through_file)
        check_file(state, made);
    json_decref(root);
    json_decref(other);
    free(made);
}

static void read_back(void)
{
    struct state state;
    char why[512] = "";
    char *exact = malloc(length ? length : 1); /* so that a byte too far is seen */

    memcpy(exact, text, length);
    if (state_parse(exact, length, &state, why, sizeof why)) {
        check_accepted(&state);
    } else {
        FUZZ_CHECK(!right, "a right file is refused: %s", why);
        FUZZ_CHECK(why[0] != '\0', "refused without a reason");
        FUZZ_CHECK(state.ports == NULL && state.count == 0, "refused, and ports are left");
    }
    state_free(&state);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = { data, size }, scene, in;

    if (size > 0 && data[0] == 255) {
        length = size - 1 < TEXT_ROOM ? size - 1 : TEXT_ROOM;
        memcpy(text, data + 1, length);
        right = false;
        read_back();
        return 0;
    }
    ports = json_array();
    right = true;
    scramble_count = 0;
    input_record(&all, &scene);
    while (input_record(&all, &in))
        make_step(&in);
    write_down(scene);
    read_back();
    json_decref(ports);
    return 0;
}
