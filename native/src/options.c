/*
 * options.c - see options.h.
 *
 * Owns nothing; called once by main() before anything else is there. Whatever
 * is odd ends the start with a sentence and exit code 2, never with a guess.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_help[] =
    "usage: vhostkit-switch --control PATH --state FILE [option ...]\n"
    "\n"
    "Moves frames between vhost-user and tap ports; ports are added over the control socket.\n"
    "\n"
    "  --control PATH       control socket, made here (JSON-RPC 2.0, one object a line)\n"
    "  --state FILE         ports and offered features survive here; need not exist yet\n"
    "  --captures FOLDER    files of mirrors are made here; without: captures, beside the state file\n"
    "  --monitor            stay in front as a supervisor and restart the switch after a crash\n"
    "  --cores LIST         one worker on each of these cores, like 1,3-5; without: not pinned, one on each\n"
    "                       NUMA node that has guests\n"
    "  --spare-cores LIST   a worker on these while guests are on their NUMA node and no other serves there\n"
    "  --idle adaptive|poll sleep when there is nothing to do (default), or never\n"
    "  --log FILE           append the log to FILE instead of stderr\n"
    "  --log-level LEVEL    error, warn, info (default) or debug\n"
    "  --group NAME         group that may use the control socket\n"
    "  --user NAME          started by root: become this user before anything is opened\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 ended as asked, 1 failed, 2 wrong usage, 3 state file refused,\n"
    "            4 another switch holds the control socket\n";

enum option_id {
    OPTION_CONTROL = 256, OPTION_STATE, OPTION_CAPTURES, OPTION_MONITOR, OPTION_CORES, OPTION_SPARE_CORES, OPTION_IDLE, OPTION_LOG,
    OPTION_LOG_LEVEL, OPTION_GROUP, OPTION_USER, OPTION_HELP, OPTION_VERSION,
};

static const struct option long_options[] = {
    { "control", required_argument, NULL, OPTION_CONTROL },
    { "state", required_argument, NULL, OPTION_STATE },
    { "captures", required_argument, NULL, OPTION_CAPTURES },
    { "monitor", no_argument, NULL, OPTION_MONITOR },
    { "cores", required_argument, NULL, OPTION_CORES },
    { "spare-cores", required_argument, NULL, OPTION_SPARE_CORES },
    { "idle", required_argument, NULL, OPTION_IDLE },
    { "log", required_argument, NULL, OPTION_LOG },
    { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
    { "group", required_argument, NULL, OPTION_GROUP },
    { "user", required_argument, NULL, OPTION_USER },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

static bool log_level_parse(const char *text, enum log_level *level, char *why, size_t why_size)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    snprintf(why, why_size, "--log-level wants error, warn, info or debug, found \"%s\"", text);
    return false;
}

static bool idle_parse(const char *text, bool *poll, char *why, size_t why_size)
{
    *poll = strcmp(text, "poll") == 0;
    if (*poll || strcmp(text, "adaptive") == 0)
        return true;
    snprintf(why, why_size, "--idle wants adaptive or poll, found \"%s\"", text);
    return false;
}

static bool cores_fit(const struct options *options, char *why, size_t why_size);

static bool path_parse(const char *option, const char *text, size_t limit, const char **path, char *why,
                       size_t why_size)
{
    *path = text;
    if (text[0] != 0 && strlen(text) < limit)
        return true;
    snprintf(why, why_size, "%s wants a path of 1 to %zu bytes, found one of %zu", option, limit - 1,
             strlen(text));
    return false;
}

/* One option that getopt recognized. */
static bool option_take(int id, const char *value, struct options *options, char *why, size_t why_size)
{
    switch (id) {
    case OPTION_CONTROL:
        return path_parse("--control", value, SOCKET_PATH_SIZE, &options->control, why, why_size);
    case OPTION_STATE: return path_parse("--state", value, 4096 - 16, &options->state, why, why_size);
    case OPTION_CAPTURES: return path_parse("--captures", value, 4096, &options->captures, why, why_size);
    case OPTION_LOG: return path_parse("--log", value, 4096, &options->log, why, why_size);
    case OPTION_MONITOR: options->monitor = true; return true;
    case OPTION_CORES: return core_list_parse("--cores", value, &options->cores, why, why_size);
    case OPTION_SPARE_CORES: return core_list_parse("--spare-cores", value, &options->spare, why, why_size);
    case OPTION_IDLE: return idle_parse(value, &options->poll, why, why_size);
    case OPTION_LOG_LEVEL: return log_level_parse(value, &options->log_level, why, why_size);
    case OPTION_USER: options->user = value; return true;
    default: options->group = value; return true;
    }
}

enum options_verdict options_parse(int argc, char **argv, struct options *options, char *why, size_t why_size)
{
    memset(options, 0, sizeof *options);
    options->log_level = LOG_LEVEL_INFO;
    optind = 0; /* glibc: begin anew, also when tests call this twice */
    opterr = 0;
    int id;
    while ((id = getopt_long(argc, argv, "+:", long_options, NULL)) != -1) {
        if (id == OPTION_HELP)
            return OPTIONS_HELP;
        if (id == OPTION_VERSION)
            return OPTIONS_VERSION;
        if (id == '?' || id == ':') {
            snprintf(why, why_size, "%s %s", argv[optind - 1],
                     id == ':' ? "wants a value after it" : "is not an option here, or not so");
            return OPTIONS_WRONG;
        }
        if (!option_take(id, optarg, options, why, why_size))
            return OPTIONS_WRONG;
    }
    if (optind < argc)
        snprintf(why, why_size, "\"%s\" is not expected; every value belongs to an option", argv[optind]);
    else if (!options->control)
        snprintf(why, why_size, "--control PATH is missing");
    else if (!options->state)
        snprintf(why, why_size, "--state FILE is missing");
    else if (cores_fit(options, why, why_size))
        return OPTIONS_RUN;
    return OPTIONS_WRONG;
}

/* Reads digits at *text and moves it on. */
static bool core_parse(const char **text, int *core)
{
    if (!isdigit((unsigned char)**text))
        return false;
    char *end;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value >= CPU_SETSIZE)
        return false;
    *core = (int)value;
    *text = end;
    return true;
}

static bool core_is_in(int core, const struct core_list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->cores[i] == core)
            return true;
    return false;
}

static bool core_add(const char *option, int core, struct core_list *list, char *why, size_t why_size)
{
    if (core_is_in(core, list)) {
        snprintf(why, why_size, "%s names core %d twice", option, core);
        return false;
    }
    if (list->count == WORKERS_MAX) {
        snprintf(why, why_size, "%s takes at most %u cores", option, WORKERS_MAX);
        return false;
    }
    list->cores[list->count++] = core;
    return true;
}

bool core_list_parse(const char *option, const char *text, struct core_list *list, char *why, size_t why_size)
{
    const char *at = text;
    list->count = 0;
    for (;;) {
        int first, last;
        if (!core_parse(&at, &first))
            break;
        last = first;
        if (*at == '-' && (at++, !core_parse(&at, &last)))
            break;
        if (last < first)
            break;
        for (int core = first; core <= last; core++) {
            if (!core_add(option, core, list, why, why_size))
                return false;
        }
        if (*at == 0)
            return true;
        if (*at++ != ',')
            break;
    }
    snprintf(why, why_size, "%s wants a list like 1,3-5 of cores below %d, found \"%s\"", option, CPU_SETSIZE,
             text);
    return false;
}

/* A core has one worker, and there are not more workers than WORKERS_MAX. */
static bool cores_fit(const struct options *options, char *why, size_t why_size)
{
    for (unsigned i = 0; i < options->spare.count; i++) {
        if (core_is_in(options->spare.cores[i], &options->cores)) {
            snprintf(why, why_size, "core %d is in --cores and in --spare-cores", options->spare.cores[i]);
            return false;
        }
    }
    if (options->cores.count + options->spare.count < WORKERS_MAX || options->spare.count == 0)
        return true;
    snprintf(why, why_size, "--cores and --spare-cores take fewer than %u cores together", WORKERS_MAX);
    return false;
}
