/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_rest/v0.h"

#include "api/draft_stats.h"
#include "api/openai/openai.h"

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *root,
                      const struct service_event *end) {
    double seconds = end->timing.generation, tokens = (double)end->usage.completion_tokens;
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, root, "stats");
    yyjson_mut_obj_add_real(doc, stats, "tokens_per_second",
                            seconds > 0 ? tokens / seconds : 0);
    yyjson_mut_obj_add_real(doc, stats, "time_to_first_token", end->timing.time_to_first_token);
    yyjson_mut_obj_add_real(doc, stats, "generation_time", end->timing.generation);
    yyjson_mut_obj_add_str(doc, stats, "stop_reason", stop_reason_name(end->stop_reason));
    draft_stats_add(&end->usage, DRAFT_STATS_REST, doc, stats);
    if (end->usage.cache_source == CACHE_NONE) return;
    yyjson_mut_val *cache = yyjson_mut_obj_add_obj(doc, stats, "prompt_cache");
    yyjson_mut_obj_add_int(doc, cache, "tokens", end->usage.cached_tokens);
    yyjson_mut_obj_add_str(doc, cache, "source", cache_source_name(end->usage.cache_source));
}

static void add_model_info(yyjson_mut_doc *doc, yyjson_mut_val *root,
                           const struct service_instance *instance) {
    yyjson_mut_val *info = yyjson_mut_obj_add_obj(doc, root, "model_info");
    const char *arch = instance && instance->architecture ? instance->architecture : "";
    const char *quant = instance && instance->quantization ? instance->quantization : "";
    yyjson_mut_obj_add_str(doc, info, "arch", arch);
    yyjson_mut_obj_add_str(doc, info, "quant", quant);
    yyjson_mut_obj_add_str(doc, info, "format", "gguf");
    yyjson_mut_obj_add_int(doc, info, "context_length",
                           instance ? instance->context_length : 0);
}

static void add_runtime(yyjson_mut_doc *doc, yyjson_mut_val *root) {
    yyjson_mut_val *runtime = yyjson_mut_obj_add_obj(doc, root, "runtime");
    yyjson_mut_obj_add_str(doc, runtime, "name", "doze");
    yyjson_mut_obj_add_str(doc, runtime, "version", DOZE_VERSION);
    yyjson_mut_val *formats = yyjson_mut_obj_add_arr(doc, runtime, "supported_formats");
    yyjson_mut_arr_add_str(doc, formats, "gguf");
}

static void add_end(yyjson_mut_doc *doc, yyjson_mut_val *root,
                    const struct service_event *end) {
    add_stats(doc, root, end);
    add_model_info(doc, root, end->instance);
    add_runtime(doc, root);
}

static struct reply *v0_reply_new(const struct reply_options *options, int count,
                                  const char *id, int64_t created) {
    return openai_reply_new(options, count, id, created, add_end);
}

const struct dialect dialect_lmstudio_v0 = {
    .name = "lmstudio-v0",
    .reply_new = v0_reply_new,
    OPENAI_TRANSLATOR,
};
