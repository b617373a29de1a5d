/* SPDX-License-Identifier: MIT */
/* The supervisor between clients and workers, whose messages are the test's. No process is
 * started. What clients ask for and workers say is done when the loop turns: turn(). */
#include "cmocka_prelude.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/xalloc.h"
#include "puppets.h"
#include "supervisor/supervisor.h"

#define READY "{\"context_length\":512,\"parallel\":4,\"memory_bytes\":1000}"

/* What a sink was told. */
struct told {
    int results, errors;
    enum stop_reason stop_reason;
    int progress; /* of a load, however often it was told */
    struct error error;
    struct load_estimate estimate;
};

struct scene {
    uv_loop_t loop;
    struct settings settings;
    struct model models[2];
    struct catalog catalog, *current;
    struct metrics metrics;
    struct supervisor *sup;
    int pinned_changes;
    bool log_wanted;
    struct buf log;       /* lines of models */
    struct told told[20]; /* sinks may speak until the end of the scene */
};

static void on_changed(void *ctx) {
    (void)ctx;
}

static void on_transition(void *ctx, const struct instance_transition *transition) {
    (void)ctx;
    (void)transition;
}

static void on_progress(void *ctx, const struct instance_progress *progress) {
    (void)ctx;
    (void)progress;
}

static bool log_wanted(void *ctx, enum log_kind kind) {
    const struct scene *s = ctx;
    (void)kind;
    return s->log_wanted;
}

/* "input one: text", "stats one: 3 of 2", one below the other. */
static void on_log(void *ctx, const struct log_line *line) {
    static const char *const kinds[] = { "server", "request", "input", "output", "stats" };
    struct scene *s = ctx;
    buf_addf(&s->log, "%s %s: ", kinds[line->kind], line->model);
    if (line->kind == LOG_STATS)
        buf_addf(&s->log, "%d tokens\n", (int)line->usage.completion_tokens);
    else
        buf_addf(&s->log, "%s\n", line->text);
}

static void on_pinned_changed(void *ctx) {
    struct scene *s = ctx;
    s->pinned_changes++;
}

static int set_up(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    struct error err;
    uv_loop_init(&s->loop);
    settings_init(&s->settings);
    s->settings.standby = false;
    static char *const keys[] = { "one", "two" };
    for (int i = 0; i < 2; i++) {
        s->models[i] = (struct model){ .key = keys[i],
                                       .publisher = "local",
                                       .display_name = keys[i],
                                       .path = "/nowhere/model.gguf",
                                       .architecture = "llama",
                                       .quantization = "Q8_0",
                                       .params_string = "1M",
                                       .size = 1000,
                                       .context_length = 8192 };
    }
    s->catalog = (struct catalog){ .models = s->models, .count = 2 };
    s->current = &s->catalog;
    buf_init(&s->log, 1 << 16);
    struct supervisor_config config = { .loop = &s->loop,
                                        .worker_program = "",
                                        .prompts_dir = "/nowhere",
                                        .settings = &s->settings,
                                        .catalog = &s->current,
                                        .metrics = &s->metrics,
                                        .on_transition = on_transition,
                                        .on_progress = on_progress,
                                        .log_wanted = log_wanted,
                                        .on_log = on_log,
                                        .on_changed = on_changed,
                                        .on_pinned_changed = on_pinned_changed,
                                        .on_prompts = on_changed,
                                        .on_finished = on_changed,
                                        .ctx = s };
    s->sup = supervisor_new(&config, &err);
    assert_non_null(s->sup);
    *state = s;
    return 0;
}

static int tear_down(void **state) {
    struct scene *s = *state;
    supervisor_shutdown(s->sup);
    puppets_clear();
    supervisor_free(s->sup);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    settings_clear(&s->settings);
    buf_clear(&s->log);
    free(s);
    return 0;
}

static void turn(struct scene *s) {
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* ---- what workers do ---- */

static void say(struct scene *s, int n, enum message_type type, const char *payload) {
    puppet_say(puppet(n), type, 0, payload);
    turn(s);
}

/* About the request that the worker got last. */
static void answer(struct scene *s, int n, enum message_type type, const char *payload) {
    puppet_say(puppet(n), type, puppet_heard_request(puppet(n), MSG_REQUEST), payload);
    turn(s);
}

static void die(struct scene *s, int n) {
    puppet_die(puppet(n));
    turn(s);
}

/* ---- what clients do ---- */

static void on_load_end(void *ctx, call_id call, const struct load_result *result,
                        const struct error *error) {
    struct told *told = ctx;
    (void)call;
    told->results += result != NULL;
    told->errors += error != NULL;
    if (error) told->error = *error;
}

static void on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct told *told = ctx;
    (void)call;
    if (ev->kind == SERVICE_DONE) told->results++;
    if (ev->kind == SERVICE_LOADING) told->progress++;
    if (ev->kind != SERVICE_ERROR) return;
    told->errors++;
    told->error = *ev->error;
    told->stop_reason = ev->stop_reason;
}

static void on_estimate(void *ctx, const struct load_estimate *estimate,
                        const struct error *error) {
    struct told *told = ctx;
    told->results += estimate != NULL;
    told->errors += error != NULL;
    if (estimate) told->estimate = *estimate;
    if (error) told->error = *error;
}

static void on_load_progress(void *ctx, call_id call, double progress) {
    struct told *told = ctx;
    (void)call;
    told->progress += progress > 0;
}

static call_id load(struct scene *s, struct load_request request, struct told *told) {
    struct load_sink sink = { .on_progress = on_load_progress,
                              .on_end = on_load_end,
                              .ctx = told };
    call_id call = supervisor_load(s->sup, &request, sink);
    turn(s);
    return call;
}

static call_id get_or_load(struct scene *s, struct load_request request, struct told *told) {
    struct load_sink sink = { .on_end = on_load_end, .ctx = told };
    call_id call = supervisor_get_or_load(s->sup, &request, sink);
    turn(s);
    return call;
}

static void estimate(struct scene *s, struct told *told) {
    struct load_request request = LOAD_REQUEST_UNSET;
    request.model = "one";
    struct estimate_sink sink = { .on_end = on_estimate, .ctx = told };
    (void)supervisor_estimate(s->sup, &request, sink);
    turn(s);
}

static call_id generate(struct scene *s, enum service_op op, const char *model,
                        struct told *told) {
    yyjson_mut_doc *body = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(body, yyjson_mut_obj(body));
    struct service_request request = { .op = op, .model = xstrdup(model), .body = body };
    struct service_sink sink = { .on_event = on_event, .ctx = told };
    return supervisor_generate(s->sup, &request, sink);
}

static void ask(struct scene *s, const char *model, struct told *told) {
    (void)generate(s, OP_COMPLETION, model, told);
    turn(s);
}

static void on_done(void *ctx, const struct error *error) {
    struct told *told = ctx;
    told->results += error == NULL;
    told->errors += error != NULL;
    if (error) told->error = *error;
}

static void unload(struct scene *s, const char *identifier, struct told *told) {
    struct done_sink sink = { .on_end = on_done, .ctx = told };
    (void)supervisor_unload(s->sup, identifier, sink);
    turn(s);
}

static void update(struct scene *s, const char *identifier, struct instance_change change,
                   struct told *told) {
    struct done_sink sink = { .on_end = on_done, .ctx = told };
    (void)supervisor_update(s->sup, identifier, &change, sink);
    turn(s);
}

static struct load_request request_for(const char *model) {
    struct load_request request = LOAD_REQUEST_UNSET;
    request.model = model;
    return request;
}

/* The only instance that is listed. */
static const struct instance_view *instance(struct scene *s) {
    struct service_models models = supervisor_models(s->sup);
    const struct instance_view *only = NULL;
    for (size_t i = 0; i < models.count; i++) {
        if (models.models[i].instance_count == 0) continue;
        assert_null(only);
        assert_int_equal(models.models[i].instance_count, 1);
        only = models.models[i].instances;
    }
    return only;
}

/* ---- the rule of api/service.h ---- */

static int told_of(const struct told *told) {
    return told->results + told->errors;
}

/* Each of these is refused as soon as it is looked at. */
static void ask_for_nothing(struct scene *s, struct told told[6]) {
    struct load_request request = request_for("none");
    struct load_sink load = { .on_end = on_load_end };
    struct done_sink done = { .on_end = on_done };
    load.ctx = &told[0];
    assert_true(supervisor_load(s->sup, &request, load) != 0);
    load.ctx = &told[1];
    assert_true(supervisor_get_or_load(s->sup, &request, load) != 0);
    struct estimate_sink measure = { .on_end = on_estimate, .ctx = &told[2] };
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

/* ---- pinned instances ---- */

static call_id keep(struct scene *s, const char *model, const char *identifier) {
    struct load_request request = request_for(model);
    request.keep = true;
    request.identifier = identifier;
    return load(s, request, &s->told[0]);
}

static void expect_pinned(struct scene *s, const char *json) {
    struct buf text = BUF_INIT(4096);
    supervisor_format_pinned(s->sup, &text);
    assert_string_equal(buf_str(&text), json);
    buf_clear(&text);
}

static void test_an_instance_whose_worker_died_stays_pinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", "mine");
    expect_pinned(s, "[]"); /* a load that fails is no reason to try again */
    say(s, 0, MSG_READY, READY);
    assert_int_equal(s->pinned_changes, 1);
    assert_true(instance(s)->keep);
    die(s, 0);
    assert_null(instance(s));
    (void)keep(s, "two", NULL);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->pinned_changes, 2);
    expect_pinned(s, "[{\"model\":\"one\",\"identifier\":\"mine\"},{\"model\":\"two\"}]");
}

static void test_an_unload_by_hand_unpins(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]);
    expect_pinned(s, "[]");
    assert_int_equal(s->pinned_changes, 2);
    die(s, 0);
    assert_int_equal(s->told[1].errors, 0);
}

static void test_what_is_not_loaded_can_be_unpinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    unload(s, "one", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[1].error.text, "not kept"));
    expect_pinned(s, "[]");
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_int_equal(s->pinned_changes, 2);
}

static const struct instance_change to_jit = { .sets_origin = true, .origin = ORIGIN_JIT };

static void test_a_pinned_instance_that_becomes_jit_is_unpinned(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    update(s, "one", (struct instance_change){ .ttl = { true, 60000 } }, &s->told[1]);
    assert_int_equal(s->told[1].results, 1);
    expect_pinned(s, "[{\"model\":\"one\",\"ttl\":60.0}]");
    update(s, "one", to_jit, &s->told[1]);
    expect_pinned(s, "[]");
    assert_int_equal(s->pinned_changes, 3);
    assert_false(instance(s)->keep);
}

static void test_a_pin_of_an_earlier_run_survives_a_load_that_fails(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    request.keep = true;
    request.settings.context_length = 512;
    request.ttl = (struct ttl){ .given = true, .value = 1500 };
    supervisor_pin(s->sup, &request);
    (void)load(s, request, &s->told[0]);
    say(s, 0, MSG_FAILED, "{\"code\":\"model_load_failed\",\"text\":\"No.\"}");
    die(s, 0);
    assert_int_equal(s->told[0].errors, 1);
    expect_pinned(s, "[{\"context_length\":512,\"model\":\"one\",\"ttl\":1.5}]");
}

static void test_a_load_without_keep_unpins_nothing(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    die(s, 0);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[1].results, 1);
    expect_pinned(s, "[{\"model\":\"one\"}]");
}

static void test_what_was_unpinned_is_not_pinned_by_a_load_under_way(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    request.keep = true;
    supervisor_pin(s->sup, &request);
    (void)load(s, request, &s->told[0]);
    update(s, "one", to_jit, &s->told[1]);
    expect_pinned(s, "[]");
    say(s, 0, MSG_READY, READY);
    assert_int_equal(s->told[0].results, 1);
    expect_pinned(s, "[]");
}

static void test_an_unload_while_a_load_waits_unpins(void **state) {
    struct scene *s = *state;
    (void)keep(s, "one", NULL);
    say(s, 0, MSG_READY, READY);
    unload(s, "one", &s->told[1]); /* its worker takes its time */
    (void)keep(s, "one", NULL);    /* waits until that is gone */
    expect_pinned(s, "[]");
    unload(s, "one", &s->told[2]);
    assert_int_equal(s->told[2].error.code, ERR_MODEL_NOT_FOUND);
    assert_non_null(strstr(s->told[2].error.text, "not kept"));
    die(s, 0);
    say(s, 1, MSG_READY, READY);
    assert_int_equal(s->told[0].results, 2);
    expect_pinned(s, "[]");
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
    assert_string_equal(puppet_heard(puppet(0), MSG_REQUEST), "{}");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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

static void test_an_identifier_in_use_is_refused(void **state) {
    struct scene *s = *state;
    load_named(s, "a", &s->told[0]);
    load_named(s, "a", &s->told[1]);
    assert_int_equal(s->told[1].error.code, ERR_IDENTIFIER_IN_USE);
    assert_int_equal(puppet_count(), 1);
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

static void test_who_waits_for_a_load_hears_of_it(void **state) {
    struct scene *s = *state;
    ask(s, "one", &s->told[0]);
    assert_int_equal(s->told[0].progress, 1);
    (void)load(s, request_for("one"), &s->told[1]);
    say(s, 0, MSG_PROGRESS, "{\"permille\":500}");
    assert_int_equal(s->told[0].progress, 2);
    assert_int_equal(s->told[1].progress, 1);
}

static void test_calls_are_begun_in_their_order(void **state) {
    struct scene *s = *state;
    struct load_request request = request_for("one");
    struct load_sink load_sink = { .on_end = on_load_end, .ctx = &s->told[0] };
    struct done_sink done_sink = { .on_end = on_done, .ctx = &s->told[1] };
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
        TEST(test_a_call_cancelled_before_its_turn_is_never_begun),
        TEST(test_a_replacement_is_loaded_like_the_worker_that_died),
        TEST(test_a_queued_instance_shows_unset_settings),
        TEST(test_the_newest_waiter_says_how_a_first_load_is),
        TEST(test_a_ready_after_its_load_was_given_up_is_nothing),
        TEST(test_an_instance_is_found_by_its_reference_until_it_is_gone),
        TEST(test_integers_of_a_worker_end_at_2_to_53),
        TEST(test_an_instance_whose_worker_died_stays_pinned),
        TEST(test_an_unload_by_hand_unpins),
        TEST(test_what_is_not_loaded_can_be_unpinned),
        TEST(test_a_pinned_instance_that_becomes_jit_is_unpinned),
        TEST(test_a_pin_of_an_earlier_run_survives_a_load_that_fails),
        TEST(test_a_load_without_keep_unpins_nothing),
        TEST(test_what_was_unpinned_is_not_pinned_by_a_load_under_way),
        TEST(test_an_unload_while_a_load_waits_unpins),
        TEST(test_a_full_table_is_an_error_that_says_the_answer_failed),
        TEST(test_the_log_has_what_a_model_reads_and_writes),
        TEST(test_without_followers_no_prompt_is_asked_for),
        TEST(test_only_what_may_load_looks_at_the_memory),
        TEST(test_at_most_16_models_are_measured_at_once),
        TEST(test_a_failed_measure_keeps_the_workers_words),
        TEST(test_a_key_means_an_instance_only_if_there_is_one),
        TEST(test_an_identifier_in_use_is_refused),
        TEST(test_an_unload_is_answered_when_the_worker_is_gone),
        TEST(test_what_leaves_cannot_be_changed),
        TEST(test_who_waits_for_a_load_hears_of_it),
        TEST(test_calls_are_begun_in_their_order),
        TEST(test_jit_7_what_a_model_is_not_made_for_loads_nothing),
        TEST(test_ttl_3_a_jit_load_takes_the_models_ttl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
