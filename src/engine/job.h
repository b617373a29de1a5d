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
#include "engine/lookup.h"
#include "engine/model.h"
#include "engine/output.h"
#include "engine/picture_spans.h"
#include "engine/preparers.h"
#include "engine/projector.h"
#include "engine/request.h"
#include "engine/tokens.h"

/* Of an answer that must match something: the preparer that judges its tokens, see
 * constrained.h. */
struct job_constraint {
    enum { CONSTRAINT_NEW, CONSTRAINT_RULES, CONSTRAINT_READY, CONSTRAINT_ASKED } stage;
    struct preparer *preparer; /* NULL while it is new */
    bool waits;                /* for a verdict on `token` */
    bool slow;                 /* the last verdict took so long that the others went on */
    llama_token token;
    float *logits; /* while it waits; owned */
    int64_t since; /* us: it was asked then */
};

struct job {
    uint64_t id; /* the request's number */
    struct request request;
    struct buf body;   /* of the request, until a preparer has it */
    yyjson_doc *plan;  /* of a generation: what came with its tokens (plan_shim.h) */
    struct chat *chat; /* of a chat */
    struct job_constraint constraint;
    struct tokens prompt;             /* of a generation, or the embedding's current input */
    struct picture_spans pictures;    /* of the prompt */
    struct picture_encoding encoding; /* of them so far (picture_eval.h) */
    struct llama_sampler *sampler;
    struct output output;
    const struct llama_vocab *vocab; /* of the model that sampler and chat were made for */
    size_t next_input;               /* of an embedding */
    int64_t paused_since; /* us on the clock: its client reads nothing; 0: it reads */
    size_t prompt_tokens, cached_tokens;
    enum cache_source cache_source;
    enum cache_miss cache_miss;
    size_t cache_common; /* tokens that something kept has in common with the prompt */
    int64_t completion_tokens;
    struct lookup lookup, drafts; /* guesses of either kind: found, or a draft model's */
    int64_t waited;               /* us, for others' prompts: order.h */
    int64_t received, started, prompted, first_token; /* us on the clock; 0: not yet */
    struct job *next;                                 /* in the queue */
};

/* A request that has still to be prepared. Takes *request. */
struct job *job_new(uint64_t id, struct request *request);
void job_free(struct job *job);

/* Take what a preparer has made of the job (PREPARE_PREPARED). length: of the context. False
 * with ERR_INTERNAL: the frame is invalid. */
bool job_take_prepared(struct job *job, const struct model *model, size_t length,
                       struct link *link, const struct frame *prepared, struct error *err)
    __attribute__((warn_unused_result));

/* Make input `index` of an embedding the job's prompt. */
void job_next_input(struct job *job, size_t index);

/* First in, first out, unless it is inserted. */
struct job_queue {
    struct job *first, **end;
};

void job_queue_init(struct job_queue *queue);
/* Takes the job. */
void job_queue_add(struct job_queue *queue, struct job *job);
/* The same, before those that were received later. */
void job_queue_insert(struct job_queue *queue, struct job *job);
/* The link to the request's job; the link at the end, which is NULL, if it does not wait. */
struct job **job_queue_find(struct job_queue *queue, uint64_t request);
/* Remove the job at the link, which is not NULL, and give it to the caller. */
struct job *job_queue_take(struct job_queue *queue, struct job **link);

#endif
