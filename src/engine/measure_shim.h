/* SPDX-License-Identifier: MIT */
/* measure_shim.h - the C interface of libllama-common's measuring. */
#ifndef DOZE_ENGINE_MEASURE_SHIM_H
#define DOZE_ENGINE_MEASURE_SHIM_H

#include <llama.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct measure_sums { /* bytes in host memory and on devices */
    size_t model_host, model_device, context_host, context_device;
};

/* Model and context are made without allocating anything for them. False if they cannot be. */
bool measure(const char *path, const struct llama_model_params *model,
             const struct llama_context_params *context, struct measure_sums *ret);

#ifdef __cplusplus
}
#endif

#endif
