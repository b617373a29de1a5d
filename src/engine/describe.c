/* SPDX-License-Identifier: MIT */
#include "engine/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/json.h"
#include "engine/placement_shim.h"

/* "Q4_K - Medium" -> "Q4_K_M", "all F32" -> "F32": the names files and people use. */
static void quantization_name(const struct llama_model *weights, char *out, size_t size) {
    static const struct {
        const char *tail, *mark;
    } tails[] = { { " - Small", "_S" },
                  { " - Medium", "_M" },
                  { " - Large", "_L" },
                  { " - Extra Small", "_XS" } };
    const char *name = llama_ftype_name(llama_model_ftype(weights));
    if (strncmp(name, "(guessed) ", 10) == 0) name += 10;
    if (strncmp(name, "all ", 4) == 0) name += 4;
    size_t len = strcspn(name, " ");
    const char *mark = "";
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        if (strncmp(name + len, tails[i].tail, strlen(tails[i].tail)) == 0)
            mark = tails[i].mark;
    }
    snprintf(out, size, "%.*s%s", (int)len, name, mark);
}

static void add_abilities(yyjson_mut_doc *doc, yyjson_mut_val *root,
                          const struct model *model) {
    struct chat_caps caps = { 0 };
    if (model->templates) caps = chat_templates_caps(model->templates);
    yyjson_mut_obj_add_str(doc, root, "type", model->embeds ? "embeddings" : "llm");
    yyjson_mut_val *abilities = yyjson_mut_obj_add_obj(doc, root, "capabilities");
    yyjson_mut_obj_add_bool(doc, abilities, "tool_use",
                            caps.explicit_template && caps.tool_use);
    yyjson_mut_obj_add_bool(doc, abilities, "reasoning",
                            caps.explicit_template && caps.reasoning);
}

/* The sampling defaults of requests. */
static void add_sampling(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct sampling *s) {
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "sampling");
    yyjson_mut_obj_add_real(doc, out, "temperature", s->temperature);
    yyjson_mut_obj_add_int(doc, out, "top_k", s->top_k);
    yyjson_mut_obj_add_real(doc, out, "top_p", s->top_p);
    yyjson_mut_obj_add_real(doc, out, "min_p", s->min_p);
    yyjson_mut_obj_add_real(doc, out, "repeat_penalty", s->repeat_penalty);
}

/* What is in force. */
static void add_settings(yyjson_mut_doc *doc, yyjson_mut_val *root,
                         const struct context *context) {
    struct load_settings s = LOAD_SETTINGS_UNSET;
    s.context_length = context->length;
    s.parallel = context->parallel;
    s.eval_batch_size = context->batch < LOAD_MAX_BATCH ? context->batch : LOAD_MAX_BATCH;
    s.chunk_size = context->chunk < LOAD_MAX_BATCH ? context->chunk : LOAD_MAX_BATCH;
    s.threads = context->threads;
    s.flash_attention = context->flash_attention;
    load_settings_add(&s, doc, root);
}

/* Its draft model's among it. */
static void add_memory(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct engine *e) {
    yyjson_mut_obj_add_uint(doc, root, "memory_bytes",
                            model_memory_bytes(&e->model) + drafter_memory_bytes(&e->drafter));
    yyjson_mut_obj_add_str(doc, root, "device", e->model.device);
    yyjson_mut_obj_add_int(doc, root, "device_layers", model_device_layers(&e->model));
    yyjson_mut_obj_add_uint(doc, root, "device_memory_bytes",
                            placement_bytes(e->context.llama) +
                                model_adapter_device_bytes(&e->model) +
                                drafter_device_bytes(&e->drafter));
}

void describe_model(const struct engine *engine, const struct sandbox *sandbox,
                    double load_seconds, struct buf *out) {
    const struct model *model = &engine->model;
    const struct context *context = &engine->context;
    char arch[64] = "", quantization[64];
    (void)llama_model_meta_val_str(model->weights, "general.architecture", arch, sizeof arch);
    quantization_name(model->weights, quantization, sizeof quantization);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "architecture", arch);
    yyjson_mut_obj_add_str(doc, root, "quantization", quantization);
    yyjson_mut_obj_add_uint(doc, root, "parameters", llama_model_n_params(model->weights));
    yyjson_mut_obj_add_int(doc, root, "max_context_length",
                           llama_model_n_ctx_train(model->weights));
    add_settings(doc, root, context);
    add_memory(doc, root, engine);
    add_abilities(doc, root, model);
    if (!model->embeds) add_sampling(doc, root, &model->sampling);
    yyjson_mut_obj_add_real(doc, root, "load_seconds", load_seconds);
    yyjson_mut_obj_add_real(doc, root, "library_seconds",
                            (double)(model->loading + context->making) / 1e6);
    yyjson_mut_obj_add_str(doc, root, "sandbox", sandbox_word(sandbox));
    if (sandbox->missing) {
        yyjson_mut_obj_add_str(doc, root, "sandbox_missing", sandbox->missing);
    }
    json_write_end(doc, out);
}
