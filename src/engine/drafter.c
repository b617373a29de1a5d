/* SPDX-License-Identifier: MIT */
#include "engine/drafter.h"

#include <math.h>
#include <string.h>

#include "base/file_prefetch.h"
#include "engine/engine.h"
#include "engine/placement.h"
#include "engine/prefix.h"
#include "engine/prompt_room.h"

/* llama.cpp's (common/speculative.cpp): how many tokens a draft model may have more or fewer at
 * the end; and the first of them, control tokens, may differ. */
enum { MOST_APART = 128, FIRST_COMPARED = 5 };

/* Tokens that a sequence lacks after a guess: the guess, and the one drawn after it. */
enum { SHORT = LOAD_MAX_DRAFT + 2 };

/* ---- opening ---- */

static bool has_same_tokens(const struct llama_vocab *a, const struct llama_vocab *b) {
    int32_t count_a = llama_vocab_n_tokens(a), count_b = llama_vocab_n_tokens(b);
    int32_t common = count_a < count_b ? count_a : count_b;
    if (llama_vocab_type(a) != llama_vocab_type(b)) return false;
    if (count_a + count_b - 2 * common > MOST_APART) return false;
    for (int32_t i = FIRST_COMPARED; i < common; i++) {
        if (strcmp(llama_vocab_get_text(a, i), llama_vocab_get_text(b, i)) != 0) return false;
    }
    return true;
}

static bool goes_on(float progress, void *ctx) {
    (void)progress, (void)ctx;
    return true;
}

static bool open_weights(struct drafter *d, const struct load_message *r, struct error *err) {
    struct llama_model_params placed = llama_model_default_params();
    static struct placement room;
    if (r->settings.mmap) (void)file_prefetch(r->path, goes_on, NULL, NULL);
    placement_choose(&placed, r, &room);
    if (model_open_weights(&d->model, r, &placed, NULL, NULL, err)) return true;
    struct error why = *err;
    return error_set(err, why.code, "The draft model cannot be used: %s", why.text);
}

/* It has as many cells as the model's context; drafter_resize() keeps it so. */
static bool open_context(struct drafter *d, const struct context *main, struct load_message *r,
                         struct error *err) {
    r->cells = main->cells;
    r->settings.context_length = main->length;
    r->settings.parallel = main->parallel;
    r->settings.eval_batch_size = main->chunk;
    r->settings.chunk_size = main->chunk;
    return context_open(&d->context, &d->model, r, CONTEXT_WIDE, err);
}

static void set_limits(struct engine *e, const struct load_settings *s) {
    struct drafter *d = &e->drafter;
    int32_t own = llama_vocab_n_tokens(d->model.vocab);
    d->vocabulary = own < e->model.vocab_size ? own : e->model.vocab_size;
    d->most = (size_t)s->draft_tokens;
    d->least = (float)s->draft_min_probability;
}

static bool is_of_use(const struct engine *e, const char **ret_warning) {
    const struct model *draft = &e->drafter.model;
    *ret_warning = NULL;
    if (!e->context.drafts)
        *ret_warning = "The draft model is not used: with a recurrent state the model can take "
                       "no guesses back.";
    else if (draft->weights && (draft->remembers || draft->embeds))
        *ret_warning = "The draft model is not used: it has a recurrent state, or is made for "
                       "embeddings.";
    return *ret_warning == NULL;
}

/* Device memory of the load that the model has not taken; 1: nothing. */
static int64_t device_left(const struct engine *e, int64_t allowed) {
    int64_t taken = (int64_t)(placement_bytes(e->context.llama) +
                              model_adapter_device_bytes(&e->model));
    if (allowed == 0) return 0;
    return allowed > taken ? allowed - taken : 1;
}

bool drafter_open(struct engine *engine, const struct load_message *request,
                  const char **ret_warning, struct error *err) {
    struct drafter *d = &engine->drafter;
    *ret_warning = NULL;
    if (!request->draft || !is_of_use(engine, ret_warning)) return true;
    struct load_message r = load_message_of_draft(request);
    r.device_bytes = device_left(engine, request->device_bytes);
    bool ok = open_weights(d, &r, err);
    if (!ok || !is_of_use(engine, ret_warning)) {
        drafter_clear(d);
        return ok;
    }
    ok = has_same_tokens(engine->model.vocab, d->model.vocab) ||
         error_set_param(err, ERR_INVALID_REQUEST, "draft_model",
                         "The draft model has another vocabulary than the model; choose one "
                         "of the same family.");
    if (!ok || !open_context(d, &engine->context, &r, err)) {
        drafter_clear(d);
        return false;
    }
    engine->context.cell_bytes += d->context.cell_bytes;
    set_limits(engine, &request->settings);
    d->batch = llama_batch_init(d->context.batch, 0, 1);
    return true;
}

void drafter_clear(struct drafter *d) {
    for (int i = 0; i < LOAD_MAX_PARALLEL; i++) tokens_clear(&d->held[i]);
    if (d->batch.token) llama_batch_free(d->batch);
    llama_free(d->context.llama);
    model_close(&d->model);
    *d = (struct drafter){ 0 };
}

uint64_t drafter_memory_bytes(const struct drafter *drafter) {
    return drafter->model.weights ? model_page_bytes(&drafter->model) : 0;
}

uint64_t drafter_device_bytes(const struct drafter *drafter) {
    return drafter->context.llama ? placement_bytes(drafter->context.llama) : 0;
}

/* ---- what the sequences hold ---- */

static void keep(struct drafter *d, llama_seq_id seq, size_t count) {
    struct tokens *held = &d->held[seq];
    if (count >= held->count) return;
    tokens_cut(held, context_keep(&d->context, &d->model, seq, count) ? count : 0);
}

static size_t common_with(const struct drafter *d, llama_seq_id seq, const struct slot *s,
                          size_t count) {
    const struct tokens *held = &d->held[seq];
    return prefix_common(held->data, held->count, s->tokens.data, count);
}

size_t drafter_lacks(const struct drafter *drafter, const struct slot *slot) {
    size_t count = slot->tokens.count;
    return count - common_with(drafter, slot->seq, slot, count);
}

static size_t held_by_all(const struct drafter *d) {
    size_t sum = 0;
    for (int i = 0; i < d->context.parallel; i++) sum += d->held[i].count;
    return sum;
}

/* Drop what free slots have left there until `more` tokens have cells. */
static bool make_room(struct engine *e, size_t more) {
    struct drafter *d = &e->drafter;
    size_t sum = held_by_all(d) + more, cells = (size_t)d->context.cells;
    for (int i = 0; i < d->context.parallel && sum > cells; i++) {
        if (e->slots[i].job) continue;
        sum -= d->held[i].count;
        keep(d, i, 0);
    }
    return sum <= cells;
}

/* Where another slot's sequence has more of the slot's tokens, they need not be processed;
 * unless nothing of them may be kept. */
static void share(struct engine *e, const struct slot *s, size_t count) {
    struct drafter *d = &e->drafter;
    size_t best = common_with(d, s->seq, s, count);
    llama_seq_id donor = s->seq;
    for (int i = 0; i < d->context.parallel; i++) {
        size_t common = common_with(d, i, s, count);
        if (common <= best || e->slots[i].secret) continue;
        best = common;
        donor = i;
    }
    if (donor == s->seq || d->model.window > 0) return;
    keep(d, s->seq, 0);
    llama_memory_seq_cp(d->context.memory, donor, s->seq, 0, (llama_pos)best);
    tokens_append(&d->held[s->seq], s->tokens.data, best);
}

/* ---- computing ---- */

static void put(struct drafter *d, llama_seq_id seq, llama_token token, size_t position) {
    struct llama_batch *b = &d->batch;
    int32_t at = b->n_tokens++;
    b->token[at] = token;
    b->pos[at] = (llama_pos)position;
    b->n_seq_id[at] = 1;
    b->seq_id[at][0] = seq;
    b->logits[at] = 0;
}

/* The last token's result is wanted. */
static void want_result(struct drafter *d, struct slot *s) {
    s->asked = true;
    s->drafting = d->batch.n_tokens - 1;
    d->batch.logits[s->drafting] = 1;
}

static void give_up(struct engine *e) {
    static const char text[] = "The draft model could not compute a batch; the answers go on "
                               "without it until the model is loaded again.";
    link_send_warning(&e->link, text, sizeof text - 1);
    e->drafter.most = 0;
}

/* What the batch has of a sequence becomes part of it, or is dropped. */
static bool compute(struct engine *e) {
    struct drafter *d = &e->drafter;
    const struct llama_batch *b = &d->batch;
    context_share_pool(&d->context, &e->context);
    int32_t status = context_compute(&d->context, &e->cpu, *b);
    context_share_pool(&e->context, &d->context);
    if (status == 0 && b->n_tokens > SHORT)
        pace_note_reading(&e->pace, (size_t)b->n_tokens, e->cpu.batch_lasted);
    for (int32_t i = 0; i < b->n_tokens; i++) {
        llama_seq_id seq = b->seq_id[i][0];
        if (status == 0)
            tokens_add(&d->held[seq], b->token[i]);
        else if (!context_keep(&d->context, &d->model, seq, d->held[seq].count))
            tokens_cut(&d->held[seq], 0);
    }
    if (status < 0) give_up(e);
    return status == 0;
}

/* Tokens of a beginning that is missing, for which the answers wait. */
static size_t piece_of(const struct drafter *d) {
    size_t chunk = (size_t)d->context.chunk;
    return d->context.on_cpu && chunk > PROMPT_PIECE ? PROMPT_PIECE : chunk;
}

/* Pictures have no tokens that another model could read. */
static bool has_picture(const llama_token *tokens, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0) return true;
    }
    return false;
}

/* Put what the sequence lacks of the slot's tokens into the batch, or as much as there is room
 * for. *piece: what is left of that for beginnings. */
static void add_missing(struct engine *e, struct slot *s, size_t *piece) {
    struct drafter *d = &e->drafter;
    const struct tokens *tokens = &s->tokens, *held = &d->held[s->seq];
    size_t room = (size_t)(d->context.chunk - d->batch.n_tokens), count = tokens->count;
    keep(d, s->seq, common_with(d, s->seq, s, count - 1));
    if (count - held->count > SHORT) share(e, s, count - 1);
    size_t from = held->count, due = count - from, now = due;
    if (due > SHORT && now > *piece) now = *piece;
    if (now > room) now = room;
    if (has_picture(tokens->data + from, due)) now = 0;
    if (due > SHORT) *piece -= now;
    for (size_t i = from; i < from + now; i++) put(d, s->seq, tokens->data[i], i);
    if (now == due) want_result(d, s);
}

/* ---- guessing ---- */

static float probability(const float *logits, int32_t count, float most) {
    enum { NEGLIGIBLE = 20 };
    float sum = 0;
    for (int32_t i = 0; i < count; i++) {
        if (logits[i] > most - NEGLIGIBLE) sum += expf(logits[i] - most);
    }
    return 1 / sum;
}

/* The likeliest token there; LLAMA_TOKEN_NULL: it is not likely enough, or it ends the
 * answer. */
static llama_token likeliest(const struct engine *e, int32_t result) {
    const struct drafter *d = &e->drafter;
    const float *logits = llama_get_logits_ith(d->context.llama, result);
    llama_token best = 0;
    if (!logits) return LLAMA_TOKEN_NULL;
    for (llama_token i = 1; i < d->vocabulary; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    if (llama_vocab_is_eog(e->model.vocab, best)) return LLAMA_TOKEN_NULL;
    if (d->least > 0 && probability(logits, d->vocabulary, logits[best]) < d->least)
        return LLAMA_TOKEN_NULL;
    return best;
}

/* Take the results, and put what is to go on into the next batch. */
static void take_results(struct engine *e) {
    struct drafter *d = &e->drafter;
    d->batch.n_tokens = 0;
    for (int i = 0; i < d->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->drafting < 0) continue;
        llama_token token = likeliest(e, s->drafting);
        s->drafting = -1;
        if (token == LLAMA_TOKEN_NULL) continue;
        s->draft[s->guessed++] = token;
        if (s->guessed == s->wanted) continue;
        put(d, s->seq, token, s->tokens.count + s->guessed - 1);
        want_result(d, s);
    }
}

void drafter_guess(struct engine *engine) {
    struct drafter *d = &engine->drafter;
    if (!d->model.weights) return;
    size_t piece = piece_of(d), whole = piece;
    d->batch.n_tokens = 0;
    for (int i = 0; i < d->context.parallel; i++) {
        struct slot *s = &engine->slots[i];
        s->drafting = -1;
        if (s->wanted > 0) add_missing(engine, s, &piece);
    }
    d->reads = piece < whole;
    while (d->batch.n_tokens > 0 && make_room(engine, (size_t)d->batch.n_tokens) &&
           compute(engine))
        take_results(engine);
}

void drafter_forget(struct drafter *drafter) {
    for (int i = 0; i < drafter->context.parallel; i++) keep(drafter, i, 0);
}

/* ---- with the model's context ---- */

/* Without memory for that, the sequences share the cells there are. */
void drafter_resize(struct engine *engine) {
    struct drafter *d = &engine->drafter;
    struct error err;
    int32_t cells = engine->context.cells;
    if (!d->model.weights || d->context.first == d->context.most) return;
    if (cells > d->context.most) cells = d->context.most;
    if (cells == d->context.cells) return;
    for (int i = 0; i < d->context.parallel && held_by_all(d) > (size_t)cells; i++)
        keep(d, i, 0);
    (void)context_replace(&d->context, &d->model, cells, &err);
}
