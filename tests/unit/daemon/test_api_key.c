/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/api_key.h"
#include "daemon/lmstudio_home.h"

/* Linked with --wrap: every byte of a key is compared here or not at all. */
static size_t compared;

int __real_nettle_memeql_sec(const void *a, const void *b, size_t len);
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t len);

int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t len) {
    compared += len;
    return __real_nettle_memeql_sec(a, b, len);
}

/* All of the key is compared, equal or not, wherever the first difference is. */
static void check(bool equal, bool want, size_t key_len) {
    assert_int_equal(equal, want);
    assert_int_equal(compared, key_len);
    compared = 0;
}

static void test_a_key_is_compared_whole(void **state) {
    (void)state;
    check(api_key_is("sesame", "sesame"), true, 6);
    check(api_key_is("sesame", "xesame"), false, 6);
    check(api_key_is("sesame", "sesamx"), false, 6);
    check(api_key_is("sesame", "sesam"), false, 0); /* only the length shows */
    check(api_key_is("sesame", "sesames"), false, 0);
    check(api_key_is("sesame", ""), false, 0);
}

static void write_key(const char *home, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/.lmstudio", home);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/.lmstudio/.internal", home);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/.lmstudio/.internal/lms-key-2", home);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void remove_key(const char *home) {
    static const char *const parts[] = { "/.lmstudio/.internal/lms-key-2",
                                         "/.lmstudio/.internal", "/.lmstudio", "" };
    char path[256];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "%s%s", home, parts[i]);
        assert_int_equal(remove(path), 0);
    }
}

static void test_the_key_of_the_command_line_ends_its_passkey(void **state) {
    (void)state;
    char home[] = "/tmp/doze-key-XXXXXX";
    assert_non_null(mkdtemp(home));
    write_key(home, "0123456789abcdef\n");
    struct lmstudio_home *lmstudio = lmstudio_home_new(home);
    check(lmstudio_home_knows(lmstudio, "half0123456789abcdef"), true, 16);
    check(lmstudio_home_knows(lmstudio, "half0123456789abcdex"), false, 16);
    check(lmstudio_home_knows(lmstudio, "halfx123456789abcdef"), false, 16);
    check(lmstudio_home_knows(lmstudio, "abcdef"), false, 0);
    lmstudio_home_free(lmstudio);
    remove_key(home);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_compared_whole),
        cmocka_unit_test(test_the_key_of_the_command_line_ends_its_passkey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
