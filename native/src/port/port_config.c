/*
 * port_config.c - see port_config.h.
 *
 * Pure: owns nothing, keeps nothing, may be called from any thread. The one
 * place that knows what a well-formed port is; port.add and the state file
 * both ask here.
 */
#include "port/port_config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool refuse(struct refusal *refusal, const char *reason, const char *wanted, ...)
{
    va_list arguments;
    memset(refusal, 0, sizeof *refusal);
    refusal->reason = reason;
    va_start(arguments, wanted);
    vsnprintf(refusal->wanted, sizeof refusal->wanted, wanted, arguments);
    va_end(arguments);
    return false;
}

void refusal_found(struct refusal *refusal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->found, sizeof refusal->found, format, arguments);
    va_end(arguments);
}

void refusal_hint(struct refusal *refusal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->hint, sizeof refusal->hint, format, arguments);
    va_end(arguments);
}

/* ASCII only, whatever the locale. */
static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool name_valid(const char *name)
{
    if (!is_letter_or_digit(name[0]))
        return false;
    size_t length = 1;
    for (; name[length]; length++) {
        char c = name[length];
        if (!is_letter_or_digit(c) && c != '_' && c != '.' && c != '-')
            return false;
    }
    return length < PORT_NAME_SIZE;
}

static bool check_name(const char *what, const char *name, struct refusal *refusal)
{
    if (name_valid(name))
        return true;
    refuse(refusal, "name-invalid", "a %s like ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$", what);
    refusal_found(refusal, "\"%.80s\"", name);
    refusal_hint(refusal, "choose a %s of letters, digits and _ . - that begins with one of the first two",
                 what);
    return false;
}

static bool check_range(const char *what, unsigned value, unsigned low, unsigned high,
                        struct refusal *refusal)
{
    if (value >= low && value <= high)
        return true;
    refuse(refusal, "value-invalid", "%s from %u to %u", what, low, high);
    refusal_found(refusal, "%u", value);
    refusal_hint(refusal, "choose %s in that range, or leave it out for the default", what);
    return false;
}

static bool check_socket(const char *path, struct refusal *refusal)
{
    size_t length = strnlen(path, SOCKET_PATH_SIZE);
    if (path[0] == '/' && length > 1 && length < SOCKET_PATH_SIZE && path[length - 1] != '/')
        return true;
    refuse(refusal, "socket-invalid", "an absolute path of a socket, under %d bytes", SOCKET_PATH_SIZE);
    refusal_found(refusal, "\"%.120s\"", path);
    refusal_hint(refusal, "give a path like /run/vhostkit/vm1.sock");
    return false;
}

/* What the kernel's dev_valid_name() takes. */
static bool check_ifname(const char *ifname, struct refusal *refusal)
{
    size_t length = strnlen(ifname, IFNAME_SIZE);
    bool valid = length > 0 && length < IFNAME_SIZE && strcmp(ifname, ".") != 0 && strcmp(ifname, "..") != 0;
    for (size_t i = 0; valid && i < length; i++)
        valid = ifname[i] != '/' && ifname[i] != ':' && isgraph((unsigned char)ifname[i]);
    if (valid)
        return true;
    refuse(refusal, "name-invalid", "the name of a network interface, under %d bytes", IFNAME_SIZE);
    refusal_found(refusal, "\"%.80s\"", ifname);
    refusal_hint(refusal, "see the names that \"ip link\" prints");
    return false;
}

/* A field that belongs to the other kind of port must be empty. */
static bool check_empty(const char *what, const char *value, struct refusal *refusal)
{
    if (value[0] == 0)
        return true;
    refuse(refusal, "value-invalid", "no %s for this kind of port", what);
    refusal_found(refusal, "\"%.120s\"", value);
    refusal_hint(refusal, "leave %s out", what);
    return false;
}

bool port_config_valid(const struct port_config *config, struct refusal *refusal)
{
    if (!check_name("port name", config->name, refusal) ||
        !check_name("network name", config->network, refusal) ||
        !check_range("mtu", config->mtu, PORT_MTU_MIN, PORT_MTU_MAX, refusal) ||
        !check_range("mac_limit", config->mac_limit, 1, PORT_MAC_LIMIT_MAX, refusal) ||
        !port_policy_valid(&config->policy, refusal))
        return false;
    if (config->kind == PORT_TAP)
        return check_ifname(config->ifname, refusal) && check_empty("socket", config->socket, refusal) &&
               check_range("queues of a tap", config->queues, 1, 1, refusal);
    return check_socket(config->socket, refusal) && check_empty("ifname", config->ifname, refusal) &&
           check_range("queues", config->queues, 1, PORT_QUEUES_MAX, refusal);
}
