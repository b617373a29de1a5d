/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "catalog/gguf_file.h"
#include "temp_folder.h"

enum { NOBODY = 65534 };

static struct catalog *scan(const char *root) {
    return catalog_scan(&root, 1);
}

static const struct model *at(const struct catalog *catalog, const char *key) {
    for (size_t i = 0; i < catalog->count; i++) {
        if (strcmp(catalog->models[i].key, key) == 0) return &catalog->models[i];
    }
    fail_msg("no model %s", key);
    abort();
}

static void assert_problem(const struct model *model, const char *part) {
    const char *problem = model->problem ? model->problem : "";
    if (!strstr(problem, part)) fail_msg("\"%s\" does not say \"%s\"", problem, part);
}

static void make_link(const char *target, const char *root, const char *path) {
    char *whole = xasprintf("%s/%s", root, path);
    assert_int_equal(symlink(target, whole), 0);
    free(whole);
}

static void make_folder(const char *root, const char *path) {
    char *whole = xasprintf("%s/%s", root, path);
    assert_int_equal(mkdir(whole, 0755), 0);
    free(whole);
}

static void test_nothing_there(void **state) {
    const char *dirs[] = { "/nonexistent/folder", *state };
    struct catalog *catalog = catalog_scan(dirs, 2);
    assert_int_equal(catalog->count, 0);
    catalog_free(catalog);
    catalog = catalog_scan(NULL, 0);
    assert_int_equal(catalog->count, 0);
    catalog_free(catalog);
    catalog_free(NULL);
}

static void test_facts(void **state) {
    write_model(*state, "pub/Small-GGUF/Small-1B-Q8_0.gguf",
                &(struct small_model){ .architecture = "qwen2",
                                       .name = "Small 1B",
                                       .file_type = 1 + 7,
                                       .chat_template = "{% for t in tools %}" },
                1000);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 1);
    const struct model *model = at(catalog, "small-1b");
    assert_null(model->problem);
    assert_string_equal(model->publisher, "pub");
    assert_string_equal(model->display_name, "Small 1B");
    assert_string_equal(model->architecture, "qwen2");
    assert_string_equal(model->quantization, "Q8_0");
    assert_string_equal(model->params_string, "6K");
    assert_int_equal(model->path[0], '/');
    assert_int_equal(model->type, MODEL_LLM);
    assert_int_equal(model->parameters, 6400);
    assert_true(model->bits_per_weight == 16.0);
    assert_int_equal(model->modified, 1000 * 1000);
    assert_int_equal(model->context_length, 2048);
    assert_int_equal(model->layers, 2);
    assert_int_equal(model->kv_heads, 2);
    assert_int_equal(model->key_length, 16); /* embedding by heads */
    assert_int_equal(model->value_length, 16);
    assert_true(model->has_chat_template && model->tool_use);
    assert_false(model->reasoning);
    catalog_free(catalog);
}

/* A header that speaks of many weights, and a hole in the file where they would be. */
static void write_large(const char *root, const char *path, uint64_t rows) {
    enum { COLUMNS = 1000 * 128, TYPE_Q1_0 = 41, BLOCK = 128, BLOCK_BYTES = 18 };
    struct buf bytes = BUF_INIT(1 << 16);
    put_header(&bytes, 1, 1);
    put_text_pair(&bytes, "general.architecture", "llama");
    put_tensor(&bytes, "t", COLUMNS, rows, TYPE_Q1_0, 0);
    put_data(&bytes, 0);
    write_file(root, path, &bytes);
    char *whole = xasprintf("%s/%s", root, path);
    uint64_t size = bytes.len + rows * COLUMNS / BLOCK * BLOCK_BYTES;
    assert_int_equal(truncate(whole, (off_t)size), 0);
    free(whole);
    buf_clear(&bytes);
}

static void test_parameters_in_words(void **state) {
    static const struct {
        uint64_t rows; /* of 128,000 */
        const char *words;
    } cases[] = { { 1, "128K" },   { 3859, "494M" },  { 7811, "1B" },    { 12060, "1.5B" },
                  { 54700, "7B" }, { 59600, "7.6B" }, { 937500, "120B" } };
    char path[32];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(path, sizeof path, "%zu.gguf", i);
        write_large(*state, path, cases[i].rows);
    }
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, sizeof cases / sizeof cases[0]);
    for (size_t i = 0; i < catalog->count; i++) {
        assert_null(catalog->models[i].problem);
        assert_string_equal(catalog->models[i].params_string, cases[i].words);
    }
    catalog_free(catalog);
}

static void test_what_is_no_file_is_not_read(void **state) {
    struct gguf_meta meta;
    struct error err;
    assert_false(gguf_file_read(*state, &meta, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "regular file"));
}

static void test_quantization_without_a_file_type(void **state) {
    write_model(*state, "a.gguf", &(struct small_model){ 0 }, 1);
    struct catalog *catalog = scan(*state);
    assert_string_equal(at(catalog, "a")->quantization, "F16"); /* the tensors' */
    catalog_free(catalog);
}

static void test_names_without_metadata(void **state) {
    write_model(*state, "Plain File.gguf", &(struct small_model){ .name = "" }, 1);
    struct catalog *catalog = scan(*state);
    const struct model *model = at(catalog, "plain-file");
    assert_string_equal(model->display_name, "Plain File");
    assert_string_equal(model->publisher, "local");
    catalog_free(catalog);
}

static void test_embedding_models(void **state) {
    write_model(*state, "bge.gguf", &(struct small_model){ .architecture = "bert" }, 1);
    write_model(*state, "pooled.gguf",
                &(struct small_model){ .architecture = "qwen3", .pooling_type = 3 }, 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(at(catalog, "bge")->type, MODEL_EMBEDDINGS);
    assert_int_equal(at(catalog, "pooled")->type, MODEL_EMBEDDINGS);
    catalog_free(catalog);
}

/* The plain key belongs to the older file, so that a later one does not change what it means.
 */
static void test_keys_are_unique(void **state) {
    struct small_model q8 = { .file_type = 1 + 7 }, q4 = { .file_type = 1 + 2 };
    write_model(*state, "a/m/m-Q4_0.gguf", &q4, 2000);
    write_model(*state, "a/m/m-Q8_0.gguf", &q8, 1000);
    write_model(*state, "b/m/m-Q8_0.gguf", &q8, 3000);
    write_model(*state, "c/m/m-Q4_0.gguf", &q4, 4000);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 4);
    assert_string_equal(catalog->models[0].key, "m");
    assert_string_equal(catalog->models[1].key, "m@q4_0");
    assert_string_equal(catalog->models[2].key, "m@q4_0-2");
    assert_string_equal(catalog->models[3].key, "m@q8_0-2");
    assert_string_equal(at(catalog, "m")->publisher, "a");
    assert_string_equal(at(catalog, "m@q8_0-2")->publisher, "b");
    catalog_free(catalog);
}

static void test_a_broken_file_leaves_the_key_to_a_good_one(void **state) {
    struct buf junk = BUF_INIT(64);
    (void)buf_add_str(&junk, "junk");
    write_file(*state, "a/m/m-Q4_0.gguf", &junk);
    buf_clear(&junk);
    write_model(*state, "b/m/m-Q8_0.gguf", &(struct small_model){ .file_type = 1 + 7 },
                2000000000);
    struct catalog *catalog = scan(*state);
    assert_null(at(catalog, "m")->problem);
    assert_problem(at(catalog, "m@q4_0"), "not a GGUF");
    catalog_free(catalog);
}

static void write_cut(const char *root, const char *path, size_t less) {
    struct buf bytes = BUF_INIT(1 << 20);
    put_small_model(&bytes, &(struct small_model){ .architecture = "llama", .name = "Cut" });
    bytes.len -= less;
    write_file(root, path, &bytes);
    buf_clear(&bytes);
}

static void test_broken_files_are_listed_with_the_reason(void **state) {
    struct buf bytes = BUF_INIT(1 << 20);
    write_file(*state, "empty.gguf", &bytes);
    put_header(&bytes, 0, 0);
    write_file(*state, "nothing.gguf", &bytes);
    buf_reset(&bytes);
    put_header(&bytes, 0, 1);
    put_text_pair(&bytes, "general.architecture", "llama");
    write_file(*state, "vocabulary.gguf", &bytes);
    buf_clear(&bytes);
    write_cut(*state, "cut.gguf", 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 4);
    assert_problem(at(catalog, "empty"), "empty");
    assert_problem(at(catalog, "nothing"), "architecture");
    assert_problem(at(catalog, "vocabulary"), "no weights");
    assert_problem(at(catalog, "cut"), "cut short");
    assert_string_equal(at(catalog, "cut")->display_name, "Cut");
    catalog_free(catalog);
}

static void test_split_sets_count_once(void **state) {
    write_model(*state, "big-Q8_0-00001-of-00002.gguf",
                &(struct small_model){ .architecture = "qwen2", .file_type = 1 + 7 }, 10);
    write_model(*state, "big-Q8_0-00002-of-00002.gguf", &(struct small_model){ 0 }, 20);
    write_model(*state, "big-Q8_0-00001-of-00001.gguf", &(struct small_model){ .name = "one" },
                30);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 2);
    const struct model *model = at(catalog, "big");
    assert_null(model->problem);
    assert_non_null(strstr(model->path, "big-Q8_0-00001-of-00002.gguf"));
    assert_string_equal(model->architecture, "qwen2");
    assert_int_equal(model->parameters, 2 * 6400);
    assert_true(model->bits_per_weight == 16.0);
    assert_int_equal(model->modified, 20 * 1000);
    const struct model *other = at(catalog, "big@f16");
    assert_true(model->size > other->size);
    catalog_free(catalog);
}

static void test_split_sets_with_a_gap(void **state) {
    struct small_model plain = { 0 };
    write_model(*state, "gap-00001-of-00003.gguf", &plain, 1);
    write_model(*state, "gap-00003-of-00003.gguf", &plain, 1);
    write_model(*state, "headless-00002-of-00002.gguf", &plain, 1);
    write_model(*state, "short-00001-of-00002.gguf", &plain, 1);
    write_model(*state, "torn-00001-of-00002.gguf", &plain, 1);
    write_cut(*state, "torn-00002-of-00002.gguf", 100);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 4);
    assert_problem(at(catalog, "gap"), "Part 2 of 3 is missing");
    assert_problem(at(catalog, "headless"), "Part 1 of 2 is missing");
    assert_problem(at(catalog, "short"), "Part 2 of 2 is missing");
    assert_problem(at(catalog, "torn"), "Part 2 of 2: The file is cut short");
    catalog_free(catalog);
}

static void expect_projector(struct catalog *catalog, const char *key, const char *file) {
    const struct model *model = at(catalog, key);
    if (!file) {
        assert_null(model->projector);
        assert_false(model_has_vision(model));
        return;
    }
    assert_non_null(model->projector);
    assert_string_equal(strrchr(model->projector, '/') + 1, file);
    assert_true(model_has_vision(model));
    assert_true(model->projector_size > 0);
}

/* ... and are no models of their own, whatever tells that they are projectors. */
static void test_projectors_belong_to_the_models_of_their_folder(void **state) {
    struct small_model plain = { 0 }, clip = { .architecture = "clip" };
    write_model(*state, "p/see/see-Q8_0.gguf", &plain, 1);
    write_model(*state, "p/see/see-Q4_0.gguf", &plain, 2);
    write_model(*state, "p/see/eyes.gguf", &clip, 1);
    write_model(*state, "p/glass/glass.gguf", &plain, 1);
    write_model(*state, "p/glass/lens.gguf", &(struct small_model){ .kind = "mmproj" }, 1);
    write_model(*state, "p/read/read.gguf", &plain, 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 4);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(strrchr(catalog->models[2 + i].projector, '/') + 1, "eyes.gguf");
    expect_projector(catalog, "glass", "lens.gguf");
    expect_projector(catalog, "read", NULL);
    catalog_free(catalog);
}

static void test_a_projector_among_several_models_names_its_own(void **state) {
    struct small_model plain = { 0 };
    write_model(*state, "gemma-3-4b-it-Q4_0.gguf", &plain, 1);
    write_model(*state, "other.gguf", &plain, 1);
    write_model(*state, "mmproj-Gemma-3-4b-it.gguf", &plain, 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 2);
    expect_projector(catalog, "gemma-3-4b-it", "mmproj-Gemma-3-4b-it.gguf");
    expect_projector(catalog, "other", NULL);
    catalog_free(catalog);
}

static void test_files_that_are_no_models(void **state) {
    write_model(*state, "lora.gguf", &(struct small_model){ .kind = "adapter" }, 1);
    write_model(*state, "matrix.gguf", &(struct small_model){ .kind = "imatrix" }, 1);
    write_model(*state, ".hidden.gguf", &(struct small_model){ 0 }, 1);
    write_model(*state, "model.gguf.part", &(struct small_model){ 0 }, 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 0);
    catalog_free(catalog);
}

static void test_hugging_face_cache(void **state) {
    const char *repo = "models--Qwen--Qwen2.5-GGUF";
    char path[256];
    static const char *const blobs[] = { "old", "new", "other" };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/blobs/%s", repo, blobs[i]);
        write_model(*state, path, &(struct small_model){ .name = blobs[i] }, 1000 + i);
    }
    static const char *const links[][2] = { { "1", "old" }, { "2", "new" }, { "3", "new" } };
    snprintf(path, sizeof path, "%s/snapshots", repo);
    make_folder(*state, path);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/snapshots/%s", repo, links[i][0]);
        make_folder(*state, path);
        snprintf(path, sizeof path, "%s/snapshots/%s/qwen2.5-f16.gguf", repo, links[i][0]);
        char target[64];
        snprintf(target, sizeof target, "../../blobs/%s", links[i][1]);
        make_link(target, *state, path);
    }
    snprintf(path, sizeof path, "%s/snapshots/1/else-f16.gguf", repo);
    make_link("../../blobs/other", *state, path);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 2);
    assert_string_equal(at(catalog, "qwen2.5")->display_name, "new");
    assert_string_equal(at(catalog, "qwen2.5")->publisher, "Qwen");
    assert_string_equal(at(catalog, "else")->display_name, "other");
    catalog_free(catalog);
}

static void test_links_in_circles_end(void **state) {
    write_model(*state, "a/b/m.gguf", &(struct small_model){ 0 }, 1);
    make_link("..", *state, "a/up");
    make_link(*state, *state, "a/b/root");
    make_link("m.gguf", *state, "a/b/same.gguf");
    make_link("self.gguf", *state, "self.gguf");
    make_link("nowhere", *state, "gone.gguf");
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 3);
    assert_null(at(catalog, "m")->problem);
    assert_problem(at(catalog, "self"), "link");
    assert_problem(at(catalog, "gone"), "No such file");
    catalog_free(catalog);
}

static void test_folders_given_twice(void **state) {
    write_model(*state, "a/b/m.gguf", &(struct small_model){ 0 }, 1);
    char *inner = xasprintf("%s/a/", (const char *)*state);
    const char *dirs[] = { *state, inner, *state };
    struct catalog *catalog = catalog_scan(dirs, 3);
    assert_int_equal(catalog->count, 1);
    catalog_free(catalog);
    free(inner);
}

static void test_depth_is_bounded(void **state) {
    write_model(*state, "1/2/3/4/5/6/7/8/in.gguf", &(struct small_model){ 0 }, 1);
    write_model(*state, "1/2/3/4/5/6/7/8/9/out.gguf", &(struct small_model){ 0 }, 1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 1);
    assert_string_equal(catalog->models[0].key, "in");
    catalog_free(catalog);
}

static void test_odd_things_named_like_models(void **state) {
    make_folder(*state, "folder.gguf");
    write_model(*state, "folder.gguf/inner.gguf", &(struct small_model){ 0 }, 1);
    char *fifo = xasprintf("%s/pipe.gguf", (const char *)*state);
    assert_int_equal(mkfifo(fifo, 0644), 0);
    free(fifo);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 2);
    assert_null(at(catalog, "inner")->problem);
    assert_problem(at(catalog, "pipe"), "not a regular file");
    catalog_free(catalog);
}

static void test_names_that_are_not_utf8(void **state) {
    write_model(*state, "caf\xe9-Q8_0.gguf", &(struct small_model){ .name = "na\xefve\x01" },
                1);
    struct catalog *catalog = scan(*state);
    assert_int_equal(catalog->count, 1);
    assert_string_equal(catalog->models[0].key, "caf-");
    assert_string_equal(catalog->models[0].display_name, "na?ve?");
    assert_problem(&catalog->models[0], "UTF-8");
    catalog_free(catalog);
}

static void close_to_all(const char *root, const char *path) {
    char *whole = xasprintf("%s/%s", root, path);
    assert_int_equal(chmod(whole, 0), 0);
    free(whole);
}

/* Root may read everything, so the test looks as somebody else. */
static void test_what_may_not_be_read(void **state) {
    struct small_model plain = { 0 };
    write_model(*state, "open.gguf", &plain, 1);
    write_model(*state, "closed.gguf", &plain, 1);
    write_model(*state, "folder/inside.gguf", &plain, 1);
    close_to_all(*state, "closed.gguf");
    close_to_all(*state, "folder");
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(NOBODY), 0);
    struct catalog *catalog = scan(*state);
    if (root) assert_int_equal(seteuid(0), 0);
    char *folder = xasprintf("%s/folder", (const char *)*state);
    assert_int_equal(chmod(folder, 0755), 0); /* or it could not be removed */
    free(folder);
    assert_int_equal(catalog->count, 2);
    assert_null(at(catalog, "open")->problem);
    assert_problem(at(catalog, "closed"), "Permission denied");
    catalog_free(catalog);
}

#define SCAN_TEST(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, temp_folder_make, temp_folder_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        SCAN_TEST(test_nothing_there),
        SCAN_TEST(test_facts),
        SCAN_TEST(test_parameters_in_words),
        SCAN_TEST(test_what_is_no_file_is_not_read),
        SCAN_TEST(test_quantization_without_a_file_type),
        SCAN_TEST(test_names_without_metadata),
        SCAN_TEST(test_embedding_models),
        SCAN_TEST(test_keys_are_unique),
        SCAN_TEST(test_a_broken_file_leaves_the_key_to_a_good_one),
        SCAN_TEST(test_broken_files_are_listed_with_the_reason),
        SCAN_TEST(test_split_sets_count_once),
        SCAN_TEST(test_split_sets_with_a_gap),
        SCAN_TEST(test_projectors_belong_to_the_models_of_their_folder),
        SCAN_TEST(test_a_projector_among_several_models_names_its_own),
        SCAN_TEST(test_files_that_are_no_models),
        SCAN_TEST(test_hugging_face_cache),
        SCAN_TEST(test_links_in_circles_end),
        SCAN_TEST(test_folders_given_twice),
        SCAN_TEST(test_depth_is_bounded),
        SCAN_TEST(test_odd_things_named_like_models),
        SCAN_TEST(test_names_that_are_not_utf8),
        SCAN_TEST(test_what_may_not_be_read),
    };
    return cmocka_run_group_tests_name("catalog_scan", tests, NULL, NULL);
}
