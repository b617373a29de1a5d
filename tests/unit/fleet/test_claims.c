/* SPDX-License-Identifier: MIT */
/* Claims on a real loop and real sockets, against an etcd that answers what a test says. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <string.h>

#include "fleet/claims.h"
#include "gateway.h"

#define CREATED "{\"succeeded\":true}"
/* {"node":"b"} and {"node":"a"} */
#define TAKEN_BY_B                                                                             \
    "{\"responses\":[{\"response_range\":{\"kvs\":[{\"key\":\"YQ==\",\"value\":"               \
    "\"eyJub2RlIjoiYiJ9\"}]}}]}"
#define TAKEN_BY_A                                                                             \
    "{\"responses\":[{\"response_range\":{\"kvs\":[{\"key\":\"YQ==\",\"value\":"               \
    "\"eyJub2RlIjoiYSJ9\"}]}}]}"

struct scene {
    struct gateway g;
    const char *reply; /* to a creation */
    int status;
    int removal_status; /* 0: 200 */
    int creations, removals;
    struct claims *claims;
    int answers;
    char holder[64]; /* "-": this node loads */
    struct claim *claim;
    bool drops; /* from the sink */
};

static void reply(struct exchange *x, int status, const char *body) {
    exchange_reply(x, status, "application/json", body, strlen(body));
}

/* {"node":"a","cold":true,"since":1} */
#define VALUE "\"value\":\"eyJub2RlIjoiYSIsImNvbGQiOnRydWUsInNpbmNlIjoxfQ==\""

static void on_transaction(void *ctx, struct exchange *x) {
    struct scene *s = ctx;
    size_t len;
    const char *body = exchange_body(x, &len);
    bool removes = strstr(body, "request_delete_range") != NULL;
    *(removes ? &s->removals : &s->creations) += 1;
    if (removes) assert_non_null(strstr(body, VALUE)); /* of that claim, not of any */
    if (removes)
        reply(x, s->removal_status ? s->removal_status : 200, "{}");
    else
        reply(x, s->status, s->reply);
}

static const struct http_route routes[] = {
    { "POST", "/v3/kv/txn", 1 << 20, HTTP_OPEN, on_transaction },
};

static void on_answer(void *ctx, const char *holder) {
    struct scene *s = ctx;
    s->answers++;
    (void)snprintf(s->holder, sizeof s->holder, "%s", holder ? holder : "-");
    if (s->drops) claim_drop(s->claim);
}

static void open_scene(struct scene *s) {
    struct error err;
    *s = (struct scene){ .status = 200, .reply = CREATED };
    gateway_open(&s->g, routes, 1, s);
    const char *endpoints[] = { s->g.url };
    struct claims_config config = {
        .loop = &s->g.loop, .node = "a", .endpoints = endpoints, .endpoint_count = 1
    };
    s->claims = claims_new(&config, &err);
    assert_non_null(s->claims);
}

static void close_scene(struct scene *s) {
    claims_close(s->claims);
    gateway_close(&s->g);
}

static struct claim *take(struct scene *s) {
    return claims_take(s->claims, "m", 5, 1, (struct claim_sink){ on_answer, s });
}

static void test_a_claim_is_made_and_goes_when_the_load_is_over(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.claim = take(&s);
    assert_int_equal(s.answers, 0); /* not before it returns */
    gateway_wait(&s.g, &s.answers, 1);
    assert_string_equal(s.holder, "-");
    claim_drop(s.claim);
    gateway_wait(&s.g, &s.removals, 1);
    close_scene(&s);
}

static void test_who_has_the_claim_is_told_and_keeps_it(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.reply = TAKEN_BY_B;
    s.drops = true;
    s.claim = take(&s);
    gateway_wait(&s.g, &s.answers, 1);
    assert_string_equal(s.holder, "b");
    s.reply = CREATED; /* whatever comes now would have been sent after a removal */
    s.drops = false;
    s.claim = take(&s);
    gateway_wait(&s.g, &s.answers, 2);
    assert_int_equal(s.removals, 0);
    claim_drop(s.claim);
    close_scene(&s);
}

static void test_another_request_of_this_node_joins_its_claim(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    struct claim *first = take(&s);
    gateway_wait(&s.g, &s.answers, 1);
    s.reply = TAKEN_BY_A;
    struct claim *second = take(&s);
    gateway_wait(&s.g, &s.answers, 2);
    assert_string_equal(s.holder, "-");
    claim_drop(second); /* is not the one that made it */
    claim_drop(first);
    gateway_wait(&s.g, &s.removals, 1);
    close_scene(&s);
}

static void test_a_claim_that_is_dropped_too_soon_goes_when_it_is_made(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    claim_drop(take(&s));
    gateway_wait(&s.g, &s.removals, 1);
    assert_int_equal(s.answers, 0);
    s.claim = take(&s);
    claim_drop(take(&s)); /* waits for the one before: never sent */
    gateway_wait(&s.g, &s.answers, 1);
    claim_drop(s.claim);
    gateway_wait(&s.g, &s.removals, 2);
    assert_int_equal(s.creations, 2);
    close_scene(&s);
}

static void test_an_etcd_that_fails_does_not_hold_up_a_load(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.status = 503;
    s.reply = "{\"error\":\"no leader\",\"code\":14}";
    s.claim = take(&s);
    gateway_wait(&s.g, &s.answers, 1);
    assert_string_equal(s.holder, "-");
    claim_drop(s.claim); /* it may have been made */
    gateway_wait(&s.g, &s.removals, 1);
    close_scene(&s);
}

static void test_of_many_claims_one_waits_for_an_etcd_that_fails(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.status = 503;
    s.reply = "{\"error\":\"no leader\",\"code\":14}";
    struct claim *list[3];
    for (int i = 0; i < 3; i++) list[i] = take(&s);
    gateway_wait(&s.g, &s.answers, 3);
    assert_int_equal(s.creations, 1);
    assert_string_equal(s.holder, "-");
    for (int i = 0; i < 3; i++) claim_drop(list[i]);
    struct claim *after = take(&s); /* comes behind what is to be removed */
    gateway_wait(&s.g, &s.answers, 4);
    assert_int_equal(s.removals, 1); /* of the one that may have been made */
    claim_drop(after);
    close_scene(&s);
}

static void test_no_claim_waits_for_a_removal_that_fails(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    s.claim = take(&s);
    gateway_wait(&s.g, &s.answers, 1);
    s.removal_status = 503;
    claim_drop(s.claim);
    s.claim = take(&s);
    gateway_wait(&s.g, &s.answers, 2);
    assert_int_equal(s.removals, 1);
    assert_int_equal(s.creations, 1); /* the second one was not asked for */
    assert_string_equal(s.holder, "-");
    claim_drop(s.claim);
    close_scene(&s);
}

static void test_claims_that_wait_are_answered_at_the_end(void **state) {
    (void)state;
    struct scene s;
    open_scene(&s);
    struct claim *first = take(&s), *second = take(&s);
    claims_close(s.claims);
    s.claims = NULL;
    assert_int_equal(s.answers, 2);
    assert_string_equal(s.holder, "-");
    claim_drop(first);
    claim_drop(second);
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_claim_is_made_and_goes_when_the_load_is_over),
        cmocka_unit_test(test_who_has_the_claim_is_told_and_keeps_it),
        cmocka_unit_test(test_another_request_of_this_node_joins_its_claim),
        cmocka_unit_test(test_a_claim_that_is_dropped_too_soon_goes_when_it_is_made),
        cmocka_unit_test(test_an_etcd_that_fails_does_not_hold_up_a_load),
        cmocka_unit_test(test_of_many_claims_one_waits_for_an_etcd_that_fails),
        cmocka_unit_test(test_no_claim_waits_for_a_removal_that_fails),
        cmocka_unit_test(test_claims_that_wait_are_answered_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
