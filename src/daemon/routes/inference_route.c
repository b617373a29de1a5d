/* SPDX-License-Identifier: MIT */
/* inference_route.c - one HTTP exchange that is answered by instances: body -> dialect -> calls
 * -> events -> dialect -> bytes. The same for every dialect and kind of work. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/lmstudio_rest/v0.h"
#include "api/openai/openai.h"
#include "api/responses/responses.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "daemon/routes/route.h"
#include "http/server.h"

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
    bool begun;         /* the headers of a stream are out */
    uv_timer_t silence; /* of a stream, see answer_on_silence */
    uint64_t wrote;     /* the loop's time when something was sent last */
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
    a->dialect->reply_free(a->reply);
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

/* Closes the answer at its end. */
static void deliver(struct answer *a, const struct buf *bytes, enum reply_step step) {
    bool due = a->stream && (bytes->len > 0 || step == REPLY_END);
    if (due && !a->begun) {
        exchange_begin(a->x, 200, "text/event-stream");
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

/* What is known within the first seconds gets its true status, and a stream that is answered by
 * then has no comments, which some clients cannot read. After that a comment now and then keeps
 * the connection open. */
static void answer_on_silence(uv_timer_t *silence) {
    struct answer *a = silence->data;
    uint64_t since = uv_now(silence->loop) - a->wrote;
    uint64_t most = a->begun ? SILENCE_MS : FIRST_SILENCE_MS;
    if (since >= most) {
        struct buf bytes = BUF_INIT(1 << 12);
        a->dialect->format_waiting(a->reply, &bytes);
        deliver(a, &bytes, REPLY_MORE);
        buf_clear(&bytes);
        since = 0;
        most = SILENCE_MS;
    }
    uv_timer_start(silence, answer_on_silence, most - since, 0);
}

static void answer_fail(struct answer *a, const struct error *err) {
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
    enum reply_step step = a->dialect->reply_event(a->reply, part->index, ev, &bytes);
    struct error err;
    if (!bytes.overflowed) {
        deliver(a, &bytes, step);
    } else {
        error_set(&err, ERR_INTERNAL, "The answer is larger than %d bytes.", REPLY_MAX);
        if (a->begun)
            fail_stream(part, &err);
        else
            answer_fail(a, &err);
    }
    buf_clear(&bytes);
}

static void part_on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct part *part = ctx;
    struct answer *a = part->answer;
    (void)call;
    if (ev->kind == SERVICE_DONE || ev->kind == SERVICE_ERROR) part->call = 0;
    if (ev->kind == SERVICE_ERROR && !a->begun)
        answer_fail(a, ev->error);
    else
        pass_on(part, ev);
}

/* Who asks, for turns among the requests of one model: the key and the program. Connections
 * tell nothing, since a client opens one for each request that runs. */
static uint64_t client_of(const struct exchange *x) {
    static const char *const names[] = { "authorization", "x-api-key", "user-agent" };
    uint64_t hash = HASH_BEGIN;
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_header(x, names[i]);
        if (value) hash = hash_add(hash, value, strlen(value) + 1);
        known = known || value;
    }
    return known ? hash : 0;
}

static void begin_parts(struct answer *a, struct parsed *parsed) {
    uint64_t client = client_of(a->x);
    for (int i = 0; i < parsed->count; i++) {
        struct part *part = &a->parts[i];
        struct service_sink sink = { part_on_event, part };
        parsed->requests[i].client = client;
        part->call = a->service->generate(a->service->self, &parsed->requests[i], sink);
    }
}

/* The answer's id, which its headers carry in OpenAI's and in Anthropic's word. */
static void next_id(struct exchange *x, char *text, size_t size) {
    static uint64_t count;
    snprintf(text, size, "%llx%04llx", (unsigned long long)clock_unix(),
             (unsigned long long)(++count & 0xffff));
    exchange_add_header(x, "x-request-id", text);
    exchange_add_header(x, "request-id", text);
}

static struct answer *answer_open(const struct routes *r, struct exchange *x,
                                  const struct dialect *dialect, struct parsed *parsed,
                                  const char *id) {
    struct answer *a = xcalloc(1, sizeof *a);
    a->service = r->service;
    a->dialect = dialect;
    a->x = x;
    a->stream = parsed->options.stream;
    a->count = parsed->count;
    a->reply = dialect->reply_new(&parsed->options, parsed->count, id, clock_unix() / 1000);
    for (int i = 0; i < a->count; i++) a->parts[i] = (struct part){ a, i, 0 };
    uv_timer_init(r->loop, &a->silence);
    a->silence.data = a;
    a->wrote = uv_now(r->loop);
    if (a->stream) uv_timer_start(&a->silence, answer_on_silence, FIRST_SILENCE_MS, 0);
    return a;
}

static void answer_begin(const struct routes *r, struct exchange *x,
                         const struct dialect *dialect, enum service_op op) {
    struct error err;
    size_t len = 0;
    char id[40];
    const char *body = exchange_body(x, &len);
    struct parsed *parsed = xcalloc(1, sizeof *parsed);
    next_id(x, id, sizeof id);
    bool ok = dialect->parse(op, body, len, parsed, &err);
    exchange_drop_body(x);
    if (ok) {
        struct answer *a = answer_open(r, x, dialect, parsed, id);
        exchange_on_gone(x, answer_on_gone, a);
        exchange_on_pressure(x, answer_on_pressure, a);
        begin_parts(a, parsed);
        parsed_clear(parsed);
    } else {
        exchange_fail(x, &err);
    }
    free(parsed);
}

/* The handler of an endpoint: a dialect, and what it is asked for. */
#define INFERENCE(name, dialect, op)                                                           \
    void name(void *ctx, struct exchange *x) {                                                 \
        answer_begin(ctx, x, &(dialect), op);                                                  \
    }

INFERENCE(route_openai_chat, dialect_openai, OP_CHAT)
INFERENCE(route_openai_completions, dialect_openai, OP_COMPLETION)
INFERENCE(route_openai_embeddings, dialect_openai, OP_EMBEDDING)
INFERENCE(route_responses, dialect_responses, OP_CHAT)
INFERENCE(route_messages, dialect_anthropic, OP_CHAT)
INFERENCE(route_messages_count, dialect_anthropic, OP_TEMPLATE)
INFERENCE(route_v0_chat, dialect_lmstudio_v0, OP_CHAT)
INFERENCE(route_v0_completions, dialect_lmstudio_v0, OP_COMPLETION)
INFERENCE(route_v0_embeddings, dialect_lmstudio_v0, OP_EMBEDDING)
