/* SPDX-License-Identifier: MIT */
/* A real worker in its sandbox, which all the other tests of workers have, too; and without it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "models.h"
#include "poor_kernel.h"
#include "with_cmocka.h"
#include "worker.h"

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

static struct worker *load(void) {
    char *path = model_make("random", "random", "--seed", "7", NULL);
    struct worker *w = worker_load(path, "\"context_length\":512");
    free(path);
    return w;
}

static void test_a_worker_is_in_its_sandbox(void **state) {
    (void)state;
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

/* It says what is missing, and serves. What is started from here on is poor for good: last. */
static void test_a_worker_serves_without(void **state) {
    (void)state;
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
        cmocka_unit_test(test_a_worker_serves_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
