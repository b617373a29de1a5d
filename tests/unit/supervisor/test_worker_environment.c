/* SPDX-License-Identifier: MIT */
#include "cmocka_prelude.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/worker_environment.h"

#define TUNED "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"

static bool has(char *const *made, const char *entry) {
    for (; *made; made++) {
        if (strcmp(*made, entry) == 0) return true;
    }
    return false;
}

static size_t count_of(char *const *made) {
    size_t count = 0;
    while (made[count]) count++;
    return count;
}

static void test_a_worker_does_not_get_keys_and_tokens(void **state) {
    (void)state;
    char *daemons[] = { "HF_TOKEN=hf_1",
                        "OPENAI_API_KEY=sk-1",
                        "LLAMA_API_KEY=k",
                        "DOZE_API_KEY=k",
                        "SSH_AUTH_SOCK=/s",
                        "PATHS=x",
                        "XDG_STATE_HOME=",
                        "odd",
                        NULL };
    char **made = worker_environment(daemons, NULL);
    assert_int_equal(count_of(made), 1);
    assert_true(has(made, TUNED));
    free(made);
}

static void test_a_worker_gets_what_libraries_read(void **state) {
    (void)state;
    char *daemons[] = { "PATH=/bin",         "LC_ALL=C",    "OMP_NUM_THREADS=2",
                        "ASAN_OPTIONS=a=1",  "GGML_VK_X=1", "CUDA_VISIBLE_DEVICES=0",
                        "LD_LIBRARY_PATH=/", NULL };
    char **made = worker_environment(daemons, NULL);
    assert_int_equal(count_of(made), count_of(daemons) + 1);
    for (size_t i = 0; daemons[i]; i++) assert_true(has(made, daemons[i]));
    free(made);
}

static void test_tunables_of_the_user_win(void **state) {
    (void)state;
    char *daemons[] = { "GLIBC_TUNABLES=glibc.malloc.arena_max=1", NULL };
    char **made = worker_environment(daemons, NULL);
    assert_int_equal(count_of(made), 1);
    assert_string_equal(made[0], daemons[0]);
    free(made);
}

static void test_the_engines_folder_comes_before_the_users(void **state) {
    (void)state;
    char *daemons[] = { "PATH=/bin", "LD_LIBRARY_PATH=/own:/lib", NULL };
    char **made = worker_environment(daemons, "/engines/vulkan");
    assert_int_equal(count_of(made), 3);
    assert_true(has(made, "LD_LIBRARY_PATH=/engines/vulkan:/own:/lib"));
    free(made);
    made = worker_environment(daemons + 2, "/engines/vulkan");
    assert_int_equal(count_of(made), 2);
    assert_true(has(made, "LD_LIBRARY_PATH=/engines/vulkan"));
    free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_worker_does_not_get_keys_and_tokens),
        cmocka_unit_test(test_a_worker_gets_what_libraries_read),
        cmocka_unit_test(test_tunables_of_the_user_win),
        cmocka_unit_test(test_the_engines_folder_comes_before_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
