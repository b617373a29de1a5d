/* SPDX-License-Identifier: MIT */
/* worker_events.c - what workers say becomes events of the lifecycle and of waiting clients. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "supervisor/internal.h"

/* A worker with work says something at least every second; the lifecycle needs to know only now
 * and then. */
enum { HEARD_EVERY = 1000 };

struct heard {
    struct supervisor *sup;
    struct worker *worker;
    struct instance *in;
    const struct frame *frame;
    yyjson_val *json; /* NULL for raw payloads */
};

static struct lc_event event_of(const struct heard *h, enum lc_event_kind kind) {
    return (struct lc_event){ .kind = kind,
                              .slot = worker_slot(h->worker),
                              .generation = worker_generation(h->worker) };
}

static const char *text_of(yyjson_val *obj, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(obj, name));
    return text ? text : "";
}

/* Numbers of a worker are added up: none is so large that a sum of them could overflow. */
#define LARGEST_INT (INT64_C(1) << 53)

static int64_t int_of(yyjson_val *obj, const char *name) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    int64_t n = yyjson_is_int(val) ? yyjson_get_sint(val) : 0;
    return n < 0 || n > LARGEST_INT ? 0 : n;
}

static double number_of(yyjson_val *obj, const char *name) {
    return yyjson_get_num(yyjson_obj_get(obj, name));
}

/* ---- about the worker itself ---- */

static void hear_hello(struct heard *h) {
    if (int_of(h->json, "version") == MESSAGE_VERSION) return;
    error_set(&h->in->load_error, ERR_LOAD_FAILED,
              "The worker program is of another build than the server; install both anew.");
    supervisor_feed(h->sup, event_of(h, LC_EV_LOAD_FAILED));
}

/* Everybody who waits for this load hears how far it is. */
static void tell_waiters(struct supervisor *sup, int slot) {
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->state != LC_WAITING) continue;
        struct call *call = call_find(sup->calls, request->id);
        if (call) call_emit_loading(sup, call, slot);
    }
}

static void hear_progress(struct heard *h) {
    struct lc_event ev = event_of(h, LC_EV_PROGRESS);
    int64_t permille = int_of(h->json, "permille");
    ev.permille = permille > 1000 ? 1000 : (uint32_t)permille;
    supervisor_feed(h->sup, ev);
    tell_waiters(h->sup, ev.slot);
    supervisor_report_progress(h->sup, ev.slot);
}

static void read_sampling(yyjson_val *json, struct sampling_view *ret) {
    *ret = (struct sampling_view){ .temperature = number_of(json, "temperature"),
                                   .top_k = int_of(json, "top_k"),
                                   .top_p = number_of(json, "top_p"),
                                   .min_p = number_of(json, "min_p"),
                                   .repeat_penalty = number_of(json, "repeat_penalty"),
                                   .known = json != NULL };
}

/* What the machine does not offer concerns every worker: it is said once. */
static void tell_sandbox(struct heard *h) {
    const char *missing = text_of(h->json, "sandbox_missing");
    if (*missing == '\0' || h->sup->sandbox_told) return;
    h->sup->sandbox_told = true;
    log_warn("%s", missing);
}

static void hear_ready(struct heard *h) {
    struct instance *in = h->in;
    if (h->sup->lc.slots[worker_slot(h->worker)].state != LC_LOADING) return; /* given up */
    struct instance_facts *facts = &in->facts;
    snprintf(facts->architecture, sizeof facts->architecture, "%s",
             text_of(h->json, "architecture"));
    snprintf(facts->quantization, sizeof facts->quantization, "%s",
             text_of(h->json, "quantization"));
    facts->context_length = int_of(h->json, "context_length");
    facts->parallel = int_of(h->json, "parallel");
    facts->batch = int_of(h->json, "batch");
    facts->chunk = int_of(h->json, "chunk");
    facts->threads = int_of(h->json, "threads");
    read_sampling(yyjson_obj_get(h->json, "sampling"), &facts->sampling);
    facts->memory = (nbytes)int_of(h->json, "memory_bytes");
    facts->flash_attention = yyjson_get_bool(yyjson_obj_get(h->json, "flash_attention"));
    in->loaded_at = clock_unix();
    in->load_seconds = (double)(supervisor_now() - in->spawned_at) / 1000;
    log_debug("%s: loaded in %.0f ms; its worker took %.0f of them, libllama %.0f, sandbox=%s",
              in->identifier, in->load_seconds * 1000,
              number_of(h->json, "load_seconds") * 1000,
              number_of(h->json, "library_seconds") * 1000, text_of(h->json, "sandbox"));
    tell_sandbox(h);
    h->sup->world.metrics->loads++;
    h->sup->world.metrics->load_seconds += in->load_seconds;
    struct lc_event ev = event_of(h, LC_EV_READY);
    ev.bytes = facts->memory;
    ev.parallel = facts->parallel > 0 ? (uint32_t)facts->parallel : 1;
    supervisor_feed(h->sup, ev);
}

static void hear_memory(struct heard *h) {
    struct lc_event ev = event_of(h, LC_EV_MEMORY);
    struct instance_facts *facts = &h->in->facts;
    snprintf(facts->repack, sizeof facts->repack, "%s", text_of(h->json, "repack"));
    ev.bytes = facts->memory = (nbytes)int_of(h->json, "memory_bytes");
    supervisor_feed(h->sup, ev);
}

void supervisor_read_failure(yyjson_val *json, struct error *ret) {
    enum err_code code = error_from_name(text_of(json, "code"));
    if (code == ERR_INTERNAL || code == ERR_NONE) code = ERR_LOAD_FAILED;
    error_set(ret, code, "%s", text_of(json, "text"));
}

static void hear_failed(struct heard *h) {
    supervisor_read_failure(h->json, &h->in->load_error);
    supervisor_feed(h->sup, event_of(h, LC_EV_LOAD_FAILED));
}

static void hear_heartbeat(struct heard *h) {
    (void)h; /* every frame counts as a sign of life, see on_frame */
}

static void hear_store(struct heard *h) {
    struct instance_facts *facts = &h->in->facts;
    facts->prompts_kept = int_of(h->json, "entries");
    facts->prompt_bytes = (nbytes)int_of(h->json, "bytes") +
                          (nbytes)int_of(h->json, "memory_bytes");
    facts->prompt_hits = int_of(h->json, "hits");
    h->sup->world.on_prompts(h->sup->world.ctx);
}

static void hear_log(struct heard *h) {
    const char *text = text_of(h->json, "text");
    enum log_level level = LOG_LEVEL_INFO;
    (void)log_level_parse(text_of(h->json, "level"), &level);
    void (*const say[])(const char *fmt, ...) = { log_error, log_warn, log_info, log_debug };
    say[level]("%s: %s", h->in->identifier, text);
}

/* ---- about a request ---- */

/* The call a frame is about, if it is still this worker's. */
static struct call *call_of(const struct heard *h) {
    struct call *call = call_find(h->sup->calls, h->frame->request);
    if (!call || !call->handed_over) return NULL;
    bool same = call->slot == worker_slot(h->worker) &&
                call->generation == worker_generation(h->worker);
    return same ? call : NULL;
}

static void emit(struct supervisor *sup, const struct call *call,
                 const struct service_event *ev) {
    struct service_instance facts = supervisor_facts(sup, call->slot);
    struct service_event told = *ev;
    told.instance = &facts;
    if (call->sink.on_event) call->sink.on_event(call->sink.ctx, call->id, &told);
}

static void hear_started(struct heard *h) {
    struct call *call = call_of(h);
    if (!call) return;
    struct service_event ev = { .kind = SERVICE_STARTED };
    ev.usage.prompt_tokens = int_of(h->json, "prompt_tokens");
    ev.usage.cached_tokens = int_of(h->json, "cached_tokens");
    call->tokens_held = ev.usage.cached_tokens;
    emit(h->sup, call, &ev);
}

static void hear_prompt(struct heard *h) {
    struct call *call = call_of(h);
    if (!call) return;
    int64_t total = int_of(h->json, "total");
    call->tokens_held = int_of(h->json, "processed");
    struct service_event ev = { .kind = SERVICE_PROMPT };
    ev.progress = total > 0 ? (double)int_of(h->json, "processed") / (double)total : 1;
    ev.usage.prompt_tokens = total;
    ev.usage.cached_tokens = int_of(h->json, "cached");
    emit(h->sup, call, &ev);
}

static void read_calls(yyjson_val *json, struct service_event *ev) {
    size_t i, max;
    yyjson_val *val;
    yyjson_arr_foreach(yyjson_obj_get(json, "tool_calls"), i, max, val) {
        if (ev->call_count == DELTA_MAX_CALLS) return;
        ev->calls[ev->call_count++] = (struct tool_call_piece){
            .index = (int)int_of(val, "index"),
            .id = yyjson_get_str(yyjson_obj_get(val, "id")),
            .name = yyjson_get_str(yyjson_obj_get(val, "name")),
            .arguments = text_of(val, "arguments"),
        };
    }
}

static void hear_delta(struct heard *h) {
    struct call *call = call_of(h);
    if (!call) return;
    struct service_event ev = { .kind = SERVICE_DELTA };
    call->generating = true;
    call->tokens_held++;
    activity_token(&h->in->activity);
    ev.content = yyjson_get_str(yyjson_obj_get(h->json, "content"));
    ev.reasoning = yyjson_get_str(yyjson_obj_get(h->json, "reasoning"));
    ev.logprobs = yyjson_obj_get(h->json, "logprobs");
    read_calls(h->json, &ev);
    if (ev.content && feed_wanted(h->sup->world.log, LOG_TOPIC_OUTPUT)) {
        buf_add_str(&call->output, ev.content);
    }
    emit(h->sup, call, &ev);
}

static void hear_vector(struct heard *h) {
    struct call *call = call_of(h);
    if (!call || h->frame->len % sizeof(float) != 0) return;
    static float
        vector[FRAME_MAX_TO_DAEMON / sizeof(float)]; /* aligned copy, never touched if unused */
    memcpy(vector, h->frame->payload, h->frame->len);
    struct service_event ev = { .kind = SERVICE_VECTOR, .vector = vector };
    ev.vector_len = h->frame->len / sizeof(float);
    emit(h->sup, call, &ev);
}

static void read_done(yyjson_val *json, struct service_event *ev) {
    ev->stop_reason = stop_reason_parse(text_of(json, "stop_reason"));
    ev->stop_string = yyjson_get_str(yyjson_obj_get(json, "stop_string"));
    ev->usage.prompt_tokens = int_of(json, "prompt_tokens");
    ev->usage.cached_tokens = int_of(json, "cached_tokens");
    ev->usage.cache_source = cache_source_parse(text_of(json, "cache_source"));
    ev->usage.completion_tokens = int_of(json, "completion_tokens");
    ev->usage.reasoning_tokens = int_of(json, "reasoning_tokens");
    ev->timing.prompt = number_of(json, "prompt_seconds");
    ev->timing.generation = number_of(json, "generation_seconds");
    ev->result = yyjson_obj_get(json, "result");
}

/* Time to first token as the client sees it: waiting and loading count. */
static void add_waiting(const struct call *call, double total, struct service_event *ev) {
    double whole = (double)(clock_boottime_usec() - call->received_usec) / 1e6;
    ev->timing.time_to_first_token = whole - ev->timing.generation;
    if (ev->timing.time_to_first_token < total) ev->timing.time_to_first_token = total;
}

static void count_tokens(struct metrics *metrics, const struct service_usage *usage) {
    metrics->prompt_tokens += (uint64_t)usage->prompt_tokens;
    metrics->cached_tokens += (uint64_t)usage->cached_tokens;
    if (usage->cached_tokens > 0) metrics->prompt_hits[usage->cache_source]++;
    metrics->completion_tokens += (uint64_t)usage->completion_tokens;
}

static void publish_text(struct supervisor *sup, unsigned topic, const char *type,
                         const char *model, const char *text) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, obj);
    yyjson_mut_obj_add_int(doc, obj, "at", clock_unix());
    yyjson_mut_obj_add_str(doc, obj, "source", "model");
    yyjson_mut_obj_add_str(doc, obj, "level", "info");
    yyjson_mut_obj_add_str(doc, obj, "type", type);
    yyjson_mut_obj_add_str(doc, obj, "model", model);
    yyjson_mut_obj_add_str(doc, obj, "text", text);
    struct buf json = BUF_INIT(16 << 20);
    if (json_write(doc, &json)) feed_publish(sup->world.log, "", topic, buf_str(&json), false);
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
}

static void publish_stats(struct supervisor *sup, const char *model,
                          const struct service_event *ev) {
    if (!feed_wanted(sup->world.log, LOG_TOPIC_STATS)) return;
    struct buf json = BUF_INIT(4096);
    double speed = ev->timing.generation > 0
                       ? (double)ev->usage.completion_tokens / ev->timing.generation
                       : 0;
    buf_addf(
        &json,
        "{\"at\":%lld,\"source\":\"model\",\"level\":\"info\",\"type\":\"stats\",\"model\":",
        (long long)clock_unix());
    json_write_str(&json, model, strlen(model));
    buf_addf(&json,
             ",\"stats\":{\"prompt_tokens\":%lld,\"cached_tokens\":%lld,"
             "\"completion_tokens\":%lld,\"tokens_per_second\":%.2f,"
             "\"time_to_first_token\":%.3f,\"generation_time\":%.3f,\"stop_reason\":\"%s\"}}",
             (long long)ev->usage.prompt_tokens, (long long)ev->usage.cached_tokens,
             (long long)ev->usage.completion_tokens, speed, ev->timing.time_to_first_token,
             ev->timing.generation, stop_reason_name(ev->stop_reason));
    feed_publish(sup->world.log, "", LOG_TOPIC_STATS, buf_str(&json), false);
    buf_clear(&json);
}

static void log_answer(struct supervisor *sup, const struct call *call,
                       const struct service_event *ev) {
    const char *identifier = sup->instances[call->slot].identifier;
    if (call->output.len > 0) {
        publish_text(sup, LOG_TOPIC_OUTPUT, "output", identifier, buf_str(&call->output));
    }
    publish_stats(sup, identifier, ev);
}

/* The prompt that log_input asked for. */
static void hear_shadow(struct heard *h) {
    if (h->frame->type != MSG_DONE) return;
    const char *prompt = text_of(yyjson_obj_get(h->json, "result"), "prompt");
    publish_text(h->sup, LOG_TOPIC_INPUT, "input", h->in->identifier, prompt);
}

static void hear_done(struct heard *h) {
    struct lc_event done = event_of(h, LC_EV_DONE);
    done.request = h->frame->request;
    struct call *call = call_of(h);
    if (call) {
        struct service_event ev = { .kind = SERVICE_DONE };
        read_done(h->json, &ev);
        add_waiting(call, number_of(h->json, "time_to_first_token"), &ev);
        count_tokens(h->sup->world.metrics, &ev.usage);
        activity_done(&h->in->activity, ev.usage.prompt_tokens, ev.usage.completion_tokens,
                      ev.timing.generation);
        log_answer(h->sup, call, &ev);
        emit(h->sup, call, &ev);
        call = call_find(h->sup->calls, done.request);
        if (call) call_close(h->sup->calls, call);
    }
    supervisor_feed(h->sup, done);
}

static void hear_error(struct heard *h) {
    struct lc_event done = event_of(h, LC_EV_DONE);
    done.request = h->frame->request;
    struct call *call = call_of(h);
    if (call) {
        struct error err;
        enum err_code code = error_from_name(text_of(h->json, "code"));
        error_set_param(&err, code == ERR_NONE ? ERR_INTERNAL : code, text_of(h->json, "param"),
                        "%s", text_of(h->json, "text"));
        call_fail(h->sup, call, &err);
    }
    supervisor_feed(h->sup, done);
}

/* ---- dispatch ---- */

struct hearer {
    enum message_type type;
    void (*fn)(struct heard *h);
    bool raw;
};

static const struct hearer hearers[] = {
    { MSG_HELLO, hear_hello, false },   { MSG_PROGRESS, hear_progress, false },
    { MSG_READY, hear_ready, false },   { MSG_MEMORY, hear_memory, false },
    { MSG_FAILED, hear_failed, false }, { MSG_STARTED, hear_started, false },
    { MSG_PROMPT, hear_prompt, false }, { MSG_DELTA, hear_delta, false },
    { MSG_VECTOR, hear_vector, true },  { MSG_DONE, hear_done, false },
    { MSG_ERROR, hear_error, false },   { MSG_HEARTBEAT, hear_heartbeat, true },
    { MSG_LOG, hear_log, false },       { MSG_STORE, hear_store, false },
};

static const struct hearer *hearer_find(uint16_t type) {
    for (size_t i = 0; i < sizeof hearers / sizeof hearers[0]; i++) {
        if (hearers[i].type == type) return &hearers[i];
    }
    return NULL;
}

static void note_life(struct heard *h) {
    msec now = supervisor_now();
    if (now - h->in->heard < HEARD_EVERY) return;
    h->in->heard = now;
    supervisor_feed(h->sup, event_of(h, LC_EV_HEARD));
}

static void on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct supervisor *sup = ctx;
    struct heard h = { sup, worker, &sup->instances[worker_slot(worker)], frame, NULL };
    if (h.in->worker != worker) return;
    const struct hearer *hearer = hearer_find(frame->type);
    struct error err;
    yyjson_doc *doc = NULL;
    if (hearer && !hearer->raw) doc = json_parse_object(frame->payload, frame->len, &err);
    if (!hearer || (!hearer->raw && !doc)) {
        log_warn("%s: its worker sent a message that makes no sense and is killed",
                 h.in->identifier);
        worker_kill(worker);
        return;
    }
    h.json = yyjson_doc_get_root(doc);
    note_life(&h);
    if (frame->request & SHADOW_BIT)
        hear_shadow(&h);
    else
        hearer->fn(&h);
    yyjson_doc_free(doc);
}

static void on_gone(void *ctx, struct worker *worker, const char *how) {
    struct supervisor *sup = ctx;
    int slot = worker_slot(worker);
    struct instance *in = &sup->instances[slot];
    if (in->worker != worker) return;
    in->worker = NULL;
    sup->world.on_prompts(sup->world.ctx);
    enum lc_state state = sup->lc.slots[slot].state;
    if (state != LC_UNLOADING) log_warn("%s: its worker %s", in->identifier, how);
    if (state == LC_LOADING) {
        error_set(
            &in->load_error, ERR_LOAD_FAILED,
            "The worker of '%.80s' %s while loading; the file may be damaged, or the memory "
            "too small.",
            in->model_key, how);
    }
    supervisor_feed(sup, (struct lc_event){ .kind = LC_EV_EXITED,
                                            .slot = slot,
                                            .generation = worker_generation(worker) });
}

const struct worker_owner supervisor_worker_owner = { .on_frame = on_frame,
                                                      .on_gone = on_gone };
