/* SPDX-License-Identifier: MIT */
/*
 * parking.h - a worker that keeps its model after its instance was unloaded, for the next
 * load.
 *
 * A parked worker keeps the weights (mapped or repacked), the vocabulary, the templates and
 * the processes that prepare requests. It frees the context and all that sequences held; their
 * prompts are in the store. So a LOAD with the same settings needs only a context. The worker
 * sleeps until then, or until the socket is closed.
 */
#ifndef DOZE_ENGINE_PARKING_H
#define DOZE_ENGINE_PARKING_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/engine.h"
#include "ipc/load_message.h"

/* Save what has been processed, free all but the model and say PARKED. False, with nothing
 * done: the worker cannot be parked, because something is at work, or it has a draft model or
 * memory of a device. */
bool parking_begin(struct engine *engine);

/* LOAD came: serve again. Fails as context_open does. */
bool parking_end(struct engine *engine, const struct load_message *request, struct error *err);

#endif
