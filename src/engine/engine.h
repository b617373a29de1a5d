/* SPDX-License-Identifier: MIT */
/*
 * engine.h - the worker's state while it serves: one thread, one context, one decode loop.
 *
 * A job is one request that needs the model. It waits in the queue (first in, first out), then
 * has a slot until it ends. A slot is one sequence of the context. It keeps what it has
 * processed after its job ended, so that a later prompt with the same beginning need not be
 * processed again.
 *
 *   frame -> dispatch.c -> queue -> slots.c (admission) -> decode.c (batches) -> answer.c ->
 * frames
 *
 * Models made for embeddings have no slots; embed.c works through the queue.
 */
#ifndef DOZE_ENGINE_ENGINE_H
#define DOZE_ENGINE_ENGINE_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/cpu_threads.h"
#include "engine/link.h"
#include "engine/load_request.h"
#include "engine/model.h"
#include "engine/output.h"
#include "engine/repack.h"
#include "engine/request.h"
#include "engine/sampler.h"
#include "engine/store.h"
#include "engine/tokens.h"

struct job {
    uint64_t id; /* the request's number */
    struct request request;
    struct chat *chat; /* of a chat */
    struct tokens
        prompt; /* of a generation, or the embedding's input that is being worked on */
    struct llama_sampler *sampler;
    struct answer answer;
    const struct llama_vocab *vocab; /* of the model that sampler and chat were made for */
    size_t next_input;               /* of an embedding */
    bool paused;
    size_t prompt_tokens, cached_tokens;
    const char *cache_source; /* "slot", "memory", "disk"; NULL: nothing was cached */
    int64_t completion_tokens;
    int64_t received, started, prompted, first_token; /* us on the clock; 0: not yet */
    struct job *next;                                 /* in the queue */
};

/* Jobs that wait, first in, first out. */
struct job_queue {
    struct job *first, **end;
};

/* See keep.h. */
struct checkpoint {
    size_t tokens; /* it is the state after so many */
    size_t bytes;
    unsigned char *data;
};

/* See next_turn.h. */
struct next_turn {
    struct tokens tokens;
    bool known; /* they have been looked for; there may be none */
};

struct slot {
    llama_seq_id seq;
    struct tokens tokens; /* the sequence; of a free slot all are processed */
    size_t processed;     /* so many of them are in the context's memory */
    struct job *job;      /* NULL: free */
    uint64_t last_used;   /* engine's counter */
    int32_t in_batch;     /* tokens in the batch that is being decoded */
    int32_t output;       /* index of its result in the batch, or -1 */
    struct checkpoint checkpoints[ENTRY_MAX_CHECKPOINTS]; /* in rising order */
    int checkpoint_count;
    size_t marks[2];    /* where checkpoints are due, in rising order; 0: none */
    size_t saved;       /* tokens it had when it was saved last; 0: never */
    bool unsaved;       /* processed more since then */
    bool secret;        /* nothing of it may be stored */
    bool turn_due;      /* free, at the end of an answer: the next turn can be begun */
    llama_token unseen; /* then: the answer's last token, if it was not processed, or NULL's */
};

struct engine {
    struct link link;
    struct model model;
    struct context context;
    struct repack repack;
    bool served;           /* a token */
    uint64_t memory_limit; /* bytes; 0: none */
    int64_t shrink_after;  /* us of idling */
    struct slot slots[LOAD_MAX_PARALLEL];
    struct job_queue queue;
    uint64_t embedding; /* request whose batch is being computed by embed.c */
    uint64_t counter;
    int turn; /* slot whose prompt comes first in the next batch */
    struct next_turn next_turn;
    bool ahead;          /* what is being computed can be given up for anything else */
    double prompt_speed; /* tokens per second, when last seen; 0: not yet */
    struct llama_batch batch;
    struct candidates candidates;
    struct store store;
    bool store_warned;
    uint64_t store_told;               /* counters of the last MSG_STORE */
    int64_t last_work;                 /* us */
    int64_t last_heartbeat, last_look; /* us */
    struct cpu_threads cpu;
};

/* The model and context have been opened. */
void engine_init(struct engine *engine);
void engine_clear(struct engine *engine);

/* Serve until the daemon says STOP (true) or is gone. */
bool engine_run(struct engine *engine);

/* ---- dispatch.c ---- */

/* Act on one frame. False: stop. */
bool engine_dispatch(struct engine *engine, const struct frame *frame);

/* ---- job.c ---- */

/* Read a request of op chat, completion or embedding: template, tokens, checks. Takes *request
 * in every case. NULL with what is wrong. */
struct job *job_new(struct engine *engine, uint64_t id, struct request *request,
                    struct error *err);
void job_free(struct job *job);

/* The template applied to a conversation. NULL with what is wrong. Give it back with
 * chat_free(). */
struct chat *job_new_chat(struct engine *engine, const struct request_chat *chat,
                          struct error *err);

/* Tokens of the input; checks that they fit. */
bool job_read_input(struct engine *engine, const struct input *input, struct tokens *ret,
                    struct error *err);

void job_queue_init(struct job_queue *queue);
void job_queue_add(struct job_queue *queue, struct job *job);
/* Where the request's job hangs; where NULL hangs, if it is not there. */
struct job **job_queue_find(struct job_queue *queue, uint64_t request);
/* Take the job that hangs there out of the queue. */
struct job *job_queue_take(struct job_queue *queue, struct job **at);

/* ---- reply.c ---- */

/* What the worker takes. */
void reply_memory(struct engine *engine);
void reply_error(struct link *link, uint64_t request, const struct error *err);
void reply_started(struct link *link, const struct job *job);
void reply_prompt(struct link *link, const struct job *job, size_t processed);
/* reason: a stop_reason word of api/service.h. */
void reply_done(struct link *link, const struct job *job, const char *reason);
void reply_result(struct link *link, uint64_t request, yyjson_mut_doc *doc,
                  yyjson_mut_val *result);
/* The vector, scaled to length 1. */
void reply_vector(struct link *link, uint64_t request, const float *vector, size_t len);

/* ---- slots.c ---- */

/* Give free slots to waiting jobs. */
void slots_admit(struct engine *engine);
/* Room in the context for the next token of every running answer. Those for which there is
 * none, the newest first, end as if their context were full. */
void slots_provide_next(struct engine *engine);
/* The slot of a running request; NULL if it has none. */
struct slot *slots_find(struct engine *engine, uint64_t request);
/* The job ends: last deltas, DONE, and the slot is free. */
void slot_finish(struct engine *engine, struct slot *slot, const char *reason);

/* The context is full and the answer is to go on: drop some of the text. */
void slot_make_room(struct engine *engine, struct slot *slot);
void slot_fail(struct engine *engine, struct slot *slot, const struct error *err);
/* Bring the context's memory back to what the slot knows to be processed. */
void slot_restore(struct engine *engine, struct slot *slot);
/* Begin the next input of an embedding in this slot; ends the job after the last. */
void slot_next_input(struct engine *engine, struct slot *slot);

/* ---- decode.c ---- */

/* Decode one batch for the running jobs. False: nothing can be done now (all are paused, or
 * none runs). */
bool decode_step(struct engine *engine);

/* Process what the free slot's tokens have more than was processed, at most a chunk. Given up
 * if a frame comes; then the slot's tokens are cut to what is processed. */
void decode_ahead(struct engine *engine, struct slot *slot);

/* ---- embed.c ---- */

/* Compute one batch for the first job of the queue. False: there is none that is not paused. */
bool embed_step(struct engine *engine);

#endif
