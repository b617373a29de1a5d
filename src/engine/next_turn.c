/* SPDX-License-Identifier: MIT */
#include "engine/next_turn.h"

#include <string.h>
#include <yyjson.h>

#include "engine/cells.h"
#include "engine/decode.h"
#include "engine/prefix.h"

#define ANSWER "answered"
#define WORDS "question"

/* ---- what the template writes there ---- */

/* Fragment and words as tokens. */
static void tokens_before(const struct engine *e, const char *fragment, size_t len,
                          const char *words, struct tokens *ret) {
    struct error err;
    struct buf text = BUF_INIT(1 << 16);
    (void)buf_add(&text, fragment, len);
    (void)buf_add_str(&text, words);
    if (!tokens_from_text(ret, e->model.vocab, buf_str(&text), text.len, TOKENS_PARSE_SPECIAL,
                          &err)) {
        tokens_cut(ret, 0);
    }
    buf_clear(&text);
}

/* Only tokens that are the same whatever the user says. The first must be a control token,
 * because plain text may merge with the answer's last token. */
static void set_fragment(struct engine *e, const char *fragment, size_t len) {
    struct tokens *one = &e->next_turn.tokens, other = { 0 };
    tokens_before(e, fragment, len, "Why?", one);
    tokens_before(e, fragment, len, "2 of them", &other);
    tokens_cut(one, prefix_common(one->data, one->count, other.data, other.count));
    bool parts = one->count > 0 && llama_vocab_is_control(e->model.vocab, one->data[0]);
    if (!parts) tokens_cut(one, 0);
    tokens_clear(&other);
}

static void find_fragment(struct engine *e) {
    static const char talk[] = "[{\"role\":\"user\",\"content\":\"Hello\"},"
                               "{\"role\":\"assistant\",\"content\":\"" ANSWER "\"},"
                               "{\"role\":\"user\",\"content\":\"" WORDS "\"}]";
    struct error err;
    yyjson_doc *doc = yyjson_read(talk, sizeof talk - 1, 0);
    struct chat_input input = { .messages = yyjson_doc_get_root(doc),
                                .parallel_tool_calls = -1,
                                .reasoning_budget = -1 };
    struct plan *plan = plan_new(e->model.templates, &input, &err);
    yyjson_doc_free(doc);
    if (!plan) return; /* a template that wants something else of a conversation */
    size_t len = 0;
    const char *begin = strstr(plan_prompt(plan, &len), ANSWER);
    const char *end = begin ? strstr(begin, WORDS) : NULL;
    if (end) {
        begin += strlen(ANSWER);
        set_fragment(e, begin, (size_t)(end - begin));
    }
    plan_free(plan);
}

/* ---- slots ---- */

static struct slot *due_slot(struct engine *e) {
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->turn_due && !s->job) return s;
    }
    return NULL;
}

/* How much is done when the next prompt comes depends on timing, and so do the shapes of
 * batches. So reproducible models do without. */
bool next_turn_due(struct engine *engine) {
    return !engine->context.steady && due_slot(engine) != NULL;
}

void next_turn_begin(struct engine *engine) {
    struct slot *slot = due_slot(engine);
    slot->turn_due = false;
    if (!engine->next_turn.known) find_fragment(engine);
    engine->next_turn.known = true;
    size_t more = engine->next_turn.tokens.count + 1, count = slot->tokens.count + more;
    bool fits = more <= (size_t)engine->context.chunk &&
                count < (size_t)engine->context.length && cells_suffice(engine, slot, count);
    if (engine->next_turn.tokens.count == 0 || !fits) return;
    if (slot->unprocessed != LLAMA_TOKEN_NULL) tokens_add(&slot->tokens, slot->unprocessed);
    tokens_append(&slot->tokens, engine->next_turn.tokens.data, engine->next_turn.tokens.count);
    decode_ahead(engine, slot);
}
