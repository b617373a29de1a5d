/* SPDX-License-Identifier: MIT */
#include "api/service.h"

#include <string.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"

static void test_stop_reasons_go_both_ways(void **state) {
    (void)state;
    for (int i = STOP_EOS; i <= STOP_FAILED; i++) {
        enum stop_reason reason = (enum stop_reason)i;
        assert_int_equal(stop_reason_parse(stop_reason_name(reason)), reason);
    }
    assert_string_equal(stop_reason_name(STOP_EOS), "eosFound");
    assert_string_equal(stop_reason_name(STOP_UNLOADED), "modelUnloaded");
    assert_int_equal(stop_reason_parse("somethingNew"), STOP_FAILED);
    assert_int_equal(stop_reason_parse(""), STOP_FAILED);
}

static void test_states_have_names(void **state) {
    (void)state;
    assert_string_equal(instance_state_name(INSTANCE_LOADING), "loading");
    assert_string_equal(instance_state_name(INSTANCE_IDLE), "idle");
    assert_string_equal(instance_state_name(INSTANCE_BUSY), "busy");
    assert_string_equal(instance_state_name(INSTANCE_DRAINING), "draining");
    assert_string_equal(instance_state_name(INSTANCE_UNLOADING), "unloading");
    assert_string_equal(instance_state_name(INSTANCE_QUEUED), "queued");
}

/* ASan tells if something stays. */
static void test_clear_accepts_zeroed_and_full(void **state) {
    struct service_request request = { 0 };
    (void)state;
    service_request_clear(&request);
    request.model = xstrdup("m");
    request.body = yyjson_mut_doc_new(NULL);
    request.sealed.text = xstrdup("{}");
    service_request_clear(&request);
    assert_null(request.model);
    assert_null(request.body);
    service_request_clear(&request);
}

static bool has_images(const char *body) {
    yyjson_doc *doc = yyjson_read(body, strlen(body), 0);
    struct service_request request = { .body = yyjson_doc_mut_copy(doc, NULL) };
    yyjson_doc_free(doc);
    service_request_seal(&request);
    assert_null(request.body);
    bool has = request.sealed.has_images;
    service_request_clear(&request);
    return has;
}

static void test_an_image_is_found_in_any_message(void **state) {
    (void)state;
    assert_true(has_images("{\"messages\":[{\"content\":\"a\"},{\"content\":[{\"type\":"
                           "\"text\",\"text\":\"b\"},{\"type\":\"image_url\"}]}]}"));
    assert_false(has_images("{\"messages\":[{\"content\":[{\"type\":\"text\"}]}]}"));
    assert_false(has_images("{\"messages\":[{\"content\":null},{},1,"
                            "{\"content\":\"image_url\"},{\"content\":[1,[]]}]}"));
    assert_false(has_images("{\"messages\":{\"content\":[{\"type\":\"image_url\"}]}}"));
    assert_false(has_images("{\"prompt\":\"image_url\"}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_reasons_go_both_ways),
        cmocka_unit_test(test_states_have_names),
        cmocka_unit_test(test_clear_accepts_zeroed_and_full),
        cmocka_unit_test(test_an_image_is_found_in_any_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
