/*
 * options.h - the command line of vhostkit-switch, see "The program" in
 * PROTOCOL.md. Parsing is pure but for getopt's own globals; main() prints.
 */
#ifndef VHOSTKIT_OPTIONS_H
#define VHOSTKIT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "datapath.h"
#include "log.h"

#define VHOSTKIT_VERSION "0.1.0" /* as in meson.build; a test compares them */

/* Cores in the order given. */
struct core_list {
    int cores[WORKERS_MAX];
    unsigned count;
};

struct options {
    const char *control;     /* path of the control socket */
    const char *state;       /* path of the state file */
    const char *group;       /* of the control socket; NULL: as the kernel gives it */
    const char *user;        /* whom to become; NULL: nobody else */
    const char *captures;    /* folder of mirrors' files; NULL: `captures` beside the state file */
    const char *log;         /* path of the log file; NULL: stderr */
    enum log_level log_level;
    bool monitor;            /* a supervisor stays in front */
    bool poll;               /* workers never sleep */
    struct core_list cores;  /* of the workers */
    struct core_list spare;  /* for workers where a guest's memory is */
};

enum options_verdict { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

extern const char options_help[];

/* Strings in `options` point into argv. With OPTIONS_WRONG, why is one sentence. */
enum options_verdict options_parse(int argc, char **argv, struct options *options, char *why,
                                   size_t why_size);

/* "1,3-5", the value of `option`, into a list. false and a sentence when it is not such a list. */
bool core_list_parse(const char *option, const char *text, struct core_list *list, char *why, size_t why_size);

#endif
