/* SPDX-License-Identifier: MIT */
#include "temp_folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/xalloc.h"

int temp_folder_make(void **state) {
    const char *temp = getenv("TMPDIR");
    char *path = xasprintf("%s/doze-test-XXXXXX", temp ? temp : "/tmp");
    *state = mkdtemp(path);
    /* Others may look in: one test reads it as another user. */
    return *state ? chmod(path, 0755) : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

int temp_folder_remove(void **state) {
    int result = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return result;
}

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755); /* it may be there already; opening the file tells */
        *slash = '/';
    }
}

void write_file(const char *root, const char *path, const struct buf *bytes) {
    char *whole = xasprintf("%s/%s", root, path);
    make_parents(whole);
    FILE *file = fopen(whole, "wb");
    assert_non_null(file);
    if (bytes->len) assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    assert_int_equal(fclose(file), 0);
    free(whole);
}

void write_model(const char *root, const char *path, const struct small_model *model,
                 long modified) {
    struct buf bytes = BUF_INIT(16 << 20);
    put_small_model(&bytes, model);
    write_file(root, path, &bytes);
    buf_clear(&bytes);
    char *whole = xasprintf("%s/%s", root, path);
    struct timespec times[2] = { { modified, 0 }, { modified, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, whole, times, 0), 0);
    free(whole);
}
