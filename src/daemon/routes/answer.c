/* SPDX-License-Identifier: MIT */
#include "daemon/routes/answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"
#include "daemon/stored_responses.h"
#include "http/server.h"
#include "supervisor/supervisor.h"

enum { REPLY_MAX = 256 << 20 }; /* bytes of one answer that is not streamed */
enum {
    COLLECTED_TOTAL = 128 << 20,
    COLLECTED_RESERVE = 32 << 20, /* more, for small ones only */
    COLLECTED_SMALL = 256 << 10,
};
enum { FIRST_SILENCE_MS = 5000, SILENCE_MS = 10000 };

struct answer;

/* One of the calls of an exchange: /v1/completions may carry several prompts. */
struct part {
    struct answer *answer;
    int index;
    call_id call; /* 0: not begun, or ended */
};

struct answer {
    const struct service *service;
    const struct dialect *dialect;
    struct exchange *x;
    struct reply *reply;
    bool stream;
    bool tells_cache;   /* a header is to say what was cached of its prompt */
    bool begun;         /* the headers of a stream are out */
    char *unenforced;   /* of its schema, by llama.cpp's grammar; NULL: it has been told */
    uv_timer_t silence; /* of a stream, see answer_on_silence */
    uint64_t wrote;     /* the loop's time when something was sent last */
    uint64_t came;      /* nanoseconds of uv_hrtime */
    struct stored_responses *stored;
    struct stored_response record; /* without its body; id NULL: the answer is not stored */
    struct claim *claim; /* of the load that it waits for; NULL: none, or that is over */
    struct fleet_node *fleet;
    struct held_prompt prompt;  /* by which the fleet knows it */
    struct byte_hold held;      /* for record, and what reply repeats of the request */
    struct byte_hold collected; /* for what is kept of the answer */
    int count;
    struct part parts[PARSED_MAX_REQUESTS];
};

struct byte_budget answers_budget(void) {
    return (struct byte_budget){
        .total = COLLECTED_TOTAL,
        .reserve = COLLECTED_RESERVE,
        .small = COLLECTED_SMALL,
        .refusal = "Answers that are not streamed use all the memory that they may have; "
                   "stream this one, ask for less at once, or try again later."
    };
}

static void answer_free(uv_handle_t *silence) {
    free(silence->data);
}

/* The exchange is over; what still runs for it is not wanted. */
static void answer_close(struct answer *a) {
    for (int i = 0; i < a->count; i++) {
        if (a->parts[i].call) a->service->cancel(a->service->self, a->parts[i].call);
    }
    claim_drop(a->claim);
    a->dialect->reply_free(a->reply);
    stored_response_clear(&a->record);
    byte_hold_release(&a->held);
    byte_hold_release(&a->collected);
    free(a->unenforced);
    uv_close((uv_handle_t *)&a->silence, answer_free);
}

static void answer_on_gone(void *ctx) {
    answer_close(ctx);
}

static void answer_on_pressure(void *ctx, bool paused) {
    struct answer *a = ctx;
    for (int i = 0; i < a->count; i++) {
        if (a->parts[i].call) a->service->pause(a->service->self, a->parts[i].call, paused);
    }
}

/* Before the client gets the end, so that it can go on with the answer at once. */
static void store(struct answer *a) {
    if (!a->record.id) return;
    buf_init(&a->record.body, REPLY_MAX);
    if (!a->dialect->format_stored(a->reply, &a->record.body)) return;
    stored_responses_add(a->stored, &a->record);
}

/* Add the header that says which keywords of a schema are not enforced. names: as the worker
 * says; NULL: it does not say. loose: "parameters" of a strict tool are not enforced
 * either. */
static void tell_unenforced(struct answer *a, const char *names, bool loose) {
    if (!a->unenforced) return;
    if (!names) names = a->unenforced;
    struct buf list = BUF_INIT(4096);
    buf_add_str(&list, names);
    if (loose) buf_add_str(&list, list.len > 0 ? ", parameters" : "parameters");
    if (list.len > 0 && !a->begun)
        exchange_add_header(a->x, "X-Doze-Unenforced", buf_str(&list));
    buf_clear(&list);
    free(a->unenforced);
    a->unenforced = NULL;
}

/* Closes the answer at its end. May take the bytes. */
static void deliver(struct answer *a, struct buf *bytes, enum reply_step step) {
    bool due = a->stream && (bytes->len > 0 || step == REPLY_END);
    if (step == REPLY_END) store(a);
    if (due && !a->begun) {
        tell_unenforced(a, NULL, false);
        const char *type = a->dialect->stream_type;
        exchange_begin(a->x, 200, type ? type : "text/event-stream");
        a->begun = true;
    }
    if (due) exchange_write(a->x, buf_str(bytes), bytes->len);
    if (due) a->wrote = uv_now(a->silence.loop);
    if (step == REPLY_MORE) return;
    if (a->stream)
        exchange_end(a->x);
    else
        exchange_reply_taking(a->x, 200, "application/json", bytes);
    answer_close(a);
}

/* The first call that has not ended. */
static struct service_wait wait_of(const struct answer *a) {
    struct service_wait wait = { .kind = WAIT_UNKNOWN };
    for (int i = 0; i < a->count; i++) {
        if (!a->parts[i].call) continue;
        a->service->wait(a->service->self, a->parts[i].call, &wait);
        break;
    }
    return wait;
}

/* What is known within the first seconds gets its true status, and a stream that is answered
 * by then has no comments, which some clients cannot read. After that an occasional comment
 * keeps the connection open. */
static void answer_on_silence(uv_timer_t *silence) {
    struct answer *a = silence->data;
    uint64_t since = uv_now(silence->loop) - a->wrote;
    uint64_t most = a->begun ? SILENCE_MS : FIRST_SILENCE_MS;
    if (since >= most) {
        struct buf bytes = BUF_INIT(REPLY_MAX);
        struct service_wait wait = wait_of(a);
        a->dialect->format_waiting(a->reply, &wait, &bytes);
        deliver(a, &bytes, REPLY_MORE);
        buf_clear(&bytes);
        since = 0;
        most = SILENCE_MS;
    }
    uv_timer_start(silence, answer_on_silence, most - since, 0);
}

/* OpenAI's and Anthropic's clients retry a 5xx unless they are told not to, each time with a
 * load. */
static void answer_fail(struct answer *a, const struct error *err) {
    if (err->code == ERR_LOAD_FAILED) exchange_add_header(a->x, "x-should-retry", "false");
    exchange_fail(a->x, err);
    answer_close(a);
}

/* A stream has its status already: the dialect says it in an event. */
static void fail_stream(struct part *part, const struct error *err) {
    struct answer *a = part->answer;
    struct service_event failed = { .kind = SERVICE_ERROR, .error = err };
    struct buf bytes = BUF_INIT(REPLY_MAX);
    (void)a->dialect->reply_event(a->reply, part->index, &failed, &bytes);
    deliver(a, &bytes, REPLY_END);
    buf_clear(&bytes);
}

/* What is kept of the answer until its end counts. */
static bool hold_kept(struct answer *a, enum reply_step step, struct error *err) {
    const struct dialect *dialect = a->dialect;
    if (step == REPLY_END || !dialect->reply_held) return true;
    return byte_hold_grow(&a->collected, dialect->reply_held(a->reply), err);
}

/* Within the limit of one answer, and of all that are kept. */
static bool has_room(struct answer *a, const struct buf *bytes, enum reply_step step,
                     struct error *err) {
    if (!bytes->overflowed) return hold_kept(a, step, err);
    return error_set(err, ERR_INVALID_REQUEST,
                     "The answer is too large; ask for less at once, or stream it.");
}

static void pass_on(struct part *part, const struct service_event *ev) {
    struct answer *a = part->answer;
    struct buf bytes = BUF_INIT(REPLY_MAX);
    struct service_event timed = *ev;
    timed.elapsed = (double)(uv_hrtime() - a->came) / 1e9;
    enum reply_step step = a->dialect->reply_event(a->reply, part->index, &timed, &bytes);
    struct error err;
    if (has_room(a, &bytes, step, &err))
        deliver(a, &bytes, step);
    else if (a->begun)
        fail_stream(part, &err);
    else
        answer_fail(a, &err);
    buf_clear(&bytes);
}

/* How much of the prompt was processed already and where that was kept, and why not more; of
 * several answers, of the first. */
static void tell_cache(struct answer *a, const struct service_usage *usage) {
    struct buf text = BUF_INIT(256);
    a->tells_cache = false;
    if (a->begun) return;
    buf_addf(&text, "%s; tokens=%" PRId64, cache_source_name(usage->cache_source),
             usage->cached_tokens);
    if (usage->cache_miss != CACHE_MISS_NOTHING)
        buf_addf(&text, "; reason=%s", cache_miss_name(usage->cache_miss));
    if (usage->cache_miss == CACHE_MISS_DIFFERS)
        buf_addf(&text, "; at=%" PRId64, usage->cache_common);
    exchange_add_header(a->x, "X-Doze-Cache", buf_str(&text));
    buf_clear(&text);
}

/* The model is loaded, or will not be. */
static void end_claim(struct answer *a) {
    claim_drop(a->claim);
    a->claim = NULL;
}

static void part_on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct part *part = ctx;
    struct answer *a = part->answer;
    (void)call;
    if (ev->kind == SERVICE_DONE || ev->kind == SERVICE_ERROR) part->call = 0;
    if (ev->kind != SERVICE_LOADING) end_claim(a);
    if (ev->kind == SERVICE_STARTED) fleet_node_hold(a->fleet, a->prompt);
    if (ev->kind == SERVICE_STARTED) tell_unenforced(a, ev->unenforced, ev->loose);
    if (ev->kind == SERVICE_STARTED && a->tells_cache) tell_cache(a, &ev->usage);
    if (ev->kind == SERVICE_ERROR && !a->begun)
        answer_fail(a, ev->error);
    else
        pass_on(part, ev);
}

static void begin_parts(struct answer *a, struct parsed *parsed, const struct bearer *bearer) {
    uint64_t client = client_of(a->x, bearer);
    for (int i = 0; i < parsed->count; i++) {
        struct part *part = &a->parts[i];
        struct service_sink sink = { part_on_event, part };
        parsed->requests[i].client = client;
        parsed->requests[i].allowed = allowed_models_copy(bearer->allowed);
        part->call = a->service->generate(a->service->self, &parsed->requests[i], sink);
    }
}

/* ---- Ollama's way to unload ---- */

/* It may be leaving already. */
static void unload_on_end(void *ctx, const struct error *error) {
    struct part *part = ctx;
    bool failed = error && error->code != ERR_MODEL_UNLOADED;
    struct service_event ev = { .kind = failed ? SERVICE_ERROR : SERVICE_DONE, .error = error };
    part_on_event(part, part->call, &ev);
}

static bool is_loaded(const struct service *service, const char *key) {
    struct service_models models = service->models(service->self);
    for (size_t i = 0; i < models.count; i++) {
        if (strcmp(models.models[i].key, key) == 0) return models.models[i].instance_count > 0;
    }
    return false;
}

/* What the service knows an instance by: the model's key, or an identifier without a tag. */
static char *instance_name(const struct service *service, const char *name, bool *ret_is_key) {
    struct model_view model;
    *ret_is_key = service->find_model(service->self, name, &model);
    return *ret_is_key ? xstrdup(model.key) : xstrndup(name, untagged_len(name));
}

/* The model is unloaded when it is idle, even if it was loaded to stay; no answer is cut. */
static void begin_unload(struct answer *a, const char *name) {
    static const struct instance_change leave = { .sets_origin = true,
                                                  .origin = ORIGIN_JIT,
                                                  .ttl = { .given = true, .value = 0 } };
    struct part *part = &a->parts[0];
    const struct service *service = a->service;
    bool is_key;
    char *id = instance_name(service, name, &is_key);
    if (is_key && !is_loaded(service, id)) {
        unload_on_end(part, NULL);
    } else {
        struct done_sink sink = { .on_end = unload_on_end, .ctx = part };
        part->call = service->update(service->self, id, &leave, sink);
    }
    free(id);
}

/* ---- the beginning ---- */

/* The next turn is expected here then. */
static struct held_prompt prompt_of(const struct parsing *p) {
    bool one;
    const char *key = NULL;
    if (p->marks.count > 0)
        key = supervisor_meaning(p->r->supervisor, p->parsed.options.model, &one);
    return key ? fleet_node_prompt(key, &p->marks) : (struct held_prompt){ 0 };
}

/* Takes the record, the claim, and what is held for them. */
static struct answer *answer_open(struct parsing *p) {
    const struct routes *r = p->r;
    struct inference *inference = &p->inference;
    const struct parsed *parsed = &p->parsed;
    const struct dialect *dialect = inference->dialect;
    struct answer *a = xcalloc(1, sizeof *a);
    a->service = r->service;
    a->dialect = dialect;
    a->x = p->x;
    a->stored = r->stored;
    a->record = inference->record;
    inference->record = (struct stored_response){ 0 };
    a->claim = p->claim;
    p->claim = NULL;
    a->collected = (struct byte_hold){ .budget = r->answers };
    a->held = p->held;
    p->held = (struct byte_hold){ 0 };
    a->unenforced = p->unenforced;
    p->unenforced = NULL;
    a->fleet = r->fleet;
    a->prompt = prompt_of(p);
    a->stream = parsed->options.stream;
    a->tells_cache = inference->op == OP_CHAT || inference->op == OP_COMPLETION;
    a->count = parsed->count;
    a->reply = dialect->reply_new(&parsed->options, parsed->count, inference->id,
                                  clock_unix() / 1000);
    for (int i = 0; i < a->count; i++) a->parts[i] = (struct part){ a, i, 0 };
    uv_timer_init(r->loop, &a->silence);
    a->silence.data = a;
    a->wrote = uv_now(r->loop);
    a->came = uv_hrtime();
    if (a->stream) uv_timer_start(&a->silence, answer_on_silence, FIRST_SILENCE_MS, 0);
    return a;
}

static void use_own_keep_alive(const struct routes *r, const struct dialect *dialect,
                               struct parsed *parsed) {
    if (!dialect->keep_alive || !settings_store_get(r->settings)->ollama_default_keep_alive)
        return;
    for (int i = 0; i < parsed->count; i++) {
        struct ttl *ttl = &parsed->requests[i].ttl;
        if (!ttl->given) *ttl = (struct ttl){ .given = true, .value = dialect->keep_alive };
    }
}

bool answer_begin(struct parsing *p) {
    struct parsed *parsed = &p->parsed;
    struct inference *inference = &p->inference;
    bool unload = parsed->options.unload;
    struct bearer bearer;
    if (!bearer_of_exchange(p->r, p->x, &bearer, &p->err)) return false;
    if (!permission_require(bearer.permissions,
                            unload ? PERMISSION_MODELS : PERMISSION_INFERENCE, &p->err))
        return false;
    use_own_keep_alive(p->r, inference->dialect, parsed);
    parsed->options.store = inference->record.id != NULL;
    const char *owner = bearer_owner(p->x, &bearer);
    if (inference->record.id && owner) inference->record.owner = xstrdup(owner);
    struct answer *a = answer_open(p);
    exchange_on_gone(p->x, answer_on_gone, a);
    exchange_on_pressure(p->x, answer_on_pressure, a);
    if (unload)
        begin_unload(a, parsed->options.model);
    else
        begin_parts(a, parsed, &bearer);
    return true;
}
