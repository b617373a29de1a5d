/* SPDX-License-Identifier: MIT */
/* job.h - a request that needs the model, and the queue of those that wait. */
#ifndef DOZE_ENGINE_JOB_H
#define DOZE_ENGINE_JOB_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/terms.h"
#include "engine/chat_shim.h"
#include "engine/output.h"
#include "engine/request.h"
#include "engine/tokens.h"

struct engine;

struct job {
    uint64_t id; /* the request's number */
    struct request request;
    struct chat *chat;    /* of a chat */
    struct tokens prompt; /* of a generation, or the embedding's current input */
    struct llama_sampler *sampler;
    struct output output;
    const struct llama_vocab *vocab; /* of the model that sampler and chat were made for */
    size_t next_input;               /* of an embedding */
    bool paused;
    size_t prompt_tokens, cached_tokens;
    enum cache_source cache_source;
    int64_t completion_tokens;
    int64_t received, started, prompted, first_token; /* us on the clock; 0: not yet */
    struct job *next;                                 /* in the queue */
};

/* Prepare a request of op chat, completion or embedding: template, tokens, checks. Takes
 * *request in every case. NULL with ERR_INVALID_REQUEST, ERR_NOT_SUPPORTED or
 * ERR_CONTEXT_LENGTH. */
struct job *job_new(struct engine *engine, uint64_t id, struct request *request,
                    struct error *err);
void job_free(struct job *job);

/* The template applied to a conversation; free it with chat_free(). NULL with the errors of
 * chat_new, or ERR_NOT_SUPPORTED for an embedding model. */
struct chat *job_new_chat(struct engine *engine, const struct request_chat *chat,
                          struct error *err);
/* Append the tokens of its prompt. Fails with ERR_INVALID_REQUEST. */
bool job_chat_tokens(const struct engine *engine, const struct chat *chat, struct tokens *ret,
                     struct error *err);

/* Replace *ret by the tokens of the input. Fails with ERR_INVALID_REQUEST, or with
 * ERR_CONTEXT_LENGTH if they do not fit. */
bool job_read_input(struct engine *engine, const struct input *input, struct tokens *ret,
                    struct error *err);

/* First in, first out. */
struct job_queue {
    struct job *first, **end;
};

void job_queue_init(struct job_queue *queue);
/* Takes the job. */
void job_queue_add(struct job_queue *queue, struct job *job);
/* The link to the request's job; the link at the end, which is NULL, if it does not wait. */
struct job **job_queue_find(struct job_queue *queue, uint64_t request);
/* Remove the job at the link, which is not NULL, and give it to the caller. */
struct job *job_queue_take(struct job_queue *queue, struct job **link);

#endif
