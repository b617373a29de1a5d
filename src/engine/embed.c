/* SPDX-License-Identifier: MIT */
#include "engine/embed.h"

#include "base/clock.h"
#include "engine/reply.h"
#include "engine/rerank.h"

static void batch_add_text(struct llama_batch *b, const struct input *tokens,
                           llama_seq_id seq) {
    for (size_t i = 0; i < tokens->count; i++) {
        int32_t at = b->n_tokens++;
        b->token[at] = tokens->tokens[i];
        b->pos[at] = (llama_pos)i;
        b->n_seq_id[at] = 1;
        b->seq_id[at][0] = seq;
        b->logits[at] = 1; /* pooling needs all of them */
    }
}

/* As many of the job's next inputs as one batch and its sequences hold; at least one fits. */
static int fill_batch(struct engine *e, const struct job *job) {
    int texts = 0;
    e->batch.n_tokens = 0;
    for (size_t i = job->next_input; i < job->request.input_count; i++) {
        const struct input *input = &job->request.inputs[i];
        if (texts == e->context.parallel) break;
        if (e->batch.n_tokens + (int32_t)input->count > e->context.batch) break;
        batch_add_text(&e->batch, input, texts++);
    }
    return texts;
}

/* One vector per sequence, or of the last token if the model does not pool. */
static const float *vector_of(struct engine *e, llama_seq_id seq) {
    struct llama_context *llama = e->context.llama;
    if (llama_pooling_type(llama) != LLAMA_POOLING_TYPE_NONE) {
        return llama_get_embeddings_seq(llama, seq);
    }
    for (int32_t i = e->batch.n_tokens; i-- > 0;) {
        if (e->batch.seq_id[i][0] == seq) return llama_get_embeddings_ith(llama, i);
    }
    return NULL;
}

static void finish(struct engine *e, struct job *job, const struct error *err) {
    if (err) {
        reply_error(&e->link, job->id, err);
    } else {
        reply_done(&e->link, job, STOP_EOS);
    }
    job_free(job);
}

static bool send_result(struct engine *e, const struct job *job, const float *vector,
                        struct error *err) {
    if (job->request.op == REQUEST_RERANK) {
        float score;
        if (!rerank_score(&e->model, vector, &score, err)) return false;
        reply_score(&e->link, job->id, score);
    } else {
        size_t len = (size_t)llama_model_n_embd_out(e->model.weights);
        reply_vector(&e->link, job->id, vector, len);
    }
    return true;
}

static bool compute(struct engine *e, struct job *job, int texts, struct error *err) {
    if (e->context.memory) llama_memory_clear(e->context.memory, false);
    int32_t status = context_compute(&e->context, &e->cpu, e->batch);
    if (status == 2) return true; /* cancelled: nothing to send, the job ends */
    for (int seq = 0; status == 0 && seq < texts; seq++) {
        const float *vector = vector_of(e, seq);
        if (!vector) status = -1;
        if (!vector) break;
        if (!send_result(e, job, vector, err)) return false;
        job->next_input++;
    }
    if (status == 0) return true;
    return error_set(err, ERR_INTERNAL,
                     "The engine could not compute an embedding (status %d).", status);
}

/* The first that is not paused, out of the queue. */
static struct job *take_job(struct engine *e) {
    struct job **at = &e->queue.first;
    while (*at && (*at)->paused_since) at = &(*at)->next;
    return *at ? job_queue_take(&e->queue, at) : NULL;
}

bool embed_step(struct engine *engine) {
    struct job *job = take_job(engine);
    if (!job) return false;
    struct error err;
    if (!job->started) {
        job->started = clock_boottime_usec();
        reply_started(&engine->link, job);
    }
    engine->embedding = job->id;
    int texts = fill_batch(engine, job);
    bool ok = texts > 0 || error_set(&err, ERR_INTERNAL, "The input does not fit the batch.");
    ok = ok && compute(engine, job, texts, &err);
    if (!ok || job->next_input == job->request.input_count) {
        finish(engine, job, ok ? NULL : &err);
    } else {
        job_queue_add(&engine->queue,
                      job); /* the others have their turn before the rest of it */
    }
    return true;
}
