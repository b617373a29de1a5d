/* SPDX-License-Identifier: MIT */
/* Which engine computes, by setting and by what works; and the report that says what does. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/engine_choice.h"

static struct engine_state with_device(const char *description) {
    struct engine_state state = { .installed = true };
    state.report.count = 1;
    snprintf(state.report.devices[0].description, 128, "%s", description);
    return state;
}

static struct engine_state with_problem(const char *problem) {
    struct engine_state state = { .installed = true };
    snprintf(state.problem, sizeof state.problem, "%s", problem);
    return state;
}

static void check(struct engine_choice choice, enum engine_kind kind, bool fallback,
                  const char *why) {
    assert_string_equal(engine_words[choice.kind], engine_words[kind]);
    assert_int_equal(choice.fallback, fallback);
    if (!strstr(choice.why, why)) fail_msg("'%s' lacks '%s'", choice.why, why);
}

static void test_auto_without_an_engine_for_gpus_is_the_cpu(void **state) {
    (void)state;
    struct engine_state states[ENGINE_KINDS] = { 0 };
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CPU, false, "engine install");
    check(engine_choose(ENGINE_AUTO, states, true), ENGINE_CPU, false, "install cuda");
    states[ENGINE_VULKAN].installed = true;
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CPU, false, "finds no device");
}

static void test_auto_takes_what_finds_a_device_and_cuda_first(void **state) {
    (void)state;
    struct engine_state states[ENGINE_KINDS] = { 0 };
    states[ENGINE_VULKAN] = with_device("a card");
    check(engine_choose(ENGINE_AUTO, states, true), ENGINE_VULKAN, false, "a card");
    states[ENGINE_CUDA] = with_device("NVIDIA");
    check(engine_choose(ENGINE_AUTO, states, true), ENGINE_CUDA, false, "NVIDIA");
    states[ENGINE_CUDA] = with_problem("libcudart.so.13 is missing");
    check(engine_choose(ENGINE_AUTO, states, true), ENGINE_VULKAN, false, "a card");
}

static void test_auto_falls_back_to_the_cpu_and_says_what_failed(void **state) {
    (void)state;
    struct engine_state states[ENGINE_KINDS] = { 0 };
    states[ENGINE_VULKAN] = with_problem("Its driver crashed.");
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CPU, true, "driver crashed");
    /* a device that was seen before the driver failed does not count */
    states[ENGINE_VULKAN].report.count = 1;
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CPU, true, "driver crashed");
}

static void test_a_named_engine_is_taken_or_the_cpu_with_the_reason(void **state) {
    (void)state;
    struct engine_state states[ENGINE_KINDS] = { 0 };
    states[ENGINE_VULKAN] = with_device("a card");
    check(engine_choose(ENGINE_VULKAN, states, false), ENGINE_VULKAN, false, "setting");
    check(engine_choose(ENGINE_CPU, states, false), ENGINE_CPU, false, "setting");
    check(engine_choose(ENGINE_CUDA, states, false), ENGINE_CPU, true, "install cuda");
    states[ENGINE_CUDA] = with_problem("no driver");
    check(engine_choose(ENGINE_CUDA, states, false), ENGINE_CPU, true, "no driver");
    states[ENGINE_CUDA] = (struct engine_state){ .installed = true };
    check(engine_choose(ENGINE_CUDA, states, false), ENGINE_CPU, true, "no device");
}

/* A probe takes seconds: meanwhile nothing is wrong. */
static void test_an_engine_that_is_being_asked_has_no_fault_yet(void **state) {
    (void)state;
    struct engine_state states[ENGINE_KINDS] = { 0 };
    states[ENGINE_VULKAN] = (struct engine_state){ .installed = true, .asking = true };
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CPU, false,
          "vulkan: It is being asked");
    check(engine_choose(ENGINE_VULKAN, states, false), ENGINE_CPU, false, "It is being asked");
    states[ENGINE_CUDA] = with_device("NVIDIA");
    check(engine_choose(ENGINE_AUTO, states, false), ENGINE_CUDA, false, "NVIDIA");
}

static bool parse(const char *text, struct engine_report *report) {
    struct error err;
    return engine_report_parse(text, strlen(text), report, &err);
}

static void test_a_report_is_read(void **state) {
    (void)state;
    struct engine_report report;
    assert_true(parse("{\"devices\":[{\"name\":\"Vulkan0\",\"description\":\"a\\ncard\","
                      "\"total_bytes\":8,\"free_bytes\":7}]}",
                      &report));
    assert_int_equal(report.count, 1);
    assert_string_equal(report.devices[0].name, "Vulkan0");
    assert_null(strchr(report.devices[0].description, '\n'));
    assert_int_equal(report.devices[0].total, 8);
    assert_int_equal(report.devices[0].free, 7);
    assert_string_equal(report.problem, "");
    assert_true(parse("{\"devices\":[],\"problem\":\"libvulkan.so.1\"}", &report));
    assert_int_equal(report.count, 0);
    assert_string_equal(report.problem, "libvulkan.so.1");
}

static void test_a_drivers_noise_is_no_report(void **state) {
    (void)state;
    struct engine_report report;
    assert_false(parse("", &report));
    assert_false(parse("MESA: warning", &report));
    assert_false(parse("{}", &report));
    assert_true(parse("{\"devices\":[1,{},[],null]}", &report));
    assert_int_equal(report.devices[0].total, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auto_without_an_engine_for_gpus_is_the_cpu),
        cmocka_unit_test(test_auto_takes_what_finds_a_device_and_cuda_first),
        cmocka_unit_test(test_auto_falls_back_to_the_cpu_and_says_what_failed),
        cmocka_unit_test(test_a_named_engine_is_taken_or_the_cpu_with_the_reason),
        cmocka_unit_test(test_an_engine_that_is_being_asked_has_no_fault_yet),
        cmocka_unit_test(test_a_report_is_read),
        cmocka_unit_test(test_a_drivers_noise_is_no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
