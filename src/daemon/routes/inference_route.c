/* SPDX-License-Identifier: MIT */
/* inference_route.c - the endpoints whose requests instances answer, and how such an exchange
 * begins. */
#include "api/anthropic/anthropic.h"
#include "api/decisions/decisions.h"
#include "api/lmstudio_rest/v0.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/offload.h"
#include "daemon/routes/inference_fleet.h"
#include "daemon/routes/route.h"
#include "http/server.h"

/* False: p->err says why. */
static bool is_wanted(struct parsing *p) {
    if (exchange_is_gone(p->x))
        return error_set(&p->err, ERR_CANCELLED, "The client has left.");
    return p->formed && parsing_hold(p);
}

static void parsing_on_done(void *ctx) {
    struct parsing *p = ctx;
    if (parsing_is_forwarded(p)) fleet_node_tally(p->r->fleet, FLEET_RECEIVED, NULL);
    if (is_wanted(p))
        parsing_place(p);
    else
        parsing_fail(p);
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
    (void)parsing_body(p, &len);
    offload_run(r->offload, len, &(struct offload_piece){ parsing_work, parsing_on_done, p });
}

static void begin(const struct routes *r, struct exchange *x, const struct dialect *dialect,
                  enum service_op op) {
    struct inference inference = { .dialect = dialect, .op = op };
    inference_id(r, inference.id);
    inference_begin(r, x, &inference);
}

/* The handler of an endpoint: a dialect, and what it is asked for. */
#define INFERENCE(name, dialect, op)                                                           \
    void name(void *ctx, struct exchange *x) {                                                 \
        begin(ctx, x, &(dialect), op);                                                         \
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
