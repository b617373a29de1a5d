/* SPDX-License-Identifier: MIT */
/* measure.h - what a load would take, without taking it. */
#ifndef DOZE_ENGINE_MEASURE_H
#define DOZE_ENGINE_MEASURE_H

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/load_message.h"

/* Bytes of model and context, and how many of them on devices with memory of their own. */
struct measured {
    uint64_t model, model_device, context, context_device;
};

/* The parameters of a context that one full conversation fills (it starts smaller and may grow
 * larger). They depend on the model, which is opened for that, without its tensors. */
bool measure_context(const struct load_message *request, struct llama_model_params model_params,
                     struct llama_context_params *ret, struct error *err);

/* Allocates no tensors. Fails with ERR_LOAD_FAILED. */
bool measure_model(const struct load_message *request, struct measured *ret, struct error *err);

#endif
