/* SPDX-License-Identifier: MIT */
/* A schema or grammar is checked by a worker without a model before anything is loaded. */
#include "scene.h"

#include <string.h>

#include "base/xalloc.h"
#include "supervisor/known_rules.h"

#define CHAT(more)                                                                             \
    "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" more "}"
#define SCHEMA(type)                                                                           \
    CHAT(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"                     \
         "{\"schema\":{\"type\":\"" type "\"}}}")

static call_id chat_with(struct scene *s, const char *body, struct told *told) {
    call_id id = generate_with(s, OP_CHAT, "one", body, told);
    turn(s);
    return id;
}

static void test_a_checked_schema_is_loaded_for(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("string"), s->told);
    assert_int_equal(puppet_count(), 1);
    const char *rules = puppet_heard(puppet(0), MSG_CHECK);
    assert_non_null(strstr(rules, "{\\\"type\\\":\\\"string\\\"}"));
    assert_null(puppet_heard(puppet(0), MSG_LOAD));
    say(s, 0, MSG_CHECKED, "{}");
    assert_true(puppet_was_killed(puppet(0)));
    assert_int_equal(puppet_count(), 2);
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
    assert_int_equal(told_of(s->told), 0);
}

static void test_a_schema_that_cannot_be_used_costs_no_load(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("bogus"), s->told);
    say(s, 0, MSG_FAILED,
        "{\"code\":\"invalid_request_error\",\"text\":\"It is bogus.\","
        "\"param\":\"response_format\"}");
    assert_int_equal(s->told->errors, 1);
    assert_int_equal(s->told->error.code, ERR_INVALID_REQUEST);
    assert_string_equal(s->told->error.text, "It is bogus.");
    assert_string_equal(s->told->error.param, "response_format");
    assert_int_equal(puppet_count(), 1);
}

static void test_a_grammar_that_kills_its_reader_costs_no_load(void **state) {
    struct scene *s = *state;
    chat_with(s, CHAT(",\"grammar\":\"root ::= x\""), s->told);
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_CHECK), "root ::= x"));
    puppet_die_of(puppet(0), "was killed by signal 11 (Segmentation fault)");
    turn(s);
    assert_int_equal(s->told->error.code, ERR_INVALID_REQUEST);
    assert_int_equal(puppet_count(), 1);
}

static void test_rules_that_are_known_are_not_checked_again(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("string"), s->told);
    say(s, 0, MSG_CHECKED, "{}");
    say(s, 1, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"No.\"}");
    die(s, 1);
    assert_int_equal(s->told->errors, 1);
    int before = puppet_count();
    chat_with(s, SCHEMA("string"), &s->told[1]);
    for (int i = before; i < puppet_count(); i++)
        assert_null(puppet_heard(puppet(i), MSG_CHECK));
}

static void test_beside_a_model_that_is_up_nothing_is_checked(void **state) {
    struct scene *s = *state;
    ask(s, "one", s->told);
    say(s, 0, MSG_READY, READY);
    chat_with(s, SCHEMA("string"), &s->told[1]);
    assert_int_equal(puppet_count(), 1);
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_REQUEST), "json_schema"));
}

static void test_two_checks_at_a_time_and_the_others_in_line(void **state) {
    struct scene *s = *state;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c"), SCHEMA("d") };
    static const char refused[] = "{\"code\":\"invalid_request_error\",\"text\":\"No.\"}";
    for (int i = 0; i < 4; i++) chat_with(s, bodies[i], &s->told[i]);
    assert_int_equal(puppet_count(), 2);
    say(s, 1, MSG_FAILED, refused);
    assert_int_equal(puppet_count(), 3);
    assert_non_null(strstr(puppet_heard(puppet(2), MSG_CHECK), "\\\"c\\\""));
    puppet_die_of(puppet(0), "exited with status 1");
    turn(s);
    say(s, 2, MSG_FAILED, refused);
    assert_non_null(strstr(puppet_heard(puppet(3), MSG_CHECK), "\\\"d\\\""));
    say(s, 3, MSG_FAILED, refused);
    for (int i = 0; i < 4; i++) assert_int_equal(s->told[i].errors, 1);
    assert_int_equal(puppet_count(), 4);
}

static call_id chat_of(struct scene *s, uint64_t client, const char *body, struct told *told) {
    yyjson_doc *doc = yyjson_read(body, strlen(body), 0);
    struct service_request request = { .op = OP_CHAT,
                                       .model = xstrdup("one"),
                                       .client = client,
                                       .body = yyjson_doc_mut_copy(doc, NULL) };
    struct service_sink sink = { .on_event = told_event, .ctx = told };
    yyjson_doc_free(doc);
    call_id id = supervisor_generate(s->sup, &request, sink);
    turn(s);
    return id;
}

static uint32_t place_of(struct scene *s, call_id id) {
    struct service_wait wait;
    supervisor_wait(s->sup, id, &wait);
    return wait.kind == WAIT_IN_LINE ? wait.place : 0;
}

static void test_order_1_checks_go_round_over_clients(void **state) {
    struct scene *s = *state;
    static const char refused[] = "{\"code\":\"invalid_request_error\",\"text\":\"No.\"}";
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c"), SCHEMA("d") };
    for (int i = 0; i < 4; i++) chat_of(s, 7, bodies[i], &s->told[i]);
    chat_of(s, 8, SCHEMA("e"), &s->told[4]);
    chat_of(s, 8, SCHEMA("f"), &s->told[5]);
    say(s, 0, MSG_FAILED, refused);
    assert_non_null(strstr(puppet_heard(puppet(2), MSG_CHECK), "\\\"e\\\""));
    say(s, 1, MSG_FAILED, refused);
    assert_non_null(strstr(puppet_heard(puppet(3), MSG_CHECK), "\\\"c\\\""));
}

static void test_order_4_who_waits_for_a_check_is_told_its_place(void **state) {
    struct scene *s = *state;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c") };
    call_id first = chat_of(s, 7, bodies[0], &s->told[0]);
    (void)chat_of(s, 7, bodies[1], &s->told[1]);
    call_id third = chat_of(s, 7, bodies[2], &s->told[2]);
    assert_int_equal(place_of(s, first), 0); /* it is under way */
    assert_int_equal(place_of(s, third), 1);
    call_id other = chat_of(s, 8, SCHEMA("e"), &s->told[3]);
    assert_int_equal(place_of(s, other), 1);
    assert_int_equal(place_of(s, third), 2);
    call_id nobody = chat_of(s, 0, SCHEMA("f"), &s->told[4]);
    assert_int_equal(place_of(s, nobody), 2);
}

static void test_order_1_of_nobody_each_check_is_a_client(void **state) {
    struct scene *s = *state;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c") };
    call_id last = 0;
    for (int i = 0; i < 3; i++) last = chat_of(s, 0, bodies[i], &s->told[i]);
    call_id other = chat_of(s, 8, SCHEMA("e"), &s->told[3]);
    assert_int_equal(place_of(s, last), 1);
    assert_int_equal(place_of(s, other), 2);
}

static void test_who_leaves_while_it_is_checked_loads_nothing(void **state) {
    struct scene *s = *state;
    call_id id = chat_with(s, SCHEMA("string"), s->told);
    supervisor_cancel(s->sup, id);
    turn(s);
    say(s, 0, MSG_CHECKED, "{}");
    assert_int_equal(puppet_count(), 1);
    assert_int_equal(told_of(s->told), 0);
}

static void test_a_reader_killed_from_outside_tells_nothing(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("string"), s->told);
    puppet_die_of(puppet(0), "was killed by signal 9 (Killed)");
    turn(s);
    assert_int_equal(told_of(s->told), 0);
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
}

static void test_where_no_reader_starts_the_line_moves_on(void **state) {
    struct scene *s = *state;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c"), SCHEMA("d") };
    for (int i = 0; i < 4; i++) chat_with(s, bodies[i], &s->told[i]);
    puppets_start(false);
    say(s, 0, MSG_FAILED, "{\"code\":\"invalid_request_error\",\"text\":\"No.\"}");
    puppets_start(true);
    for (int i = 2; i < 4; i++) assert_int_equal(told_of(&s->told[i]), 1);
}

static void test_who_leaves_ends_the_check(void **state) {
    struct scene *s = *state;
    call_id id = chat_with(s, SCHEMA("string"), s->told);
    supervisor_cancel(s->sup, id);
    assert_true(puppet_was_killed(puppet(0)));
    die(s, 0);
    assert_int_equal(puppet_count(), 1);
}

static void test_a_stop_refuses_what_waits_for_a_check(void **state) {
    struct scene *s = *state;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c") };
    for (int i = 0; i < 3; i++) chat_with(s, bodies[i], &s->told[i]);
    supervisor_shutdown(s->sup);
    turn(s);
    for (int i = 0; i < 3; i++) assert_int_equal(s->told[i].error.code, ERR_SHUTTING_DOWN);
    for (int i = 0; i < 2; i++) assert_true(puppet_was_killed(puppet(i)));
}

static void test_no_more_than_may_wait_are_in_line(void **state) {
    struct scene *s = *state;
    s->settings.rules.max_waiting = 1;
    static const char *const bodies[] = { SCHEMA("a"), SCHEMA("b"), SCHEMA("c"), SCHEMA("d") };
    for (int i = 0; i < 4; i++) chat_with(s, bodies[i], &s->told[i]);
    assert_int_equal(told_of(&s->told[2]), 0);
    assert_int_equal(s->told[3].error.code, ERR_QUEUE_FULL);
    assert_true(s->told[3].error.retry_after > 0);
}

static void test_the_oldest_known_rules_are_forgotten(void **state) {
    (void)state;
    struct known_rules known = { 0 };
    for (uint64_t hash = 1; hash <= KNOWN_RULES_MAX; hash++) known_rules_add(&known, hash);
    known_rules_add(&known, 1);
    assert_true(known_rules_has(&known, 1));
    known_rules_add(&known, 7000);
    assert_false(known_rules_has(&known, 1));
    assert_true(known_rules_has(&known, 2));
    assert_true(known_rules_has(&known, 7000));
    assert_int_not_equal(known_rules_hash("", 0), 0);
    assert_int_not_equal(known_rules_hash("a", 1), known_rules_hash("b", 1));
}

static void test_who_waits_for_a_check_joins_the_load_of_its_model(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("a"), &s->told[0]);
    chat_with(s, SCHEMA("b"), &s->told[1]);
    chat_with(s, SCHEMA("c"), &s->told[2]); /* in line */
    ask(s, "one", &s->told[3]);
    turn(s);
    assert_non_null(puppet_heard(puppet(2), MSG_LOAD));
    for (int i = 0; i < 2; i++) assert_true(puppet_was_killed(puppet(i)));
    die(s, 0);
    say(s, 2, MSG_READY, READY);
    assert_non_null(strstr(puppet_heard(puppet(2), MSG_REQUEST), "json_schema"));
    for (int i = 0; i < 3; i++) assert_int_equal(told_of(&s->told[i]), 0);
    for (int i = 3; i < puppet_count(); i++) assert_null(puppet_heard(puppet(i), MSG_CHECK));
}

/* The old check's end says nothing of the new one. */
static void test_a_load_that_is_called_off_at_once_leaves_the_check_to_be_done(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("a"), &s->told[0]);
    (void)generate(s, OP_COMPLETION, "one", &s->told[1]);
    struct done_sink sink = { .on_end = told_done, .ctx = &s->told[2] };
    (void)supervisor_unload(s->sup, "one", sink);
    turn(s);
    assert_true(puppet_was_killed(puppet(0)));
    assert_non_null(puppet_heard(puppet(2), MSG_CHECK));
    die(s, 0);
    die(s, 1);
    for (int i = 3; i < puppet_count(); i++) assert_null(puppet_heard(puppet(i), MSG_LOAD));
    say(s, 2, MSG_FAILED, "{\"code\":\"invalid_request_error\",\"text\":\"No.\"}");
    assert_string_equal(s->told[0].error.text, "No.");
}

static void test_another_models_load_ends_no_check(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("a"), s->told);
    ask(s, "two", &s->told[1]);
    turn(s);
    assert_false(puppet_was_killed(puppet(0)));
    say(s, 0, MSG_FAILED, "{\"code\":\"invalid_request_error\",\"text\":\"No.\"}");
    assert_int_equal(s->told->errors, 1);
}

static void test_the_same_rules_are_checked_once(void **state) {
    struct scene *s = *state;
    chat_with(s, SCHEMA("a"), &s->told[0]);
    chat_with(s, SCHEMA("b"), &s->told[1]);
    generate_with(s, OP_CHAT, "two", SCHEMA("a"), &s->told[2]);
    turn(s);
    say(s, 0, MSG_CHECKED, "{}");
    assert_true(puppet_count() > 2);
    for (int i = 2; i < puppet_count(); i++) assert_null(puppet_heard(puppet(i), MSG_CHECK));
}

static void test_memory_counts_processes_that_check(void **state) {
    struct scene *s = *state;
    s->settings.memory_limit = 100 << 20; /* a load needs about 50 MB */
    puppets_take(80 << 20);
    chat_with(s, SCHEMA("a"), s->told);
    ask(s, "two", &s->told[1]);
    turn(s);
    assert_int_equal(s->told[1].error.code, ERR_NO_MEMORY);
    puppets_take(0);
    ask(s, "two", &s->told[2]);
    turn(s);
    assert_int_equal(told_of(&s->told[2]), 0);
}

static void test_without_jit_loading_nothing_is_checked(void **state) {
    struct scene *s = *state;
    s->settings.rules.jit = false;
    supervisor_settings_changed(s->sup);
    chat_with(s, SCHEMA("a"), s->told);
    assert_int_equal(s->told->error.code, ERR_MODEL_NOT_FOUND);
    assert_int_equal(puppet_count(), 0);
}

static void test_a_count_of_tokens_costs_no_load_of_an_embedding_model(void **state) {
    struct scene *s = *state;
    s->models[0].type = MODEL_EMBEDDINGS;
    generate_with(s, OP_TEMPLATE, "one",
                  "{\"op\":\"template\",\"count\":true,\"messages\":[{\"role\":\"user\","
                  "\"content\":\"Hi\"}]}",
                  s->told);
    turn(s);
    assert_int_equal(s->told->error.code, ERR_INVALID_REQUEST);
    assert_string_equal(s->told->error.param, "model");
    assert_int_equal(puppet_count(), 0);
    generate_with(s, OP_TOKENIZE, "one", "{\"op\":\"tokenize\",\"text\":\"Hi\"}", &s->told[1]);
    turn(s);
    assert_non_null(puppet_heard(puppet(0), MSG_LOAD));
}

static void test_memory_of_a_check_with_its_answer_is_free(void **state) {
    struct scene *s = *state;
    s->settings.memory_limit = 100 << 20;
    puppets_take(80 << 20);
    chat_with(s, SCHEMA("a"), s->told);
    say(s, 0, MSG_CHECKED, "{}"); /* its process is still there */
    assert_int_equal(told_of(s->told), 0);
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
}

static void test_memory_of_measuring_does_not_count(void **state) {
    struct scene *s = *state;
    s->settings.memory_limit = 100 << 20;
    puppets_take(80 << 20);
    estimate(s, s->told);
    ask(s, "two", &s->told[1]);
    turn(s);
    assert_int_equal(told_of(&s->told[1]), 0);
}

#define REFUSED(s, param_name, err_code)                                                       \
    do {                                                                                       \
        assert_int_equal((s)->told->errors, 1);                                                \
        assert_int_equal((s)->told->error.code, err_code);                                     \
        assert_string_equal((s)->told->error.param, param_name);                               \
        assert_int_equal(puppet_count(), 0);                                                   \
    } while (0)

static void test_tokens_beyond_the_vocabulary_cost_no_load(void **state) {
    struct scene *s = *state;
    s->models[0].vocabulary = 100;
    generate_with(s, OP_COMPLETION, "one", "{\"op\":\"completion\",\"prompt\":[99,100]}",
                  s->told);
    turn(s);
    REFUSED(s, "prompt", ERR_INVALID_REQUEST);
    *s->told = (struct told){ 0 };
    chat_with(s, CHAT(",\"logit_bias\":{\"100\":1}"), s->told);
    REFUSED(s, "logit_bias", ERR_INVALID_REQUEST);
    chat_with(s, CHAT(",\"logit_bias\":{\"99\":1}"), &s->told[1]);
    assert_non_null(puppet_heard(puppet(0), MSG_LOAD));
}

/* Reading one of 16 MB would hold the loop for 0.1 s. */
static void test_a_body_of_many_values_is_left_to_its_worker(void **state) {
    enum { READ_MAX = 500000, OTHERS = 5 }; /* the objects, names and words around the tokens */
    struct scene *s = *state;
    s->models[0].vocabulary = 100;
    for (int more = 0; more < 2; more++) {
        struct buf body = BUF_INIT(4 << 20);
        (void)buf_add_str(&body, "{\"op\":\"completion\",\"prompt\":[100");
        for (int i = 1; i < READ_MAX - OTHERS + more; i++) (void)buf_add_str(&body, ",100");
        (void)buf_add_str(&body, "]}");
        generate_with(s, OP_COMPLETION, "one", buf_str(&body), &s->told[more]);
        turn(s);
        assert_int_equal(s->told[more].errors, !more);
        assert_int_equal(puppet_count(), more);
        buf_clear(&body);
    }
    assert_non_null(puppet_heard(puppet(0), MSG_LOAD));
}

static void test_an_unknown_vocabulary_refuses_no_token(void **state) {
    struct scene *s = *state;
    chat_with(s, CHAT(",\"logit_bias\":{\"100\":1}"), s->told);
    assert_non_null(puppet_heard(puppet(0), MSG_LOAD));
}

static void test_a_gap_costs_no_load_of_a_model_without_its_marks(void **state) {
    struct scene *s = *state;
    static const char gap[] = "{\"op\":\"completion\",\"prompt\":\"a\",\"suffix\":\"b\"}";
    generate_with(s, OP_COMPLETION, "one", gap, s->told);
    turn(s);
    REFUSED(s, "suffix", ERR_NOT_SUPPORTED);
    s->models[0].infill = true;
    generate_with(s, OP_COMPLETION, "one", gap, &s->told[1]);
    turn(s);
    assert_non_null(puppet_heard(puppet(0), MSG_LOAD));
}

static void test_a_strict_tool_is_checked_before_a_load(void **state) {
    struct scene *s = *state;
    chat_with(
        s,
        CHAT(",\"tools\":[{\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"str\"}},"
             "\"strict\":true}]"),
        s->told);
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_CHECK), "\"strict\":true"));
    assert_null(puppet_heard(puppet(0), MSG_LOAD));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_checked_schema_is_loaded_for),
        TEST(test_a_schema_that_cannot_be_used_costs_no_load),
        TEST(test_a_grammar_that_kills_its_reader_costs_no_load),
        TEST(test_rules_that_are_known_are_not_checked_again),
        TEST(test_beside_a_model_that_is_up_nothing_is_checked),
        TEST(test_two_checks_at_a_time_and_the_others_in_line),
        TEST(test_order_1_checks_go_round_over_clients),
        TEST(test_order_1_of_nobody_each_check_is_a_client),
        TEST(test_order_4_who_waits_for_a_check_is_told_its_place),
        TEST(test_who_leaves_while_it_is_checked_loads_nothing),
        TEST(test_a_reader_killed_from_outside_tells_nothing),
        TEST(test_where_no_reader_starts_the_line_moves_on),
        TEST(test_who_leaves_ends_the_check),
        TEST(test_a_stop_refuses_what_waits_for_a_check),
        TEST(test_no_more_than_may_wait_are_in_line),
        TEST(test_who_waits_for_a_check_joins_the_load_of_its_model),
        TEST(test_a_load_that_is_called_off_at_once_leaves_the_check_to_be_done),
        TEST(test_another_models_load_ends_no_check),
        TEST(test_the_same_rules_are_checked_once),
        TEST(test_memory_counts_processes_that_check),
        TEST(test_without_jit_loading_nothing_is_checked),
        TEST(test_a_count_of_tokens_costs_no_load_of_an_embedding_model),
        TEST(test_memory_of_a_check_with_its_answer_is_free),
        TEST(test_memory_of_measuring_does_not_count),
        TEST(test_tokens_beyond_the_vocabulary_cost_no_load),
        TEST(test_a_body_of_many_values_is_left_to_its_worker),
        TEST(test_an_unknown_vocabulary_refuses_no_token),
        TEST(test_a_gap_costs_no_load_of_a_model_without_its_marks),
        TEST(test_a_strict_tool_is_checked_before_a_load),
        cmocka_unit_test(test_the_oldest_known_rules_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
