/*
 * double_fetch_main.c - runs each input of a corpus under double_fetch.c, in all its passes. A test of its own for each fuzzer
 * that plays a guest: argument 1 is the corpus' folder.
 *
 * The last check is of the test itself: corpora in which no call is strict would prove nothing.
 */
#include <dirent.h>

#include "double_fetch_run.h"
#include "input.h"

#define INPUT_MAX (1u << 20)

static void run_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *file = fopen(path, "rb");

    FUZZ_CHECK(file, "%s cannot be read", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);

    fclose(file);
    fprintf(stderr, "%s\n", path);
    for (enum double_fetch_pass pass = DOUBLE_FETCH_COUNTED; pass < DOUBLE_FETCH_PASSES; pass++) {
        double_fetch_start(pass);
        LLVMFuzzerTestOneInput(bytes, size);
    }
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    const struct double_fetch_sum *sum = &double_fetch_sum;
    unsigned inputs = 0;

    FUZZ_CHECK(folder, "wanted the folder of a corpus");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];

        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        run_file(path);
        inputs++;
    }
    closedir(folder);
    printf("# %u inputs, %u calls, %u of them loaded something, %u of those strictly; %u results compared\n", inputs, sum->calls,
           sum->loading, sum->strict, sum->compared);
    FUZZ_CHECK(inputs > 0 && sum->strict > sum->loading / 2 && sum->compared > sum->loading / 2, "too few calls are strict");
    printf("1..1\nok 1 - R1 no byte is loaded twice, none matters after its first load\n");
    return 0;
}
