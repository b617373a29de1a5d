/* SPDX-License-Identifier: MIT */
#include "engine/measure_shim.h"

#include <cstdint>
#include <exception>
#include <vector>

#include "common.h"
#include "fit.h"

/* The last entry of what the library gives is the host, the others are the model's devices. */
bool measure(const char *path, const struct llama_model_params *model,
             const struct llama_context_params *context, struct measure_sums *ret) {
    try {
        std::vector<ggml_backend_dev_t> devices;
        uint32_t layers = 0, trained_context = 0, experts = 0;
        const common_device_memory_data_vec data = common_get_device_memory_data(
            path, model, context, devices, layers, trained_context, experts,
            GGML_LOG_LEVEL_ERROR);
        measure_sums sums = {};
        for (size_t i = 0; i + 1 < data.size(); i++) {
            sums.model_device += data[i].model;
            sums.context_device += data[i].context + data[i].compute;
        }
        sums.model_host = data.back().model;
        sums.context_host = data.back().context + data.back().compute;
        *ret = sums;
        return true;
    } catch (const std::exception &) {
        return false; /* the log says why */
    }
}
