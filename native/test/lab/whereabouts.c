/*
 * whereabouts.c - see the header. The kernel is asked in two ways that share
 * little code: move_pages(2) for single pages, numa_maps for whole mappings.
 */
#include "whereabouts.h"

#include <dirent.h>
#include <numaif.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define PAGE 4096u
/* Pages of one move_pages(2). */
#define AT_ONCE 64u

void pages_of_range(pid_t pid, const char *start, size_t size, struct pages *pages)
{
    uintptr_t at = (uintptr_t)start / PAGE * PAGE, end = (uintptr_t)start + size;

    while (at < end) {
        void *addresses[AT_ONCE];
        int nodes[AT_ONCE];
        unsigned count = 0;

        for (; count < AT_ONCE && at < end; at += PAGE)
            addresses[count++] = (void *)at;
        bool told = move_pages(pid, count, addresses, NULL, nodes, 0) == 0; /* without targets it only tells */

        for (unsigned i = 0; i < count; i++)
            if (told && nodes[i] >= 0 && nodes[i] < (int)LAB_NODES)
                pages->on[nodes[i]]++;
            else
                pages->absent++;
    }
}

/* The words "N0=5" of a line of numa_maps. */
static void add_counts(const char *line, struct pages *pages)
{
    for (unsigned node = 0; node < LAB_NODES; node++) {
        char word[8];
        unsigned count;

        snprintf(word, sizeof word, " N%u=", node);
        const char *at = strstr(line, word);

        if (at != NULL && sscanf(at + strlen(word), "%u", &count) == 1)
            pages->on[node] += count;
    }
}

void pages_of_mapping(pid_t pid, unsigned long at, json_t *seen, struct pages *pages)
{
    char path[64], line[512], found[512] = "", start_text[32];
    unsigned long start = 0, next;

    snprintf(path, sizeof path, "/proc/%d/numa_maps", pid);
    FILE *maps = fopen(path, "r");

    while (maps != NULL && fgets(line, sizeof line, maps) != NULL && sscanf(line, "%lx", &next) == 1 && next <= at) {
        start = next;
        memcpy(found, line, sizeof found);
    }
    if (maps != NULL)
        fclose(maps);
    snprintf(start_text, sizeof start_text, "%lx", start);
    if (json_object_get(seen, start_text) != NULL)
        return;
    json_object_set_new(seen, start_text, json_true());
    add_counts(found, pages);
}

json_t *pages_json(const struct pages *pages)
{
    return json_pack("{s:[i, i], s:i}", "on", (int)pages->on[0], (int)pages->on[1], "absent", (int)pages->absent);
}

/* The rest of the first line of a file that begins so; "" when there is none. */
static void line_of(const char *path, const char *begin, char *rest, size_t size)
{
    char line[256];
    FILE *file = fopen(path, "r");

    rest[0] = '\0';
    while (file != NULL && rest[0] == '\0' && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, begin, strlen(begin)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(rest, size, "%s", line + strlen(begin));
        }
    if (file != NULL)
        fclose(file);
}

json_t *worker_threads(pid_t pid)
{
    char folder[48], path[340], name[256], cpus[256];
    json_t *threads = json_array();
    struct dirent *entry;

    snprintf(folder, sizeof folder, "/proc/%d/task", pid);
    DIR *tasks = opendir(folder);

    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        snprintf(path, sizeof path, "%s/%s/status", folder, entry->d_name);
        line_of(path, "Name:\t", name, sizeof name);
        line_of(path, "Cpus_allowed_list:\t", cpus, sizeof cpus);
        if (strncmp(name, "worker-", strlen("worker-")) == 0)
            json_array_append_new(threads, json_pack("{s:s, s:s}", "name", name, "cpus", cpus));
    }
    if (tasks != NULL)
        closedir(tasks);
    return threads;
}

/* Parts of a port's state, as the log named them last. */
struct part {
    char name[16];
    size_t size;
    unsigned long start;
};
#define PARTS_MAX 8u

static unsigned read_parts(pid_t pid, const char *log, const char *port, struct part parts[PARTS_MAX])
{
    char line[1024], begin[96];
    unsigned count = 0;
    FILE *file = fopen(log, "r");

    snprintf(begin, sizeof begin, "[%d] debug port %s: state of ", pid, port);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        struct part part;
        unsigned index = 0;

        const char *at = strstr(line, begin);

        if (at == NULL || sscanf(at + strlen(begin), "%zu bytes at %lx: %15s", &part.size, &part.start, part.name) != 3)
            continue;
        while (index < count && strcmp(parts[index].name, part.name) != 0)
            index++;
        if (index == PARTS_MAX)
            continue;
        parts[index] = part;
        count += index == count;
    }
    if (file != NULL)
        fclose(file);
    return count;
}

json_t *port_state(pid_t pid, const char *log, const char *port)
{
    struct part parts[PARTS_MAX];
    unsigned count = read_parts(pid, log, port, parts);
    json_t *by_name = json_object(), *seen = json_object();
    struct pages mapped = { 0 };

    for (unsigned i = 0; i < count; i++) {
        struct pages pages = { 0 };

        pages_of_range(pid, (const char *)parts[i].start, parts[i].size, &pages);
        json_object_set_new(by_name, parts[i].name, pages_json(&pages));
        pages_of_mapping(pid, parts[i].start, seen, &mapped);
    }
    json_decref(seen);
    return json_pack("{s:o, s:o}", "parts", by_name, "maps", pages_json(&mapped));
}
