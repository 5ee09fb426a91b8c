/*
 * replay.c - runs inputs without libFuzzer: each argument is a file or a folder
 * of files. For compilers without it, debuggers, valgrind, and builds that count loads.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "input.h"

#define INPUT_MAX (1u << 20)

static unsigned replayed;

static void replay_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *file = fopen(path, "rb");

    FUZZ_CHECK(file, "%s cannot be read", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    uint8_t *exact = malloc(size ? size : 1); /* so that a byte too far is seen */

    FUZZ_CHECK(exact, "no memory for %s", path);
    memcpy(exact, bytes, size);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static void replay_folder(const char *path)
{
    DIR *folder = opendir(path);

    FUZZ_CHECK(folder, "%s cannot be opened", path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char file[4096];

        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(file);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat status;

        FUZZ_CHECK(stat(argv[i], &status) == 0, "there is no %s", argv[i]);
        if (S_ISDIR(status.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u inputs, clean\n", replayed);
    return replayed == 0;
}
