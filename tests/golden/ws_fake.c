/* SPDX-License-Identifier: MIT */
#include "ws_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/session.h"
#include "base/json.h"
#include "base/words.h"
#include "base/xalloc.h"

enum { CALLS_MAX = 64 };

struct fake_call {
    struct service_sink sink;
    struct load_sink load;
    struct done_sink unload;
    struct estimate_sink estimate;
    bool open;
};

struct fake {
    struct buf *out;
    struct service service;
    struct lmws_host host;
    struct lmws_session *session;
    struct fake_call calls[CALLS_MAX];
    call_id last; /* index + 1 */
    void (*log)(void *ctx, const struct log_line *line);
    void *log_ctx;
    struct lmws_hub hub;
    struct lmws_hub_sink asked; /* of the last question to the hub */
};

static const struct load_settings chat_settings = { .context_length = 4096,
                                                    .eval_batch_size = 512,
                                                    .parallel = 4,
                                                    .gpu_layers = -1,
                                                    .draft_min_probability = -1,
                                                    .seed = -1,
                                                    .kv_type_k = KV_TYPE_Q8_0,
                                                    .kv_type_v = KV_TYPE_F16,
                                                    .chunk_size = 128,
                                                    .threads = 2,
                                                    .chat_template =
                                                        "{{ messages[0].content }}" };
static const struct load_settings vectors_settings = { .context_length = 512,
                                                       .eval_batch_size = 512,
                                                       .parallel = 1,
                                                       .draft_min_probability = -1,
                                                       .seed = 7,
                                                       .kv_type_k = KV_TYPE_F16,
                                                       .kv_type_v = KV_TYPE_F16 };

static const struct instance_view instances[] = {
    { .reference = 65,
      .identifier = "mine",
      .model_key = "hello",
      .type = MODEL_LLM,
      .origin = ORIGIN_EXPLICIT,
      .state = INSTANCE_BUSY,
      .work = WORK_GENERATING,
      .ttl = 300000,
      .last_used_at = 1700000000000,
      .settings = &chat_settings,
      .sampling = { .temperature = 0.6,
                    .top_k = 20,
                    .top_p = 1,
                    .min_p = 0.05,
                    .repeat_penalty = 1,
                    .known = true },
      .running = 1,
      .waiting = 2 },
    { .reference = 130,
      .identifier = "vectors",
      .model_key = "vectors",
      .type = MODEL_EMBEDDINGS,
      .origin = ORIGIN_JIT,
      .state = INSTANCE_IDLE,
      .ttl = MSEC_NEVER,
      .settings = &vectors_settings },
};

static const struct model_view models[] = {
    { .key = "broken",
      .publisher = "test",
      .display_name = "Broken",
      .path = "/m/broken.gguf",
      .architecture = "",
      .quantization = "",
      .params_string = "",
      .type = MODEL_LLM,
      .problem = "The file ends too early." },
    { .key = "hello",
      .publisher = "test",
      .display_name = "Hello",
      .path = "/m/test/Hello-GGUF/hello.gguf",
      .architecture = "llama",
      .quantization = "Q4_K_M",
      .params_string = "1B",
      .type = MODEL_LLM,
      .bits_per_weight = 4.8,
      .size_bytes = 1000000,
      .max_context_length = 8192,
      .layers = 16,
      .tool_use = true,
      .instances = &instances[0],
      .instance_count = 1 },
    { .key = "vectors",
      .publisher = "local",
      .display_name = "Vectors",
      .path = "/m/vectors.gguf",
      .architecture = "bert",
      .quantization = "",
      .params_string = "",
      .type = MODEL_EMBEDDINGS,
      .size_bytes = 500,
      .max_context_length = 512,
      .instances = &instances[1],
      .instance_count = 1 },
};
enum { MODEL_COUNT = sizeof models / sizeof models[0] };

/* ---- the service ---- */

static call_id call_new(struct fake *f, struct fake_call call) {
    if (f->last < CALLS_MAX) f->last++;
    call.open = true;
    f->calls[f->last - 1] = call;
    return f->last;
}

static call_id generate(void *self, struct service_request *request, struct service_sink sink) {
    struct fake *f = self;
    buf_addf(f->out, "= generate for %llu: ", (unsigned long long)request->instance);
    json_write(request->body, f->out);
    buf_add_str(f->out, "\n");
    service_request_clear(request);
    return call_new(f, (struct fake_call){ .sink = sink });
}

static void cancel(void *self, call_id call) {
    struct fake *f = self;
    if (call == 0 || call > f->last || !f->calls[call - 1].open) return;
    f->calls[call - 1].open = false;
    buf_add_str(f->out, "= cancel\n");
}

static void set_paused(void *self, call_id call, bool paused) {
    struct fake *f = self;
    (void)call;
    buf_addf(f->out, "= %s\n", paused ? "pause" : "resume");
}

static struct service_models list(void *self) {
    (void)self;
    return (struct service_models){ models, MODEL_COUNT, true };
}

static const char *or_dash(const char *text) {
    return text && *text ? text : "-";
}

static void say_load(struct fake *f, const char *what, const struct load_request *r) {
    const struct load_settings *s = &r->settings;
    buf_addf(
        f->out,
        "= %s %s as %s, ttl %lld, context %lld, batch %lld, parallel %lld, experts %lld, "
        "flash %d, kv offload %d, layers %lld, mmap %d, mlock %d, seed %lld, kv %s %s, rope %g "
        "%g, threads %lld, chunk %lld, template %s, ending %s\n",
        what, r->model, or_dash(r->identifier), r->ttl.given ? (long long)r->ttl.value : -1,
        (long long)s->context_length, (long long)s->eval_batch_size, (long long)s->parallel,
        (long long)s->num_experts, s->flash_attention, s->offload_kv_cache_to_gpu,
        (long long)s->gpu_layers, s->mmap, s->mlock, (long long)s->seed,
        or_dash(kv_type_name(s->kv_type_k)), or_dash(kv_type_name(s->kv_type_v)),
        s->rope_frequency_base, s->rope_frequency_scale, (long long)s->threads,
        (long long)s->chunk_size, or_dash(s->chat_template), or_dash(s->reasoning_ending));
    if (*s->draft_model)
        buf_addf(f->out, "= draft model %s, tokens %lld, probability %g\n", s->draft_model,
                 (long long)s->draft_tokens, s->draft_min_probability);
}

static call_id load(void *self, const struct load_request *request, struct load_sink sink) {
    say_load(self, "load", request);
    return call_new(self, (struct fake_call){ .load = sink });
}

static call_id get_or_load(void *self, const struct load_request *request,
                           struct load_sink sink) {
    say_load(self, "get_or_load", request);
    return call_new(self, (struct fake_call){ .load = sink });
}

static call_id estimate(void *self, const struct load_request *request,
                        struct estimate_sink sink) {
    say_load(self, "estimate", request);
    return call_new(self, (struct fake_call){ .estimate = sink });
}

static call_id unload(void *self, const char *identifier, struct done_sink sink) {
    struct fake *f = self;
    buf_addf(f->out, "= unload %s\n", identifier);
    return call_new(f, (struct fake_call){ .unload = sink });
}

static bool find_model(void *self, const char *name, struct model_view *ret_model) {
    (void)self;
    if (strcmp(name, "text-embedding-vectors") == 0)
        name = "vectors"; /* as the catalog has it */
    for (int i = 0; i < MODEL_COUNT; i++) {
        if (strcmp(models[i].key, name) != 0) continue;
        *ret_model = models[i];
        return true;
    }
    return false;
}

static bool find_instance(void *self, uint64_t reference, struct model_view *ret_model,
                          struct instance_view *ret_instance) {
    (void)self;
    for (int i = 0; i < MODEL_COUNT; i++) {
        for (size_t k = 0; k < models[i].instance_count; k++) {
            if (models[i].instances[k].reference != reference) continue;
            *ret_model = models[i];
            *ret_instance = models[i].instances[k];
            return true;
        }
    }
    return false;
}

/* ---- the host ---- */

static bool admit(void *self, const char *peer, const char *identifier, const char *passkey,
                  char ret_key[LMWS_KEY_SIZE]) {
    (void)self;
    (void)peer;
    snprintf(ret_key, LMWS_KEY_SIZE, "%.8s", identifier);
    return strcmp(passkey, "right") == 0;
}

/* The client "reader" may look and no more. */
static bool may(void *self, const char *key, enum permission permission,
                const struct allowed_models **ret_allowed, struct error *err) {
    static const struct allowed_models all = { 0 };
    (void)self;
    *ret_allowed = &all;
    return permission_require(strcmp(key, "reader") == 0 ? 0 : 1u << PERMISSION_ADMIN,
                              permission, err);
}

static bool http_start(void *self, int port, const char *interface, int cors,
                       struct error *err) {
    struct fake *f = self;
    buf_addf(f->out, "= start http on %s:%d, cors %d\n", interface ? interface : "-", port,
             cors);
    return port != 1 || error_set(err, ERR_IO, "Port 1 is in use.");
}

static bool http_stop(void *self, struct error *err) {
    struct fake *f = self;
    (void)err;
    buf_add_str(f->out, "= stop http\n");
    return true;
}

static void shutdown_all(void *self) {
    struct fake *f = self;
    buf_add_str(f->out, "= shutdown\n");
}

static void note(void *self, const char *text) {
    struct fake *f = self;
    buf_addf(f->out, "= note %s\n", text);
}

static const struct lmws_file text_file = { .identifier = "file-1",
                                            .name = "note.txt",
                                            .type = "text/plain",
                                            .mime = "",
                                            .base64 = "aGk=",
                                            .text = "hi",
                                            .size = 2 };
static const struct lmws_file image_file = { .identifier = "file-2",
                                             .name = "x.png",
                                             .type = "image",
                                             .mime = "image/png",
                                             .base64 = "iVBORw0KGgo=",
                                             .size = 8 };

static size_t held(void *ctx) {
    (void)ctx;
    return 0;
}

static bool file_put(void *self, const char *name, const char *base64, size_t held_before,
                     struct lmws_file *ret, struct error *err) {
    (void)self;
    (void)held_before;
    if (strcmp(base64, "!") == 0) {
        return error_set(err, ERR_INVALID_REQUEST, "The content of '%.20s' is not base64.",
                         name);
    }
    *ret = text_file;
    return true;
}

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    (void)self;
    bool image = strcmp(identifier, "file-2") == 0;
    *ret = image ? image_file : text_file;
    return image || strcmp(identifier, "file-1") == 0;
}

static void *log_follow(void *self, void (*fn)(void *ctx, const struct log_line *line),
                        void *ctx) {
    struct fake *f = self;
    f->log = fn;
    f->log_ctx = ctx;
    buf_add_str(f->out, "= follow the log\n");
    return f;
}

static void *hub_ask(struct fake *f, const char *what, const struct lmws_hub_sink *sink) {
    f->asked = *sink;
    buf_addf(f->out, "= ask the hub: %s\n", what);
    return f;
}

static void *hub_search(void *self, const char *words, size_t limit,
                        const struct lmws_hub_sink *sink) {
    char what[80];
    (void)snprintf(what, sizeof what, "search '%.40s', %zu at most", words, limit);
    return hub_ask(self, what, sink);
}

static void *hub_options(void *self, const char *repo, const struct lmws_hub_sink *sink) {
    char what[80];
    (void)snprintf(what, sizeof what, "options of '%.40s'", repo);
    return hub_ask(self, what, sink);
}

static void *hub_get(void *self, const char *name, const struct lmws_hub_sink *sink) {
    char what[80];
    (void)snprintf(what, sizeof what, "get '%.40s'", name);
    return hub_ask(self, what, sink);
}

static void hub_drop(void *self, void *question, bool stop) {
    struct fake *f = self;
    (void)question;
    f->asked = (struct lmws_hub_sink){ 0 };
    buf_addf(f->out, "= drop the question to the hub%s\n", stop ? " and stop it" : "");
}

static double number_of(yyjson_val *obj, const char *name) {
    return yyjson_get_num(yyjson_obj_get(obj, name));
}

/* A line as GET /api/v1/log writes it. */
static void log_say(struct fake *f, const char *json) {
    static const char *const types[] = { "line", "request", "input", "output", "stats" };
    struct error err;
    yyjson_doc *doc = json_parse_object(json, strlen(json), &err);
    yyjson_val *root = yyjson_doc_get_root(doc), *stats = yyjson_obj_get(root, "stats");
    int kind = WORDS_FIND(types, json_find_str(root, "type"));
    const char *text = json_find_str(root, "text"), *model = json_find_str(root, "model");
    bool mine = model && strcmp(model, instances[0].identifier) == 0;
    struct log_line line = {
        .kind = kind < 0 ? LOG_SERVER : (enum log_kind)kind,
        .at = yyjson_get_sint(yyjson_obj_get(root, "at")),
        .text = text ? text : "",
        .instance = mine ? instances[0].reference : 0,
        .model = model ? model : "",
        .usage = { .prompt_tokens = (int64_t)number_of(stats, "prompt_tokens"),
                   .completion_tokens = (int64_t)number_of(stats, "completion_tokens") },
        .timing = { .time_to_first_token = number_of(stats, "time_to_first_token"),
                    .generation = number_of(stats, "generation_time") },
        .stop_reason = stop_reason_parse(json_find_str(stats, "stop_reason")),
    };
    const char *level = json_find_str(root, "level");
    (void)(level && log_level_parse(level, &line.level));
    if (f->log) f->log(f->log_ctx, &line);
    yyjson_doc_free(doc);
}

static void log_leave(void *self, void *follower) {
    struct fake *f = self;
    (void)follower;
    f->log = NULL;
    buf_add_str(f->out, "= leave the log\n");
}

/* ---- events of the service ---- */

static struct fake_call *last_call(struct fake *f) {
    return f->last && f->calls[f->last - 1].open ? &f->calls[f->last - 1] : NULL;
}

static const char *text_of(yyjson_val *json, const char *name) {
    return yyjson_get_str(yyjson_obj_get(json, name));
}

static struct error error_of(yyjson_val *json) {
    struct error err;
    const char *code = text_of(json, "code"), *text = text_of(json, "text");
    error_set(&err, code ? error_from_name(code) : ERR_INTERNAL, "%s", text ? text : "Failed.");
    return err;
}

static void end_load(struct fake *f, const struct load_result *result,
                     const struct error *err) {
    struct fake_call *call = last_call(f);
    call->open = false;
    call->load.on_end(call->load.ctx, f->last, result, err);
}

static void on_load_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct load_result result = { .instance = &instances[0], .fresh = true };
    struct error err = error_of(json);
    if (strcmp(name, "evicting") == 0 && call->load.on_evicting) {
        call->load.on_evicting(call->load.ctx, f->last, &instances[1]);
    } else if (strcmp(name, "loading") == 0 && call->load.on_loading) {
        call->load.on_loading(call->load.ctx, f->last, &instances[0]);
    } else if (strcmp(name, "progress") == 0 && call->load.on_progress) {
        call->load.on_progress(call->load.ctx, f->last, yyjson_get_num(json));
    } else if (strcmp(name, "loaded") == 0) {
        end_load(f, &result, NULL);
    } else if (strcmp(name, "found") == 0) {
        result.fresh = false;
        end_load(f, &result, NULL);
    } else if (strcmp(name, "failed") == 0) {
        end_load(f, NULL, &err);
    }
}

static void on_unload_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct error err = error_of(json);
    bool failed = strcmp(name, "failed") == 0;
    if (!failed && strcmp(name, "gone") != 0) return;
    call->open = false;
    call->unload.on_end(call->unload.ctx, failed ? &err : NULL);
}

static void on_estimate_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct load_estimate result = { .model = 100, .context = 50, .fits = true };
    struct error err = error_of(json);
    bool failed = strcmp(name, "failed") == 0;
    call->open = false;
    call->estimate.on_end(call->estimate.ctx, failed ? NULL : &result, failed ? &err : NULL);
}

static void fill_event(yyjson_val *json, struct service_event *ev) {
    static const float vector[] = { 0.5F, -0.25F };
    yyjson_val *list = yyjson_obj_get(json, "calls"), *call;
    size_t i, max;
    const char *reason = text_of(json, "stop_reason");
    ev->stop_string = text_of(json, "stop_string");
    ev->progress = yyjson_get_num(yyjson_obj_get(json, "progress"));
    ev->content = text_of(json, "content");
    ev->reasoning = text_of(json, "reasoning");
    ev->logprobs = yyjson_obj_get(json, "logprobs");
    ev->result = yyjson_obj_get(json, "result");
    ev->vector = vector;
    ev->vector_len = 2;
    ev->stop_reason = stop_reason_parse(reason ? reason : "eosFound");
    ev->usage = (struct service_usage){ .prompt_tokens = 11,
                                        .cached_tokens = 4,
                                        .completion_tokens = 3 };
    ev->usage.draft.total = (int64_t)number_of(json, "drafted_tokens");
    ev->usage.draft.accepted = (int64_t)number_of(json, "accepted_tokens");
    ev->usage.draft.ignored = (int64_t)number_of(json, "ignored_tokens");
    ev->timing = (struct service_timing){ .generation = 0.5, .time_to_first_token = 0.25 };
    yyjson_arr_foreach(list, i, max, call) {
        const char *arguments = text_of(call, "arguments");
        if (i >= DELTA_MAX_CALLS) break;
        ev->calls[ev->call_count++] = (struct tool_call_piece){
            .index = yyjson_get_int(yyjson_obj_get(call, "index")),
            .id = text_of(call, "id"),
            .name = text_of(call, "name"),
            .arguments = arguments ? arguments : "",
        };
    }
}

static void on_work_event(struct fake *f, const char *name, yyjson_val *json) {
    static const char *const kinds[] = {
        [SERVICE_LOADING] = "loading", [SERVICE_STARTED] = "started",
        [SERVICE_PROMPT] = "prompt",   [SERVICE_DELTA] = "delta",
        [SERVICE_VECTOR] = "vector",   [SERVICE_DONE] = "done",
        [SERVICE_ERROR] = "error",
    };
    struct fake_call *call = last_call(f);
    struct error err = error_of(json);
    for (int i = 0; i <= SERVICE_ERROR; i++) {
        if (strcmp(kinds[i], name) != 0) continue;
        struct service_event ev = { .kind = (enum service_event_kind)i, .error = &err };
        fill_event(json, &ev);
        if (i >= SERVICE_DONE) call->open = false;
        call->sink.on_event(call->sink.ctx, f->last, &ev);
        return;
    }
}

/* hub {"names":[…]}, {"option":{…}}, {"done":n,"total":n,"rate":x}, {"key":"…"} or an error */
static void on_hub_event(struct fake *f, yyjson_val *json) {
    struct lmws_hub_sink sink = f->asked;
    struct error err = error_of(json);
    const struct error *error = yyjson_obj_get(json, "code") ? &err : NULL;
    const char *name = yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(json, "names")));
    yyjson_val *option = yyjson_obj_get(json, "option");
    struct lmws_hub_option one = { .file = json_find_str(option, "file"),
                                   .quantization = json_find_str(option, "quantization"),
                                   .size = yyjson_get_uint(yyjson_obj_get(option, "size")),
                                   .recommended = true };
    if (yyjson_obj_get(json, "done")) {
        sink.on_progress(sink.ctx, (uint64_t)number_of(json, "done"),
                         (uint64_t)number_of(json, "total"), number_of(json, "rate"));
        return;
    }
    f->asked = (struct lmws_hub_sink){ 0 };
    if (sink.on_found) sink.on_found(sink.ctx, &name, name ? 1 : 0, error);
    if (sink.on_options) sink.on_options(sink.ctx, &one, option ? 1 : 0, error);
    if (sink.on_got) sink.on_got(sink.ctx, json_find_str(json, "key"), error);
}

static void on_event(struct fake *f, const char *name, yyjson_val *json, const char *text) {
    struct fake_call *call = last_call(f);
    if (strcmp(name, "log") == 0) {
        log_say(f, text);
    } else if (strcmp(name, "hub") == 0) {
        if (f->asked.ctx) on_hub_event(f, json);
    } else if (strcmp(name, "pause") == 0 || strcmp(name, "resume") == 0) {
        lmws_session_pause(f->session, *name == 'p');
    } else if (call && call->load.on_end) {
        on_load_event(f, name, json);
    } else if (call && call->unload.on_end) {
        on_unload_event(f, name, json);
    } else if (call && call->estimate.on_end) {
        on_estimate_event(f, name, json);
    } else if (call) {
        on_work_event(f, name, json);
    }
}

/* ---- the script ---- */

static void send_out(void *ctx, const char *json, size_t len) {
    struct fake *f = ctx;
    (void)len;
    buf_addf(f->out, "< %s\n", json);
}

static void hang_up(void *ctx, const char *reason) {
    struct fake *f = ctx;
    buf_addf(f->out, "= hang up: %s\n", reason);
}

static void on_admitted(void *ctx) {
    (void)ctx;
}

static void receive(struct fake *f, const char *text) {
    struct error err;
    yyjson_doc *doc = lmws_message_parse(text, strlen(text), &err);
    lmws_session_receive(f->session, doc, &err);
    yyjson_doc_free(doc);
}

static void run_line(struct fake *f, char *line) {
    struct error err;
    if (strncmp(line, "> ", 2) == 0) {
        receive(f, line + 2);
        return;
    }
    if (strncmp(line, "! ", 2) != 0) return;
    char *name = line + 2, *json = strchr(name, ' ');
    if (json) *json++ = '\0';
    yyjson_doc *doc = json ? json_parse(json, strlen(json), &err) : NULL;
    on_event(f, name, yyjson_doc_get_root(doc), json ? json : "");
    yyjson_doc_free(doc);
}

static void fake_init(struct fake *f, struct buf *out) {
    static const char *const extensions[] = { "AVX2", NULL };
    f->out = out;
    f->service = (struct service){ .self = f,
                                   .generate = generate,
                                   .cancel = cancel,
                                   .pause = set_paused,
                                   .models = list,
                                   .load = load,
                                   .get_or_load = get_or_load,
                                   .estimate = estimate,
                                   .unload = unload,
                                   .find_model = find_model,
                                   .find_instance = find_instance };
    f->hub = (struct lmws_hub){ .self = f,
                                .search = hub_search,
                                .options = hub_options,
                                .get = hub_get,
                                .drop = hub_drop };
    f->host = (struct lmws_host){ .self = f,
                                  .hub = &f->hub,
                                  .service = &f->service,
                                  .version = "1.2.3",
                                  .machine = "host",
                                  .build = 1,
                                  .pid = 42,
                                  .boot = 0xabc,
                                  .engine = { "llama.cpp-linux-x86_64", "1.2.3", "linux",
                                              "x86_64", extensions },
                                  .admit = admit,
                                  .may = may,
                                  .http_start = http_start,
                                  .http_stop = http_stop,
                                  .shutdown = shutdown_all,
                                  .note = note,
                                  .file_put = file_put,
                                  .file_find = file_find,
                                  .log_follow = log_follow,
                                  .log_leave = log_leave };
}

void ws_fake_run(const char *script, struct buf *out) {
    struct fake *f = xcalloc(1, sizeof *f);
    struct buf quiet = BUF_INIT(1 << 16);
    char *text = xstrdup(script), *rest = text;
    char *line = strsep(&rest, "\n");
    bool stranger = strstr(line, "stranger") != NULL;
    line[strcspn(line, " ")] = '\0';
    enum lmws_namespace ns = lmws_namespace_parse(line);
    fake_init(f, stranger ? out : &quiet);
    f->session = lmws_session_new(ns ? ns : LMWS_LLM, &f->host,
                                  (struct lmws_transport){ .send = send_out,
                                                           .hang_up = hang_up,
                                                           .on_admitted = on_admitted,
                                                           .held = held,
                                                           .ctx = f,
                                                           .peer = "192.0.2.1" });
    if (!stranger) {
        static const char hello[] = "{\"authVersion\":1,\"clientIdentifier\":\"x\","
                                    "\"clientPasskey\":\"right\"}";
        receive(f, hello);
    }
    f->out = out;
    while ((line = strsep(&rest, "\n"))) {
        bool known = strncmp(line, "> ", 2) == 0 || strncmp(line, "! ", 2) == 0;
        if (known) buf_addf(out, "%s\n", line);
        run_line(f, line);
    }
    lmws_session_free(f->session);
    buf_clear(&quiet);
    free(text);
    free(f);
}
