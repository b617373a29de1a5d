/* SPDX-License-Identifier: MIT */
#include "engine/picture_eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/picture.h"
#include "engine/projector.h"
#include "engine/prompt_cache.h"

static const struct picture_span *due_span(const struct slot *s) {
    return s->job ? picture_spans_at(&s->job->pictures, s->processed) : NULL;
}

bool picture_eval_is_due(const struct slot *slot) {
    return due_span(slot) != NULL;
}

size_t picture_eval_until_next(const struct slot *slot, size_t count) {
    return picture_spans_text(&slot->job->pictures, slot->processed, count);
}

/* ---- encoding ---- */

static bool damaged(struct error *err) {
    return error_set(err, ERR_INTERNAL,
                     "A picture cannot be computed; send the request again.");
}

/* The picture's piece that is `part`-th of those that are no text. */
static const mtmd_input_chunk *find_part(const mtmd_input_chunks *chunks, int32_t part) {
    for (size_t i = 0; i < mtmd_input_chunks_size(chunks); i++) {
        const mtmd_input_chunk *chunk = mtmd_input_chunks_get(chunks, i);
        if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT) continue;
        if (part-- == 0) return chunk;
    }
    return NULL;
}

/* A preparer has done the same before, so that the bytes are known to be harmless. */
static bool split(const struct engine *e, struct job *job, const struct picture_span *span,
                  struct error *err) {
    const struct picture_url *url = &job->request.chat.pictures[span->picture];
    size_t number = (size_t)span->picture + 1;
    struct picture picture;
    if (job->encoding.chunks && job->encoding.picture == span->picture) return true;
    picture_encoding_clear(&job->encoding);
    if (!picture_decode(url->text, url->len, number, &picture, err)) return false;
    job->encoding.chunks = projector_cut(e->model.projector, &picture, number, err);
    job->encoding.picture = span->picture;
    picture_clear(&picture);
    return job->encoding.chunks != NULL;
}

/* Copied, because another slot's picture may be computed before all of this one is decoded. */
static void keep(const struct engine *e, struct job *job, const struct picture_span *span,
                 const float *vectors) {
    size_t values = (size_t)span->count * (size_t)llama_model_n_embd_inp(e->model.weights);
    job->encoding.vectors = xcalloc(values, sizeof *vectors);
    memcpy(job->encoding.vectors, vectors, values * sizeof *vectors);
}

static bool fits(const struct engine *e, const struct picture_span *span, struct error *err) {
    if (!projector_is_non_causal(e->model.projector) || span->count <= e->context.chunk)
        return true;
    return error_set_param(
        err, ERR_INVALID_REQUEST, "messages",
        "This model takes the %d tokens of a picture at once; load it with an "
        "eval_batch_size that is no smaller.",
        span->count);
}

/* False: given up, or *ret_failed. */
static bool encode(struct engine *e, struct job *job, const struct picture_span *span,
                   bool *ret_failed) {
    const struct llama_context_params *params = &e->context.params;
    const mtmd_input_chunk *chunk = find_part(job->encoding.chunks, span->part);
    *ret_failed = !chunk || mtmd_input_chunk_get_n_tokens(chunk) != (size_t)span->count;
    if (*ret_failed) return false;
    e->encoding = job->id;
    const float *vectors = projector_encode(e->model.projector, chunk, params->abort_callback,
                                            params->abort_callback_data, ret_failed);
    e->encoding = 0;
    if (vectors) keep(e, job, span, vectors);
    return vectors != NULL;
}

bool picture_eval_encode(struct engine *engine, struct slot *slot, bool *ret_failed,
                         struct error *err) {
    struct job *job = slot->job;
    const struct picture_span *span = due_span(slot);
    *ret_failed = false;
    if (job->encoding.vectors) return true;
    if (!fits(engine, span, err) || !split(engine, job, span, err)) {
        *ret_failed = true;
        return false;
    }
    if (encode(engine, job, span, ret_failed)) return true;
    return *ret_failed ? damaged(err) : false;
}

/* ---- decoding ---- */

struct llama_batch picture_eval_batch(struct engine *engine, struct slot *slot) {
    const struct picture_span *span = due_span(slot);
    struct llama_batch batch = engine->batch;
    size_t offset = slot->processed - (size_t)span->start;
    size_t count = (size_t)span->count - offset, chunk = (size_t)engine->context.chunk;
    if (!projector_is_non_causal(engine->model.projector))
        count = prompt_cache_until_mark(slot, count < chunk ? count : chunk);
    batch.token = NULL;
    batch.embd = slot->job->encoding.vectors +
                 offset * (size_t)llama_model_n_embd_inp(engine->model.weights);
    batch.n_tokens = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        batch.pos[i] = (llama_pos)(slot->processed + i);
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = slot->seq;
        batch.logits[i] = 0;
    }
    return batch;
}

void picture_eval_release(struct slot *slot) {
    struct picture_encoding *encoding = &slot->job->encoding;
    const struct picture_span *span = due_span(slot);
    if (span && slot->processed > (size_t)span->start) return;
    free(encoding->vectors);
    encoding->vectors = NULL;
    if (slot->processed >= slot->job->prompt.count) picture_encoding_clear(encoding);
}
