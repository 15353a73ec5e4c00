/* Runs every file of the named folders through a fuzz target, so that a corpus
 * is an ordinary test under any compiler. Does not search for new inputs.
 * An input is a heap block of its exact size: sanitizers see one byte too
 * far. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_PATH_BYTES 4096

/* 1: ran; 0: not a file; -1: could not be read (said so). */
static int replay_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (file)
            fclose(file);
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        fclose(file);
        return 0;
    }
    size_t n_bytes = (size_t)status.st_size;
    uint8_t *data = malloc(n_bytes ? n_bytes : 1);
    size_t n_read = data ? fread(data, 1, n_bytes, file) : 0;
    fclose(file);
    if (!data || n_read != n_bytes) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return -1;
    }
    LLVMFuzzerTestOneInput(data, n_bytes);
    free(data);
    return 1;
}

/* How many files ran, or -1. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    int n = 0;
    for (struct dirent *e; n >= 0 && (e = readdir(dir)) != NULL;) {
        char path[MAX_PATH_BYTES];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        int ran = replay_file(path);
        n = ran < 0 ? -1 : n + ran;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int n = replay_folder(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%d inputs replayed\n", total);
    if (total == 0)
        fprintf(stderr, "no inputs: the corpus is missing\n");
    return total == 0;
}
