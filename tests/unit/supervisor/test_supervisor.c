/* SPDX-License-Identifier: MIT */
/* The supervisor: calls, loads, requests, names, measuring. */
#include "scene.h"

#include <string.h>

#include "base/clock.h"
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

/* ---- by name ---- */

static void load_named(struct scene *s, const char *identifier, struct told *told) {
    struct load_request request = request_for("one");
    request.identifier = identifier;
    (void)load(s, request, told);
}

static void test_a_key_means_an_instance_only_if_there_is_one(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    load_named(s, "b", &s->told[1]);
    say(s, 1, MSG_READY, READY);
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[2].error.text, "2 instances"));
    unload(s, "b", &s->told[3]);
    die(s, 1);
    unload(s, "one", &s->told[4]);
    die(s, 0);
    assert_int_equal(s->told[4].results, 1);
}

/* LM Studio's clients know an embedding model by this name, also when they unload it. */
static void test_an_unload_takes_every_name_that_a_load_takes(void **state) {
    struct scene *s = *state;
    s->models[0].type = MODEL_EMBEDDINGS;
    load_named(s, NULL, &s->told[0]);
    say(s, 0, MSG_READY, READY);
    unload(s, "text-embedding-two", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    unload(s, "text-embedding-one", &s->told[2]);
    die(s, 0);
    assert_int_equal(s->told[2].results, 1);
}

/* ---- memory ---- */

static int64_t granted(int n, const char *field) {
    const char *text = puppet_heard(puppet(n), MSG_GRANT);
    assert_non_null(text);
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    int64_t value = yyjson_get_sint(yyjson_obj_get(yyjson_doc_get_root(doc), field));
    yyjson_doc_free(doc);
    return value;
}

static void three_loaded(struct scene *s) {
    static const char *const names[] = { "x", "y", "z" };
    for (int i = 0; i < 3; i++) {
        load_named(s, names[i], &s->told[i]);
        say(s, i, MSG_READY, "{\"parallel\":4,\"memory_bytes\":1000000}");
    }
}

static void test_memory_1_three_that_grow_keep_within_the_limit(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    s->settings.memory_limit = 4000000;
    supervisor_settings_changed(s->sup);
    turn(s);
    for (int i = 0; i < 3; i++) {
        say(s, i, MSG_GROW, "{\"ask\":7,\"bytes\":1400000,\"least_bytes\":1300000}");
        assert_int_equal(granted(i, "ask"), 7);
    }
    assert_int_equal(granted(0, "bytes"), 1400000);
    assert_int_equal(granted(1, "bytes"), 1400000);
    assert_int_equal(granted(2, "bytes"), 0); /* refused */
    assert_int_equal(granted(2, "most_bytes"), 1200000);
    assert_int_equal(granted(2, "limit_bytes"), 4000000);
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":1200000}"); /* gives the rest back */
    say(s, 2, MSG_GROW, "{\"ask\":8,\"bytes\":1400000,\"least_bytes\":1300000}");
    assert_int_equal(granted(2, "bytes"), 1400000);
}

static void test_memory_1_what_is_under_way_is_reserved(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    s->settings.memory_limit = 4000000;
    say(s, 0, MSG_GROW, "{\"ask\":1,\"bytes\":1900000,\"least_bytes\":1900000}");
    say(s, 0, MSG_MEMORY, "{\"memory_bytes\":1000100,\"reserved_bytes\":1900000}");
    say(s, 1, MSG_GROW, "{\"ask\":1,\"bytes\":1200000,\"least_bytes\":1200000}");
    assert_int_equal(granted(1, "bytes"), 0);
    assert_int_equal(granted(1, "most_bytes"), 1100000);
}

static void test_memory_1_a_limit_lowered_later_reaches_the_workers(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_null(puppet_heard(puppet(0), MSG_GRANT)); /* another setting */
    s->settings.memory_limit = 2500000;
    supervisor_settings_changed(s->sup);
    turn(s);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(granted(i, "ask"), 0);
        assert_int_equal(granted(i, "bytes"), 500000);
    }
    s->settings.memory_limit = 0;
    supervisor_settings_changed(s->sup);
    turn(s);
    assert_true(granted(0, "bytes") > INT64_C(1) << 50);
}

static void test_a_worker_that_asks_for_nonsense_is_killed(void **state) {
    struct scene *s = *state;
    three_loaded(s);
    say(s, 1, MSG_GROW, "{\"ask\":1,\"bytes\":1,\"least_bytes\":2}");
    assert_true(puppet_was_killed(puppet(1)));
    assert_false(puppet_was_killed(puppet(0)));
}

static void test_an_identifier_in_use_is_refused(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    load_named(s, "a", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_IDENTIFIER_IN_USE);
    assert_int_equal(puppet_count(), 1);
}

/* A request for "two" would reach the instance of "one". */
/* Who tries again at once is not told that the identifier is taken. */
static void test_a_failed_load_has_given_back_its_identifier(void **state) {
    struct scene *s = *state;
    struct load_request mine = request_for("one");
    mine.identifier = "mine";
    (void)load(s, mine, &s->told[0]);
    say(s, 0, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"No such layer.\"}");
    assert_int_equal(told_of(&s->told[0]), 0);
    die(s, 0);
    assert_string_equal(s->told[0].error.text, "No such layer.");
    (void)load(s, mine, &s->told[1]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    assert_string_equal(instance(s)->identifier, "mine");
}

static void test_an_identifier_that_is_another_models_key_is_refused(void **state) {
    struct scene *s = *state;
    load_named(s, "Two", &s->told[0]);
    assert_int_equal(s->told[0].error.code, ERR_IDENTIFIER_IN_USE);
    assert_int_equal(puppet_count(), 0);
    load_named(s, "ONE", &s->told[1]); /* its own */
    assert_int_equal(puppet_count(), 1);
}

/* Failure: intent outlives the worker. */
static void test_failure_an_identifier_outlives_its_worker(void **state) {
    struct scene *s = *state;
    struct load_request demanding = request_for("one");
    demanding.identifier = "a";
    demanding.settings.context_length = 2048;
    (void)load(s, demanding, &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    assert_null(instance(s)); /* nothing is loaded */
    ask(s, "a", &s->told[1]);
    assert_int_equal(puppet_count(), 2);
    assert_non_null(strstr(puppet_heard(puppet(1), MSG_LOAD), "\"context_length\":2048"));
    say(s, 1, MSG_READY, READY);
    assert_string_equal(instance(s)->identifier, "a");
    assert_int_equal(instance(s)->origin, ORIGIN_EXPLICIT);
}

static void test_failure_what_died_can_be_loaded_by_its_identifier(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    load_named(s, "a", &s->told[1]);
    assert_int_equal(puppet_count(), 2);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    assert_string_equal(instance(s)->identifier, "a");
}

/* Not loaded is 404, as ever; but it does not come back. */
static void test_failure_what_died_can_be_forgotten(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    unload(s, "a", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[1].error.text, "not kept"));
    unload(s, "a", &s->told[2]);
    assert_null(strstr(s->told[2].error.text, "not kept"));
    ask(s, "one", &s->told[3]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(instance(s)->origin, ORIGIN_JIT);
}

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

static void test_who_waits_for_a_load_hears_of_it(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    assert_int_equal(s->told[0].progress, 1);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 0, MSG_PROGRESS, "{\"permille\":500}");
    assert_int_equal(s->told[0].progress, 2);
    assert_int_equal(s->told[1].progress, 1);
}

/* What follows is later, if only by a microsecond. */
static void clock_moves(void) {
    int64_t now = clock_boottime_usec();
    while (clock_boottime_usec() <= now) continue;
}

static struct service_wait wait_of(struct scene *s, call_id call) {
    struct service_wait wait;
    clock_moves();
    supervisor_wait(s->sup, call, &wait);
    return wait;
}

static void test_order_3_who_waits_knows_its_place(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    call_id call = generate(s, OP_CHAT, "one", &s->told[1]);
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN); /* its turn has not come */
    turn(s);
    say(s, 0, MSG_PROGRESS, "{\"permille\":420}");
    assert_int_equal(wait_of(s, call).kind, WAIT_LOAD);
    assert_int_equal(wait_of(s, call).done * 100 / wait_of(s, call).total, 42);
    say(s, 0, MSG_READY, "{\"context_length\":512,\"parallel\":1,\"memory_bytes\":1000}");
    assert_int_equal(wait_of(s, call).kind, WAIT_IN_LINE);
    assert_int_equal(wait_of(s, call).place, 1);
    assert_true(wait_of(s, call).seconds == 0); /* no answer has ended yet */
    answer(s, 0, MSG_DONE, "{}");
    call_id next = generate(s, OP_CHAT, "one", &s->told[2]);
    turn(s);
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN); /* the worker prepares it */
    assert_int_equal(wait_of(s, next).place, 1);
    assert_true(wait_of(s, next).seconds > 0);
    assert_int_equal(wait_of(s, 999).kind, WAIT_UNKNOWN);
}

static void test_order_3_a_prompt_is_a_wait_too(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    call_id call = puppet_heard_request(puppet(0), MSG_REQUEST);
    answer(s, 0, MSG_STARTED, "{\"prompt_tokens\":8000,\"cached_tokens\":100}");
    assert_int_equal(wait_of(s, call).kind, WAIT_PROMPT);
    assert_int_equal(wait_of(s, call).done, 100);
    assert_true(wait_of(s, call).seconds == 0);
    answer(s, 0, MSG_PROMPT, "{\"processed\":3100,\"total\":8000,\"cached\":100}");
    assert_int_equal(wait_of(s, call).done, 3100);
    assert_int_equal(wait_of(s, call).total, 8000);
    assert_true(wait_of(s, call).seconds > 0);
    answer(s, 0, MSG_DELTA, "{\"content\":\"Hi\"}");
    assert_int_equal(wait_of(s, call).kind, WAIT_UNKNOWN);
}

static void test_order_3_another_models_answers_count(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    say(s, 0, MSG_READY, READY);
    clock_moves();
    answer(s, 0, MSG_DONE, "{}");
    ask(s, "one", &s->told[1]);
    call_id call = generate(s, OP_CHAT, "two", &s->told[2]);
    turn(s);
    assert_int_equal(wait_of(s, call).kind, WAIT_IN_LINE);
    assert_int_equal(wait_of(s, call).place, 1);
    assert_true(wait_of(s, call).seconds > 0);
}

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
        TEST(test_a_key_means_an_instance_only_if_there_is_one),
        TEST(test_an_unload_takes_every_name_that_a_load_takes),
        TEST(test_memory_1_three_that_grow_keep_within_the_limit),
        TEST(test_memory_1_what_is_under_way_is_reserved),
        TEST(test_memory_1_a_limit_lowered_later_reaches_the_workers),
        TEST(test_a_worker_that_asks_for_nonsense_is_killed),
        TEST(test_an_identifier_in_use_is_refused),
        TEST(test_a_failed_load_has_given_back_its_identifier),
        TEST(test_an_identifier_that_is_another_models_key_is_refused),
        TEST(test_failure_an_identifier_outlives_its_worker),
        TEST(test_failure_what_died_can_be_loaded_by_its_identifier),
        TEST(test_failure_what_died_can_be_forgotten),
        TEST(test_an_unload_is_answered_when_the_worker_is_gone),
        TEST(test_what_leaves_cannot_be_changed),
        TEST(test_who_waits_for_a_load_hears_of_it),
        TEST(test_order_3_who_waits_knows_its_place),
        TEST(test_order_3_a_prompt_is_a_wait_too),
        TEST(test_order_3_another_models_answers_count),
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
