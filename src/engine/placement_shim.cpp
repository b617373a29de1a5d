/* SPDX-License-Identifier: MIT */
#include "engine/placement_shim.h"

#include <exception>
#include <map>

#include "common.h"
#include "fit.h"

/* As in libllama's llama-ext.h, which is not among its public headers. */
struct llama_memory_breakdown_data {
    size_t model, context, compute;
};
using llama_memory_breakdown =
    std::map<ggml_backend_buffer_type_t, llama_memory_breakdown_data>;
LLAMA_API llama_memory_breakdown
llama_get_memory_breakdown(const struct llama_context *context);

bool placement_fit(const char *path, struct llama_model_params *model,
                   struct llama_context_params *context, struct placement *room) {
    if (llama_max_devices() > PLACEMENT_DEVICES ||
        llama_max_tensor_buft_overrides() > PLACEMENT_OVERRIDES) {
        return false;
    }
    try {
        return common_fit_params(path, model, context, room->split, room->overrides,
                                 room->margins, context->n_ctx, nullptr,
                                 GGML_LOG_LEVEL_ERROR) == COMMON_PARAMS_FIT_STATUS_SUCCESS;
    } catch (const std::exception &) {
        return false;
    }
}

uint64_t placement_bytes(const struct llama_context *context) {
    uint64_t sum = 0;
    try {
        for (const auto &[type, bytes] : llama_get_memory_breakdown(context)) {
            if (ggml_backend_buft_is_host(type)) continue;
            const ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
            if (!device || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU)
                continue;
            sum += bytes.model + bytes.context + bytes.compute;
        }
    } catch (const std::exception &) {
        return 0;
    }
    return sum;
}
