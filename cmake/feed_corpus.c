/* SPDX-License-Identifier: MIT */
/*
 * feed_corpus.c - main() for a fuzz target outside the fuzz build: feeds it every file of a
 * folder once, so that what fuzzing found once stays fixed. Linked by doze_fuzz
 * (cmake/doze.cmake).
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    /* Exactly as large as the input: a sanitizer sees one byte too far. */
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char **argv) {
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        (void)fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_type == DT_DIR) continue;
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        feed_file(path);
        count++;
    }
    (void)closedir(dir);
    printf("%u inputs fed\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
