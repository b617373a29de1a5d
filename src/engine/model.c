/* SPDX-License-Identifier: MIT */
#include "engine/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/proc_file.h"
#include "base/xalloc.h"
#include "engine/backends.h"
#include "engine/cpu_threads.h"
#include "engine/log_capture.h"
#include "engine/projector.h"

/* Metadata of the architecture, e.g. qwen2.pooling_type; "" if there is none. */
static const char *arch_value(const struct llama_model *weights, const char *key, char *out,
                              size_t size) {
    char arch[64], name[128];
    out[0] = '\0';
    if (llama_model_meta_val_str(weights, "general.architecture", arch, sizeof arch) < 0)
        return out;
    snprintf(name, sizeof name, "%s.%s", arch, key);
    (void)llama_model_meta_val_str(weights, name, out, size);
    return out;
}

uint64_t model_arch_number(const struct llama_model *weights, const char *key,
                           uint64_t otherwise) {
    char text[32];
    char *end = NULL;
    unsigned long long n = strtoull(arch_value(weights, key, text, sizeof text), &end, 10);
    return end == text || n == 0 ? otherwise : n;
}

static long pooling_of(const struct llama_model *weights) {
    char pooling[16];
    return strtol(arch_value(weights, "pooling_type", pooling, sizeof pooling), NULL, 10);
}

/* It pools, attends in both directions, or has no decoder at all. */
bool model_is_embedder(const struct llama_model *weights) {
    char causal[16];
    arch_value(weights, "attention.causal", causal, sizeof causal);
    return pooling_of(weights) != LLAMA_POOLING_TYPE_NONE || strcmp(causal, "false") == 0 ||
           !llama_model_has_decoder(weights);
}

bool model_is_ranker(const struct llama_model *weights) {
    return pooling_of(weights) == LLAMA_POOLING_TYPE_RANK;
}

bool model_has_long_rope(const struct llama_model *weights) {
    char type[32];
    return strcmp(arch_value(weights, "rope.scaling.type", type, sizeof type), "longrope") == 0;
}

static double recommended(const struct llama_model *weights, enum llama_model_meta_key key,
                          double otherwise) {
    char text[32];
    const char *name = llama_model_meta_key_str(key);
    if (!name || llama_model_meta_val_str(weights, name, text, sizeof text) <= 0)
        return otherwise;
    char *end = NULL;
    double value = strtod(text, &end);
    return end == text || !(value >= 0 && value < 1e6) ? otherwise : value;
}

static struct sampling recommended_sampling(const struct llama_model *w) {
    struct sampling s = sampling_defaults();
    s.temperature = recommended(w, LLAMA_MODEL_META_KEY_SAMPLING_TEMP, s.temperature);
    s.top_k = (int64_t)recommended(w, LLAMA_MODEL_META_KEY_SAMPLING_TOP_K, (double)s.top_k);
    s.top_p = recommended(w, LLAMA_MODEL_META_KEY_SAMPLING_TOP_P, s.top_p);
    s.min_p = recommended(w, LLAMA_MODEL_META_KEY_SAMPLING_MIN_P, s.min_p);
    double repeat = recommended(w, LLAMA_MODEL_META_KEY_SAMPLING_PENALTY_REPEAT,
                                s.repeat_penalty);
    if (repeat > 0.01) s.repeat_penalty = repeat;
    return s;
}

static enum llama_load_mode load_mode(const struct load_settings *s) {
    if (s->mmap) return s->mlock ? LLAMA_LOAD_MODE_MMAP_MLOCK : LLAMA_LOAD_MODE_MMAP;
    return s->mlock ? LLAMA_LOAD_MODE_MLOCK : LLAMA_LOAD_MODE_NONE;
}

/* libllama says what went wrong in its log only. */
static bool load_failed(struct error *err, const char *what) {
    const char *why = log_capture_take();
    bool memory = strstr(why, "alloc") || strstr(why, "out of memory");
    return error_set(err, memory ? ERR_NO_MEMORY : ERR_LOAD_FAILED, "%s%s%s.", what,
                     *why ? ": " : "", why);
}

/* The number of experts can only be changed through the file's own metadata. */
static bool fill_override(struct llama_model_kv_override *o, const struct load_message *r) {
    struct llama_model_params probe = llama_model_default_params();
    probe.vocab_only = true;
    probe.no_alloc = true;
    struct llama_model *weights = llama_model_load_from_file(r->path, probe);
    if (!weights) return false;
    char arch[64];
    bool known = llama_model_meta_val_str(weights, "general.architecture", arch, sizeof arch) >
                 0;
    llama_model_free(weights);
    if (!known) return false;
    o->tag = LLAMA_KV_OVERRIDE_TYPE_INT;
    snprintf(o->key, sizeof o->key, "%s.expert_used_count", arch);
    o->val_i64 = r->settings.num_experts;
    return true;
}

/* Facts of the loaded weights; the daemon has checked what the file's header says. */
static bool open_adapters(struct model *m, const struct load_adapters *adapters,
                          struct error *err) {
    struct stat st;
    for (int64_t i = 0; i < adapters->count; i++) {
        const struct load_adapter *one = &adapters->list[i];
        const char *name = path_name(one->path);
        struct llama_adapter_lora *opened = llama_adapter_lora_init(m->weights, one->path);
        if (!opened) {
            return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                                   "The adapter '%.80s' cannot be applied to this model: %s.",
                                   name, log_capture_take());
        }
        if (llama_adapter_get_alora_n_invocation_tokens(opened) > 0) {
            return error_set_param(
                err, ERR_INVALID_REQUEST, "adapters",
                "The adapter '%.80s' is an aLoRA adapter, which is not supported.", name);
        }
        if (stat(one->path, &st) == 0) m->adapter_bytes += (uint64_t)st.st_size;
        m->adapters[m->adapter_count] = opened;
        m->scales[m->adapter_count++] = (float)one->scale;
    }
    return true;
}

bool model_open_weights(struct model *ret, const struct load_message *request,
                        const struct llama_model_params *placed, model_progress_fn progress,
                        void *progress_ctx, struct error *err) {
    struct llama_model_kv_override overrides[2] = { 0 };
    struct llama_model_params params = placed ? *placed : llama_model_default_params();
    if (!placed) params.n_gpu_layers = 0;
    params.load_mode = load_mode(&request->settings);
    params.progress_callback = progress;
    params.progress_callback_user_data = progress_ctx;
    params.use_extra_bufts = request->settings.repack == LOAD_REPACK_FIRST;
    if (request->settings.num_experts > 0) {
        if (!fill_override(overrides, request))
            return load_failed(err, "The model cannot be read");
        params.kv_overrides = overrides;
    }
    struct model m = { .mapped = request->settings.mmap,
                       .repacked = params.use_extra_bufts,
                       .device = request->lent_bytes > 0 ? "lent memory"
                                                         : backends_device(&params),
                       .gpu_layers = params.n_gpu_layers };
    int64_t begin = clock_boottime_usec();
    m.weights = llama_model_load_from_file(request->path, params);
    m.loading = clock_boottime_usec() - begin;
    if (!m.weights) return load_failed(err, "The model cannot be loaded");
    m.vocab = llama_model_get_vocab(m.weights);
    m.vocab_size = llama_vocab_n_tokens(m.vocab);
    m.embeds = model_is_embedder(m.weights);
    m.ranks = model_is_ranker(m.weights);
    m.remembers = llama_model_is_recurrent(m.weights) || llama_model_is_hybrid(m.weights);
    m.window = llama_model_n_swa(m.weights);
    *ret = m;
    return true;
}

bool model_open(struct model *ret, const struct load_message *request,
                const struct llama_model_params *placed, model_progress_fn progress,
                void *progress_ctx, struct error *err) {
    struct model m = { 0 };
    if (!model_open_weights(&m, request, placed, progress, progress_ctx, err)) return false;
    m.sampling = recommended_sampling(m.weights);
    m.sampling.seeded = request->settings.seed >= 0;
    if (m.sampling.seeded) m.sampling.seed = (uint32_t)request->settings.seed;
    if (request->settings.reasoning_ending)
        m.reasoning_ending = xstrdup(request->settings.reasoning_ending);
    bool ok = m.vocab_size > 0 ||
              error_set(err, ERR_LOAD_FAILED, "The model has no vocabulary.");
    ok = ok && open_adapters(&m, &request->settings.adapters, err);
    if (ok && llama_model_has_encoder(m.weights) && llama_model_has_decoder(m.weights)) {
        ok = error_set(err, ERR_NOT_SUPPORTED,
                       "Models with an encoder and a decoder (T5) are not supported.");
    }
    if (ok && !m.embeds) {
        m.templates = chat_templates_new(m.weights, request->settings.chat_template, err);
        ok = m.templates != NULL;
    }
    if (!ok) {
        model_close(&m);
        return false;
    }
    *ret = m;
    return true;
}

void model_open_projector(struct model *model, const struct load_message *request) {
    const struct load_settings *s = &request->settings;
    struct error err;
    if (!request->projector || model->embeds) return;
    int threads = s->threads > 0 ? (int)s->threads : cpu_threads_default();
    model->projector = projector_open(request->projector, model->weights, threads,
                                      s->gpu_layers != 0, &err);
    if (!model->projector) model->vision_error = xstrdup(err.text);
}

void model_close(struct model *model) {
    chat_templates_free(model->templates);
    projector_close(model->projector);
    llama_model_free(model->weights);
    free(model->vision_error);
    free(model->reasoning_ending);
    *model = (struct model){ 0 };
}

/* The output counts as one. */
int32_t model_device_layers(const struct model *model) {
    int32_t all = llama_model_n_layer(model->weights) + 1;
    if (!model->device || strcmp(model->device, "cpu") == 0) return 0;
    return model->gpu_layers < 0 || model->gpu_layers > all ? all : model->gpu_layers;
}

/* They lie beside the matrices of the layers. */
uint64_t model_adapter_device_bytes(const struct model *model) {
    int32_t all = llama_model_n_layer(model->weights), placed = model_device_layers(model);
    if (all <= 0) return 0;
    double share = placed < all ? (double)placed / all : 1;
    return (uint64_t)((double)model->adapter_bytes * share);
}

/* A field of this process's status, bytes; 0 if the kernel does not say. */
static uint64_t status_bytes(const char *name) {
    char text[4096];
    nbytes bytes = 0;
    if (!proc_file_read("/proc/self/status", text, sizeof text)) return 0;
    return memory_parse(text, name, &bytes) ? bytes : 0;
}

uint64_t model_page_bytes(const struct model *model) {
    if (!model->mapped) return 0;
    uint64_t weights = llama_model_size(model->weights);
    bool copied = model->repacked || model_device_layers(model) > 0;
    uint64_t pages = copied ? status_bytes("RssFile") : weights;
    return pages < weights ? pages : weights;
}

uint64_t model_memory_bytes(const struct model *model) {
    return status_bytes("RssAnon") + model_page_bytes(model);
}
