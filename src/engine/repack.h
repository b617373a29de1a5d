/* SPDX-License-Identifier: MIT */
/*
 * repack.h - puts weights into the order that the CPU's kernels prefer, while the model
 * already serves.
 *
 * Repacking 4-bit weights makes prompts and answers about one and a half times as fast, but
 * takes seconds and a private copy of the weights. So the first token comes from the mapped
 * file; then a repacked copy of the model is loaded on a thread of low priority, and between
 * two batches the sequences move to a context on it. The first copy is freed once no request
 * uses its vocabulary. When memory is short, repacking is given up silently.
 *
 * Kernels round differently: a running answer goes on, but not always with the token that the
 * mapped weights would have given.
 */
#ifndef DOZE_ENGINE_REPACK_H
#define DOZE_ENGINE_REPACK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/terms.h"
#include "engine/model.h"
#include "ipc/load_message.h"

struct repack {
    enum repack_state state;
    struct load_message request; /* of the second copy; owned */
    pthread_t thread;
    int wake_fd; /* readable when the thread is through */
    atomic_bool unwanted;
    bool refused;         /* there was no memory for it */
    struct model fresh;   /* the thread's work; no weights: it failed */
    struct model retired; /* the first copy, while requests use it */
};

struct engine;

/* Begin with the request by which the model was loaded. Takes it. */
void repack_open(struct engine *engine, struct load_message *request);

/* Do the next step, between two batches: start the thread, move to the copy, free the first. */
void repack_step(struct engine *engine);

/* The limit of memory was lowered: stop what is under way. It was raised: what was refused may
 * be tried again. */
void repack_give_up(struct engine *engine);
void repack_try_again(struct engine *engine);

/* The engine ends. False: the thread is still at work, so the process must end without freeing
 * anything. */
bool repack_close(struct engine *engine);

#endif
