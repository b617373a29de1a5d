/* SPDX-License-Identifier: MIT */
/* Damage of every kind at every byte of the files never opens a server that had a key. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/settings_file.h"
#include "daemon/state_lock.h"

/* Thousands of files: none has to survive a crash of the machine. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
    (void)fd;
    return 0;
}

struct scene {
    char folder[32], path[64], aside[64], key_path[64];
    struct buf whole, key; /* content of the two files */
};

static const char *const names[] = { "settings.json", "settings.json.corrupt", "api_key.json",
                                     "lock" };

static void wipe(const struct scene *s) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%s", s->folder, names[i]);
        if (unlink(path) != 0) (void)rmdir(path);
    }
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    struct settings settings;
    snprintf(s->folder, sizeof s->folder, "/tmp/doze-damage-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof s->path, "%s/settings.json", s->folder);
    snprintf(s->aside, sizeof s->aside, "%s/settings.json.corrupt", s->folder);
    snprintf(s->key_path, sizeof s->key_path, "%s/api_key.json", s->folder);
    buf_init(&s->whole, 1 << 16);
    buf_init(&s->key, 1 << 16);
    settings_init(&settings);
    settings.rules.max_waiting = 7;
    memcpy(settings.api_key, "sesame", sizeof "sesame");
    memcpy(settings.tls_cert, "/chain.pem", sizeof "/chain.pem");
    memcpy(settings.tls_key, "/key.pem", sizeof "/key.pem");
    settings_format(&settings, &s->whole);
    settings_file_format_copy(&settings, true, &s->key);
    settings_clear(&settings);
    log_set_level(LOG_LEVEL_ERROR);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    struct scene *s = *state;
    wipe(s);
    assert_int_equal(rmdir(s->folder), 0);
    buf_clear(&s->whole);
    buf_clear(&s->key);
    free(s);
    return 0;
}

static void put(const char *path, const char *bytes, size_t len) {
    struct error err;
    assert_true(file_replace(path, bytes, len, &err));
}

/* Start twice: what the first start writes must not open the second. With the copy whole, a key
 * and a certificate are in force; else nobody claims that there is no key. */
static void check_closed(const struct scene *s, bool copy_is_whole) {
    for (int start = 1; start <= 2; start++) {
        struct settings settings;
        bool known = settings_file_read(s->path, s->key_path, &settings);
        if (copy_is_whole ? !known || !settings.api_key[0] : known && !settings.api_key[0]) {
            fail_msg("start %d opens the server", start);
        }
        if (copy_is_whole && !(settings.tls_cert[0] && settings.tls_key[0]))
            fail_msg("start %d speaks plainly", start);
        settings_clear(&settings);
    }
}

static void check_damage(const struct scene *s, const struct buf *bytes, bool with_copy) {
    wipe(s);
    put(s->path, buf_str(bytes), bytes->len);
    if (with_copy) put(s->key_path, buf_str(&s->key), s->key.len);
    check_closed(s, with_copy);
}

static void check_every_byte(const struct scene *s, bool with_copy) {
    static const char others[] = "\0 \"\\,:{}n0\xff";
    for (size_t at = 0; at < s->whole.len; at++) {
        struct buf damaged = BUF_INIT(1 << 16);
        buf_add(&damaged, s->whole.data, at);
        check_damage(s, &damaged, with_copy);
        buf_clear(&damaged);
        buf_add(&damaged, s->whole.data, s->whole.len);
        for (int bit = 0; bit < 8; bit++) {
            damaged.data[at] = (char)(s->whole.data[at] ^ 1 << bit);
            check_damage(s, &damaged, with_copy);
        }
        for (size_t i = 0; i < sizeof others - 1; i++) {
            damaged.data[at] = others[i];
            check_damage(s, &damaged, with_copy);
        }
        buf_clear(&damaged);
    }
}

static void test_no_damage_of_the_settings_opens_the_server(void **state) {
    check_every_byte(*state, true);
}

static void test_without_a_copy_it_is_not_known(void **state) {
    check_every_byte(*state, false);
}

static void test_no_damage_of_the_copy_opens_the_server(void **state) {
    struct scene *s = *state;
    for (size_t at = 0; at < s->key.len; at++) {
        for (int bit = -1; bit < 8; bit++) { /* -1: cut */
            char *damaged = xstrdup(buf_str(&s->key));
            if (bit >= 0) damaged[at] = (char)(damaged[at] ^ 1 << bit);
            size_t len = bit < 0 ? at : s->key.len;
            wipe(s);
            put(s->path, buf_str(&s->whole), s->whole.len);
            put(s->key_path, damaged, len);
            check_closed(s, true); /* the settings have the key, and the copy is made again */
            if (len < s->key.len - 2) {
                wipe(s);
                put(s->path, "{", 1);
                put(s->key_path, damaged, len);
                check_closed(s, false);
            }
            free(damaged);
        }
    }
}

static void check_rows(const struct scene *s, const char *text, bool known, const char *key,
                       unsigned max_waiting) {
    struct settings settings;
    wipe(s);
    put(s->path, text, strlen(text));
    for (int start = 1; start <= 2; start++) {
        assert_int_equal(settings_file_read(s->path, s->key_path, &settings), known);
        assert_string_equal(settings.api_key, key);
        assert_int_equal(settings.rules.max_waiting, max_waiting);
        settings_clear(&settings);
    }
}

static void test_readable_rows_are_kept(void **state) {
    struct scene *s = *state;
    check_rows(s, "{\"max_waiting\":7,\"jit\":1,\"api_key\":\"k\"}", true, "k", 7);
    assert_int_equal(access(s->aside, F_OK), 0);
    check_rows(s, "{\"max_waiting\":7,\"unheard_of\":1,\"api_key\":null}", true, "", 7);
    check_rows(s, "{\"max_waiting\":7,\"api_key\":\"k\",\"jit\":fal", true, "k", 7);
    check_rows(s, "{\"max_waiting\":7,\"load\":{\"x\":\"a,\\\"}", false, "", 7);
    check_rows(s, "{\"max_waiting\":7,\"api_key\":\"a,b{\",\"jit\":fal", true, "a,b{", 7);
    check_rows(s, "\xef\xbb\xbf{\"max_waiting\":7}", false, "", 128);
    check_rows(s, "{\"max_waiting\":7}", true, "", 7); /* written by hand */
    assert_int_not_equal(access(s->aside, F_OK), 0);
}

static void test_readable_entries_are_kept(void **state) {
    struct scene *s = *state;
    struct settings settings;
    static const char text[] = "{\"load\":{\"threads\":3,\"what\":1},"
                               "\"models\":{\"a\":{\"parallel\":2},\"b\":7},\"api_key\":\"k\"}";
    put(s->path, text, sizeof text - 1);
    assert_true(settings_file_read(s->path, s->key_path, &settings));
    assert_int_equal(settings.load.threads, 3);
    assert_int_equal(model_settings_find(&settings.models, "a")->load.parallel, 2);
    assert_null(model_settings_find(&settings.models, "b"));
    settings_clear(&settings);
}

static void test_stars_are_not_no_key(void **state) {
    check_rows(*state, "{\"max_waiting\":7,\"api_key\":\"********\"}", false, "", 7);
}

static void test_what_is_not_a_file_does_not_block_the_start(void **state) {
    struct scene *s = *state;
    for (int kind = 0; kind < 2; kind++) {
        wipe(s);
        assert_int_equal(kind ? mkdir(s->path, 0700) : mkfifo(s->path, 0600), 0);
        put(s->key_path, buf_str(&s->key), s->key.len);
        check_closed(s, true);
        assert_int_equal(access(s->aside, F_OK), 0);
    }
    wipe(s);
    assert_int_equal(mkfifo(s->key_path, 0600), 0);
    check_closed(s, false);
}

static void test_a_folder_has_one_daemon(void **state) {
    struct scene *s = *state;
    struct error err;
    char pid[24];
    int fd = state_lock(s->folder, &err);
    assert_true(fd >= 0);
    assert_int_equal(state_lock(s->folder, &err),
                     -1); /* another open file: as another process */
    snprintf(pid, sizeof pid, "process %ld)", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_non_null(strstr(err.text, s->folder));
    close(fd);
    fd = state_lock(s->folder, &err);
    assert_true(fd >= 0);
    close(fd);
}

static void test_a_folder_that_cannot_be_locked(void **state) {
    struct error err;
    (void)state;
    assert_int_equal(state_lock("/no/such/folder", &err), -1);
    assert_string_equal(err.text, "/no/such/folder/lock cannot be written: No such file or "
                                  "directory; choose another folder with --state-dir.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_no_damage_of_the_settings_opens_the_server),
        TEST(test_without_a_copy_it_is_not_known),
        TEST(test_no_damage_of_the_copy_opens_the_server),
        TEST(test_readable_rows_are_kept),
        TEST(test_readable_entries_are_kept),
        TEST(test_stars_are_not_no_key),
        TEST(test_what_is_not_a_file_does_not_block_the_start),
        TEST(test_a_folder_has_one_daemon),
        TEST(test_a_folder_that_cannot_be_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
