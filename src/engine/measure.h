/* SPDX-License-Identifier: MIT */
/* measure.h - what a load would take, without taking it. */
#ifndef DOZE_ENGINE_MEASURE_H
#define DOZE_ENGINE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/load_message.h"

/* Bytes of model and context, and how many of them on devices with memory of their own. */
struct measured {
    uint64_t model, model_device, context, context_device;
};

/* Allocates no tensors. Fails with ERR_LOAD_FAILED. */
bool measure_model(const struct load_message *request, struct measured *ret, struct error *err);

#endif
