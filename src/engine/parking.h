/* SPDX-License-Identifier: MIT */
/*
 * parking.h - a worker whose instance is unloaded, and that keeps the model for its return.
 *
 * What a parked worker has are the weights, as mapped or repacked as they are, the vocabulary,
 * the templates and the processes that prepare requests. The context and all that sequences
 * held is given back; their prompts are in the store. A LOAD with the same settings then needs
 * a context only. It sleeps until that, or the end of the socket.
 */
#ifndef DOZE_ENGINE_PARKING_H
#define DOZE_ENGINE_PARKING_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/engine.h"
#include "ipc/load_message.h"

/* Save what has been processed, give back all but the model and say so. False: this one cannot
 * be parked: something is at work, it has a draft model, or memory that is not the machine's;
 * nothing has been done. */
bool parking_begin(struct engine *engine);

/* LOAD came: serve again. Fails as context_open does. */
bool parking_end(struct engine *engine, const struct load_message *request, struct error *err);

#endif
