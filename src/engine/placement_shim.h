/* SPDX-License-Identifier: MIT */
/* placement_shim.h - the C interface of libllama-common's fitting of layers. */
#ifndef DOZE_ENGINE_PLACEMENT_SHIM_H
#define DOZE_ENGINE_PLACEMENT_SHIM_H

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PLACEMENT_DEVICES = 16, PLACEMENT_OVERRIDES = 4096 };

/* What llama_model_params points into; it must live until the load is done. */
struct placement {
    float split[PLACEMENT_DEVICES];
    struct llama_model_tensor_buft_override overrides[PLACEMENT_OVERRIDES];
    size_t margins[PLACEMENT_DEVICES]; /* bytes that are left free on each device */
};

/* Choose the layers for the devices' free memory, by measuring. False: none fit, or measuring
 * failed. */
bool placement_fit(const char *path, struct llama_model_params *model,
                   struct llama_context_params *context, struct placement *room);

/* Bytes that a context and its model have on devices with memory of their own. */
uint64_t placement_bytes(const struct llama_context *context);

#ifdef __cplusplus
}
#endif

#endif
