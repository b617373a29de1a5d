/* SPDX-License-Identifier: MIT */
#include "ws_fake_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

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

const struct instance_view fake_instances[] = {
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
      .instances = &fake_instances[0],
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
      .instances = &fake_instances[1],
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
    service_request_seal(request);
    buf_addf(f->out, "= generate for %llu: ", (unsigned long long)request->instance);
    buf_add(f->out, request->sealed.text, request->sealed.len);
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

struct paper_upload {
    char name[32];
    bool bad;
};

static void *file_begin(void *self, const char *name, const char *base64, size_t held_before,
                        struct error *err) {
    struct paper_upload *upload = xcalloc(1, sizeof *upload);
    (void)self;
    (void)held_before;
    (void)err;
    snprintf(upload->name, sizeof upload->name, "%.20s", name);
    upload->bad = strcmp(base64, "!") == 0;
    return upload;
}

static void file_read(void *upload) {
    (void)upload;
}

static bool file_put(void *self, void *upload, struct lmws_file *ret, struct error *err) {
    struct paper_upload file = *(struct paper_upload *)upload;
    (void)self;
    free(upload);
    *ret = text_file;
    return !file.bad ||
           error_set(err, ERR_INVALID_REQUEST, "The content of '%s' is not base64.", file.name);
}

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    (void)self;
    bool image = strcmp(identifier, "file-2") == 0;
    *ret = image ? image_file : text_file;
    return image || strcmp(identifier, "file-1") == 0;
}

static void file_use(void *self, const struct lmws_file *file) {
    (void)self;
    (void)file;
}

static void offload(void *self, size_t bytes, const struct lmws_piece *piece) {
    (void)self;
    (void)bytes;
    piece->work(piece->ctx);
    piece->on_done(piece->ctx);
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

static void log_leave(void *self, void *follower) {
    struct fake *f = self;
    (void)follower;
    f->log = NULL;
    buf_add_str(f->out, "= leave the log\n");
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
    fake_event(f, name, yyjson_doc_get_root(doc), json ? json : "");
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
                                  .ops = &f->ops,
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
                                  .file_begin = file_begin,
                                  .file_read = file_read,
                                  .file_put = file_put,
                                  .file_find = file_find,
                                  .file_hold = file_use,
                                  .file_release = file_use,
                                  .offload = offload,
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
