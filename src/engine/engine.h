/* SPDX-License-Identifier: MIT */
/*
 * engine.h - the worker's state while it serves: one thread, one context, one decode loop.
 *
 *   frame -> dispatch.c -> preparation.c -> queue -> slots.c -> decode.c -> output.c
 *                          (other processes)       (admission)  (batches)
 *
 * A job (job.h) is prepared, waits in the queue, then has a slot (slots.h) until it ends. A
 * model made for embeddings has no slots: embed.c works on the queue itself.
 */
#ifndef DOZE_ENGINE_ENGINE_H
#define DOZE_ENGINE_ENGINE_H

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/context.h"
#include "engine/cpu_threads.h"
#include "engine/drafter.h"
#include "engine/growth.h"
#include "engine/job.h"
#include "engine/link.h"
#include "engine/model.h"
#include "engine/pace.h"
#include "engine/preparation.h"
#include "engine/preparers.h"
#include "engine/repack.h"
#include "engine/sampler.h"
#include "engine/slots.h"
#include "engine/store.h"
#include "engine/tokens.h"
#include "ipc/load_message.h"
#include "prompts/reading.h"

struct engine {
    struct link link;
    struct model model;
    struct context context;
    struct drafter drafter;
    struct pace pace;   /* of steps with guesses and without */
    int32_t answers;    /* that take part in this step, while there may be guesses */
    size_t draft_trial; /* see lookup_end() */
    struct repack repack;
    struct preparers preparers;
    struct preparation preparation;
    bool served; /* a token */
    struct growth growth;
    int64_t shrink_after; /* us of idling */
    struct slot slots[LOAD_MAX_PARALLEL];
    struct job_queue queue;
    struct job_queue aside; /* answers whose clients do not read (slots.h) */
    uint64_t embedding;     /* request whose batch embed.c computes now */
    uint64_t encoding;      /* request of which picture_eval.c computes a picture now */
    uint64_t counter;       /* of uses of slots */
    struct {
        struct tokens tokens; /* see next_turn.h */
        bool known;           /* tokens has been looked for; there may be none */
    } next_turn;
    bool ahead;          /* the batch is only a preparation: any frame aborts it */
    double prompt_speed; /* tokens per second, when last measured; 0: not yet */
    double piece_speed;  /* the same beside answers, see order_speed() */
    bool beside;         /* answers: the batch is */
    struct llama_batch batch;
    struct candidates candidates;
    struct store store;
    struct reading reading; /* of its files */
    bool store_warned;
    uint64_t store_told;               /* counters of the last MSG_STORE */
    int64_t last_work;                 /* us */
    int64_t last_heartbeat, last_look; /* us */
    struct cpu_threads cpu;
};

/* The model and the context have been opened, for the first time or again (parking.h). */
void engine_init(struct engine *engine);
/* Drop all jobs, and what engine_init began. */
void engine_drop_work(struct engine *engine);
void engine_clear(struct engine *engine);

/* Does it have a request: in preparation, in a queue or in a slot? */
bool engine_has_work(const struct engine *engine);

enum engine_order {
    ENGINE_GO_ON,
    ENGINE_PARK, /* PARK came */
    ENGINE_STOP, /* STOP */
    ENGINE_LEFT, /* the daemon is gone */
};

/* Serve until there is an order other than ENGINE_GO_ON, and return it. */
enum engine_order engine_run(struct engine *engine);

#endif
