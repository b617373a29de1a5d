/* SPDX-License-Identifier: MIT */
#include "engine/job.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "engine/picture.h"
#include "engine/prepared.h"
#include "engine/sampler.h"

struct job *job_new(uint64_t id, struct request *request) {
    struct job *job = xcalloc(1, sizeof *job);
    job->id = id;
    job->received = clock_boottime_usec();
    job->request = *request;
    *request = (struct request){ 0 };
    return job;
}

static bool damaged(struct error *err) {
    return error_set(err, ERR_INTERNAL,
                     "What was made of the request is damaged; send it again.");
}

/* Tokens of a text are kept beside it, as it may be echoed. */
static bool take_inputs(struct job *job, const struct model *model, size_t length,
                        struct prepared *prepared, struct error *err) {
    for (size_t i = 0; i < job->request.input_count; i++) {
        struct input *input = &job->request.inputs[i];
        free(input->tokens);
        input->tokens = NULL;
        if (!prepared_take(prepared, model->vocab_size, &input->tokens, &input->count))
            return damaged(err);
        if (input->count == 0 || input->count > length) return damaged(err);
        job->prompt_tokens += input->count;
    }
    return true;
}

static bool take_prompt(struct job *job, const struct model *model, size_t length,
                        struct prepared *prepared, struct error *err) {
    if (!prepared_take(prepared, model->vocab_size, &job->prompt.data, &job->prompt.count))
        return damaged(err);
    job->prompt.cap = job->prompt.count + 1;
    job->prompt_tokens = job->prompt.count;
    return (job->prompt.count > 0 && job->prompt.count < length) || damaged(err);
}

/* The preparer says where a picture is; the hash, computed here, says which picture it is. */
static bool take_pictures(struct job *job, struct prepared *prepared, struct error *err) {
    const struct request_chat *chat = &job->request.chat;
    if (!prepared_take_spans(prepared, &job->pictures) ||
        !picture_spans_fit(&job->pictures, job->prompt.count, chat->picture_count)) {
        return damaged(err);
    }
    unsigned char hash[PICTURE_HASH_SIZE];
    int32_t hashed = -1;
    for (size_t i = 0; i < job->pictures.count; i++) {
        const struct picture_span *span = &job->pictures.items[i];
        const struct picture_url *url = &chat->pictures[span->picture];
        if (span->picture != hashed) picture_hash(url->text, url->len, hash);
        hashed = span->picture;
        picture_span_mark(span, hash, job->prompt.data);
    }
    return true;
}

static bool take_plan(struct job *job, const struct prepared *prepared, struct error *err) {
    job->plan = json_parse_object(prepared->at, prepared->left, err);
    if (!job->plan) return damaged(err);
    if (job->request.op != REQUEST_CHAT) return true;
    job->chat = chat_new(yyjson_obj_get(yyjson_doc_get_root(job->plan), "answer"), err);
    return job->chat != NULL;
}

bool job_take_prepared(struct job *job, const struct model *model, size_t length,
                       struct link *link, const struct frame *f, struct error *err) {
    struct prepared prepared = { .at = f->payload, .left = f->len };
    bool inputs = job->request.op == REQUEST_EMBEDDING || job->request.op == REQUEST_RERANK;
    job->vocab = model->vocab;
    bool ok = inputs ? take_inputs(job, model, length, &prepared, err)
                     : take_prompt(job, model, length, &prepared, err) &&
                           take_pictures(job, &prepared, err) && take_plan(job, &prepared, err);
    if (!ok) return false;
    output_init(&job->output, link, job->id, job->chat, &job->request.sampling.stops);
    if (!inputs) {
        job->sampler = sampler_new(&job->request.sampling, model->vocab, job->prompt.data,
                                   job->prompt.count);
    }
    return true;
}

void job_next_input(struct job *job, size_t index) {
    const struct input *input = &job->request.inputs[index];
    tokens_cut(&job->prompt, 0);
    tokens_append(&job->prompt, input->tokens, input->count);
}

void job_free(struct job *job) {
    if (job->sampler) llama_sampler_free(job->sampler);
    output_clear(&job->output);
    if (job->chat) chat_free(job->chat);
    if (job->constraint.preparer) preparer_give_back(job->constraint.preparer);
    free(job->constraint.logits);
    yyjson_doc_free(job->plan);
    buf_clear(&job->body);
    tokens_clear(&job->prompt);
    picture_spans_clear(&job->pictures);
    picture_encoding_clear(&job->encoding);
    request_clear(&job->request);
    free(job);
}

void job_queue_init(struct job_queue *queue) {
    queue->first = NULL;
    queue->end = &queue->first;
}

void job_queue_add(struct job_queue *queue, struct job *job) {
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

void job_queue_insert(struct job_queue *queue, struct job *job) {
    struct job **at = &queue->first;
    while (*at && (*at)->received <= job->received) at = &(*at)->next;
    job->next = *at;
    if (!*at) queue->end = &job->next;
    *at = job;
}

struct job **job_queue_find(struct job_queue *queue, uint64_t request) {
    struct job **at = &queue->first;
    while (*at && (*at)->id != request) at = &(*at)->next;
    return at;
}

struct job *job_queue_take(struct job_queue *queue, struct job **at) {
    struct job *job = *at;
    *at = job->next;
    if (queue->end == &job->next) queue->end = at;
    job->next = NULL;
    return job;
}
