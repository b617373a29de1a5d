/* SPDX-License-Identifier: MIT */
/* inference_route.c - one HTTP exchange that is answered by instances: body -> dialect -> calls
 * -> events -> dialect -> bytes. The same for every dialect and kind of work. */
#include <assert.h>
#include <inttypes.h>
#include <nettle/base16.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/anthropic/anthropic.h"
#include "api/decisions/decisions.h"
#include "api/lmstudio_rest/v0.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "api/unenforced.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/offload.h"
#include "daemon/relay.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/inference.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"
#include "daemon/stored_responses.h"
#include "fleet/prefix_text.h"
#include "http/server.h"
#include "supervisor/supervisor.h"

enum { REPLY_MAX = 256 << 20 }; /* bytes of one answer that is not streamed */
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
    struct held_prompt prompt; /* by which the fleet knows it */
    struct byte_hold held;     /* for record and reply */
    int count;
    struct part parts[PARSED_MAX_REQUESTS];
};

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

/* Before the client hears of the end, so that it can go on with the answer at once. */
static void store(struct answer *a) {
    if (!a->record.id) return;
    buf_init(&a->record.body, REPLY_MAX);
    if (!a->dialect->format_stored(a->reply, &a->record.body)) return;
    stored_responses_add(a->stored, &a->record);
}

/* A schema that is kept in part only is said to be. names: by the worker's own account; NULL:
 * it has none. loose: nor are "parameters" of a strict tool kept to theirs. */
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

/* Closes the answer at its end. */
static void deliver(struct answer *a, const struct buf *bytes, enum reply_step step) {
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
        exchange_reply(a->x, 200, "application/json", buf_str(bytes), bytes->len);
    answer_close(a);
}

/* Of several calls the first that is not through. */
static struct service_wait wait_of(const struct answer *a) {
    struct service_wait wait = { .kind = WAIT_UNKNOWN };
    for (int i = 0; i < a->count; i++) {
        if (!a->parts[i].call) continue;
        a->service->wait(a->service->self, a->parts[i].call, &wait);
        break;
    }
    return wait;
}

/* What is known within the first seconds gets its true status, and a stream that is answered by
 * then has no comments, which some clients cannot read. After that a comment now and then keeps
 * the connection open. */
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

/* OpenAI's and Anthropic's clients try a 5xx again unless they are told not to, each time with
 * a load. */
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

static void pass_on(struct part *part, const struct service_event *ev) {
    struct answer *a = part->answer;
    struct buf bytes = BUF_INIT(REPLY_MAX);
    struct service_event timed = *ev;
    timed.elapsed = (double)(uv_hrtime() - a->came) / 1e9;
    enum reply_step step = a->dialect->reply_event(a->reply, part->index, &timed, &bytes);
    struct error err;
    if (!bytes.overflowed) {
        deliver(a, &bytes, step);
    } else {
        error_set(&err, ERR_INVALID_REQUEST,
                  "The answer is larger than %d bytes; ask for less at once, or stream it.",
                  REPLY_MAX);
        if (a->begun)
            fail_stream(part, &err);
        else
            answer_fail(a, &err);
    }
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

/* Who asks, for turns among the requests of one model: the key and the program. Connections
 * tell nothing, since a client opens one for each request that runs. */
static uint64_t client_of(const struct exchange *x, const struct bearer *bearer) {
    static const char *const names[] = { "authorization", "x-api-key", "user-agent" };
    const char *told = bearer->is_node ? exchange_header(x, FLEET_CLIENT_HEADER) : NULL;
    uint64_t hash = HASH_BEGIN;
    bool known = false;
    if (told) return strtoull(told, NULL, 16);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_header(x, names[i]);
        if (value) hash = hash_add(hash, value, strlen(value) + 1);
        known = known || value;
    }
    return known ? hash : 0;
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
    static const char latest[] = ":latest";
    struct model_view model;
    size_t len = strlen(name), tag = sizeof latest - 1;
    *ret_is_key = service->find_model(service->self, name, &model);
    if (*ret_is_key) return xstrdup(model.key);
    bool tagged = len > tag && strcmp(name + len - tag, latest) == 0;
    return xstrndup(name, tagged ? len - tag : len);
}

/* The model leaves when it is idle, also one that was loaded to stay: no answer is cut. */
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

void inference_id(const struct routes *r, char text[INFERENCE_ID_SIZE]) {
    unsigned char bytes[INFERENCE_ID_SIZE / 2];
    ssize_t got = getrandom(bytes, sizeof bytes, 0); /* so few are given whole */
    assert(got == (ssize_t)sizeof bytes);
    base16_encode_update(text, sizeof bytes, bytes);
    text[BASE16_ENCODE_LENGTH(sizeof bytes)] = '\0';
    fleet_node_mark(r->fleet, text);
}

void inference_sign(const struct routes *r, struct exchange *x, const char *id) {
    exchange_add_header(x, "x-request-id", id);
    exchange_add_header(x, "request-id", id);
    if (fleet_node_is_on(r->fleet))
        exchange_add_header(x, FLEET_NODE_HEADER, fleet_node_name(r->fleet));
}

/* The client may leave meanwhile; its exchange, with the body, stays until this is done. */
struct parsing {
    const struct routes *r;
    struct exchange *x;
    struct inference inference;
    struct parsed parsed;
    bool formed;
    char *unenforced; /* see struct answer */
    uint64_t lot;     /* relay_lot */
    char *secret;     /* of the fleet; NULL: there is none, or it is no prompt */
    struct prefix_marks marks;
    size_t echo;           /* bytes of parsed.options.echo */
    struct byte_hold held; /* for what was parsed */
    struct claim *claim;   /* of the cold load that it causes; NULL: none */
    struct error err;
};

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

/* Answer what was parsed, if the client may have it. */
static bool begin(struct parsing *p) {
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

void inference_clear(struct inference *inference) {
    buf_clear(&inference->body);
    byte_hold_release(&inference->held);
    stored_response_clear(&inference->record);
}

/* ---- parsing ---- */

static const char *body_of(const struct parsing *p, size_t *ret_len) {
    const struct buf *own = &p->inference.body;
    *ret_len = own->len;
    return own->len > 0 ? buf_str(own) : exchange_body(p->x, ret_len);
}

/* Trees are taken down here, too: they are large. */
static void parsing_work(void *ctx) {
    struct parsing *p = ctx;
    size_t len;
    const char *body = body_of(p, &len);
    const struct inference *i = &p->inference;
    struct buf names = BUF_INIT(1024);
    p->formed = i->dialect->parse(i->op, body, len, &p->parsed, &p->err);
    if (!p->formed) return;
    unenforced_format(yyjson_mut_doc_get_root(p->parsed.requests[0].body), &names);
    p->unenforced = buf_take(&names);
    p->lot = relay_lot(&p->parsed);
    if (p->secret && p->parsed.count == 1)
        prefix_marks_make(&p->marks, p->secret,
                          yyjson_mut_doc_get_root(p->parsed.requests[0].body));
    if (p->parsed.options.echo)
        p->echo = json_cost(yyjson_mut_doc_get_root(p->parsed.options.echo));
    for (int n = 0; n < p->parsed.count; n++) service_request_seal(&p->parsed.requests[n]);
}

static void parsing_free(struct parsing *p) {
    if (p->formed) parsed_clear(&p->parsed);
    byte_hold_release(&p->held);
    free(p->unenforced);
    free(p->secret);
    prefix_marks_clear(&p->marks);
    inference_clear(&p->inference);
    claim_drop(p->claim);
    free(p);
}

static void parsing_fail(struct parsing *p) {
    inference_sign(p->r, p->x, p->inference.id);
    exchange_fail(p->x, &p->err);
    parsing_free(p);
}

static void parsing_begin(struct parsing *p) {
    exchange_drop_body(p->x);
    inference_sign(p->r, p->x, p->inference.id);
    if (!begin(p)) exchange_fail(p->x, &p->err);
    parsing_free(p);
}

static bool is_forwarded(const struct parsing *p) {
    return exchange_header(p->x, FLEET_HOP_HEADER) != NULL;
}

static void serve(void *ctx);

static void parsing_on_relayed(void *ctx) {
    parsing_free(ctx);
}

/* True: another node may answer, and has the exchange. loader: the node that loads the model;
 * NULL: not known. */
static bool relay(struct parsing *p, const char *key, const char *loader,
                  const struct bearer *bearer) {
    struct relay_request request = { .x = p->x,
                                     .dialect = p->inference.dialect,
                                     .op = p->inference.op,
                                     .id = p->inference.id,
                                     .parsed = &p->parsed,
                                     .lot = p->lot,
                                     .marks = &p->marks,
                                     .key = key,
                                     .forwarded = is_forwarded(p),
                                     .downloads = p->r->downloads,
                                     .loader = loader,
                                     .client = client_of(p->x, bearer),
                                     .owner = bearer_owner(p->x, bearer),
                                     .allowed = bearer->allowed };
    struct relay_sink sink = { serve, parsing_on_relayed, p };
    return relay_begin(p->r->loop, p->r->fleet, &request, sink);
}

/* ---- one cold load in the whole fleet ---- */

static void parsing_on_gone(void *ctx) {
    parsing_free(ctx);
}

/* The node that has sent the request asks that one then. */
static void refer(struct parsing *p, const char *loader) {
    error_set(&p->err, ERR_BACK_OFF, "The node '%s' of the fleet loads the model; ask it.",
              loader);
    p->err.retry_after = 1;
    exchange_add_header(p->x, FLEET_LOADER_HEADER, loader);
    parsing_fail(p);
}

static void follow(struct parsing *p, const char *loader) {
    struct bearer bearer;
    bool one;
    const char *key = supervisor_meaning(p->r->supervisor, p->parsed.options.model, &one);
    claim_drop(p->claim);
    p->claim = NULL;
    if (!bearer_of_exchange(p->r, p->x, &bearer, &p->err))
        parsing_fail(p);
    else if (!relay(p, key, loader, &bearer))
        parsing_begin(p);
}

static void parsing_on_claimed(void *ctx, const char *holder) {
    struct parsing *p = ctx;
    fleet_node_tally(p->r->fleet, holder ? FLEET_CLAIM_LOST : FLEET_CLAIM_WON, NULL);
    exchange_on_gone(p->x, NULL, NULL);
    if (!holder || exchange_is_gone(p->x))
        parsing_begin(p);
    else if (is_forwarded(p))
        refer(p, holder);
    else
        follow(p, holder);
}

/* This node answers. If it has to load the model, it claims that first. */
static void serve(void *ctx) {
    struct parsing *p = ctx;
    bool one;
    const char *name = p->parsed.options.model, *key = NULL;
    struct claim_sink sink = { parsing_on_claimed, p };
    if (fleet_node_is_on(p->r->fleet) && !p->parsed.options.unload)
        key = supervisor_meaning(p->r->supervisor, name, &one);
    if (key && !supervisor_is_resident(p->r->supervisor, key))
        p->claim = fleet_node_claim(p->r->fleet, key, sink);
    if (p->claim)
        exchange_on_gone(p->x, parsing_on_gone, p);
    else
        parsing_begin(p);
}

/* ---- here or elsewhere ---- */

/* Was it sent here by a node that knows that this one can fetch the model? */
static bool may_fetch(const struct parsing *p) {
    const char *name = p->parsed.options.model;
    bool one;
    return fleet_node_is_on(p->r->fleet) && is_forwarded(p) && *name && !p->inference.bound &&
           !p->parsed.options.unload && !supervisor_meaning(p->r->supervisor, name, &one);
}

/* May another node answer it? Not what came from one, nor what is for something of this node's:
 * an instance, or what is stored. */
static bool may_travel(const struct parsing *p, const char **ret_key) {
    const char *name = p->parsed.options.model;
    bool one;
    if (!fleet_node_is_on(p->r->fleet) || is_forwarded(p)) return false;
    if (!*name || p->parsed.options.unload || p->inference.bound) return false;
    *ret_key = supervisor_meaning(p->r->supervisor, name, &one);
    return !one;
}

static void travel(struct parsing *p, const char *key) {
    struct bearer bearer;
    bool admitted = bearer_of_exchange(p->r, p->x, &bearer, &p->err) &&
                    permission_require(bearer.permissions, PERMISSION_INFERENCE, &p->err);
    if (!admitted)
        parsing_fail(p);
    else if (!relay(p, key, NULL, &bearer))
        serve(p);
}

/* Count what was made of the body instead of the body, which is needed only if another node may
 * get it. What is stored of the request, and what the answer repeats of it, stay until its end.
 */
static bool parsing_hold(struct parsing *p) {
    size_t texts = 0, others = p->inference.record.input.len + p->echo;
    for (int i = 0; i < p->parsed.count; i++) texts += p->parsed.requests[i].sealed.len;
    buf_clear(&p->inference.body);
    byte_hold_release(&p->inference.held);
    if (!fleet_node_is_on(p->r->fleet)) exchange_drop_body(p->x);
    if (!byte_hold_take(p->r->budget, texts + others, exchange_body_held(p->x), &p->held,
                        &p->err))
        return false;
    for (int i = 0; i < p->parsed.count; i++) {
        struct service_request *request = &p->parsed.requests[i];
        request->held = byte_hold_split(&p->held, request->sealed.len);
    }
    return true;
}

/* False: p->err says why. */
static bool is_wanted(struct parsing *p) {
    if (exchange_is_gone(p->x))
        return error_set(&p->err, ERR_CANCELLED, "The client has left.");
    return p->formed && parsing_hold(p);
}

static void parsing_on_done(void *ctx) {
    struct parsing *p = ctx;
    const char *key;
    if (is_forwarded(p)) fleet_node_tally(p->r->fleet, FLEET_RECEIVED, NULL);
    if (!is_wanted(p))
        parsing_fail(p);
    else if (may_travel(p, &key))
        travel(p, key);
    else if (may_fetch(p))
        travel(p, NULL);
    else
        serve(p);
}

void inference_begin(const struct routes *r, struct exchange *x, struct inference *inference) {
    struct parsing *p = xcalloc(1, sizeof *p);
    size_t len;
    p->r = r;
    p->x = x;
    p->inference = *inference;
    inference->body = (struct buf){ 0 };
    inference->record = (struct stored_response){ 0 };
    inference->held = (struct byte_hold){ 0 };
    bool prompt = inference->op == OP_CHAT || inference->op == OP_COMPLETION;
    const char *secret = prompt ? fleet_node_secret(r->fleet) : NULL;
    p->secret = secret ? xstrdup(secret) : NULL;
    (void)body_of(p, &len);
    offload_run(r->offload, len, &(struct offload_piece){ parsing_work, parsing_on_done, p });
}

static void answer_begin(const struct routes *r, struct exchange *x,
                         const struct dialect *dialect, enum service_op op) {
    struct inference inference = { .dialect = dialect, .op = op };
    inference_id(r, inference.id);
    inference_begin(r, x, &inference);
}

/* The handler of an endpoint: a dialect, and what it is asked for. */
#define INFERENCE(name, dialect, op)                                                           \
    void name(void *ctx, struct exchange *x) {                                                 \
        answer_begin(ctx, x, &(dialect), op);                                                  \
    }

INFERENCE(route_openai_chat, dialect_openai, OP_CHAT)
INFERENCE(route_openai_completions, dialect_openai, OP_COMPLETION)
INFERENCE(route_openai_embeddings, dialect_openai, OP_EMBEDDING)
INFERENCE(route_rerank, dialect_rerank, OP_RERANK)
INFERENCE(route_decisions, dialect_decisions, OP_CHAT)
INFERENCE(route_messages, dialect_anthropic, OP_CHAT)
INFERENCE(route_messages_count, dialect_anthropic, OP_TEMPLATE)
INFERENCE(route_ollama_chat, dialect_ollama, OP_CHAT)
INFERENCE(route_ollama_generate, dialect_ollama_prompt, OP_COMPLETION)
INFERENCE(route_ollama_embed, dialect_ollama, OP_EMBEDDING)
INFERENCE(route_ollama_embeddings, dialect_ollama_prompt, OP_EMBEDDING)
INFERENCE(route_v0_chat, dialect_lmstudio_v0, OP_CHAT)
INFERENCE(route_v0_completions, dialect_lmstudio_v0, OP_COMPLETION)
INFERENCE(route_v0_embeddings, dialect_lmstudio_v0, OP_EMBEDDING)
