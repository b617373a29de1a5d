/* SPDX-License-Identifier: MIT */
#include "golden.h"

#include "cmocka_prelude.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { CASES_MAX = 256, FILE_MAX_BYTES = 4 << 20 };

static const char *wanted_ending;

static int has_ending(const struct dirent *entry) {
    size_t len = strlen(entry->d_name), end = strlen(wanted_ending);
    return len > end && strcmp(entry->d_name + len - end, wanted_ending) == 0;
}

struct bound_case {
    struct golden_case golden;
    void (*run)(const struct golden_case *c);
};

static void run_case(void **state) {
    struct bound_case *bound = *state;
    bound->run(&bound->golden);
}

static void case_init(struct bound_case *bound, const char *folder, const char *file) {
    int len = (int)(strlen(file) - strlen(wanted_ending));
    bound->golden.name = xasprintf("%s/%.*s", folder, len, file);
    bound->golden.path = xasprintf("%s/%s", GOLDEN_DIR, bound->golden.name);
}

int golden_run(const char *folder, const char *ending,
               void (*run)(const struct golden_case *c)) {
    static struct CMUnitTest tests[CASES_MAX];
    static struct bound_case bound[CASES_MAX];
    struct dirent **files = NULL;
    char *path = xasprintf("%s/%s", GOLDEN_DIR, folder);
    wanted_ending = ending;
    int count = scandir(path, &files, has_ending, alphasort);
    free(path);
    if (count <= 0 || count > CASES_MAX) {
        fprintf(stderr, "%d cases in %s\n", count, folder);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        case_init(&bound[i], folder, files[i]->d_name);
        bound[i].run = run;
        tests[i] = (struct CMUnitTest){ .name = bound[i].golden.name,
                                        .test_func = run_case,
                                        .initial_state = &bound[i] };
        free(files[i]);
    }
    free(files);
    int failed = _cmocka_run_group_tests(folder, tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++) {
        free(bound[i].golden.name);
        free(bound[i].golden.path);
    }
    return failed;
}

static FILE *case_open(const struct golden_case *c, const char *ending, const char *mode) {
    char *path = xasprintf("%s%s", c->path, ending);
    FILE *file = fopen(path, mode);
    free(path);
    return file;
}

bool golden_read(const struct golden_case *c, const char *ending, struct buf *ret) {
    FILE *file = case_open(c, ending, "rb");
    if (!file) return false;
    char chunk[4096];
    size_t n;
    buf_init(ret, FILE_MAX_BYTES);
    while ((n = fread(chunk, 1, sizeof chunk, file)) > 0) assert_true(buf_add(ret, chunk, n));
    fclose(file);
    return true;
}

void golden_check(const struct golden_case *c, const char *ending, struct buf *actual) {
    struct buf expected = BUF_INIT(FILE_MAX_BYTES);
    if (getenv("UPDATE")) {
        FILE *file = case_open(c, ending, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(buf_str(actual), 1, actual->len, file), actual->len);
        assert_int_equal(fclose(file), 0);
        return;
    }
    if (!golden_read(c, ending, &expected)) {
        fail_msg("%s%s is missing; make it with UPDATE=1. Its bytes would be:\n%s", c->name,
                 ending, buf_str(actual));
    }
    bool same = expected.len == actual->len && strcmp(buf_str(&expected), buf_str(actual)) == 0;
    if (!same) {
        print_error("%s%s\n--- expected\n%s\n--- actual\n%s\n", c->name, ending,
                    buf_str(&expected), buf_str(actual));
    }
    buf_clear(&expected);
    assert_true(same);
}
