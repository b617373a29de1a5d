/* SPDX-License-Identifier: MIT */
/* worker_events.c - messages of workers: events for the lifecycle and for the sinks of
 * requests. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/names.h"
#include "base/utf8.h"
#include "ipc/growth_message.h"
#include "supervisor/internal.h"

/* A busy worker sends a message at least every second. The lifecycle does not need each of
 * them. */
enum { ALIVE_EVERY_MS = 1000 };

struct worker_msg {
    struct supervisor *sup;
    struct worker *worker;
    struct instance *in;
    const struct frame *frame;
    yyjson_val *json; /* NULL for raw payloads */
};

/* Messages come from the loop, so the event is applied at once. The loop then computes the next
 * deadline. */
static void apply(struct supervisor *sup, struct lc_event event) {
    supervisor_step(sup, event);
    supervisor_wake(sup);
}

static struct lc_event event_of(const struct worker_msg *msg, enum lc_event_kind kind) {
    return (struct lc_event){ .kind = kind,
                              .slot = worker_slot(msg->worker),
                              .generation = worker_generation(msg->worker) };
}

/* Numbers from workers are added up; larger ones count as 0, so that no sum overflows. */
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

static void on_hello(struct worker_msg *msg) {
    if (int_of(msg->json, "version") == MESSAGE_VERSION) return;
    error_set(&msg->in->load_error, ERR_LOAD_FAILED,
              "The worker program is of another build than the server; install both again.");
    apply(msg->sup, event_of(msg, LC_EV_LOAD_FAILED));
}

static void on_progress(struct worker_msg *msg) {
    struct lc_event ev = event_of(msg, LC_EV_PROGRESS);
    int64_t permille = int_of(msg->json, "permille");
    ev.permille = permille > 1000 ? 1000 : (uint32_t)permille;
    apply(msg->sup, ev);
}

static void read_sampling(yyjson_val *json, struct sampling_view *ret) {
    *ret = (struct sampling_view){ .temperature = number_of(json, "temperature"),
                                   .top_k = int_of(json, "top_k"),
                                   .top_p = number_of(json, "top_p"),
                                   .min_p = number_of(json, "min_p"),
                                   .repeat_penalty = number_of(json, "repeat_penalty"),
                                   .known = json != NULL };
}

/* What the machine lacks is the same for every worker: warn once. */
static void warn_sandbox(struct worker_msg *msg) {
    const char *missing = json_find_text(msg->json, "sandbox_missing");
    if (*missing == '\0' || msg->sup->sandbox_told) return;
    msg->sup->sandbox_told = true;
    log_warn("%s", missing);
}

/* The effective settings may differ from the requested ones; but a worker cannot change which
 * files they name. */
static void read_settings(yyjson_val *json, struct load_settings *effective) {
    struct load_settings reported = *effective;
    struct error err;
    bool ok = load_settings_read(json, false, &reported, &err);
    reported.adapters = effective->adapters;
    memcpy(reported.draft_model, effective->draft_model, sizeof reported.draft_model);
    if (ok)
        *effective = reported;
    else
        log_warn("A worker reports settings that are not valid: %s", err.text);
}

/* The part in another node's memory does not count here. */
static nbytes device_bytes(const struct instance *in) {
    return in->lent.bytes ? 0 : in->facts.device_memory;
}

static void name_device(struct worker_msg *msg) {
    struct instance *in = msg->in;
    char *device = in->facts.device;
    if (in->lent.bytes)
        snprintf(device, sizeof in->facts.device, "memory of %s", in->lent.lender);
    else
        snprintf(device, sizeof in->facts.device, "%s", json_find_text(msg->json, "device"));
    utf8_mend_line(device);
}

/* A load that came meanwhile may have asked for fewer (Auto-evict, rule 7). */
static void use_places(const struct worker_msg *msg, struct instance *in) {
    int64_t most = msg->sup->lc.slots[worker_slot(msg->worker)].plan.parallel;
    if (in->effective.parallel > most) in->effective.parallel = most;
}

static void on_ready(struct worker_msg *msg) {
    struct instance *in = msg->in;
    if (msg->sup->lc.slots[worker_slot(msg->worker)].state != LC_LOADING)
        return; /* cancelled */
    struct instance_facts *facts = &in->facts;
    snprintf(facts->architecture, sizeof facts->architecture, "%s",
             json_find_text(msg->json, "architecture"));
    snprintf(facts->quantization, sizeof facts->quantization, "%s",
             json_find_text(msg->json, "quantization"));
    read_settings(msg->json, &in->effective);
    read_sampling(yyjson_obj_get(msg->json, "sampling"), &facts->sampling);
    facts->memory = (nbytes)int_of(msg->json, "memory_bytes");
    facts->device_memory = (nbytes)int_of(msg->json, "device_memory_bytes");
    facts->device_layers = int_of(msg->json, "device_layers");
    name_device(msg);
    in->woken = false;
    in->loaded_at = clock_unix();
    in->load_seconds = (double)(clock_boottime() - in->spawned_at) / 1000;
    log_debug(
        "%s: loaded in %.0f ms; its worker took %.0f of them, libllama %.0f, sandbox=%s",
        in->identifier, in->load_seconds * 1000, number_of(msg->json, "load_seconds") * 1000,
        number_of(msg->json, "library_seconds") * 1000, json_find_text(msg->json, "sandbox"));
    warn_sandbox(msg);
    msg->sup->config.metrics->loads++;
    msg->sup->config.metrics->load_seconds += in->load_seconds;
    struct lc_event ev = event_of(msg, LC_EV_READY);
    ev.bytes = facts->memory;
    ev.device = device_bytes(in);
    ev.parallel = (uint32_t)in->effective.parallel;
    use_places(msg, in);
    apply(msg->sup, ev);
}

static void on_memory(struct worker_msg *msg) {
    struct lc_event ev = event_of(msg, LC_EV_MEMORY);
    struct instance_facts *facts = &msg->in->facts;
    facts->repack = repack_state_parse(json_find_text(msg->json, "repack"));
    ev.bytes = facts->memory = (nbytes)int_of(msg->json, "memory_bytes");
    facts->device_memory = (nbytes)int_of(msg->json, "device_memory_bytes");
    ev.device = device_bytes(msg->in);
    nbytes reserved = (nbytes)int_of(msg->json, "reserved_bytes");
    if (reserved > ev.bytes) ev.bytes = reserved;
    apply(msg->sup, ev);
    (void)supervisor_fit_parked(msg->sup, 0);
}

/* The budget is what there is at this moment. */
static void on_grow(struct worker_msg *msg) {
    struct grow_message grow;
    struct error err;
    struct lc_event ev = event_of(msg, LC_EV_GROW);
    if (!grow_message_parse(&grow, msg->frame->payload, msg->frame->len, &err)) {
        log_warn("%s: its worker sent an invalid message and is killed", msg->in->identifier);
        worker_kill(msg->worker);
        return;
    }
    msg->in->growth_ask = grow.ask;
    ev.bytes = (nbytes)grow.bytes;
    ev.least = (nbytes)grow.least;
    ev.optional = grow.optional;
    msg->in->growth = ev;
    msg->in->grows = true;
    supervisor_let_grow(msg->sup, ev.slot);
}

void supervisor_let_grow(struct supervisor *sup, int slot) {
    struct instance *in = &sup->instances[slot];
    nbytes now = sup->lc.slots[slot].bytes, wanted = in->growth.bytes;
    if (!in->grows || !supervisor_fit_parked(sup, wanted > now ? wanted - now : 0)) return;
    in->grows = false;
    apply(sup, supervisor_budget(sup));
    apply(sup, in->growth);
}

/* If the woken worker dies, the lifecycle starts a new one, which may succeed where the parked
 * one could not. */
static void on_failed(struct worker_msg *msg) {
    if (msg->in->woken) {
        worker_kill(msg->worker);
        return;
    }
    supervisor_read_failure(msg->json, &msg->in->load_error);
    apply(msg->sup, event_of(msg, LC_EV_LOAD_FAILED));
}

/* It has saved what it had. */
static void tell_of_prompts(struct supervisor *sup, const struct instance *in) {
    if (in->forgets) sup->config.on_forgotten(sup->config.ctx, in->model_key);
    sup->config.on_prompts(sup->config.ctx);
}

/* The instance is gone, though its worker is not. */
static void on_parked(struct worker_msg *msg) {
    struct lc_event gone = event_of(msg, LC_EV_EXITED);
    if (!msg->in->parking || msg->sup->lc.slots[gone.slot].state != LC_UNLOADING) {
        worker_kill(msg->worker);
        return;
    }
    supervisor_park(msg->sup, gone.slot, (nbytes)int_of(msg->json, "memory_bytes"));
    if (msg->in->worker) return;
    tell_of_prompts(msg->sup, msg->in);
    apply(msg->sup, gone);
}

static void on_heartbeat(struct worker_msg *msg) {
    (void)msg; /* instance_on_frame reports every frame as a sign of life */
}

static void on_store(struct worker_msg *msg) {
    struct instance_facts *facts = &msg->in->facts;
    facts->prompts_kept = int_of(msg->json, "entries");
    facts->prompt_bytes = (nbytes)int_of(msg->json, "bytes") +
                          (nbytes)int_of(msg->json, "memory_bytes");
    facts->prompt_hits = int_of(msg->json, "hits");
    msg->sup->config.on_prompts(msg->sup->config.ctx);
}

static void log_of_instance(struct instance *in, enum log_level level, const char *text) {
    void (*const say[])(const char *fmt, ...) = { log_error, log_warn, log_info, log_debug };
    switch (log_budget_take(&in->log_budget, clock_boottime())) {
    case LOG_LINE:
        say[level]("%s: %s", in->identifier, text);
        break;
    case LOG_LAST_LINE:
        log_warn("%s: its worker logs too much; its lines are left out for some seconds",
                 in->identifier);
        break;
    case LOG_NO_LINE:
        break;
    }
}

static void on_log(struct worker_msg *msg) {
    enum log_level level = LOG_LEVEL_INFO;
    (void)log_level_parse(json_find_text(msg->json, "level"), &level);
    log_of_instance(msg->in, level, json_find_text(msg->json, "text"));
}

/* ---- about a request ---- */

/* The call that the frame is about; NULL if it is not this worker's, or ended. */
static struct call *call_of(const struct worker_msg *msg) {
    struct call *call = call_find(msg->sup->calls, msg->frame->request);
    if (!call || call->kind != CALL_REQUEST || !call->request.dispatched) return NULL;
    bool same = call->request.slot == worker_slot(msg->worker) &&
                call->request.generation == worker_generation(msg->worker);
    return same ? call : NULL;
}

static void emit(struct supervisor *sup, const struct call *call,
                 const struct service_event *ev) {
    struct service_instance facts = supervisor_facts(sup, call->request.slot);
    struct service_event told = *ev;
    told.instance = &facts;
    call->request.sink.on_event(call->request.sink.ctx, call->id, &told);
}

/* It becomes a header. */
static const char *keywords_of(yyjson_val *json) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$, ";
    const char *list = json_find_str(json, "unenforced");
    return list && list[strspn(list, allowed)] == '\0' ? list : NULL;
}

static void on_started(struct worker_msg *msg) {
    struct call *call = call_of(msg);
    if (!call) return;
    struct service_event ev = { .kind = SERVICE_STARTED };
    ev.unenforced = keywords_of(msg->json);
    ev.loose = yyjson_get_bool(yyjson_obj_get(msg->json, "loose"));
    ev.usage.prompt_tokens = int_of(msg->json, "prompt_tokens");
    ev.usage.cached_tokens = int_of(msg->json, "cached_tokens");
    ev.usage.cache_source = cache_source_parse(json_find_text(msg->json, "cache_source"));
    ev.usage.cache_miss = cache_miss_parse(json_find_text(msg->json, "cache_miss"));
    ev.usage.cache_common = int_of(msg->json, "cache_common");
    call->request.context_tokens = ev.usage.cached_tokens;
    call->request.prompt.begun_usec = clock_boottime_usec();
    call->request.prompt.cached = call->request.prompt.done = ev.usage.cached_tokens;
    call->request.prompt.total = ev.usage.prompt_tokens;
    supervisor_log_input(msg->sup, call, json_find_str(msg->json, "prompt"));
    emit(msg->sup, call, &ev);
}

static void on_prompt(struct worker_msg *msg) {
    struct call *call = call_of(msg);
    if (!call) return;
    int64_t total = int_of(msg->json, "total");
    call->request.context_tokens = int_of(msg->json, "processed");
    call->request.prompt.done = call->request.context_tokens;
    call->request.prompt.total = total;
    struct service_event ev = { .kind = SERVICE_PROMPT };
    ev.progress = total > 0 ? (double)int_of(msg->json, "processed") / (double)total : 1;
    ev.usage.prompt_tokens = total;
    ev.usage.cached_tokens = int_of(msg->json, "cached");
    emit(msg->sup, call, &ev);
}

static void read_calls(yyjson_val *json, struct service_event *ev) {
    size_t i, max;
    yyjson_val *val;
    yyjson_arr_foreach(yyjson_obj_get(json, "tool_calls"), i, max, val) {
        if (ev->call_count == DELTA_MAX_CALLS) return;
        ev->calls[ev->call_count++] = (struct tool_call_piece){
            .index = (int)int_of(val, "index"),
            .id = json_find_str(val, "id"),
            .name = json_find_str(val, "name"),
            .arguments = json_find_text(val, "arguments"),
        };
    }
}

static void on_delta(struct worker_msg *msg) {
    struct call *call = call_of(msg);
    if (!call) return;
    struct service_event ev = { .kind = SERVICE_DELTA };
    call->request.generating = true;
    call->request.context_tokens++;
    activity_token(&msg->in->activity);
    ev.content = json_find_str(msg->json, "content");
    ev.reasoning = json_find_str(msg->json, "reasoning");
    ev.logprobs = yyjson_obj_get(msg->json, "logprobs");
    read_calls(msg->json, &ev);
    if (ev.content && msg->sup->config.log_wanted(msg->sup->config.ctx, LOG_OUTPUT)) {
        buf_add_str(&call->request.output, ev.content);
    }
    emit(msg->sup, call, &ev);
}

static void on_vector(struct worker_msg *msg) {
    struct call *call = call_of(msg);
    if (!call || msg->frame->len % sizeof(float) != 0) return;
    /* Aligned, which a frame is not. Its pages are touched only if there are vectors. */
    static float vector[FRAME_MAX_TO_DAEMON / sizeof(float)];
    memcpy(vector, msg->frame->payload, msg->frame->len);
    struct service_event ev = { .kind = SERVICE_VECTOR, .vector = vector };
    ev.vector_len = msg->frame->len / sizeof(float);
    emit(msg->sup, call, &ev);
}

static void read_done(yyjson_val *json, struct service_event *ev) {
    ev->stop_reason = stop_reason_parse(json_find_text(json, "stop_reason"));
    ev->stop_string = json_find_str(json, "stop_string");
    ev->usage.prompt_tokens = int_of(json, "prompt_tokens");
    ev->usage.cached_tokens = int_of(json, "cached_tokens");
    ev->usage.cache_source = cache_source_parse(json_find_text(json, "cache_source"));
    ev->usage.cache_miss = cache_miss_parse(json_find_text(json, "cache_miss"));
    ev->usage.completion_tokens = int_of(json, "completion_tokens");
    ev->usage.reasoning_tokens = int_of(json, "reasoning_tokens");
    ev->usage.draft.total = int_of(json, "drafted_tokens");
    ev->usage.draft.accepted = int_of(json, "accepted_tokens");
    ev->usage.draft.ignored = int_of(json, "ignored_tokens");
    ev->usage.draft.pauses = int_of(json, "draft_pauses");
    ev->timing.prompt = number_of(json, "prompt_seconds");
    ev->timing.generation = number_of(json, "generation_seconds");
    ev->result = yyjson_obj_get(json, "result");
}

/* Time to first token as the client sees it, including waiting and loading, in seconds. least:
 * as measured by the worker. */
static void set_first_token(const struct call *call, double least, struct service_event *ev) {
    double whole = (double)(clock_boottime_usec() - call->request.received_usec) / 1e6;
    ev->timing.time_to_first_token = whole - ev->timing.generation;
    if (ev->timing.time_to_first_token < least) ev->timing.time_to_first_token = least;
}

static void count_tokens(struct metrics *metrics, const struct service_usage *usage) {
    metrics->prompt_tokens += (uint64_t)usage->prompt_tokens;
    metrics->cached_tokens += (uint64_t)usage->cached_tokens;
    if (usage->cached_tokens > 0) metrics->prompt_hits[usage->cache_source]++;
    metrics->completion_tokens += (uint64_t)usage->completion_tokens;
    metrics->drafted_tokens += (uint64_t)usage->draft.total;
    metrics->accepted_tokens += (uint64_t)usage->draft.accepted;
    metrics->draft_pauses += (uint64_t)usage->draft.pauses;
}

static void on_done(struct worker_msg *msg) {
    struct lc_event done = event_of(msg, LC_EV_DONE);
    done.request = msg->frame->request;
    struct call *call = call_of(msg);
    if (call) {
        struct service_event ev = { .kind = SERVICE_DONE };
        read_done(msg->json, &ev);
        if (*msg->in->effective.draft_model)
            ev.usage.draft.model = msg->in->effective.draft_model;
        set_first_token(call, number_of(msg->json, "time_to_first_token"), &ev);
        count_tokens(msg->sup->config.metrics, &ev.usage);
        activity_done(&msg->in->activity, ev.usage.prompt_tokens, ev.usage.completion_tokens,
                      ev.timing.generation);
        if (call_lc_kind(call) == LC_KIND_INFER) {
            int64_t held = clock_boottime_usec() - call->request.dispatched_usec;
            activity_held(&msg->in->activity, (double)held / 1e6);
        }
        supervisor_log_answer(msg->sup, call, &ev);
        emit(msg->sup, call, &ev);
        call = call_find(msg->sup->calls, done.request);
        if (call) call_close(msg->sup->calls, call);
    }
    apply(msg->sup, done);
}

static void on_error(struct worker_msg *msg) {
    struct lc_event done = event_of(msg, LC_EV_DONE);
    done.request = msg->frame->request;
    struct call *call = call_of(msg);
    if (call) {
        struct error err;
        enum err_code code = error_from_name(json_find_text(msg->json, "code"));
        error_set_param(&err, code == ERR_NONE ? ERR_INTERNAL : code,
                        json_find_text(msg->json, "param"), "%s",
                        json_find_text(msg->json, "text"));
        call_fail(msg->sup->calls, call, &err);
    }
    apply(msg->sup, done);
}

/* ---- dispatch ---- */

struct handler {
    enum message_type type;
    void (*fn)(struct worker_msg *msg);
    bool raw;
};

static const struct handler handlers[] = {
    { MSG_HELLO, on_hello, false },   { MSG_PROGRESS, on_progress, false },
    { MSG_READY, on_ready, false },   { MSG_MEMORY, on_memory, false },
    { MSG_FAILED, on_failed, false }, { MSG_STARTED, on_started, false },
    { MSG_PROMPT, on_prompt, false }, { MSG_DELTA, on_delta, false },
    { MSG_VECTOR, on_vector, true },  { MSG_DONE, on_done, false },
    { MSG_ERROR, on_error, false },   { MSG_HEARTBEAT, on_heartbeat, true },
    { MSG_LOG, on_log, false },       { MSG_STORE, on_store, false },
    { MSG_GROW, on_grow, true },      { MSG_PARKED, on_parked, false },
};

static const struct handler *handler_find(uint16_t type) {
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        if (handlers[i].type == type) return &handlers[i];
    }
    return NULL;
}

static void report_alive(struct worker_msg *msg) {
    msec now = clock_boottime();
    if (now - msg->in->last_heard < ALIVE_EVERY_MS) return;
    msg->in->last_heard = now;
    apply(msg->sup, event_of(msg, LC_EV_HEARD));
}

static void instance_on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    struct supervisor *sup = ctx;
    struct worker_msg msg = { sup, worker, &sup->instances[worker_slot(worker)], frame, NULL };
    if (msg.in->worker != worker) return;
    const struct handler *handler = handler_find(frame->type);
    struct error err;
    yyjson_doc *doc = NULL;
    if (handler && !handler->raw) doc = json_parse_object(frame->payload, frame->len, &err);
    if (!handler || (!handler->raw && !doc)) {
        log_warn("%s: its worker sent an invalid message and is killed", msg.in->identifier);
        worker_kill(worker);
        return;
    }
    msg.json = yyjson_doc_get_root(doc);
    report_alive(&msg);
    handler->fn(&msg);
    yyjson_doc_free(doc);
}

static void instance_on_line(void *ctx, struct worker *worker, const char *line) {
    struct supervisor *sup = ctx;
    struct instance *in = &sup->instances[worker_slot(worker)];
    if (in->worker == worker) log_of_instance(in, LOG_LEVEL_WARN, line);
}

/* Set the error that clients see after a crash, of a load or of a request. */
static void explain_crash(const struct supervisor *sup, struct instance *in, const char *how,
                          bool loads) {
    if (in->lost.code != ERR_NONE) {
        in->load_error = in->lost;
        return;
    }
    const struct model *model = catalog_find(*sup->config.catalog, in->model_key);
    const char *path = model ? model->path_text : in->model_key;
    error_set(&in->load_error, ERR_LOAD_FAILED,
              "The worker of '%.80s' %s %s '%.80s'; the file may be damaged, or the memory too "
              "small; `doze log --events` shows each attempt.",
              in->model_key, how, loads ? "while loading" : "at its first use of",
              path_name(path));
}

static void instance_on_gone(void *ctx, struct worker *worker, const char *how) {
    struct supervisor *sup = ctx;
    int slot = worker_slot(worker);
    struct instance *in = &sup->instances[slot];
    if (in->worker != worker) return;
    in->worker = NULL;
    supervisor_close_loan(sup, in);
    tell_of_prompts(sup, in);
    enum lc_state state = sup->lc.slots[slot].state;
    if (state != LC_UNLOADING) log_warn("%s: its worker %s", in->identifier, how);
    bool loads = state == LC_LOADING;
    bool first_use = !loads && state != LC_UNLOADING && !sup->lc.slots[slot].served;
    if (loads || first_use) explain_crash(sup, in, how, loads);
    apply(sup, (struct lc_event){ .kind = LC_EV_EXITED,
                                  .slot = slot,
                                  .generation = worker_generation(worker) });
}

struct worker_owner supervisor_worker_owner(struct supervisor *sup) {
    return (struct worker_owner){ .on_frame = instance_on_frame,
                                  .on_gone = instance_on_gone,
                                  .on_line = instance_on_line,
                                  .ctx = sup };
}
