/* SPDX-License-Identifier: MIT */
/* The line that `systemctl status` shows. What is sent when: tests/e2e/service.test.js. */
#include "cmocka_prelude.h"

#include "daemon/service_report.h"

static void test_the_status_counts_models_and_requests(void **state) {
    (void)state;
    static const struct {
        struct work_counts counts;
        const char *text;
    } rows[] = {
        { { 0, 0, 0 }, "No model is loaded" },
        { { 1, 0, 0 }, "1 model, 0 requests running, 0 waiting" },
        { { 1, 1, 0 }, "1 model, 1 request running, 0 waiting" },
        { { 2, 3, 1 }, "2 models, 3 requests running, 1 waiting" },
        { { UINT32_MAX, UINT32_MAX, UINT32_MAX },
          "4294967295 models, 4294967295 requests running, 4294967295 waiting" },
    };
    char text[SERVICE_STATUS_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        service_report_format(&rows[i].counts, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_status_counts_models_and_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
