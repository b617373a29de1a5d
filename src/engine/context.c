/* SPDX-License-Identifier: MIT */
#include "engine/context.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/backends.h"
#include "engine/log_capture.h"
#include "engine/lookup.h"

enum { DEFAULT_CONTEXT = 8192 };

/* Larger chunks are not faster on a CPU, and their buffers take memory; how much of a chunk a
 * batch uses: prompt_room.h. */
enum { CPU_CHUNK = 512 };

static const enum ggml_type kv_types[] = {
    [KV_TYPE_UNSET] = GGML_TYPE_F16, [KV_TYPE_F16] = GGML_TYPE_F16,
    [KV_TYPE_BF16] = GGML_TYPE_BF16, [KV_TYPE_F32] = GGML_TYPE_F32,
    [KV_TYPE_Q8_0] = GGML_TYPE_Q8_0, [KV_TYPE_Q5_1] = GGML_TYPE_Q5_1,
    [KV_TYPE_Q5_0] = GGML_TYPE_Q5_0, [KV_TYPE_Q4_1] = GGML_TYPE_Q4_1,
    [KV_TYPE_Q4_0] = GGML_TYPE_Q4_0, [KV_TYPE_IQ4_NL] = GGML_TYPE_IQ4_NL,
};

static enum llama_flash_attn_type flash_type(int flash_attention) {
    if (flash_attention < 0) return LLAMA_FLASH_ATTN_TYPE_AUTO;
    return flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
}

/* Never more than the model was trained for, unless the caller stretches its positions. */
static int32_t context_length(const struct model *model, const struct load_settings *s) {
    int64_t trained = llama_model_n_ctx_train(model->weights);
    int64_t length = s->context_length > 0 ? s->context_length : DEFAULT_CONTEXT;
    bool stretched = s->rope_frequency_base > 0 || s->rope_frequency_scale > 0;
    if (trained > 0 && length > trained && !(stretched && s->context_length > 0))
        length = trained;
    return (int32_t)(length < LOAD_MIN_CONTEXT ? LOAD_MIN_CONTEXT : length);
}

/* How many texts an encoder takes at once. Its batch is as long as its context, and libllama
 * aborts unless the number of sequences divides that. */
static int32_t texts_at_once(int32_t length, int32_t most) {
    while (length % most != 0) most--;
    return most;
}

/* At least one token of every sequence, so that no single token has to wait for another. */
static int32_t chunk_of(const struct context *c, int64_t chunk) {
    if (chunk < c->parallel) return c->parallel;
    return chunk < c->batch ? (int32_t)chunk : c->batch;
}

/* Wrong guesses must be removed again. A sliding window has all its cells (swa_full) until
 * later tokens need those that it has passed. */
static bool may_draft(const struct context *c, const struct model *model) {
    return !c->steady && !model->embeds && !model->remembers;
}

/* Tokens that an answer may gain at once: its own and the guesses. */
static uint32_t results_of(const struct context *c, const struct load_settings *s) {
    int64_t guesses = c->lookups ? LOOKUP_MOST : 0;
    if (c->drafts && s->draft_tokens > guesses) guesses = s->draft_tokens;
    return (uint32_t)(1 + (c->drafts ? guesses : 0));
}

/* Recurrent models have no cells, embedding models take a whole text at once, and with two
 * sets of rope factors the length cannot change later. */
static bool grows(const struct model *model, const struct load_message *r) {
    return r->cells > 0 && !model->embeds && !llama_model_is_recurrent(model->weights) &&
           !model_has_long_rope(model->weights);
}

/* Choose the sizes and modes of the context, before it is open. */
static void choose_sizes(struct context *c, const struct model *model,
                         const struct load_message *r) {
    const struct load_settings *s = &r->settings;
    c->length = context_length(model, s);
    c->parallel = (int32_t)s->parallel;
    if (model->embeds) c->parallel = texts_at_once(c->length, c->parallel);
    c->batch = model->embeds ? c->length : (int32_t)s->eval_batch_size;
    if (c->batch < c->parallel) c->batch = c->parallel; /* every answer's next token fits */
    c->steady = s->reproducible > 0;
    c->lookups = s->speculation == LOAD_SPECULATION_LOOKUP && may_draft(c, model);
    c->drafts = c->lookups || (r->draft && may_draft(c, model));
    c->threads = s->threads > 0 ? (int32_t)s->threads : cpu_threads_default();
    c->most = c->length * (model->embeds ? 1 : c->parallel);
    c->first = grows(model, r) && r->cells < c->most ? (int32_t)r->cells : c->most;
    c->on_cpu = !llama_supports_gpu_offload() || s->gpu_layers == 0;
    c->chunk = c->on_cpu && !model->embeds && c->batch > CPU_CHUNK ? CPU_CHUNK : c->batch;
    if (s->chunk_size > 0 && !model->embeds) c->chunk = chunk_of(c, s->chunk_size);
}

/*
 * One pool of cells for all sequences (kv_unified) with room for `parallel` full contexts.
 * Against separate pools it lets sequences share the cells of a common beginning, which costs
 * nothing to copy, takes prompt chunks and single tokens of several sequences in one pass, and
 * needs only as many cells as are used. Its price is attention over the cells of others: beside
 * 6,000 idle tokens a small 12-layer model took 3.7 instead of 1.9 ms per token of a
 * prompt, 7.8 instead of 5.8 ms per token written (alone or together with other short ones: no
 * difference). Models that embed process a text at once, so their batch is a whole context.
 */
void context_fill_params(struct llama_context_params *p, struct context *c,
                         const struct model *model, const struct load_message *r) {
    const struct load_settings *s = &r->settings;
    choose_sizes(c, model, r);
    p->n_batch = (uint32_t)c->batch;
    p->n_ubatch = (uint32_t)c->chunk;
    p->n_seq_max = (uint32_t)c->parallel;
    /* One result per sequence, and per guess, is all that is read; room for one per token is
     * vocabulary x batch. */
    if (!model->embeds) p->n_outputs_max = p->n_seq_max * results_of(c, s);
    if (p->n_outputs_max > p->n_batch) p->n_outputs_max = p->n_batch;
    p->n_threads = c->threads;
    p->n_threads_batch = c->threads;
    p->rope_freq_base = (float)s->rope_frequency_base;
    p->rope_freq_scale = (float)s->rope_frequency_scale;
    p->embeddings = model->embeds;
    p->offload_kqv = s->offload_kv_cache_to_gpu;
    p->kv_unified = true;
    p->swa_full = true; /* all cells of sliding windows too: prompts can be taken up again */
    p->no_perf = true;
    p->flash_attn_type = flash_type(s->flash_attention);
    p->type_k = kv_types[s->kv_type_k];
    p->type_v = kv_types[s->kv_type_v];
}

static uint64_t bytes_of(enum ggml_type type, uint64_t values) {
    return values * ggml_type_size(type) / (uint64_t)ggml_blck_size(type);
}

/* Keys and values of one token in all layers, and its share of the buffers for the attention of
 * a chunk: the mask, and without flash attention one value per head. */
static uint64_t cell_bytes(const struct context *c, const struct model *model) {
    const struct llama_model *w = model->weights;
    uint64_t layers = (uint64_t)llama_model_n_layer(w);
    uint64_t heads = (uint64_t)llama_model_n_head(w);
    uint64_t width = (uint64_t)llama_model_n_embd(w) / (heads > 0 ? heads : 1);
    uint64_t keys = model_arch_number(w, "attention.key_length", width);
    uint64_t values = model_arch_number(w, "attention.value_length", width);
    uint64_t kv_heads = (uint64_t)llama_model_n_head_kv(w);
    uint64_t attention = (uint64_t)c->chunk * sizeof(float) *
                         (c->flash_attention ? 1 : heads + 1);
    return layers * kv_heads *
               (bytes_of(c->params.type_k, keys) + bytes_of(c->params.type_v, values)) +
           attention;
}

/* Cells with room for the first prompt, if there is clearly enough memory: growing right after
 * the load would cost another context (measured: 25 ms for 2,000 tokens). */
static int32_t cells_at_start(const struct context *c, const struct model *model,
                              const struct load_message *r) {
    enum { STEP = 256, SHARE = 4 };
    uint64_t limit = (uint64_t)r->memory_bytes, room = memory_available();
    uint64_t taken = model_memory_bytes(model), left = limit > taken ? limit - taken : 0;
    if (limit > 0 && left < room) room = left;
    int64_t prompt = r->prompt_tokens < c->length ? r->prompt_tokens + STEP : c->length;
    int64_t cells = prompt > c->first ? prompt : c->first;
    if ((uint64_t)cells * c->cell_bytes > room / SHARE) cells = c->first;
    cells = (cells + STEP - 1) / STEP * STEP;
    return cells < c->most ? (int32_t)cells : c->most;
}

/* Adapters are set for each context. The library takes arrays that it could change. */
static bool apply_adapters(struct llama_context *llama, const struct model *model) {
    struct model own = *model;
    return own.adapter_count == 0 ||
           llama_set_adapters_lora(llama, own.adapters, own.adapter_count, own.scales) == 0;
}

/* ---- one sequence at a time ---- */

/*
 * With one pool of cells llama_decode checks each pair of the 256 possible sequences, used or
 * not: 30 us a batch. That is a sixth of a token for a model of 3 MB, and nothing for a large
 * one, whose context would take a tenth of a second to widen.
 */
enum { NARROW_MOST = 64 << 20 };

static bool suits_narrow(const struct context *c, const struct model *model) {
    if (model->embeds || model->remembers || model->window > 0) return false;
    return c->parallel == 1 || llama_model_size(model->weights) <= NARROW_MOST;
}

static void set_width(struct context *c, bool narrow) {
    c->narrow = narrow;
    c->params.kv_unified = !narrow;
    c->params.n_seq_max = narrow ? 1 : (uint32_t)c->parallel;
}

static bool make(struct context *c, const struct model *model) {
    int64_t begin = clock_boottime_usec();
    c->llama = llama_init_from_model(model->weights, c->params);
    c->making = clock_boottime_usec() - begin;
    if (!c->llama) return false;
    if (!apply_adapters(c->llama, model)) {
        llama_free(c->llama);
        return false;
    }
    c->memory = llama_get_memory(c->llama);
    c->cells = (int32_t)llama_n_ctx(c->llama);
    if (c->pool) llama_attach_threadpool(c->llama, c->pool, c->pool);
    return true;
}

bool context_open(struct context *ret, const struct model *model,
                  const struct load_message *request, enum context_width width,
                  struct error *err) {
    struct context c = { 0 };
    struct llama_context_params params = llama_context_default_params();
    context_fill_params(&params, &c, model, request);
    c.params = params;
    set_width(&c, width == CONTEXT_NARROW && suits_narrow(&c, model));
    c.flash_attention = params.flash_attn_type != LLAMA_FLASH_ATTN_TYPE_DISABLED;
    c.cell_bytes = cell_bytes(&c, model);
    c.params.n_ctx = (uint32_t)cells_at_start(&c, model, request);
    if (!make(&c, model)) {
        const char *why = log_capture_take();
        return error_set(
            err, strstr(why, "alloc") ? ERR_NO_MEMORY : ERR_LOAD_FAILED,
            "No context of %d x %d tokens can be made for the model; try a smaller "
            "context_length or parallel%s%s.",
            c.parallel, c.length, *why ? ": " : "", why);
    }
    c.flash_attention = params.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_AUTO
                            ? !log_capture_flash_refused()
                            : params.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_ENABLED;
    c.params.flash_attn_type = c.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED
                                                 : LLAMA_FLASH_ATTN_TYPE_DISABLED;
    c.cell_bytes = cell_bytes(&c, model);
    if (c.first > c.cells) c.first = c.cells;
    *ret = c;
    return true;
}

/* ---- another one in its place ---- */

static void rename_sequence(llama_memory_t memory, llama_seq_id from, llama_seq_id to) {
    llama_memory_seq_cp(memory, from, to, -1, -1);
    (void)llama_memory_seq_rm(memory, from, -1, -1);
}

void context_swap(const struct context *context, llama_seq_id seq) {
    llama_seq_id beside = context->parallel;
    if (seq == 0) return;
    rename_sequence(context->memory, 0, beside);
    rename_sequence(context->memory, seq, 0);
    rename_sequence(context->memory, beside, seq);
}

/* *scratch grows as needed. */
static bool copy_sequence(struct llama_context *from, llama_seq_id as, struct llama_context *to,
                          llama_seq_id seq, unsigned char **scratch, size_t *size) {
    if (llama_memory_seq_pos_max(llama_get_memory(from), as) < 0) return true;
    size_t need = llama_state_seq_get_size(from, as);
    if (need > *size) {
        free(*scratch);
        *scratch = malloc(need);
        *size = *scratch ? need : 0;
    }
    return *scratch && llama_state_seq_get_data(from, *scratch, need, as) == need &&
           llama_state_seq_set_data(to, *scratch, need, seq) == need;
}

/* libllama saves a sequence of a narrow context only if it can compute it. */
static bool copy_sequences(const struct context *from, const struct context *to) {
    unsigned char *scratch = NULL;
    size_t size = 0;
    bool ok = true;
    for (llama_seq_id seq = 0; ok && from->memory && seq < from->parallel; seq++) {
        llama_seq_id as = from->narrow ? 0 : seq;
        if (from->narrow) context_swap(from, seq);
        ok = copy_sequence(from->llama, as, to->llama, seq, &scratch, &size);
        if (from->narrow) context_swap(from, seq);
    }
    free(scratch);
    return ok;
}

static bool replace(struct context *context, struct context next, const struct model *model,
                    struct error *err) {
    if (!make(&next, model)) {
        return error_set(err, ERR_NO_MEMORY, "There is no memory for %u tokens: %s.",
                         next.params.n_ctx, log_capture_take());
    }
    if (!copy_sequences(context, &next)) {
        llama_free(next.llama);
        return error_set(err, ERR_INTERNAL, "The context cannot be copied: %s.",
                         log_capture_take());
    }
    llama_free(context->llama);
    *context = next;
    return true;
}

bool context_replace(struct context *context, const struct model *model, int32_t cells,
                     struct error *err) {
    struct context next = *context;
    next.params.n_ctx = (uint32_t)cells;
    return replace(context, next, model, err);
}

bool context_widen(struct context *context, const struct model *model, struct error *err) {
    struct context next = *context;
    next.params.n_ctx = (uint32_t)context->cells;
    set_width(&next, false);
    return replace(context, next, model, err);
}

/* Not before the first batch: an earlier thread would keep the rights of the sandbox's first
 * stage. */
static void make_pool(struct context *c, int allowed) {
    c->pool = backends_new_threads(c->threads < allowed ? c->threads : allowed);
    if (c->pool) llama_attach_threadpool(c->llama, c->pool, c->pool);
}

void context_share_pool(struct context *context, const struct context *other) {
    if (context->pool || !other->pool) return;
    context->pool = other->pool;
    llama_attach_threadpool(context->llama, context->pool, context->pool);
}

static int steady_threads(const struct context *c, const struct cpu_threads *cpu) {
    return c->threads < cpu->allowed ? c->threads : cpu->allowed;
}

int32_t context_compute(struct context *context, struct cpu_threads *cpu,
                        struct llama_batch batch) {
    int threads = cpu_threads_begin_batch(cpu, context->threads);
    if (context->steady) threads = steady_threads(context, cpu);
    if (threads > 1 && !context->pool) make_pool(context, cpu->allowed);
    llama_set_n_threads(context->llama, threads, threads);
    int32_t status = context->memory ? llama_decode(context->llama, batch)
                                     : llama_encode(context->llama, batch);
    cpu_threads_end_batch(cpu);
    log_capture_mute(false); /* the abort callback mutes it */
    return status;
}

bool context_tiles(const struct context *context) {
    const struct llama_context_params *p = &context->params;
    bool plain = p->type_k == GGML_TYPE_F16 || p->type_k == GGML_TYPE_F32;
    return context->on_cpu && context->flash_attention && !context->steady && plain &&
           p->type_k == p->type_v;
}

/* A sliding window's cells may have been given to later tokens: the window before `count` has
 * to be whole. */
bool context_keep(const struct context *context, const struct model *model, llama_seq_id seq,
                  size_t count) {
    llama_memory_t memory = context->memory;
    if (!memory) return count == 0;
    bool kept = llama_memory_seq_rm(memory, seq, (llama_pos)count, -1);
    if (kept && count > 0 && model->window > 0) {
        llama_pos needed = (llama_pos)count > model->window ? (llama_pos)count - model->window
                                                            : 0;
        kept = llama_memory_seq_pos_min(memory, seq) <= needed;
    }
    if (!kept) (void)llama_memory_seq_rm(memory, seq, -1, -1);
    return kept;
}
