/* SPDX-License-Identifier: MIT */
/* A real worker in its sandbox, which all the other tests of workers have, too; and without it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "models.h"
#include "poor_kernel.h"
#include "worker.h"

/* Longer than what is not worth a file. */
#define LONG                                                                                   \
    "Once upon a time there was a small machine that slept most of the day and woke when "     \
    "somebody came by and asked it something. It did not mind, for it had nothing else to do."

static int64_t status_number(const struct worker *w, const char *name) {
    char *path = xasprintf("/proc/%d/status", (int)w->pid);
    char text[4096] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    free(path);
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtoll(at + strlen(name), NULL, 10);
}

static void answer(struct worker *w) {
    struct outcome *o = worker_run(
        w, "{\"op\":\"completion\",\"prompt\":\"Hi\",\"max_tokens\":2}");
    assert_false(o->failed);
}

static struct worker *load_with(const char *options) {
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, options);
    free(path);
    return w;
}

static struct worker *load(void) {
    return load_with("\"context_length\":512");
}

static void test_a_worker_is_in_its_sandbox(void **state) {
    (void)state;
    skip_without(HAS_LANDLOCK | HAS_SECCOMP);
    struct worker *w = load();
    const char *missing = yyjson_get_str(worker_fact(w, "sandbox_missing"));
    if (missing && strstr(missing, "GPU")) skip(); /* a llama.cpp of the user's own */
    assert_string_equal(yyjson_get_str(worker_fact(w, "sandbox")), "full");
    assert_null(worker_fact(w, "sandbox_missing"));
    assert_int_equal(status_number(w, "\nNoNewPrivs:"), 1);
    assert_int_equal(status_number(w, "\nSeccomp:"), 2);
    assert_int_equal(status_number(w, "\nSeccomp_filters:"), 2); /* one for each stage */
    answer(w);
    worker_stop(w, 0);
}

/* From here on the tests are in the order of what they lack: it is lacking for good. */

/* It could write anywhere: it writes nothing, and serves. */
static void test_without_landlock_prompts_stay_in_memory(void **state) {
    (void)state;
    skip_without(HAS_SECCOMP);
    poor_kernel(false, true);
    char folder[] = "/tmp/doze-sandbox-store-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *options = xasprintf("\"context_length\":512,\"prompts\":{\"mode\":\"on\","
                              "\"dir\":\"%s\",\"memory_bytes\":1048576}",
                              folder);
    struct worker *w = load_with(options);
    free(options);
    assert_string_equal(yyjson_get_str(worker_fact(w, "sandbox")), "calls");
    struct outcome *o = worker_run(w, "{\"op\":\"completion\",\"prompt\":\"" LONG
                                      "\",\"max_tokens\":2}");
    assert_false(o->failed);
    worker_stop(w, 0);
    assert_int_equal(rmdir(folder), 0); /* nothing was kept there */
}

/* It says what is missing, and serves. */
static void test_a_worker_serves_without(void **state) {
    (void)state;
    skip_without(HAS_SECCOMP);
    poor_kernel(false, false);
    struct worker *w = load();
    assert_string_equal(yyjson_get_str(worker_fact(w, "sandbox")), "none");
    assert_non_null(strstr(yyjson_get_str(worker_fact(w, "sandbox_missing")), "sandbox"));
    answer(w);
    worker_stop(w, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_worker_is_in_its_sandbox),
        cmocka_unit_test(test_without_landlock_prompts_stay_in_memory),
        cmocka_unit_test(test_a_worker_serves_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
