/* SPDX-License-Identifier: MIT */
/* What a Responses body leaves to the server to remember. */
#include "cmocka_prelude.h"

#include <string.h>

#include "api/responses/past.h"

static void check_text(struct buf *out, const char *want) {
    assert_string_equal(buf_str(out), want);
    buf_clear(out);
}

static struct past_wanted wanted_of(const char *body) {
    struct past_wanted wanted;
    struct error err;
    if (!past_read(body, strlen(body), &wanted, &err)) fail_msg("%s", err.text);
    return wanted;
}

static void check_refused(const char *body, enum err_code code, const char *param) {
    struct past_wanted wanted;
    struct error err = { 0 };
    assert_false(past_read(body, strlen(body), &wanted, &err));
    assert_int_equal(err.code, code);
    assert_string_equal(err.param, param);
}

static bool is_stored(const char *body) {
    struct past_wanted w = wanted_of(body);
    bool store = w.store;
    past_wanted_clear(&w);
    return store;
}

static void test_it_is_stored_unless_the_client_says_no(void **state) {
    (void)state;
    assert_true(is_stored("{\"input\":\"Hi\"}"));
    assert_true(is_stored("{\"store\":null}"));
    assert_false(is_stored("{\"store\":false}"));
}

/* For a key that may not use all models. */
static void test_wanted_names_the_model(void **state) {
    static const char *const bodies[] = { "{\"model\":\"m\"}", "{}", "{\"model\":1}" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct past_wanted w = wanted_of(bodies[i]);
        assert_string_equal(w.model, i == 0 ? "m" : "");
        past_wanted_clear(&w);
    }
}

static void test_wanted_names_the_past(void **state) {
    (void)state;
    struct past_wanted w = wanted_of(
        "{\"previous_response_id\":\"resp_a\",\"input\":[{\"role\":\"user\",\"content\":\"\"},"
        "{\"type\":\"item_reference\",\"id\":\"msg_b_0\"},"
        "{\"type\":\"item_reference\",\"id\":\"fc_c_d_12\"}]}");
    assert_string_equal(w.previous, "resp_a");
    assert_int_equal(w.item_count, 2);
    assert_string_equal(w.items[0].id, "msg_b_0");
    assert_string_equal(w.items[0].response, "resp_b");
    assert_string_equal(w.items[1].response, "resp_c_d");
    past_wanted_clear(&w);
}

static void test_nonsense_is_refused(void **state) {
    (void)state;
    check_refused("[]", ERR_INVALID_REQUEST, "");
    check_refused("{\"store\":1}", ERR_INVALID_REQUEST, "store");
    check_refused("{\"previous_response_id\":1}", ERR_INVALID_REQUEST, "previous_response_id");
    check_refused("{\"input\":[{},{\"type\":\"item_reference\",\"id\":\"foreign\"}]}",
                  ERR_INVALID_REQUEST, "input[1].id");
    check_refused("{\"input\":[{\"type\":\"item_reference\"}]}", ERR_INVALID_REQUEST,
                  "input[0].id");
}

static void test_too_many_references_are_refused(void **state) {
    struct buf body = BUF_INIT(1 << 20);
    (void)state;
    (void)buf_add_str(&body, "{\"input\":[0");
    for (int i = 0; i < 1001; i++) {
        (void)buf_add_str(&body, ",{\"type\":\"item_reference\",\"id\":\"msg_b_0\"}");
    }
    (void)buf_add_str(&body, "]}");
    check_refused(buf_str(&body), ERR_TOO_LARGE, "input");
    buf_clear(&body);
}

static struct buf text_of(const char *text) {
    struct buf buf = BUF_INIT(1 << 20);
    (void)buf_add_str(&buf, text);
    return buf;
}

static void test_the_past_stands_before_the_input(void **state) {
    static const char body[] =
        "{\"model\":\"m\",\"previous_response_id\":\"resp_a\",\"input\":\"Go on.\"}";
    struct buf found = text_of("{\"items\":[{\"n\":1},{\"n\":2}],\"referenced\":[]}");
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    (void)state;
    assert_true(past_join(body, sizeof body - 1, &found, &out, &err));
    check_text(&out,
               "{\"model\":\"m\",\"previous_response_id\":\"resp_a\",\"input\":[{\"n\":1},"
               "{\"n\":2},{\"type\":\"message\",\"role\":\"user\",\"content\":"
               "\"Go on.\"}]}");
    buf_clear(&found);
}

static void test_references_become_their_items(void **state) {
    static const char body[] = "{\"input\":[{\"type\":\"item_reference\",\"id\":\"msg_b_0\"},"
                               "{\"role\":\"user\",\"content\":\"And?\"},"
                               "{\"type\":\"item_reference\",\"id\":\"msg_b_1\"}]}";
    struct buf found = text_of("{\"items\":[],\"referenced\":[{\"n\":1},{\"n\":2}]}");
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    (void)state;
    assert_true(past_join(body, sizeof body - 1, &found, &out, &err));
    check_text(&out, "{\"input\":[{\"n\":1},{\"role\":\"user\",\"content\":\"And?\"},"
                     "{\"n\":2}]}");
    buf_clear(&found);
}

static void test_a_conversation_past_the_limit_is_refused(void **state) {
    static const char body[] = "{\"input\":\"Go on.\"}";
    struct buf found = text_of("{\"items\":[{\"n\":1},{\"n\":2}],\"referenced\":[]}");
    struct buf out = BUF_INIT(20);
    struct error err;
    (void)state;
    assert_false(past_join(body, sizeof body - 1, &found, &out, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&found);
    buf_clear(&out);
}

static void check_input(const char *body, const char *want) {
    struct buf out = BUF_INIT(1 << 20);
    struct error err;
    if (!past_format_input(body, strlen(body), NULL, "x", &out, &err)) fail_msg("%s", err.text);
    check_text(&out, want);
}

static void test_stored_items_have_types_parts_and_ids(void **state) {
    (void)state;
    check_input("{\"input\":\"Hi\"}",
                "[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":"
                "\"input_text\",\"text\":\"Hi\"}],\"id\":\"msg_x_i0\"}]");
    check_input("{\"input\":[{\"role\":\"assistant\",\"content\":\"Ho\",\"id\":\"own\"},"
                "{\"type\":\"function_call\",\"call_id\":\"c\"},7]}",
                "[{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":"
                "\"Ho\",\"annotations\":[]}],\"id\":\"own\",\"type\":\"message\"},"
                "{\"type\":\"function_call\",\"call_id\":\"c\",\"id\":\"item_x_i1\"},7]");
    check_input("{}", "[]");
}

static void check_page(struct past_page page, const char *ids, bool more) {
    struct buf items = text_of("[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]");
    struct buf out = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
    struct error err;
    if (!past_format_page(&items, &page, &out, &err)) fail_msg("%s", err.text);
    (void)buf_add_str(&want, "{\"object\":\"list\",\"data\":[");
    for (const char *id = ids; *id; id++) {
        (void)buf_addf(&want, "%s{\"id\":\"%c\"}", id == ids ? "" : ",", *id);
    }
    size_t count = strlen(ids);
    if (count > 0)
        (void)buf_addf(&want, "],\"first_id\":\"%c\",\"last_id\":\"%c\"", *ids, ids[count - 1]);
    else
        (void)buf_add_str(&want, "],\"first_id\":null,\"last_id\":null");
    (void)buf_addf(&want, ",\"has_more\":%s}", more ? "true" : "false");
    assert_string_equal(buf_str(&out), buf_str(&want));
    buf_clear(&items);
    buf_clear(&out);
    buf_clear(&want);
}

static void test_pages(void **state) {
    (void)state;
    check_page((struct past_page){ NULL, NULL, NULL }, "cba", false);
    check_page((struct past_page){ "2", NULL, NULL }, "cb", true);
    check_page((struct past_page){ "2", "desc", "b" }, "a", false);
    check_page((struct past_page){ "1", "asc", "a" }, "b", true);
    check_page((struct past_page){ "100", "asc", "c" }, "", false);
}

static void check_page_refused(struct past_page page, const char *param) {
    struct buf items = text_of("[{\"id\":\"a\"}]"), out = BUF_INIT(1 << 20);
    struct error err = { 0 };
    assert_false(past_format_page(&items, &page, &out, &err));
    assert_string_equal(err.param, param);
    buf_clear(&items);
    buf_clear(&out);
}

static void test_bad_pages_are_refused(void **state) {
    (void)state;
    check_page_refused((struct past_page){ "0", NULL, NULL }, "limit");
    check_page_refused((struct past_page){ "101", NULL, NULL }, "limit");
    check_page_refused((struct past_page){ "many", NULL, NULL }, "limit");
    check_page_refused((struct past_page){ NULL, "up", NULL }, "order");
    check_page_refused((struct past_page){ NULL, NULL, "z" }, "after");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_stored_unless_the_client_says_no),
        cmocka_unit_test(test_wanted_names_the_model),
        cmocka_unit_test(test_wanted_names_the_past),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_too_many_references_are_refused),
        cmocka_unit_test(test_the_past_stands_before_the_input),
        cmocka_unit_test(test_references_become_their_items),
        cmocka_unit_test(test_a_conversation_past_the_limit_is_refused),
        cmocka_unit_test(test_stored_items_have_types_parts_and_ids),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_bad_pages_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
