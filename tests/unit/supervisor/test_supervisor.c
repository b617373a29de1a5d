/* SPDX-License-Identifier: MIT */
/* The supervisor: calls, loads, requests, measuring. */
#include "scene.h"

#include <string.h>

#include "base/memory.h"
#include "base/xalloc.h"

/* ---- the rule of api/service.h ---- */

/* Each of these is refused as soon as it is looked at. */
static void ask_for_nothing(struct scene *s, struct told told[6]) {
    struct load_request request = request_for("none");
    struct load_sink load = { .on_end = told_load_end };
    struct done_sink done = { .on_end = told_done };
    load.ctx = &told[0];
    assert_true(supervisor_load(s->sup, &request, load) != 0);
    load.ctx = &told[1];
    assert_true(supervisor_get_or_load(s->sup, &request, load) != 0);
    struct estimate_sink measure = { .on_end = told_estimate, .ctx = &told[2] };
    assert_true(supervisor_estimate(s->sup, &request, measure) != 0);
    done.ctx = &told[3];
    assert_true(supervisor_unload(s->sup, "none", done) != 0);
    done.ctx = &told[4];
    assert_true(supervisor_update(s->sup, "none", &(struct instance_change){ 0 }, done) != 0);
    assert_true(generate(s, OP_CHAT, "none", &told[5]) != 0);
}

static void test_sinks_never_call_back_synchronously(void **state) {
    struct scene *s = *state;
    ask_for_nothing(s, s->told);
    for (int i = 0; i < 6; i++) assert_int_equal(told_of(&s->told[i]), 0);
    turn(s);
    for (int i = 0; i < 6; i++) assert_int_equal(s->told[i].error.code, ERR_MODEL_NOT_FOUND);
    for (int i = 0; i < 6; i++) assert_int_equal(told_of(&s->told[i]), 1);
}

struct asker {
    struct scene *s;
    bool asking; /* inside of its sink */
    int refused;
};

/* A sink that asks again, as a client in a hurry would, four times. */
static void on_refused(void *ctx, const struct error *error) {
    struct asker *asker = ctx;
    assert_non_null(error);
    assert_false(asker->asking);
    if (++asker->refused == 5) return;
    asker->asking = true;
    struct done_sink sink = { .on_end = on_refused, .ctx = asker };
    (void)supervisor_unload(asker->s->sup, "none", sink);
    asker->asking = false;
}

static void test_a_sink_may_ask_for_more(void **state) {
    struct asker asker = { .s = *state };
    struct done_sink sink = { .on_end = on_refused, .ctx = &asker };
    (void)supervisor_unload(asker.s->sup, "none", sink);
    turn(asker.s);
    assert_int_equal(asker.refused, 5);
}

static void test_a_call_cancelled_before_its_turn_is_never_begun(void **state) {
    struct scene *s = *state;
    call_id call = generate(s, OP_CHAT, "one", s->told);
    supervisor_cancel(s->sup, call);
    turn(s);
    assert_int_equal(puppet_count(), 0);
    assert_int_equal(told_of(s->told), 0);
}

/* ---- loads ---- */

static void test_a_replacement_is_loaded_like_the_worker_that_died(void **state) {
    struct scene *s = *state;
    struct told *first = &s->told[0], *second = &s->told[1];
    struct load_request demanding = request_for("one");
    demanding.settings.context_length = 2048;
    (void)get_or_load(s, demanding, first);
    ask(s, "one", second); /* demands nothing */
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_LOAD), "\"context_length\":2048"));
    die(s, 0);
    assert_int_equal(puppet_count(), 2);
    assert_non_null(strstr(puppet_heard(puppet(1), MSG_LOAD), "\"context_length\":2048"));
    say(s, 1, MSG_READY, READY);
    assert_int_equal(first->results, 1);
}

/* Zeros would say that it has no mmap and a seed of 0. */
static void test_a_queued_instance_shows_unset_settings(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    ask(s, "two", &s->told[1]);
    struct service_models models = supervisor_models(s->sup);
    const struct instance_view *queued = models.models[models.count - 1].instances;
    assert_string_equal(queued->model_key, "two");
    assert_int_equal(queued->state, INSTANCE_QUEUED);
    assert_int_equal(queued->settings->mmap, -1);
    assert_int_equal(queued->settings->seed, -1);
}

static void test_what_is_listed_as_queued_is_not_called_unknown(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    ask(s, "two", &s->told[1]);
    unload(s, "two", &s->told[2]);
    update(s, "two", (struct instance_change){ .ttl = { true, 1000 } }, &s->told[3]);
    for (int i = 2; i <= 3; i++) {
        assert_int_equal(s->told[i].error.code, ERR_MODEL_NOT_FOUND);
        assert_non_null(strstr(s->told[i].error.text, "waits for its place"));
    }
    assert_int_equal(s->told[1].errors, 0);
}

static void test_the_newest_waiter_says_how_a_first_load_is(void **state) {
    struct scene *s = *state;
    struct told *told = s->told;
    ask(s, "one", &told[0]);
    say(s, 0, MSG_READY, READY); /* busy: the other one has to wait */
    struct load_request demanding = request_for("two");
    ask(s, "two", &told[1]);
    demanding.settings.context_length = 1024;
    (void)get_or_load(s, demanding, &told[2]);
    answer(s, 0, MSG_DONE, "{}");
    die(s, 0);
    assert_int_equal(told[0].results, 1);
    assert_int_equal(puppet_count(), 2);
    assert_non_null(strstr(puppet_heard(puppet(1), MSG_LOAD), "\"context_length\":1024"));
}

static void test_a_ready_after_its_load_was_given_up_is_nothing(void **state) {
    struct scene *s = *state;
    struct told *told = s->told;
    s->settings.rules.load_grace = 0;
    supervisor_settings_changed(s->sup);
    call_id call = load(s, request_for("one"), told);
    supervisor_cancel(s->sup, call);
    turn(s);
    /* It has as much grace as the load has taken: a millisecond or two. */
    while (instance(s)->state == INSTANCE_LOADING) (void)uv_run(&s->loop, UV_RUN_ONCE);
    assert_int_equal(instance(s)->state, INSTANCE_UNLOADING);
    assert_non_null(puppet_heard(puppet(0), MSG_STOP));
    say(s, 0, MSG_READY, READY);
    assert_int_equal(instance(s)->state, INSTANCE_UNLOADING);
    assert_int_equal(s->metrics.loads, 0);
    die(s, 0);
    assert_null(instance(s));
    assert_int_equal(told->results + told->errors, 0);
}

static void test_an_instance_is_found_by_its_reference_until_it_is_gone(void **state) {
    struct scene *s = *state;
    struct model_view model;
    struct instance_view found;
    (void)load(s, request_for("two"), &s->told[0]);
    uint64_t reference = instance(s)->reference;
    assert_true(supervisor_find_reference(s->sup, reference, &model, &found));
    assert_int_equal(found.state, INSTANCE_LOADING);
    say(s, 0, MSG_READY, READY);
    assert_true(supervisor_find_reference(s->sup, reference, &model, &found));
    assert_int_equal(found.state, INSTANCE_IDLE);
    assert_int_equal(found.reference, reference);
    assert_string_equal(found.identifier, "two");
    assert_string_equal(model.key, "two");
    assert_int_equal(model.instance_count, 0);
    assert_false(supervisor_find_reference(s->sup, reference + 1, &model, &found));
    assert_false(supervisor_find_reference(s->sup, 0, &model, &found));
    assert_false(supervisor_find_reference(s->sup, UINT64_MAX, &model, &found));
    die(s, 0);
    assert_false(supervisor_find_reference(s->sup, reference, &model, &found));
    (void)load(s, request_for("two"), &s->told[1]);
    assert_false(supervisor_find_reference(s->sup, reference, &model, &found));
}

static void test_integers_of_a_worker_end_at_2_to_53(void **state) {
    struct scene *s = *state;
    struct told *told = s->told;
    (void)load(s, request_for("one"), told);
    say(s, 0, MSG_READY, "{\"memory_bytes\":9007199254740992,\"parallel\":-4}");
    assert_int_equal(told->results, 1);
    assert_true(instance(s)->memory_bytes == UINT64_C(1) << 53);
    assert_int_equal(instance(s)->settings->parallel, 4); /* as requested */
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":9007199254740993}");
    assert_int_equal(instance(s)->memory_bytes, 0);
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":18446744073709551615}");
    assert_int_equal(instance(s)->memory_bytes, 0);
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":1e300}");
    assert_int_equal(instance(s)->memory_bytes, 0);
    assert_false(puppet_was_killed(puppet(0)));
}

/* ---- requests ---- */

static void test_a_full_table_is_an_error_that_says_the_answer_failed(void **state) {
    struct scene *s = *state;
    struct told *held = &s->told[0], *refused = &s->told[1];
    s->settings.rules.max_waiting = LC_MAX_REQUESTS;
    supervisor_settings_changed(s->sup);
    for (int i = 0; i < LC_MAX_REQUESTS; i++) ask(s, "one", held);
    assert_int_equal(held->errors, 0);
    ask(s, "one", refused);
    assert_int_equal(refused->errors, 1);
    assert_int_equal(refused->error.code, ERR_QUEUE_FULL);
    assert_int_equal(refused->stop_reason, STOP_FAILED);
}

static void chat(struct scene *s, const char *model, struct told *told) {
    (void)generate(s, OP_CHAT, model, told);
    turn(s);
}

static void test_the_log_has_what_a_model_reads_and_writes(void **state) {
    struct scene *s = *state;
    s->log_wanted = true;
    chat(s, "one", s->told);
    say(s, 0, MSG_READY, READY);
    assert_non_null(strstr(puppet_heard(puppet(0), MSG_REQUEST), "\"report_prompt\":true"));
    answer(s, 0, MSG_STARTED, "{\"prompt\":\"<user>Hi\"}");
    answer(s, 0, MSG_DELTA, "{\"content\":\"Good \"}");
    answer(s, 0, MSG_DELTA, "{\"content\":\"day.\"}");
    answer(s, 0, MSG_DONE, "{\"completion_tokens\":3}");
    assert_string_equal(buf_str(&s->log), "input one: <user>Hi\n"
                                          "output one: Good day.\n"
                                          "stats one: 3 tokens\n");
}

static int looks; /* at the machine's memory */

nbytes __real_memory_available(void);
nbytes __wrap_memory_available(void);
nbytes __wrap_memory_available(void) {
    looks++;
    return __real_memory_available();
}

static void test_only_what_may_load_looks_at_the_memory(void **state) {
    struct scene *s = *state;
    looks = 0;
    ask(s, "one", &s->told[0]);
    assert_true(looks > 0);
    say(s, 0, MSG_READY, READY);
    looks = 0;
    ask(s, "one", &s->told[1]);
    assert_int_equal(looks, 0);
    assert_non_null(puppet_heard(puppet(0), MSG_REQUEST));
}

static void test_without_followers_no_prompt_is_asked_for(void **state) {
    struct scene *s = *state;
    chat(s, "one", s->told);
    say(s, 0, MSG_READY, READY);
    assert_null(strstr(puppet_heard(puppet(0), MSG_REQUEST), "report_prompt"));
    answer(s, 0, MSG_DONE, "{}");
    assert_int_equal(s->log.len, 0);
}

/* ---- measuring ---- */

static void test_at_most_16_models_are_measured_at_once(void **state) {
    struct scene *s = *state;
    struct told *first = s->told, *refused = &s->told[16], *next = &s->told[17];
    for (int i = 0; i < 16; i++) estimate(s, &first[i]);
    assert_int_equal(puppet_count(), 16);
    estimate(s, refused);
    assert_int_equal(puppet_count(), 16);
    assert_int_equal(refused->errors, 1);
    assert_int_equal(refused->error.code, ERR_QUEUE_FULL);
    assert_true(refused->error.retry_after > 0);
    say(s, 3, MSG_MEASURED, "{\"model\":1000,\"context\":24}");
    assert_int_equal(first[3].results, 1);
    assert_int_equal(first[3].estimate.model + first[3].estimate.context, 1024);
    estimate(s, next); /* its process has yet to go */
    assert_int_equal(next->error.code, ERR_QUEUE_FULL);
    assert_true(puppet_was_killed(puppet(3)));
    die(s, 3);
    *next = (struct told){ 0 };
    estimate(s, next);
    assert_int_equal(next->errors, 0);
    assert_int_equal(puppet_count(), 17);
}

static void test_a_failed_measure_keeps_the_workers_words(void **state) {
    struct scene *s = *state;
    static const struct {
        const char *payload, *text;
        enum err_code code;
    } rows[] = {
        { "{\"code\":\"not_supported\",\"text\":\"Not this one.\"}", "Not this one.",
          ERR_NOT_SUPPORTED },
        { "{\"code\":\"insufficient_memory\",\"text\":\"Too large.\"}", "Too large.",
          ERR_NO_MEMORY },
        { "{\"code\":\"none\",\"text\":\"Broken.\"}", "Broken.", ERR_LOAD_FAILED },
        { "{\"code\":\"gibberish\",\"text\":\"Broken.\"}", "Broken.", ERR_LOAD_FAILED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct told *told = &s->told[i];
        estimate(s, told);
        say(s, (int)i, MSG_FAILED, rows[i].payload);
        assert_int_equal(told->errors, 1);
        assert_int_equal(told->error.code, rows[i].code);
        assert_string_equal(told->error.text, rows[i].text);
    }
}

/* ---- leaving ---- */

static void test_an_unload_is_answered_when_the_worker_is_gone(void **state) {
    struct scene *s = *state;
    (void)load(s, request_for("one"), &s->told[0]);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]);
    assert_int_equal(told_of(&s->told[1]), 0);
    die(s, 0);
    assert_int_equal(s->told[1].results, 1);
}

static void test_what_leaves_cannot_be_changed(void **state) {
    struct scene *s = *state;
    s->settings.rules.switch_window = 0;
    supervisor_settings_changed(s->sup);
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    ask(s, "two", &s->told[1]);
    update(s, "one", (struct instance_change){ .ttl = { true, 5 } }, &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_UNLOADED);
}

/* The one whom it should make room for has left: its slot is free. */
static void test_an_instance_leaves_for_one_that_nobody_waits_for_any_longer(void **state) {
    struct scene *s = *state;
    s->settings.rules.switch_window = 0;
    supervisor_settings_changed(s->sup);
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    ask(s, "two", &s->told[1]);
    supervisor_shutdown(s->sup);
    turn(s);
    assert_int_equal(s->told[1].error.code, ERR_SHUTTING_DOWN);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    assert_string_equal(puppet_heard(puppet(0), MSG_STOP), "");
}

/* Nobody waits for its place: what it computes ahead it computes to the end. */
static void test_who_leaves_by_its_ttl_may_finish(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    update(s, "one", (struct instance_change){ .ttl = { true, 1 } }, &s->told[2]);
    while (instance(s)->state == INSTANCE_IDLE) (void)uv_run(&s->loop, UV_RUN_ONCE);
    assert_string_equal(puppet_heard(puppet(0), MSG_STOP), "{\"finish\":true}");
}

/* ---- what comes before a load ---- */

static void test_calls_are_begun_in_their_order(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    struct load_sink load_sink = { .on_end = told_load_end, .ctx = &s->told[0] };
    struct done_sink done_sink = { .on_end = told_done, .ctx = &s->told[1] };
    (void)supervisor_load(s->sup, &request, load_sink);
    (void)supervisor_unload(s->sup, "one", done_sink);
    turn(s);
    assert_int_equal(s->told[0].errors, 1);
    assert_int_equal(s->told[1].errors, 0);
    die(s, 0);
    assert_int_equal(s->told[1].results, 1);
}

static void test_jit_7_what_a_model_is_not_made_for_loads_nothing(void **state) {
    struct scene *s = *state;
    s->models[1].type = MODEL_EMBEDDINGS;
    (void)generate(s, OP_CHAT, "two", &s->told[0]);
    (void)generate(s, OP_EMBEDDING, "one", &s->told[1]);
    turn(s);
    assert_int_equal(s->told[0].error.code, ERR_INVALID_REQUEST);
    assert_int_equal(s->told[1].error.code, ERR_INVALID_REQUEST);
    assert_int_equal(puppet_count(), 0);
}

/* A chat, or only its prompt (the tokens of a conversation are counted so). */
static void ask_about_an_image(struct scene *s, enum service_op op, struct told *told) {
    static const char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                               "\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}]}";
    (void)generate_with(s, op, "two", body, told);
    turn(s);
}

static void test_jit_7_an_image_loads_and_evicts_nothing(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    ask_about_an_image(s, OP_CHAT, &s->told[1]);
    ask_about_an_image(s, OP_TEMPLATE, &s->told[2]);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(s->told[i].error.code, ERR_NOT_SUPPORTED);
        assert_string_equal(s->told[i].error.param, "messages");
        assert_non_null(strstr(s->told[i].error.text, "'two' reads text only"));
    }
    assert_int_equal(puppet_count(), 1);
    assert_null(puppet_heard(puppet(0), MSG_STOP));
}

static void test_jit_7_what_no_worker_reads_loads_and_evicts_nothing(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    (void)generate_with(s, OP_COMPLETION, "two",
                        "{\"op\":\"completion\",\"prompt\":\"Hi\",\"top_p\":2}", &s->told[1]);
    (void)generate_with(s, OP_CHAT, "two", "{\"op\":\"chat\",\"messages\":[]}", &s->told[2]);
    turn(s);
    assert_string_equal(s->told[1].error.param, "top_p");
    assert_string_equal(s->told[2].error.param, "messages");
    assert_int_equal(puppet_count(), 1);
    assert_null(puppet_heard(puppet(0), MSG_STOP));
}

static void test_jit_7_a_worker_that_does_not_start_evicts_nobody(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    answer(s, 0, MSG_DONE, "{\"stop_reason\":\"eosFound\"}");
    puppets_start(false);
    ask(s, "two", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_LOAD_FAILED);
    assert_string_equal(s->told[1].error.text, "No process can be started.");
    assert_null(puppet_heard(puppet(0), MSG_STOP));
    ask(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].errors, 0);
}

static void test_jit_7_the_worker_is_there_before_the_eviction(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY); /* busy: the other one has to wait */
    s->settings.standby = true;
    ask(s, "two", &s->told[1]);
    assert_int_equal(puppet_count(), 2); /* and no spare beside it */
    assert_null(puppet_heard(puppet(1), MSG_LOAD));
    unload(s, "one", &s->told[2]);
    die(s, 0);
    assert_int_equal(puppet_count(), 2); /* the same one */
    assert_non_null(puppet_heard(puppet(1), MSG_LOAD));
}

static void test_ttl_3_a_jit_load_takes_the_models_ttl(void **state) {
    struct scene *s = *state;
    struct error err;
    static const char patch[] = "{\"one\":{\"ttl\":7}}";
    yyjson_doc *doc = yyjson_read(patch, sizeof patch - 1, 0);
    assert_true(model_settings_patch(&s->settings.models, yyjson_doc_get_root(doc), &err));
    yyjson_doc_free(doc);
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    assert_int_equal(instance(s)->ttl, 7000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_sinks_never_call_back_synchronously),
        TEST(test_a_sink_may_ask_for_more),
        TEST(test_an_instance_leaves_for_one_that_nobody_waits_for_any_longer),
        TEST(test_who_leaves_by_its_ttl_may_finish),
        TEST(test_a_call_cancelled_before_its_turn_is_never_begun),
        TEST(test_a_replacement_is_loaded_like_the_worker_that_died),
        TEST(test_a_queued_instance_shows_unset_settings),
        TEST(test_what_is_listed_as_queued_is_not_called_unknown),
        TEST(test_the_newest_waiter_says_how_a_first_load_is),
        TEST(test_a_ready_after_its_load_was_given_up_is_nothing),
        TEST(test_an_instance_is_found_by_its_reference_until_it_is_gone),
        TEST(test_integers_of_a_worker_end_at_2_to_53),
        TEST(test_a_full_table_is_an_error_that_says_the_answer_failed),
        TEST(test_the_log_has_what_a_model_reads_and_writes),
        TEST(test_without_followers_no_prompt_is_asked_for),
        TEST(test_only_what_may_load_looks_at_the_memory),
        TEST(test_at_most_16_models_are_measured_at_once),
        TEST(test_a_failed_measure_keeps_the_workers_words),
        TEST(test_an_unload_is_answered_when_the_worker_is_gone),
        TEST(test_what_leaves_cannot_be_changed),
        TEST(test_calls_are_begun_in_their_order),
        TEST(test_jit_7_what_a_model_is_not_made_for_loads_nothing),
        TEST(test_jit_7_an_image_loads_and_evicts_nothing),
        TEST(test_jit_7_what_no_worker_reads_loads_and_evicts_nothing),
        TEST(test_jit_7_a_worker_that_does_not_start_evicts_nobody),
        TEST(test_jit_7_the_worker_is_there_before_the_eviction),
        TEST(test_ttl_3_a_jit_load_takes_the_models_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
