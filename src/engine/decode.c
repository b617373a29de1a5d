/* SPDX-License-Identifier: MIT */
#include "engine/decode.h"

#include <stdlib.h>

#include "base/clock.h"
#include "engine/constrained.h"
#include "engine/draft.h"
#include "engine/order.h"
#include "engine/picture_eval.h"
#include "engine/projector.h"
#include "engine/prompt_cache.h"
#include "engine/prompt_room.h"
#include "engine/reply.h"
#include "engine/sequences.h"

/* ---- filling the batch ---- */

static bool runs(const struct slot *s) {
    return s->job && !s->job->paused_since && !s->held;
}

static size_t due(const struct slot *s) {
    return s->tokens.count - s->processed;
}

static bool embeds(const struct slot *s) {
    return s->job->request.op == REQUEST_EMBEDDING;
}

static bool wants_vectors(const struct engine *e) {
    for (int i = 0; i < e->context.parallel; i++) {
        if (e->slots[i].result >= 0 && embeds(&e->slots[i])) return true;
    }
    return false;
}

static void batch_put(struct llama_batch *b, const struct slot *s, llama_token token,
                      size_t position) {
    int32_t at = b->n_tokens++;
    b->token[at] = token;
    b->pos[at] = (llama_pos)position;
    b->n_seq_id[at] = 1;
    b->seq_id[at][0] = s->seq;
    b->logits[at] = 0;
}

/* Put the slot's next tokens into the batch; the result is wanted if none is due after them. */
static void batch_add(struct engine *e, struct slot *s, size_t count) {
    struct llama_batch *b = &e->batch;
    size_t from = s->processed;
    s->in_batch = (int32_t)count;
    for (size_t i = 0; i < count; i++) batch_put(b, s, s->tokens.data[from + i], from + i);
    if (count < due(s)) return;
    s->result = b->n_tokens - 1;
    b->logits[s->result] = 1;
}

/* Add an answer's last token and its guesses, each with its result. */
static void batch_add_answer(struct engine *e, struct slot *s) {
    struct llama_batch *b = &e->batch;
    batch_add(e, s, 1);
    draft_add(e, s);
    for (size_t i = 0; i < s->drafted; i++) {
        batch_put(b, s, s->draft[i], s->tokens.count + i);
        b->logits[b->n_tokens - 1] = 1;
    }
}

/* The slots with tokens to process. */
struct demand {
    size_t prompts, tokens; /* of all prompts together */
    bool answers;           /* are being written, whether they have a token in the batch */
};

static bool is_prompt(const struct slot *s) {
    return runs(s) && s->in_batch == 0 && due(s) > 0 && !picture_eval_is_due(s);
}

static void forget_batch(struct engine *e) {
    e->batch.n_tokens = 0;
    for (int i = 0; i < e->context.parallel; i++) {
        e->slots[i].in_batch = 0;
        e->slots[i].result = -1;
        e->slots[i].drafted = 0;
    }
}

/* Single tokens first, so that every answer goes on. */
static struct demand add_single_tokens(struct engine *e) {
    struct demand demand = { 0 };
    forget_batch(e);
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (!runs(s) || picture_eval_is_due(s)) continue;
        if (due(s) > 1) {
            demand.prompts++;
            demand.tokens += due(s);
            continue;
        }
        demand.answers = true;
        if (due(s) == 1) batch_add_answer(e, s);
    }
    return demand;
}

static int next_prompt(const struct engine *e, double speed) {
    struct order_prompt prompts[LOAD_MAX_PARALLEL];
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        prompts[i] = (struct order_prompt){ 0 };
        if (!is_prompt(s)) continue;
        prompts[i] = (struct order_prompt){ .due = due(s),
                                            .waited = s->job->waited,
                                            .arrived = (uint64_t)s->job->received };
    }
    return order_next(prompts, e->context.parallel, speed);
}

/* Add as many prompts as there is room for, each as far as possible. */
static void add_prompts(struct engine *e, size_t room, double speed) {
    bool first = true, beside = e->beside && !e->context.steady;
    while (room > 0) {
        int next = next_prompt(e, speed);
        if (next < 0) return;
        struct slot *s = &e->slots[next];
        size_t before = e->context.steady ? 0 : (size_t)e->batch.n_tokens;
        size_t share = prompt_share(due(s), room, before);
        if (!first && !prompt_may_follow(due(s), share, beside)) return;
        first = false;
        size_t most = embeds(s) ? due(s) - 1 : due(s);
        size_t count = picture_eval_until_next(
            s, prompt_cache_until_mark(s, most < share ? most : share));
        batch_add(e, s, count);
        room -= count;
    }
}

static bool has_its_cores(struct engine *e) {
    return !e->context.on_cpu || e->context.steady ||
           cpu_threads_are_free(&e->cpu, e->context.threads);
}

/* While other answers are being written, prompts take one piece of a batch, so that a long
 * prompt does not stall their streams for seconds. The same while another program uses the
 * cores, which is mostly over soon: a batch keeps its number of threads to its end. */
static size_t room_for(struct engine *e, const struct demand *demand, size_t left) {
    if (e->context.steady) return demand->answers && left > PROMPT_PIECE ? PROMPT_PIECE : left;
    size_t room = prompt_room(demand->prompts, demand->tokens, left, e->prompt_speed);
    size_t most = demand->answers    ? order_piece(e->piece_speed, (size_t)e->batch.n_tokens)
                  : has_its_cores(e) ? room
                                     : PROMPT_PIECE;
    return room < most ? room : most;
}

/* In a batch that gives vectors every token is a result, so such a batch has single tokens
 * only, and a text's last token comes in one. */
static void fill_batch(struct engine *e) {
    struct demand demand = add_single_tokens(e);
    size_t left = (size_t)(e->context.chunk - e->batch.n_tokens);
    e->beside = demand.answers;
    if (demand.prompts == 0 || left == 0 || wants_vectors(e)) return;
    add_prompts(e, room_for(e, &demand, left),
                demand.answers ? e->piece_speed : e->prompt_speed);
}

/* ---- taking the results ---- */

/* Does the answer end here, although the model would go on? */
static bool is_at_end(const struct engine *e, const struct slot *s,
                      enum stop_reason *ret_reason) {
    const struct job *job = s->job;
    int64_t most = job->request.sampling.max_tokens;
    bool done = most >= 0 && job->completion_tokens >= most;
    *ret_reason = done ? STOP_MAX_TOKENS : STOP_CONTEXT;
    return done || (s->tokens.count >= (size_t)e->context.length &&
                    job->request.overflow == OVERFLOW_STOP);
}

/* False: the answer ends here. */
static bool say_token(struct engine *e, struct slot *s, const float *logits,
                      llama_token token) {
    struct job *job = s->job;
    struct buf piece = BUF_INIT(1 << 20);
    bool shown = job->chat && chat_keeps_token(job->chat, token);
    tokens_piece(&piece, e->model.vocab, token, shown);
    if (job->request.sampling.logprobs >= 0) {
        logprobs_add(&job->output.logprobs, e->model.vocab, logits, token,
                     (int)job->request.sampling.logprobs, job->output.bytes + piece.len);
    }
    bool goes_on = output_push(&job->output, buf_str(&piece), piece.len);
    buf_clear(&piece);
    return goes_on;
}

static void use_token(struct engine *e, struct slot *s, const float *logits,
                      llama_token token) {
    struct job *job = s->job;
    if (!job->first_token) job->first_token = clock_boottime_usec();
    e->served = true;
    llama_sampler_accept(job->sampler, token);
    if (llama_vocab_is_eog(e->model.vocab, token)) {
        slot_finish(e, s, STOP_EOS);
        return;
    }
    job->completion_tokens++;
    tokens_add(&s->tokens, token);
    enum stop_reason reason = STOP_STRING;
    if (!say_token(e, s, logits, token) || is_at_end(e, s, &reason)) {
        slot_finish(e, s, reason);
    } else if (s->tokens.count >= (size_t)e->context.length) {
        slot_make_room(e, s);
    }
}

/* The drawn token is not allowed: draw one that is. */
static void use_other_token(struct engine *e, struct slot *s, const float *logits,
                            const unsigned char *mask) {
    struct error err;
    llama_token token = sampler_pick_of(s->job->sampler, &e->candidates, logits, mask);
    if (token == LLAMA_TOKEN_NULL) {
        error_set(&err, ERR_INTERNAL,
                  "The model cannot continue in the requested format; try again or "
                  "loosen the schema.");
        slot_fail(e, s, &err);
        return;
    }
    constrained_accept(s->job, token);
    use_token(e, s, logits, token);
}

static void settle(struct engine *e, struct slot *s, const float *logits,
                   const struct verdict *verdict) {
    switch (verdict->kind) {
    case VERDICT_LATE:
        break; /* the slot has nothing to be computed until it comes */
    case VERDICT_ALLOWED:
        use_token(e, s, logits, s->job->constraint.token);
        break;
    case VERDICT_MASK:
        use_other_token(e, s, logits, verdict->mask);
        break;
    case VERDICT_FAILED:
        slot_fail(e, s, &verdict->error);
        break;
    }
}

static void take_token(struct engine *e, struct slot *s, int32_t result) {
    struct job *job = s->job;
    const float *logits = llama_get_logits_ith(e->context.llama, result);
    llama_token token = sampler_pick(job->sampler, &e->candidates, logits);
    if (!constrained_is(job)) {
        use_token(e, s, logits, token);
        return;
    }
    struct verdict verdict;
    constrained_ask(e, job, token, logits, &verdict);
    settle(e, s, logits, &verdict);
}

/* Take the result, and those of the guesses as long as the sampler draws the same. */
static void take_tokens(struct engine *e, struct slot *s) {
    const struct job *job = s->job;
    size_t drafted = s->drafted, accepted = 0;
    draft_begin(s);
    take_token(e, s, s->result);
    while (accepted < drafted && draft_accept(s, job, accepted)) {
        accepted++;
        take_token(e, s, s->result + (int32_t)accepted);
    }
    draft_end(e, s, job);
}

void decode_settle(struct engine *engine) {
    for (int i = 0; i < engine->context.parallel; i++) {
        struct slot *s = &engine->slots[i];
        if (!s->job || !s->job->constraint.waits) continue;
        struct verdict verdict;
        constrained_look(engine, s->job, &verdict);
        float *logits = s->job->constraint.logits;
        if (verdict.kind == VERDICT_LATE) continue;
        s->job->constraint.logits = NULL;
        settle(engine, s, logits, &verdict);
        free(logits);
    }
}

static void take_vector(struct engine *e, struct slot *s) {
    const float *vector = llama_get_embeddings_ith(e->context.llama, s->result);
    reply_vector(&e->link, s->job->id, vector,
                 (size_t)llama_model_n_embd_out(e->model.weights));
    slot_next_input(e, s);
}

static void take_result(struct engine *e, struct slot *s) {
    struct job *job = s->job;
    bool in_prompt = s->processed < job->prompt.count;
    s->processed += (size_t)s->in_batch;
    picture_eval_release(s);
    prompt_cache_processed(e, s);
    if (embeds(s)) {
        if (s->result >= 0) take_vector(e, s);
        return;
    }
    if (in_prompt && !job->prompted) reply_prompt(&e->link, job, s->processed);
    if (s->result < 0) return;
    if (!job->prompted) job->prompted = clock_boottime_usec();
    if (job->request.sampling.max_tokens == 0) {
        slot_finish(e, s, STOP_MAX_TOKENS);
    } else {
        take_tokens(e, s);
    }
}

/* ---- a batch that went wrong ---- */

/* 2: a job in it was cancelled (see engine.c); the others repeat their part. */
static void undo_batch(struct engine *e, int32_t status) {
    struct error err;
    error_set(&err, ERR_INTERNAL, "The engine could not compute a batch (status %d).", status);
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->in_batch == 0) continue;
        slot_restore(e, s);
        if (status != 2) slot_fail(e, s, &err);
    }
}

static size_t prompt_tokens(const struct engine *e) {
    size_t tokens = 0;
    for (int i = 0; i < e->context.parallel; i++) {
        if (e->slots[i].in_batch > 1) tokens += (size_t)e->slots[i].in_batch;
    }
    return tokens;
}

/* Measure the speed of a complete batch, if it was large enough. */
static void note_speed(struct engine *e) {
    int32_t tokens = e->batch.n_tokens;
    int64_t lasted = e->cpu.batch_lasted;
    if (e->beside) e->piece_speed = order_speed(e->piece_speed, prompt_tokens(e), lasted);
    if (tokens < PROMPT_PIECE / 2 || lasted == 0) return;
    e->prompt_speed = tokens * 1e6 / (double)lasted;
}

/* The prompts that had no part in the batch have waited for those that had. */
static void note_waits(const struct engine *e) {
    if (prompt_tokens(e) == 0) return;
    for (int i = 0; i < e->context.parallel; i++) {
        const struct slot *s = &e->slots[i];
        if (is_prompt(s)) s->job->waited += e->cpu.batch_lasted;
    }
}

/* ---- pictures ---- */

/* The oldest of the prompts that have reached a picture. */
static struct slot *next_picture_slot(struct engine *e) {
    struct slot *next = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (!runs(s) || !picture_eval_is_due(s)) continue;
        if (!next || s->job->received < next->job->received) next = s;
    }
    return next;
}

/* The next tokens of a picture, in a batch of their own. */
static int32_t compute_picture(struct engine *e, struct slot *s) {
    struct llama_context *llama = e->context.llama;
    struct llama_batch batch = picture_eval_batch(e, s);
    bool non_causal = projector_is_non_causal(e->model.projector);
    s->in_batch = e->batch.n_tokens = batch.n_tokens;
    if ((size_t)batch.n_tokens == due(s)) {
        s->result = batch.n_tokens - 1;
        batch.logits[s->result] = 1;
    }
    llama_set_embeddings(llama, false);
    if (non_causal) llama_set_causal_attn(llama, false);
    int32_t status = context_compute(&e->context, &e->cpu, batch);
    if (non_causal) llama_set_causal_attn(llama, true);
    return status;
}

/* False: no prompt has come to a picture. */
static bool eval_picture(struct engine *e) {
    struct slot *s = next_picture_slot(e);
    struct error err;
    bool failed;
    if (!s) return false;
    forget_batch(e);
    if (!picture_eval_encode(e, s, &failed, &err)) {
        if (failed) slot_fail(e, s, &err);
        return true;
    }
    int32_t status = compute_picture(e, s);
    if (status == 0) {
        take_result(e, s);
    } else {
        undo_batch(e, status);
    }
    return true;
}

/* ---- the step ---- */

static bool goes_on(const struct slot *s) {
    return runs(s) && !picture_eval_is_due(s) && due(s) == 1;
}

/* Guess for the running answers, before the batch is filled, because a draft model computes
 * batches of its own. */
static void guess(struct engine *e) {
    if (!e->context.drafts) return;
    forget_batch(e);
    e->answers = 0;
    for (int i = 0; i < e->context.parallel; i++) e->answers += goes_on(&e->slots[i]);
    bool plain = e->answers == 0 || pace_wants_plain(&e->pace, e->answers);
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        draft_begin_step(e, s, goes_on(s) && !plain);
    }
    drafter_guess(e);
}

/* Of a narrow context: the only one that runs. */
static void focus(struct engine *e) {
    for (int i = 0; i < e->context.parallel; i++) {
        if (e->slots[i].job) sequences_focus(e, &e->slots[i]);
    }
}

bool decode_step(struct engine *engine) {
    int64_t begin = clock_boottime_usec();
    slots_provide_next(engine);
    if (engine->context.narrow) focus(engine);
    bool evaluated = eval_picture(engine);
    guess(engine);
    fill_batch(engine);
    if (engine->batch.n_tokens == 0) return evaluated;
    llama_set_embeddings(engine->context.llama, wants_vectors(engine));
    int32_t status = context_compute(&engine->context, &engine->cpu, engine->batch);
    if (status != 0) {
        undo_batch(engine, status);
        return true;
    }
    note_speed(engine);
    note_waits(engine);
    if (!evaluated && prompt_tokens(engine) == 0)
        draft_note_step(engine, clock_boottime_usec() - begin);
    for (int i = 0; i < engine->context.parallel; i++) {
        struct slot *s = &engine->slots[i];
        if (s->in_batch > 0) take_result(engine, s);
    }
    return true;
}

void decode_ahead(struct engine *engine, struct slot *slot) {
    engine->batch.n_tokens = 0;
    sequences_focus(engine, slot);
    batch_add(engine, slot, due(slot));
    engine->batch.logits[slot->result] = 0;
    engine->ahead = true;
    llama_set_embeddings(engine->context.llama, false);
    int32_t status = context_compute(&engine->context, &engine->cpu, engine->batch);
    engine->ahead = false;
    if (status == 0) {
        slot->processed = slot->tokens.count;
        prompt_cache_processed(engine, slot);
    } else {
        slot_restore(engine, slot);
        tokens_cut(&slot->tokens, slot->processed);
    }
}
