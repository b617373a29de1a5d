/* SPDX-License-Identifier: MIT */
/* What is refused before a byte is asked for. The transfer: tests/e2e/fleet-fetch.test.js. */
#include "cmocka_prelude.h"

#include <stdio.h>
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

static struct peer_file make_file(const char *path, const char *sum, nbytes size) {
    struct peer_file file = { .size = size, .path = xstrdup(path), .count = 1 };
    file.sources = xcalloc(1, sizeof *file.sources);
    file.sources[0] = (struct peer_source){ xstrdup("b"), xstrdup("http://127.0.0.1:1/") };
    file.signer.free = signer_free;
    (void)snprintf(file.sha256, sizeof file.sha256, "%s", sum);
    return file;
}

static void on_closed(void *ctx) {
    (void)ctx;
}

static void test_what_cannot_be_had_is_refused(void **state) {
    static const char sum[] =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    uv_loop_t loop;
    struct error err;
    struct peer_sink sink = { NULL, NULL };
    (void)state;
    uv_loop_init(&loop);
    struct hub_tasks *tasks = hub_tasks_new(&loop);
    struct peer_fetches *fetches = peer_fetches_new(
        &(struct peer_fetches_config){ .tasks = tasks, .models_dir = "/tmp" });
    struct peer_file file = make_file("a/../m.gguf", sum, 1);
    assert_null(peer_fetch(fetches, &file, sink, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    file = make_file("a/b/m.gguf", "0123", 1);
    assert_null(peer_fetch(fetches, &file, sink, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    file = make_file("a/b/m.gguf", sum, UINT64_MAX);
    assert_null(peer_fetch(fetches, &file, sink, &err));
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
        cmocka_unit_test(test_what_cannot_be_had_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
