/* SPDX-License-Identifier: MIT */
/* What is asked of etcd, byte for byte; and its answers as etcd 3.4.23 gave them. */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/etcd_message.h"

static void assert_body(const struct etcd_request *request, const char *body) {
    struct buf text = BUF_INIT(1 << 16);
    assert_true(etcd_request_format(request, &text));
    assert_string_equal(buf_str(&text), body);
    buf_clear(&text);
}

static void test_requests_are_what_the_gateway_reads(void **state) {
    (void)state;
    assert_string_equal(etcd_path(ETCD_GRANT), "/v3/lease/grant");
    assert_body(&(struct etcd_request){ .call = ETCD_GRANT, .ttl = 10 }, "{\"TTL\":\"10\"}");
    assert_body(&(struct etcd_request){ .call = ETCD_KEEPALIVE, .lease = 7587868438842917380 },
                "{\"ID\":\"7587868438842917380\"}");
    assert_body(
        &(struct etcd_request){ .call = ETCD_PUT, .key = "a", .value = "{}", .lease = 5 },
        "{\"key\":\"YQ==\",\"value\":\"e30=\",\"lease\":\"5\"}");
}

static void test_a_key_is_removed_only_while_it_has_its_value(void **state) {
    (void)state;
    struct etcd_request remove = { .call = ETCD_REMOVE, .key = "a" };
    assert_string_equal(etcd_path(ETCD_REMOVE), "/v3/kv/txn");
    assert_body(&remove, "{\"success\":[{\"request_delete_range\":{\"key\":\"YQ==\"}}]}");
    remove.value = "{}";
    assert_body(&remove, "{\"compare\":[{\"key\":\"YQ==\",\"target\":\"VALUE\","
                         "\"result\":\"EQUAL\",\"value\":\"e30=\"}],"
                         "\"success\":[{\"request_delete_range\":{\"key\":\"YQ==\"}}]}");
}

static void test_a_key_is_created_only_if_absent(void **state) {
    (void)state;
    struct etcd_request create = { .call = ETCD_CREATE, .key = "a", .value = "{}", .lease = 5 };
    assert_string_equal(etcd_path(ETCD_CREATE), "/v3/kv/txn");
    assert_body(&create, "{\"compare\":[{\"key\":\"YQ==\",\"target\":\"CREATE\","
                         "\"result\":\"EQUAL\",\"create_revision\":\"0\"}],"
                         "\"success\":[{\"request_put\":{\"key\":\"YQ==\",\"value\":\"e30=\","
                         "\"lease\":\"5\"}}],"
                         "\"failure\":[{\"request_range\":{\"key\":\"YQ==\"}}]}");
}

static void test_a_prefix_ends_before_the_next_one(void **state) {
    (void)state;
    /* "/doze/" to "/doze0" */
    assert_body(&(struct etcd_request){ .call = ETCD_RANGE, .key = "/doze/" },
                "{\"key\":\"L2RvemUv\",\"range_end\":\"L2RvemUw\"}");
    assert_body(&(struct etcd_request){ .call = ETCD_WATCH, .key = "/doze/", .revision = 12 },
                "{\"create_request\":{\"key\":\"L2RvemUv\",\"range_end\":\"L2RvemUw\","
                "\"start_revision\":\"12\"}}");
}

static bool parse(enum etcd_call call, long status, const char *text, struct etcd_answer *ret,
                  struct error *err) {
    *err = (struct error){ 0 };
    return etcd_answer_parse(call, status, text, strlen(text), ret, err);
}

#define HEADER                                                                                 \
    "\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":"                       \
    "\"10276657743932975437\""                                                                 \
    ",\"revision\":\"7\",\"raft_term\":\"2\"}"

static void test_a_lease_is_granted_and_kept(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(parse(ETCD_GRANT, 200,
                      "{" HEADER ",\"ID\":\"7587868438842917380\",\"TTL\":\"10\"}", &answer,
                      &err));
    assert_int_equal(answer.lease, 7587868438842917380);
    assert_int_equal(answer.ttl, 10);
    assert_true(answer.cluster == 14841639068965178418U);
    assert_int_equal(answer.revision, 7);
    assert_true(parse(ETCD_KEEPALIVE, 200,
                      "{\"result\":{" HEADER ",\"ID\":\"75\",\"TTL\":\"10\"}}", &answer, &err));
    assert_int_equal(answer.ttl, 10);
}

/* Without a wait before the next call that would be a call after the other. */
static void test_a_lease_has_a_number_and_a_time(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    static const char *const none[] = { "{}", "{\"ID\":\"5\"}", "{\"TTL\":\"10\"}",
                                        "{\"ID\":\"5\",\"TTL\":\"-1\"}" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(parse(ETCD_GRANT, 200, none[i], &answer, &err));
        assert_int_equal(err.code, ERR_IO);
    }
}

static void test_a_keepalive_of_a_dead_lease_has_no_ttl(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(
        parse(ETCD_KEEPALIVE, 200, "{\"result\":{" HEADER ",\"ID\":\"75\"}}", &answer, &err));
    assert_int_equal(answer.ttl, 0);
}

static void test_a_put_under_a_dead_lease_is_not_found(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_false(parse(ETCD_PUT, 404,
                       "{\"error\":\"etcdserver: requested lease not found\",\"code\":5,"
                       "\"message\":\"etcdserver: requested lease not found\"}",
                       &answer, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void test_what_may_pass_is_told_from_a_refusal(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_false(parse(ETCD_PUT, 503, "{\"error\":\"etcdserver: no leader\",\"code\":14}",
                       &answer, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "no leader"));
    assert_false(parse(ETCD_PUT, 400,
                       "{\"error\":\"etcdserver: request is too large\","
                       "\"code\":3}",
                       &answer, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_false(parse(ETCD_RANGE, 200, "<html>", &answer, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(parse(ETCD_RANGE, 200, "[1]", &answer, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(parse(ETCD_WATCH, 200,
                       "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"gone\"}}",
                       &answer, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void test_a_range_has_all_pairs(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(parse(ETCD_RANGE, 200,
                      "{" HEADER ",\"kvs\":[{\"key\":\"YQ==\",\"create_revision\":\"2\","
                      "\"mod_revision\":\"2\",\"version\":\"1\",\"value\":\"e30=\","
                      "\"lease\":\"5\"},{\"key\":\"Yg==\",\"value\":\"eyJhIjoxfQ==\"}],"
                      "\"count\":\"2\"}",
                      &answer, &err));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.pairs[0].key, "a");
    assert_string_equal(answer.pairs[0].value, "{}");
    assert_string_equal(answer.pairs[1].value, "{\"a\":1}");
    etcd_answer_clear(&answer);
    assert_true(parse(ETCD_RANGE, 200, "{" HEADER "}", &answer, &err));
    assert_int_equal(answer.count, 0);
}

static void test_a_taken_key_is_answered_with_its_value(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(parse(ETCD_CREATE, 200,
                      "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":"
                      "{\"header\":{\"revision\":\"7\"}}}]}",
                      &answer, &err));
    assert_true(answer.created);
    assert_true(parse(ETCD_CREATE, 200,
                      "{" HEADER ",\"responses\":[{\"response_range\":{\"header\":{},"
                      "\"kvs\":[{\"key\":\"YQ==\",\"value\":\"e30=\"}],\"count\":\"1\"}}]}",
                      &answer, &err));
    assert_false(answer.created);
    assert_int_equal(answer.count, 1);
    etcd_answer_clear(&answer);
}

static void test_a_watch_tells_of_changes_and_of_its_end(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(
        parse(ETCD_WATCH, 200, "{\"result\":{" HEADER ",\"created\":true}}", &answer, &err));
    assert_true(answer.created);
    assert_true(parse(ETCD_WATCH, 200,
                      "{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"YQ==\","
                      "\"value\":\"e30=\"}},{\"type\":\"DELETE\",\"kv\":{\"key\":\"Yg==\","
                      "\"mod_revision\":\"9\"}}]}}",
                      &answer, &err));
    assert_int_equal(answer.count, 2);
    assert_string_equal(answer.pairs[0].value, "{}");
    assert_string_equal(answer.pairs[1].key, "b");
    assert_null(answer.pairs[1].value);
    etcd_answer_clear(&answer);
    assert_true(parse(ETCD_WATCH, 200,
                      "{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"30\"}}",
                      &answer, &err));
    assert_true(answer.canceled);
}

static void test_a_pair_that_is_no_text_is_left_out(void **state) {
    (void)state;
    struct etcd_answer answer;
    struct error err;
    assert_true(parse(ETCD_RANGE, 200,
                      "{\"kvs\":[{\"key\":\"AA==\",\"value\":\"e30=\"},"
                      "{\"key\":\"!\",\"value\":\"e30=\"},{\"key\":\"YQ==\",\"value\":7},"
                      "{\"key\":\"/w==\",\"value\":\"e30=\"},3,{\"value\":\"e30=\"}]}",
                      &answer, &err));
    assert_int_equal(answer.count, 0);
    etcd_answer_clear(&answer);
    /* of a watch: the key no longer has a value of ours */
    assert_true(parse(ETCD_WATCH, 200,
                      "{\"result\":{\"events\":[{\"kv\":{\"key\":\"YQ==\",\"value\":7}}]}}",
                      &answer, &err));
    assert_int_equal(answer.count, 1);
    assert_null(answer.pairs[0].value);
    etcd_answer_clear(&answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_are_what_the_gateway_reads),
        cmocka_unit_test(test_a_key_is_created_only_if_absent),
        cmocka_unit_test(test_a_key_is_removed_only_while_it_has_its_value),
        cmocka_unit_test(test_a_lease_has_a_number_and_a_time),
        cmocka_unit_test(test_a_prefix_ends_before_the_next_one),
        cmocka_unit_test(test_a_lease_is_granted_and_kept),
        cmocka_unit_test(test_a_keepalive_of_a_dead_lease_has_no_ttl),
        cmocka_unit_test(test_a_put_under_a_dead_lease_is_not_found),
        cmocka_unit_test(test_what_may_pass_is_told_from_a_refusal),
        cmocka_unit_test(test_a_range_has_all_pairs),
        cmocka_unit_test(test_a_taken_key_is_answered_with_its_value),
        cmocka_unit_test(test_a_watch_tells_of_changes_and_of_its_end),
        cmocka_unit_test(test_a_pair_that_is_no_text_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
