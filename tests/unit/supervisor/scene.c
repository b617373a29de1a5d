/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <stdlib.h>

#include "base/xalloc.h"

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

/* "one parked", "one woken", "one given_up expired", one below the other. */
static void on_parked(void *ctx, const struct parked_event *event) {
    struct scene *s = ctx;
    bool ends = event->change == PARKED_ENDS;
    buf_addf(&s->parked, "%s %s%s%s\n", event->model_key, parked_change_name(event->change),
             ends ? " " : "", ends ? parked_reason_name(event->reason) : "");
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
    if (!s->disk_is_slow) supervisor_pinned_saved(s->sup, NULL);
}

static void on_forgotten(void *ctx, const char *model_key) {
    struct scene *s = ctx;
    s->forgotten++;
    assert_string_equal(model_key, "one");
}

static void add_models(struct scene *s) {
    static char *const keys[] = { "one", "two" };
    for (int i = 0; i < 2; i++) {
        s->models[i] = (struct model){ .key = keys[i],
                                       .publisher = "local",
                                       .display_name = keys[i],
                                       .path = "/nowhere/model.gguf",
                                       .path_text = "/nowhere/model.gguf",
                                       .architecture = "llama",
                                       .quantization = "Q8_0",
                                       .params_string = "1M",
                                       .size = 1000,
                                       .context_length = 8192 };
    }
    s->catalog = (struct catalog){ .models = s->models, .count = 2 };
    s->current = &s->catalog;
}

static void start_supervisor(struct scene *s) {
    static const struct worker_program program = { .path = "" };
    struct supervisor_config config = { .loop = &s->loop,
                                        .worker_program = &program,
                                        .prompts_dir = "/nowhere",
                                        .settings = &s->settings,
                                        .catalog = &s->current,
                                        .metrics = &s->metrics,
                                        .budget = &s->budget,
                                        .on_transition = on_transition,
                                        .on_progress = on_progress,
                                        .on_parked = on_parked,
                                        .log_wanted = log_wanted,
                                        .on_log = on_log,
                                        .on_changed = on_changed,
                                        .on_pinned_changed = on_pinned_changed,
                                        .on_prompts = on_changed,
                                        .on_forgotten = on_forgotten,
                                        .on_finished = on_changed,
                                        .ctx = s };
    struct error err;
    s->sup = supervisor_new(&config, &err);
    assert_non_null(s->sup);
}

int scene_open(void **state) {
    struct scene *s = xcalloc(1, sizeof *s);
    uv_loop_init(&s->loop);
    settings_init(&s->settings);
    s->settings.standby = false;
    s->settings.parked_workers = PARK_OFF;
    s->budget = (struct byte_budget){ .total = 64 << 20 };
    buf_init(&s->log, 1 << 16);
    buf_init(&s->parked, 1 << 16);
    add_models(s);
    start_supervisor(s);
    *state = s;
    return 0;
}

int scene_close(void **state) {
    struct scene *s = *state;
    supervisor_shutdown(s->sup);
    puppets_clear();
    supervisor_free(s->sup);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    assert_int_equal(s->budget.held, 0);
    settings_clear(&s->settings);
    buf_clear(&s->log);
    buf_clear(&s->parked);
    free(s);
    return 0;
}

void turn(struct scene *s) {
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* ---- what workers do ---- */

void say(struct scene *s, int n, enum message_type type, const char *payload) {
    puppet_say(puppet(n), type, 0, payload);
    turn(s);
}

/* About the request that the worker got last. */
void answer(struct scene *s, int n, enum message_type type, const char *payload) {
    puppet_say(puppet(n), type, puppet_heard_request(puppet(n), MSG_REQUEST), payload);
    turn(s);
}

void die(struct scene *s, int n) {
    puppet_die(puppet(n));
    turn(s);
}

/* ---- what clients do ---- */

void told_load_end(void *ctx, call_id call, const struct load_result *result,
                   const struct error *error) {
    struct told *told = ctx;
    (void)call;
    told->results += result != NULL;
    told->not_kept += result && result->not_kept;
    told->errors += error != NULL;
    if (error) told->error = *error;
}

void told_event(void *ctx, call_id call, const struct service_event *ev) {
    struct told *told = ctx;
    (void)call;
    if (ev->kind == SERVICE_DONE) told->results++;
    if (ev->kind == SERVICE_LOADING) told->progress++;
    if (ev->kind != SERVICE_ERROR) return;
    told->errors++;
    told->error = *ev->error;
    told->stop_reason = ev->stop_reason;
}

void told_estimate(void *ctx, const struct load_estimate *estimate, const struct error *error) {
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

call_id load(struct scene *s, struct load_request request, struct told *told) {
    struct load_sink sink = { .on_progress = on_load_progress,
                              .on_end = told_load_end,
                              .ctx = told };
    call_id call = supervisor_load(s->sup, &request, sink);
    turn(s);
    return call;
}

call_id get_or_load(struct scene *s, struct load_request request, struct told *told) {
    struct load_sink sink = { .on_end = told_load_end, .ctx = told };
    call_id call = supervisor_get_or_load(s->sup, &request, sink);
    turn(s);
    return call;
}

void estimate(struct scene *s, struct told *told) {
    struct load_request request = LOAD_REQUEST_UNSET;
    request.model = "one";
    struct estimate_sink sink = { .on_end = told_estimate, .ctx = told };
    (void)supervisor_estimate(s->sup, &request, sink);
    turn(s);
}

call_id generate_with(struct scene *s, enum service_op op, const char *model, const char *body,
                      struct told *told) {
    yyjson_doc *doc = yyjson_read(body, strlen(body), 0);
    struct service_request request = { .op = op,
                                       .model = xstrdup(model),
                                       .body = yyjson_doc_mut_copy(doc, NULL) };
    yyjson_doc_free(doc);
    struct service_sink sink = { .on_event = told_event, .ctx = told };
    return supervisor_generate(s->sup, &request, sink);
}

call_id generate(struct scene *s, enum service_op op, const char *model, struct told *told) {
    static const char *const bodies[] = {
        [OP_CHAT] = "{\"op\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
        [OP_COMPLETION] = "{\"op\":\"completion\",\"prompt\":\"Hi\"}",
        [OP_EMBEDDING] = "{\"op\":\"embedding\",\"input\":[\"Hi\"]}",
        [OP_TOKENIZE] = "{\"op\":\"tokenize\",\"text\":\"Hi\"}",
        [OP_TEMPLATE] =
            "{\"op\":\"template\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
    };
    return generate_with(s, op, model, bodies[op], told);
}

void ask(struct scene *s, const char *model, struct told *told) {
    (void)generate(s, OP_COMPLETION, model, told);
    turn(s);
}

void told_done(void *ctx, const struct error *error) {
    struct told *told = ctx;
    told->results += error == NULL;
    told->errors += error != NULL;
    if (error) told->error = *error;
}

void unload(struct scene *s, const char *identifier, struct told *told) {
    struct done_sink sink = { .on_end = told_done, .ctx = told };
    (void)supervisor_unload(s->sup, identifier, sink);
    turn(s);
}

void update(struct scene *s, const char *identifier, struct instance_change change,
            struct told *told) {
    struct done_sink sink = { .on_end = told_done, .ctx = told };
    (void)supervisor_update(s->sup, identifier, &change, sink);
    turn(s);
}

struct load_request request_for(const char *model) {
    struct load_request request = LOAD_REQUEST_UNSET;
    request.model = model;
    return request;
}

void load_named(struct scene *s, const char *identifier, struct told *told) {
    struct load_request request = request_for("one");
    request.identifier = identifier;
    (void)load(s, request, told);
}

/* The only instance that is listed. */
const struct instance_view *instance(struct scene *s) {
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

int told_of(const struct told *told) {
    return told->results + told->errors;
}
