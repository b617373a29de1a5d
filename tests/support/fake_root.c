/* SPDX-License-Identifier: MIT */
#include "fake_root.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dirs.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"

static char root[64];

int fake_root_make(void **state) {
    snprintf(root, sizeof root, "/tmp/doze-root-XXXXXX");
    *state = mkdtemp(root);
    return *state ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int fake_root_remove(void **state) {
    return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void fake_root_put(const char *path, const char *text) {
    struct error err;
    char *file = xasprintf("%s/%s", root, path), *folder = xstrdup(file);
    *strrchr(folder, '/') = '\0';
    assert_true(dirs_make(folder, 0700, &err));
    FILE *f = fopen(file, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    free(folder);
    free(file);
}
