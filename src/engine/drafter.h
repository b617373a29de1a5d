/* SPDX-License-Identifier: MIT */
/*
 * drafter.h - a small model with the same vocabulary that guesses how answers continue. It has
 * its own context with a sequence for each slot.
 *
 * Each time, what a sequence holds is compared with the slot's tokens, cut where they differ,
 * and processed from there. So nobody has to report here what happens to a slot: prompts that
 * were restored or shared, answers that were put aside, guesses that were wrong. What is
 * missing is processed in pieces, and meanwhile the answer goes on without guesses. A failure
 * here never fails an answer.
 */
#ifndef DOZE_ENGINE_DRAFTER_H
#define DOZE_ENGINE_DRAFTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/context.h"
#include "engine/model.h"
#include "engine/tokens.h"
#include "ipc/load_message.h"

struct engine;
struct slot;

struct drafter {
    struct model model; /* without weights: there is none */
    struct context context;
    struct llama_batch batch;
    struct tokens held[LOAD_MAX_PARALLEL]; /* what the sequences hold */
    int32_t vocabulary;                    /* tokens that both models have */
    size_t most;                           /* tokens that it guesses at once */
    float least;                           /* probability of one */
    bool reads;  /* this step reads a new beginning, so its time says nothing about guesses */
    size_t rest; /* tokens for which the next answer goes on without it (lookup.h) */
};

/* Open the draft model that the request names, if it names one and the model, which is open,
 * can have guesses. Fails as model_open() and context_open() do, and with ERR_INVALID_REQUEST
 * if its vocabulary is another. *ret_warning: why there will be no draft model; NULL: nothing
 * to say. */
bool drafter_open(struct engine *engine, const struct load_message *request,
                  const char **ret_warning, struct error *err);
void drafter_clear(struct drafter *drafter);

/* Guess for the slots that want it (slot.wanted): into slot.draft and slot.guessed. */
void drafter_guess(struct engine *engine);

/* Tokens of the slot that it would have to read before it can guess. */
size_t drafter_lacks(const struct drafter *drafter, const struct slot *slot);

/* Keep nothing of what has been processed. */
void drafter_forget(struct drafter *drafter);

/* The number of cells of the model's context has changed. */
void drafter_resize(struct engine *engine);

/* What it adds to model_memory_bytes(), and to the memory of devices. */
uint64_t drafter_memory_bytes(const struct drafter *drafter);
uint64_t drafter_device_bytes(const struct drafter *drafter);

#endif
