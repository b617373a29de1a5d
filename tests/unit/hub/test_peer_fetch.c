/* SPDX-License-Identifier: MIT */
/* What is refused before a byte is asked for. The transfer: tests/e2e/fleet-fetch.test.js. */
#include "cmocka_prelude.h"

#include <string.h>
#include <uv.h>

#include "base/xalloc.h"
#include "hub/peer_fetch.h"

static void test_only_files_in_a_folder_of_a_folder_are_taken(void **state) {
    static const char *const bad[] = {
        "m.gguf",          "q/m.gguf",          "a/b/c/m.gguf", "/b/m.gguf",
        "../b/m.gguf",     "a/../m.gguf",       "a/./m.gguf",   "a//m.gguf",
        "a/b/.gguf",       "a/b/..gguf",        ".a/b/m.gguf",  "a/.b/m.gguf",
        "a/b/.m.gguf",     "a/b/m.txt",         "a/b/",         "",
        "a/b\\c/d/m.gguf", "a/b/m.gguf/m.gguf", "a/b/m\n.gguf",
    };
    (void)state;
    assert_true(peer_path_is_safe("owner/repo/name.gguf"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (peer_path_is_safe(bad[i])) fail_msg("'%s' is taken", bad[i]);
    }
}

static int freed;

static void signer_free(void *ctx) {
    (void)ctx;
    freed++;
}

static const char sum[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* Of one file, or of two. */
static struct peer_model make_model(const char *path, const char *other, nbytes size) {
    struct peer_model model = { .file_count = other ? 2 : 1, .source_count = 1 };
    model.files = xcalloc(2, sizeof *model.files);
    model.files[0] = (struct peer_file){ .size = size, .path = xstrdup(path) };
    if (other) model.files[1] = (struct peer_file){ .size = size, .path = xstrdup(other) };
    for (size_t i = 0; i < 2; i++) memcpy(model.files[i].sha256, sum, sizeof sum);
    model.sources = xcalloc(1, sizeof *model.sources);
    model.sources[0] = (struct peer_source){ xstrdup("b"), xstrdup("http://127.0.0.1:1") };
    model.signer.free = signer_free;
    return model;
}

static enum err_code check(struct peer_model model) {
    struct error err;
    bool ok = peer_model_check(&model, &err);
    peer_model_clear(&model);
    return ok ? ERR_NONE : err.code;
}

static void test_a_model_is_files_of_one_folder_with_checksums(void **state) {
    static const char *const others[] = { "a/b/m.gguf",  "a/c/n.gguf",    "b/b/n.gguf",
                                          "a/bb/n.gguf", "a/b/../n.gguf", "a/b/n.txt" };
    struct error err;
    (void)state;
    assert_int_equal(check(make_model("a/b/m.gguf", NULL, 1)), ERR_NONE);
    assert_int_equal(check(make_model("a/b/m.gguf", "a/b/n.gguf", 1)), ERR_NONE);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(check(make_model("a/b/m.gguf", others[i], 1)), ERR_NOT_FOUND);
    assert_int_equal(check((struct peer_model){ 0 }), ERR_NOT_FOUND);
    struct peer_model model = make_model("a/b/m.gguf", "a/b/n.gguf", 1);
    model.files[1].sha256[3] = 'X';
    assert_false(peer_model_check(&model, &err));
    model.files[1].sha256[3] = '\0';
    assert_false(peer_model_check(&model, &err));
    peer_model_clear(&model);
}

static void on_closed(void *ctx) {
    (void)ctx;
}

static void test_what_cannot_be_had_is_refused(void **state) {
    uv_loop_t loop;
    struct error err;
    struct peer_sink sink = { NULL, NULL };
    (void)state;
    uv_loop_init(&loop);
    struct hub_tasks *tasks = hub_tasks_new(&loop);
    struct peer_fetches *fetches = peer_fetches_new(
        &(struct peer_fetches_config){ .tasks = tasks, .models_dir = "/tmp" });
    freed = 0;
    struct peer_model model = make_model("a/../m.gguf", NULL, 1);
    assert_null(peer_fetch(fetches, &model, sink, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    model = make_model("a/b/m.gguf", NULL, UINT64_MAX);
    assert_null(peer_fetch(fetches, &model, sink, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
    model = make_model("a/b/m.gguf", "a/b/n.gguf",
                       UINT64_MAX / 2 + 2); /* their sum overflows */
    assert_null(peer_fetch(fetches, &model, sink, &err));
    assert_int_equal(err.code, ERR_DISK_FULL);
    assert_int_equal(freed, 3); /* it takes what it is given */
    hub_tasks_close(tasks, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    peer_fetches_free(fetches);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_files_in_a_folder_of_a_folder_are_taken),
        cmocka_unit_test(test_a_model_is_files_of_one_folder_with_checksums),
        cmocka_unit_test(test_what_cannot_be_had_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
