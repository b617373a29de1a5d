/* SPDX-License-Identifier: MIT */
/* Whatever appears in a model folder is found, also at an awkward moment: the program is linked
 * with --wrap for readdir, closedir and catalog_scan. */
#include "cmocka_prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/watch.h"

enum { PATIENCE_MS = 20000 };

static char root[64];
static const char *const dirs[] = { root };

static void make_folder(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* Not a model, but listed as a file that is broken. */
static void make_file(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "nonsense", 8), 8);
    close(fd);
}

/* ---- what happens at awkward moments; on the pool's thread, one job at a time ---- */

static bool types_unknown;       /* as on XFS without ftype, and on NFS */
static void (*after_scan)(void); /* once, when all was read and nothing handed over */
static void (*after_listing)(const char *); /* each time a folder was listed, with its path */

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir) {
    struct dirent *entry = __real_readdir(dir);
    if (entry && types_unknown) entry->d_type = DT_UNKNOWN;
    return entry;
}

int __real_closedir(DIR *dir);
int __wrap_closedir(DIR *dir);
int __wrap_closedir(DIR *dir) {
    char link[64], path[256] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd(dir));
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    int status = __real_closedir(dir);
    if (after_listing) after_listing(path);
    return status;
}

struct catalog *__real_catalog_scan(const char *const *folders, size_t count);
struct catalog *__wrap_catalog_scan(const char *const *folders, size_t count);
struct catalog *__wrap_catalog_scan(const char *const *folders, size_t count) {
    struct catalog *catalog = __real_catalog_scan(folders, count);
    void (*then)(void) = after_scan;
    after_scan = NULL;
    if (then) then();
    return catalog;
}

/* ---- the loop ---- */

struct scene {
    uv_loop_t loop;
    uv_timer_t patience;
    struct watch *watch;
    size_t found;
};

static void on_scanned(void *ctx, struct catalog *catalog) {
    struct scene *s = ctx;
    s->found = catalog->count;
    catalog_free(catalog);
}

static void on_patience(uv_timer_t *timer) {
    (void)timer;
    fail_msg("nothing was found any more");
}

static void until_found(struct scene *s, size_t count) {
    uv_timer_start(&s->patience, on_patience, PATIENCE_MS, 0);
    while (s->found != count) uv_run(&s->loop, UV_RUN_ONCE);
    uv_timer_stop(&s->patience);
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    snprintf(root, sizeof root, "/tmp/doze-watch-XXXXXX");
    assert_non_null(mkdtemp(root));
    types_unknown = false;
    after_scan = NULL;
    after_listing = NULL;
    make_folder("old");
    uv_loop_init(&s->loop);
    uv_timer_init(&s->loop, &s->patience);
    *state = s;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int tear_down(void **state) {
    struct scene *s = *state;
    watch_close(s->watch);
    uv_close((uv_handle_t *)&s->patience, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void begin(struct scene *s) {
    s->watch = watch_new(&s->loop, dirs, 1, on_scanned, s);
}

/* ---- tests ---- */

static void test_files_in_old_and_new_folders(void **state) {
    struct scene *s = *state;
    begin(s);
    make_file("old/a.gguf");
    until_found(s, 1);
    make_folder("new");
    make_folder("new/deeper");
    make_file("new/deeper/b.gguf");
    until_found(s, 2);
    make_file("new/deeper/c.gguf");
    until_found(s, 3);
}

static void test_folders_of_a_file_system_that_does_not_say_so(void **state) {
    struct scene *s = *state;
    types_unknown = true;
    begin(s);
    make_file("old/a.gguf");
    until_found(s, 1);
}

static void add_to_new(void) {
    make_file("new/b.gguf");
}

static void test_a_file_added_to_a_new_folder_when_it_was_just_read(void **state) {
    struct scene *s = *state;
    begin(s);
    after_scan = add_to_new;
    make_folder("new");
    make_file("new/a.gguf");
    until_found(s, 2);
}

static void remake_old(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/old", root);
    assert_int_equal(rmdir(path), 0);
    make_folder("old");
    make_file("old/a.gguf");
}

static void test_a_folder_made_anew_while_it_was_read(void **state) {
    struct scene *s = *state;
    begin(s);
    after_scan = remake_old;
    watch_rescan(s->watch);
    until_found(s, 1);
    make_file("old/b.gguf");
    until_found(s, 2);
}

static void add_inner(const char *path) {
    if (!strstr(path, "/new")) return;
    after_listing = NULL;
    make_folder("new/inner");
}

static void test_a_folder_added_to_a_new_one_when_that_was_just_listed(void **state) {
    struct scene *s = *state;
    begin(s);
    after_listing = add_inner;
    make_folder("new");
    make_file("new/a.gguf");
    until_found(s, 1);
    assert_null(after_listing);
    make_file("new/inner/b.gguf");
    until_found(s, 2);
}

static void test_closing_while_it_reads(void **state) {
    struct scene *s = *state;
    begin(s);
    watch_rescan(s->watch);
    watch_rescan(s->watch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_files_in_old_and_new_folders),
        TEST(test_folders_of_a_file_system_that_does_not_say_so),
        TEST(test_a_file_added_to_a_new_folder_when_it_was_just_read),
        TEST(test_a_folder_made_anew_while_it_was_read),
        TEST(test_a_folder_added_to_a_new_one_when_that_was_just_listed),
        TEST(test_closing_while_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
