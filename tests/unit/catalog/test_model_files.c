/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/xalloc.h"
#include "catalog/model_files.h"
#include "temp_folder.h"

static const char *root;

static char *below(const char *path) {
    return xasprintf("%s/%s", root, path);
}

/* A file of ten bytes. */
static void make(const char *path) {
    struct buf bytes = BUF_INIT(64);
    buf_add_str(&bytes, "0123456789");
    write_file(root, path, &bytes);
    buf_clear(&bytes);
}

static void make_link(const char *target, const char *path) {
    struct error err;
    char *full = below(path);
    char *folder = xasprintf("%.*s", (int)(strrchr(full, '/') - full), full);
    assert_true(dirs_make(folder, 0755, &err));
    assert_int_equal(symlink(target, full), 0);
    free(folder);
    free(full);
}

static bool is_there(const char *path) {
    struct stat st;
    char *full = below(path);
    bool there = lstat(full, &st) == 0;
    free(full);
    return there;
}

/* Remove the model at the path; how many files that were. */
static size_t remove_model(const char *path, nbytes *ret_bytes) {
    struct model_files files;
    struct error err;
    char *full = below(path);
    model_files_find(full, &files);
    size_t count = files.count;
    *ret_bytes = files.bytes;
    assert_true(model_files_remove(&files, root, &err));
    model_files_clear(&files);
    free(full);
    return count;
}

static void test_a_file_and_its_empty_folders(void **state) {
    nbytes bytes;
    root = *state;
    make("o/m/m.gguf");
    assert_int_equal(remove_model("o/m/m.gguf", &bytes), 1);
    assert_int_equal(bytes, 10);
    assert_false(is_there("o"));
    assert_int_equal(access(root, F_OK), 0);
}

static void test_other_files_keep_their_folder(void **state) {
    nbytes bytes;
    root = *state;
    make("o/m/m-q4.gguf");
    make("o/m/m-q8.gguf");
    make("o/m/mmproj-f16.gguf");
    assert_int_equal(remove_model("o/m/m-q4.gguf", &bytes), 1);
    assert_true(is_there("o/m/m-q8.gguf") && is_there("o/m/mmproj-f16.gguf"));
    assert_int_equal(remove_model("o/m/m-q8.gguf", &bytes), 2);
    assert_false(is_there("o"));
}

static void test_all_parts_and_the_projector(void **state) {
    nbytes bytes;
    root = *state;
    make("o/m/m-00001-of-00003.gguf");
    make("o/m/m-00002-of-00003.gguf");
    make("o/m/m-00003-of-00003.gguf");
    make("o/m/M-mmproj-F16.GGUF");
    make("o/m/README.md");
    assert_int_equal(remove_model("o/m/m-00001-of-00003.gguf", &bytes), 4);
    assert_int_equal(bytes, 40);
    assert_true(is_there("o/m/README.md"));
}

static void test_a_link_goes_and_its_target_stays(void **state) {
    nbytes bytes;
    root = *state;
    make("elsewhere/real.gguf");
    make_link("../elsewhere/real.gguf", "m/link.gguf");
    assert_int_equal(remove_model("m/link.gguf", &bytes), 1);
    assert_int_equal(bytes, 0);
    assert_true(is_there("elsewhere/real.gguf"));
}

/* Two revisions lead to one blob; b.gguf shares another blob with a third name. */
static void test_blobs_that_nothing_else_links_to(void **state) {
    nbytes bytes;
    root = *state;
    make("models--o--m/blobs/aa");
    make("models--o--m/blobs/bb");
    make_link("../../blobs/aa", "models--o--m/snapshots/1/a.gguf");
    make_link("../../blobs/aa", "models--o--m/snapshots/2/a.gguf");
    make_link("../../blobs/bb", "models--o--m/snapshots/2/b.gguf");
    make_link("../../blobs/bb", "models--o--m/snapshots/2/c.bin");
    assert_int_equal(remove_model("models--o--m/snapshots/2/a.gguf", &bytes), 3);
    assert_int_equal(bytes, 10);
    assert_false(is_there("models--o--m/blobs/aa"));
    assert_false(is_there("models--o--m/snapshots/1"));
    assert_int_equal(remove_model("models--o--m/snapshots/2/b.gguf", &bytes), 1);
    assert_int_equal(bytes, 0);
    assert_true(is_there("models--o--m/blobs/bb"));
}

/* A link of the cache that leads out of its repository. */
static void test_no_blob_outside_of_the_repository(void **state) {
    nbytes bytes;
    root = *state;
    make("precious.gguf");
    make_link("../../../precious.gguf", "models--o--m/snapshots/1/a.gguf");
    assert_int_equal(remove_model("models--o--m/snapshots/1/a.gguf", &bytes), 1);
    assert_true(is_there("precious.gguf"));
}

static void test_nothing_goes_if_one_folder_cannot_be_changed(void **state) {
    struct error err;
    root = *state;
    make("m.gguf");
    char *real = below("m.gguf"), *other = below("missing/n.gguf");
    struct model_files files = { (char *[]){ real, other }, 2, 0 };
    assert_false(model_files_remove(&files, root, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_true(is_there("m.gguf"));
    free(real);
    free(other);
}

static void test_the_layout_of_the_cache(void **state) {
    (void)state;
    assert_true(model_file_is_cached("/h/models--o--m/snapshots/1/a.gguf"));
    assert_false(model_file_is_cached("/h/o/snapshots/1/a.gguf"));
    assert_false(model_file_is_cached("/snapshots/a.gguf"));
    assert_false(model_file_is_cached("/h/models--o--m/a.gguf"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_file_and_its_empty_folders),
        TEST(test_other_files_keep_their_folder),
        TEST(test_all_parts_and_the_projector),
        TEST(test_a_link_goes_and_its_target_stays),
        TEST(test_blobs_that_nothing_else_links_to),
        TEST(test_no_blob_outside_of_the_repository),
        TEST(test_nothing_goes_if_one_folder_cannot_be_changed),
        cmocka_unit_test(test_the_layout_of_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
