/*
 * state_file.c - see state_file.h.
 *
 * Owns nothing between calls; control thread only. Only the holder of the
 * control socket's lock writes, so the name of the temporary file is fixed and
 * a leftover of a crash is simply overwritten.
 *
 * Strictness comes from three sides: the checksum covers the ports' canonical
 * text, each port must be equal to what this program would write for it, and
 * nothing else may stand in the file. What is refused is never repaired: a
 * port that is silently lost is a VM without a network.
 */
#include "control/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/port_json.h"
#include "datapath.h"

#define STATE_VERSION 1

/* FNV-1a, 64 bits. Every single changed byte changes it. */
static uint64_t checksum_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
    return hash;
}

static json_t *checksum_json(const json_t *ports)
{
    char *text = json_dumps(ports, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return NULL;
    json_t *checksum = json_sprintf("%016" PRIx64, checksum_of(text));
    free(text);
    return checksum;
}

static json_t *entry_json(const struct port_config *config)
{
    json_t *entry = port_config_json(config);
    json_object_set_new(entry, "offered",
                        config->has_offered ? feature_set_json(config->offered) : json_null());
    return entry;
}

/* ---- reading ---- */

__attribute__((format(printf, 3, 4))) static bool say(char *why, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return false;
}

/* The entry must be what entry_json() makes of it: so no key is unknown, missing or of another form. */
static bool parse_port(const json_t *entry, unsigned index, struct port_config *config, char *why,
                       size_t size)
{
    struct refusal refusal;
    if (!port_config_from_json(entry, config, &refusal))
        return say(why, size, "port %u of \"ports\" wants %s, found %s", index, refusal.wanted,
                   refusal.found[0] ? refusal.found : "none");
    const char *offered = json_string_value(json_object_get(entry, "offered"));
    if (offered) {
        config->has_offered = true;
        config->offered = strtoull(offered, NULL, 16);
    }
    json_t *again = entry_json(config);
    bool same = json_equal(again, entry);
    json_decref(again);
    if (!same)
        return say(why, size, "port %u of \"ports\" (\"%s\") wants exactly the fields of its kind, found "
                   "others", index, config->name);
    return true;
}

static bool parse_ports(const json_t *ports, struct state *state, char *why, size_t size)
{
    size_t count = json_array_size(ports);
    if (count > PORTS_MAX)
        return say(why, size, "expected at most %u ports, found %zu", PORTS_MAX, count);
    state->ports = calloc(count + 1, sizeof *state->ports);
    if (!state->ports)
        return say(why, size, "no memory for %zu ports", count);
    for (unsigned i = 0; i < count; i++) {
        if (!parse_port(json_array_get(ports, i), i, &state->ports[i], why, size))
            return false;
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(state->ports[i].name, state->ports[j].name) == 0)
                return say(why, size, "expected each port once, found \"%s\" twice", state->ports[i].name);
        }
        state->count++;
    }
    return true;
}

static bool parse_root(const json_t *root, struct state *state, char *why, size_t size)
{
    const json_t *version = json_object_get(root, "vhostkit_state");
    if (!json_is_integer(version))
        return say(why, size, "expected an object with \"vhostkit_state\", found none");
    if (json_integer_value(version) != STATE_VERSION)
        return say(why, size, "expected \"vhostkit_state\" %d, found %" JSON_INTEGER_FORMAT
                   ": written by another version of vhostkit-switch", STATE_VERSION,
                   json_integer_value(version));
    const json_t *ports = json_object_get(root, "ports");
    const char *checksum = json_string_value(json_object_get(root, "checksum"));
    if (!json_is_array(ports) || !checksum || json_object_size(root) != 3)
        return say(why, size, "expected \"vhostkit_state\", \"checksum\" and \"ports\", found other keys");
    json_t *right = checksum_json(ports);
    bool same = right && strcmp(json_string_value(right), checksum) == 0;
    if (!same)
        say(why, size, "expected checksum %s, found %.40s", right ? json_string_value(right) : "?", checksum);
    json_decref(right);
    return same && parse_ports(ports, state, why, size);
}

bool state_parse(const char *text, size_t length, struct state *state, char *why, size_t why_size)
{
    memset(state, 0, sizeof *state);
    if (length > STATE_SIZE_MAX)
        return say(why, why_size, "expected at most %u bytes, found %zu", STATE_SIZE_MAX, length);
    if (length == 0 || text[length - 1] != '\n')
        return say(why, why_size, "expected a whole line, found %s",
                   length ? "its end cut off" : "nothing in it");
    json_error_t where;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return say(why, why_size, "expected JSON, found at byte %d: %s", where.position, where.text);
    bool good = parse_root(root, state, why, why_size);
    json_decref(root);
    if (!good)
        state_free(state);
    return good;
}

void state_free(struct state *state)
{
    free(state->ports);
    memset(state, 0, sizeof *state);
}

/* Reads up to size bytes; the number read, or -1 and errno. */
static ssize_t read_all(int fd, char *to, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(fd, to + used, size - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

static bool read_text(int fd, struct state *state, char *why, size_t size)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return say(why, size, "expected a regular file, found another kind");
    char *text = malloc(STATE_SIZE_MAX + 1);
    if (!text)
        return say(why, size, "no memory to read it");
    ssize_t length = read_all(fd, text, STATE_SIZE_MAX + 1);
    bool good = length < 0 ? say(why, size, "cannot be read: %s", strerror(errno))
                           : state_parse(text, (size_t)length, state, why, size);
    free(text);
    return good;
}

bool state_read(const char *path, struct state *state, char *why, size_t why_size)
{
    memset(state, 0, sizeof *state);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return say(why, why_size, "state file %s cannot be opened: %s", path, strerror(errno));
    char reason[400];
    bool good = read_text(fd, state, reason, sizeof reason);
    close(fd);
    if (!good)
        say(why, why_size, "state file %s is refused: %s; it is left as it is: restore it from a copy, or "
            "move it away to start without ports", path, reason);
    return good;
}

/* ---- writing ---- */

char *state_text(const struct port_config *const *configs, unsigned count)
{
    json_t *ports = json_array();
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(ports, entry_json(configs[i]));
    json_t *checksum = ports && json_array_size(ports) == count ? checksum_json(ports) : NULL;
    json_t *root = json_pack("{s:i, s:o, s:o}", "vhostkit_state", STATE_VERSION, "checksum", checksum,
                             "ports", ports);
    char *compact = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    char *text = NULL;
    if (compact && asprintf(&text, "%s\n", compact) < 0)
        text = NULL;
    free(compact);
    return text;
}

static bool write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, text, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        text += count;
        length -= (size_t)count;
    }
    return true;
}

/* The temporary file, whole and on disk. */
static bool write_new(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool good = write_all(fd, text, strlen(text)) && fsync(fd) == 0;
    int kept_errno = errno;
    close(fd);
    if (!good)
        unlinkat(folder, name, 0);
    errno = kept_errno;
    return good;
}

static bool replace(const char *path, const char *text)
{
    char folder_of[PATH_MAX], base_of[PATH_MAX], temporary[NAME_MAX + 16];
    snprintf(folder_of, sizeof folder_of, "%s", path);
    snprintf(base_of, sizeof base_of, "%s", path);
    const char *base = basename(base_of);
    if ((size_t)snprintf(temporary, sizeof temporary, ".%s.new", base) > NAME_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    int folder = open(dirname(folder_of), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return false;
    bool good = write_new(folder, temporary, text) && renameat(folder, temporary, folder, base) == 0 &&
                fsync(folder) == 0;
    int kept_errno = errno;
    close(folder);
    errno = kept_errno;
    return good;
}

bool state_write(const char *path, const struct port_config *const *ports, unsigned count, char *why,
                 size_t why_size)
{
    char *text = state_text(ports, count);
    if (!text)
        return say(why, why_size, "no memory for the state file's text");
    bool good = replace(path, text);
    int kept_errno = errno;
    free(text);
    return good || say(why, why_size, "%s cannot be written: %s", path, strerror(kept_errno));
}
