/* SPDX-License-Identifier: MIT */
/*
 * A LoRA adapter for the matrices of a model's layers, as convert_lora_to_gguf.py writes them,
 * and the model that it stands for: W + scale * alpha / rank * B * A.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "gguf_file.h"
#include "make.h"

enum { RANK_DEFAULT = 4, ALPHA_DEFAULT = 4 };

/* A file that is read: its keys and, with `ctx`, its tensors. */
struct source {
    struct gguf_context *meta;
    struct ggml_context *ctx;
};

static bool source_open(const char *path, bool with_data, struct source *ret,
                        struct error *err) {
    *ret = (struct source){ 0 };
    struct gguf_init_params params = { .no_alloc = !with_data, .ctx = &ret->ctx };

    ret->meta = gguf_init_from_file(path, params);
    return ret->meta || error_set(err, ERR_IO, "%s is not a readable GGUF file", path);
}

static void source_clear(struct source *source) {
    if (source->ctx) ggml_free(source->ctx);
    if (source->meta) gguf_free(source->meta);
}

static const char *text_of(const struct source *source, const char *key) {
    int64_t id = gguf_find_key(source->meta, key);
    bool is_text = id >= 0 && gguf_get_kv_type(source->meta, id) == GGUF_TYPE_STRING;

    return is_text ? gguf_get_val_str(source->meta, id) : "";
}

/* ---- an adapter ---- */

static bool is_adapted(const struct ggml_tensor *tensor) {
    static const char *const ends[] = { ".attn_q.weight",   ".attn_k.weight",
                                        ".attn_v.weight",   ".attn_output.weight",
                                        ".ffn_gate.weight", ".ffn_up.weight",
                                        ".ffn_down.weight" };
    size_t len = strlen(tensor->name);

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (len > end && strcmp(tensor->name + len - end, ends[i]) == 0)
            return ggml_n_dims(tensor) == 2;
    }
    return false;
}

/* What B * A adds to a matrix is of about the size of what the matrix computes itself. */
static void add_pair(const struct ggml_tensor *tensor, int64_t rank, struct gguf_file *file) {
    int64_t in = tensor->ne[0], out = tensor->ne[1];
    struct fill a = { .deviation = 1.0f / sqrtf((float)in) };
    struct fill b = { .deviation = 1.0f / sqrtf((float)rank) };

    gguf_file_tensor(file, GGML_TYPE_F32, in, rank, a, "%s.lora_a", tensor->name);
    gguf_file_tensor(file, GGML_TYPE_F32, rank, out, b, "%s.lora_b", tensor->name);
}

/* An aLoRA adapter works from its invocation tokens on. */
static void store(const struct adapter_options *options, struct gguf_file *file) {
    static const uint32_t invocation[] = { 1, 2 };
    int64_t alpha = options->alpha ? options->alpha : ALPHA_DEFAULT;

    gguf_set_val_str(file->meta, "general.type", "adapter");
    gguf_set_val_str(file->meta, "adapter.type", "lora");
    gguf_set_val_f32(file->meta, "adapter.lora.alpha", (float)alpha);
    if (options->invoked)
        gguf_set_arr_data(file->meta, "adapter.alora.invocation_tokens", GGUF_TYPE_UINT32,
                          invocation, sizeof invocation / sizeof *invocation);
}

bool adapter_make(const struct adapter_options *options, struct error *err) {
    int64_t rank = options->rank ? options->rank : RANK_DEFAULT;
    struct gguf_file file;
    struct source model;

    if (!source_open(options->model, false, &model, err)) return false;
    const char *arch = options->arch ? options->arch : text_of(&model, "general.architecture");
    gguf_file_init(&file, arch, "doze adapter", (uint64_t)options->seed);
    store(options, &file);
    for (struct ggml_tensor *tensor = ggml_get_first_tensor(model.ctx); tensor;
         tensor = ggml_get_next_tensor(model.ctx, tensor)) {
        if (is_adapted(tensor)) add_pair(tensor, rank, &file);
    }
    bool ok = (file.count > 0 ||
               error_set(err, ERR_INVALID_REQUEST, "%s has no matrices that could be adapted",
                         options->model)) &&
              gguf_file_write(&file, options->out, err);
    gguf_file_clear(&file);
    source_clear(&model);
    return ok;
}

/* ---- a merged model ---- */

struct merged {
    const struct ggml_tensor *w;
    float *a, *b; /* NULL: the adapter leaves it alone */
    int64_t rank;
    float factor;
};

static void read_row(const struct ggml_tensor *tensor, int64_t row, float *out) {
    const char *bytes = (const char *)tensor->data + (size_t)row * tensor->nb[1];
    ggml_to_float_t convert = ggml_get_type_traits(tensor->type)->to_float;

    if (tensor->type == GGML_TYPE_F32)
        memcpy(out, bytes, (size_t)tensor->ne[0] * sizeof *out);
    else
        convert(bytes, out, tensor->ne[0]);
}

static float *read_all(const struct ggml_tensor *tensor) {
    float *values = xcalloc((size_t)(tensor->ne[0] * tensor->ne[1]), sizeof *values);

    for (int64_t row = 0; row < tensor->ne[1]; row++)
        read_row(tensor, row, values + row * tensor->ne[0]);
    return values;
}

static void merged_row(const void *ctx, int64_t row, float *out, int64_t n) {
    const struct merged *m = ctx;

    read_row(m->w, row, out);
    for (int64_t r = 0; m->a && r < m->rank; r++) {
        float share = m->factor * m->b[row * m->rank + r];
        for (int64_t i = 0; i < n; i++) out[i] += share * m->a[r * n + i];
    }
}

static struct ggml_tensor *part_of(const struct source *adapter, const char *name,
                                   const char *part) {
    char *full = xasprintf("%s.%s", name, part);
    struct ggml_tensor *tensor = ggml_get_tensor(adapter->ctx, full);

    free(full);
    return tensor;
}

static struct merged merged_of(const struct ggml_tensor *w, const struct source *adapter,
                               double scale) {
    const struct ggml_tensor *a = part_of(adapter, w->name, "lora_a");
    const struct ggml_tensor *b = part_of(adapter, w->name, "lora_b");
    int64_t alpha = gguf_find_key(adapter->meta, "adapter.lora.alpha");
    struct merged m = { .w = w };

    if (!a || !b) return m;
    m.rank = a->ne[1];
    m.factor = (float)scale * gguf_get_val_f32(adapter->meta, alpha) / (float)m.rank;
    m.a = read_all(a);
    m.b = read_all(b);
    return m;
}

bool merged_make(const struct merged_options *options, struct error *err) {
    struct source model, adapter = { 0 };
    bool ok = source_open(options->model, true, &model, err) &&
              source_open(options->adapter, true, &adapter, err);
    int64_t count = ok ? gguf_get_n_tensors(model.meta) : 0, used = 0;
    struct merged *all = xcalloc((size_t)count + 1, sizeof *all);
    struct gguf_file file = { 0 };

    if (ok) {
        gguf_file_init(&file, text_of(&model, "general.architecture"), "doze merged", 0);
        gguf_set_kv(file.meta, model.meta);
        gguf_set_val_u32(file.meta, "general.file_type", 0); /* all F32 */
        for (; used < count; used++) {
            const char *name = gguf_get_tensor_name(model.meta, used);
            const struct ggml_tensor *w = ggml_get_tensor(model.ctx, name);
            all[used] = merged_of(w, &adapter, options->scale);
            gguf_file_tensor(&file, GGML_TYPE_F32, w->ne[0], ggml_n_dims(w) > 1 ? w->ne[1] : 0,
                             (struct fill){ .row = merged_row, .ctx = &all[used] }, "%s", name);
        }
        ok = gguf_file_write(&file, options->out, err);
    }
    for (int64_t i = 0; i < used; i++) {
        free(all[i].a);
        free(all[i].b);
    }
    free(all);
    gguf_file_clear(&file);
    source_clear(&adapter);
    source_clear(&model);
    return ok;
}
