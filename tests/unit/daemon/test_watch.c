/* SPDX-License-Identifier: MIT */
/* Whatever appears in a model folder is found, also at an awkward moment: the program is linked
 * with --wrap for scandir and catalog_scan. */
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

enum { PATIENCE_MS = 5000 };

static char root[64];
static char dir[256]; /* the models folder */
static const char *const dirs[] = { dir };

/* A path below the root; good until the next call but one. */
static const char *below(const char *name) {
    static char paths[2][256];
    static unsigned next;
    char *path = paths[next++ % 2];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void make_folder(const char *name) {
    assert_int_equal(mkdir(below(name), 0700), 0);
}

static void make_link(const char *target, const char *name) {
    assert_int_equal(symlink(below(target), below(name)), 0);
}

/* Not a model, but listed as a file that is broken. */
static void make_file(const char *name) {
    int fd = open(below(name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "nonsense", 8), 8);
    close(fd);
}

/* ---- what happens at awkward moments; on the pool's thread, one job at a time ---- */

static bool types_unknown;       /* as on XFS without ftype, and on NFS */
static void (*after_scan)(void); /* once, when all was read and nothing handed over */
static void (*after_listing)(const char *); /* each time a folder was listed, with its path */

typedef int filter_fn(const struct dirent *entry);
typedef int order_fn(const struct dirent **a, const struct dirent **b);

static filter_fn *real_filter;

static int filter_without_type(const struct dirent *entry) {
    struct dirent copy = *entry;
    copy.d_type = DT_UNKNOWN;
    return real_filter(&copy);
}

int __real_scandir(const char *path, struct dirent ***list, filter_fn *filter, order_fn *order);
int __wrap_scandir(const char *path, struct dirent ***list, filter_fn *filter, order_fn *order);
int __wrap_scandir(const char *path, struct dirent ***list, filter_fn *filter,
                   order_fn *order) {
    real_filter = filter;
    int count = __real_scandir(path, list, types_unknown ? filter_without_type : filter, order);
    if (after_listing) after_listing(path);
    return count;
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
    size_t found, scans;
    bool time_is_up;
};

static void on_scanned(void *ctx, struct catalog *catalog) {
    struct scene *s = ctx;
    s->found = catalog->count;
    s->scans++;
    catalog_free(catalog);
}

static void on_patience(uv_timer_t *timer) {
    (void)timer;
    fail_msg("no change was found");
}

static void until_found(struct scene *s, size_t count) {
    uv_timer_start(&s->patience, on_patience, PATIENCE_MS, 0);
    while (s->found != count) uv_run(&s->loop, UV_RUN_ONCE);
    uv_timer_stop(&s->patience);
}

static void until_scanned(struct scene *s) {
    size_t before = s->scans;
    uv_timer_start(&s->patience, on_patience, PATIENCE_MS, 0);
    while (s->scans == before) uv_run(&s->loop, UV_RUN_ONCE);
    uv_timer_stop(&s->patience);
}

static void on_time_up(uv_timer_t *timer) {
    struct scene *s = timer->data;
    s->time_is_up = true;
}

static void run_for(struct scene *s, uint64_t ms) {
    s->patience.data = s;
    uv_timer_start(&s->patience, on_time_up, ms, 0);
    while (!s->time_is_up) uv_run(&s->loop, UV_RUN_ONCE);
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    snprintf(root, sizeof root, "/tmp/doze-watch-XXXXXX");
    assert_non_null(mkdtemp(root));
    types_unknown = false;
    after_scan = NULL;
    after_listing = NULL;
    make_folder("old");
    snprintf(dir, sizeof dir, "%s", root);
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

static void remove_all(const char *path) {
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static int tear_down(void **state) {
    struct scene *s = *state;
    watch_close(s->watch);
    uv_close((uv_handle_t *)&s->patience, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s);
    remove_all(root);
    return 0;
}

static void begin(struct scene *s) {
    s->watch = watch_new(&s->loop, dirs, 1, on_scanned, s);
}

static void begin_at(struct scene *s, const char *name) {
    snprintf(dir, sizeof dir, "%s", below(name));
    begin(s);
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
    assert_int_equal(rmdir(below("old")), 0);
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

/* The link leads out of the models folder, as one to another disk does. */
static void test_a_file_in_a_folder_behind_a_link(void **state) {
    struct scene *s = *state;
    make_folder("models");
    make_folder("elsewhere");
    make_folder("elsewhere/inner");
    make_link("elsewhere", "models/link");
    begin_at(s, "models");
    make_file("elsewhere/inner/a.gguf");
    until_found(s, 1);
    make_folder("elsewhere/later");
    make_file("elsewhere/later/b.gguf");
    until_found(s, 2);
}

static void test_a_file_eight_levels_down(void **state) {
    struct scene *s = *state;
    char path[64] = "old";
    for (int level = 2; level <= 8; level++) {
        snprintf(path + strlen(path), sizeof path - strlen(path), "/x");
        make_folder(path);
    }
    begin(s);
    snprintf(path + strlen(path), sizeof path - strlen(path), "/a.gguf");
    make_file(path);
    until_found(s, 1);
}

/* Each part of the path appears by itself. */
static void test_a_models_folder_that_is_made_later(void **state) {
    struct scene *s = *state;
    begin_at(s, "old/hub/models");
    make_folder("old/hub");
    until_scanned(s);
    make_folder("old/hub/models");
    make_file("old/hub/models/a.gguf");
    until_found(s, 1);
    make_file("old/hub/models/b.gguf");
    until_found(s, 2);
}

static void test_a_models_folder_that_goes_and_comes_back(void **state) {
    struct scene *s = *state;
    make_folder("old/models");
    make_file("old/models/a.gguf");
    begin_at(s, "old/models");
    watch_rescan(s->watch);
    until_found(s, 1);
    remove_all(below("old/models"));
    until_found(s, 0);
    make_folder("old/models");
    make_file("old/models/a.gguf");
    until_found(s, 1);
}

/* The parent of a missing folder may be the home folder, where much happens. */
static void test_other_names_beside_a_missing_folder_are_ignored(void **state) {
    struct scene *s = *state;
    begin_at(s, "old/hub");
    make_file("old/note.txt");
    make_folder("old/hubs");
    run_for(s, 1000); /* twice as long as it waits for quiet */
    assert_int_equal(s->scans, 0);
    make_folder("old/hub");
    make_file("old/hub/a.gguf");
    until_found(s, 1);
}

static void count_done(void *ctx) {
    size_t *done = ctx;
    (*done)++;
}

/* A request during a scan waits for the next one: the running one may have read past the
 * change. */
static void test_who_asks_for_a_scan_is_told_after_the_catalog(void **state) {
    struct scene *s = *state;
    size_t first = 0, second = 0;
    begin(s);
    watch_scan(s->watch, count_done, &first);
    watch_scan(s->watch, count_done, &second);
    while (!first) uv_run(&s->loop, UV_RUN_ONCE);
    assert_int_equal(s->scans, 1);
    assert_int_equal(second, 0);
    while (!second) uv_run(&s->loop, UV_RUN_ONCE);
    assert_int_equal(s->scans, 2);
    assert_int_equal(first, 1);
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
        TEST(test_a_file_in_a_folder_behind_a_link),
        TEST(test_a_file_eight_levels_down),
        TEST(test_a_models_folder_that_is_made_later),
        TEST(test_a_models_folder_that_goes_and_comes_back),
        TEST(test_other_names_beside_a_missing_folder_are_ignored),
        TEST(test_who_asks_for_a_scan_is_told_after_the_catalog),
        TEST(test_closing_while_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
