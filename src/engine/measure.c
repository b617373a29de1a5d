/* SPDX-License-Identifier: MIT */
#include "engine/measure.h"

#include "engine/context.h"
#include "engine/log_capture.h"
#include "engine/measure_shim.h"
#include "engine/model.h"
#include "engine/placement.h"

static bool failed(struct error *err) {
    const char *why = log_capture_take();
    return error_set(err, ERR_LOAD_FAILED, "The model cannot be measured%s%s.",
                     *why ? ": " : "", why);
}

bool measure_context(const struct load_message *request, struct llama_model_params model_params,
                     struct llama_context_params *ret, struct error *err) {
    struct context context = { 0 };
    model_params.no_alloc = true;
    model_params.load_mode = LLAMA_LOAD_MODE_NONE;
    struct model model = { .weights = llama_model_load_from_file(request->path, model_params) };
    if (!model.weights) return failed(err);
    model.embeds = model_is_embedder(model.weights);
    context_fill_params(ret, &context, &model, request);
    ret->n_ctx = (uint32_t)context.length;
    llama_model_free(model.weights);
    return true;
}

static bool measure_one(const struct load_message *request, struct measured *ret,
                        struct error *err) {
    struct llama_model_params model = llama_model_default_params();
    struct llama_context_params context = llama_context_default_params();
    struct measure_sums sums;
    static struct placement room;
    placement_choose(&model, request, &room);
    model.use_extra_bufts = false; /* the library does not count weights in repacked buffers */
    if (!measure_context(request, model, &context, err)) return false;
    if (!measure(request->path, &model, &context, &sums)) return failed(err);
    *ret = (struct measured){ .model = sums.model_host + sums.model_device,
                              .model_device = sums.model_device,
                              .context = sums.context_host + sums.context_device,
                              .context_device = sums.context_device };
    return true;
}

/* The draft model is loaded beside it. */
bool measure_model(const struct load_message *request, struct measured *ret,
                   struct error *err) {
    struct measured sums = { 0 }, draft = { 0 };
    if (!measure_one(request, &sums, err)) return false;
    if (request->draft) {
        struct load_message other = load_message_of_draft(request);
        if (!measure_one(&other, &draft, err)) return false;
    }
    *ret = (struct measured){ .model = sums.model + draft.model,
                              .model_device = sums.model_device + draft.model_device,
                              .context = sums.context + draft.context,
                              .context_device = sums.context_device + draft.context_device };
    return true;
}
