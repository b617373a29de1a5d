/* SPDX-License-Identifier: MIT */
/* load_message.c - what a worker is told when it is to load a model. */
#include <string.h>

#include "base/json.h"
#include "prompts/folder.h"
#include "supervisor/internal.h"

static void add_positive(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                         int64_t n) {
    if (n > 0) yyjson_mut_obj_add_int(doc, obj, name, n);
}

static void add_flag(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, int flag) {
    if (flag >= 0) yyjson_mut_obj_add_bool(doc, obj, name, flag);
}

static void add_text(const struct supervisor *sup, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                     const char *name, int64_t number) {
    const char *text = load_texts_find(&sup->texts, number);
    if (text) yyjson_mut_obj_add_str(doc, obj, name, text);
}

/* What the instance may take, now that the others take what they take. */
static void add_limit(const struct supervisor *sup, int slot, yyjson_mut_doc *doc,
                      yyjson_mut_val *obj) {
    nbytes limit = sup->config.settings->memory_limit, others = 0;
    if (limit == 0) return;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (i != slot && sup->instances[i].identifier) others += sup->lc.slots[i].bytes;
    }
    nbytes left = limit > others ? limit - others : 1;
    yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", left < INT64_MAX ? left : INT64_MAX);
}

/* Of English. No more than needed: room that is too large has to be cleared in vain. */
enum { BYTES_PER_TOKEN = 4, TEXT_DEPTH = 6 };

/* Of all strings in it: messages, their parts, tools. */
static size_t text_bytes(yyjson_mut_val *val, int depth) {
    size_t bytes = 0, index, max;
    yyjson_mut_val *key, *each;
    if (yyjson_mut_is_str(val)) return yyjson_mut_get_len(val);
    if (depth == 0) return 0;
    if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, index, max, each) bytes += text_bytes(each, depth - 1);
    } else if (yyjson_mut_is_obj(val)) {
        yyjson_mut_obj_foreach(val, index, max, key, each) bytes += text_bytes(each, depth - 1);
    }
    return bytes;
}

/* Of the longest request that waits for this load. */
static size_t longest_text(const struct supervisor *sup, int slot) {
    size_t longest = 0;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        const struct call *call = request->slot == slot ? call_find(sup->calls, request->id)
                                                        : NULL;
        if (!call || !call->request.body) continue;
        size_t bytes = text_bytes(yyjson_mut_doc_get_root(call->request.body), TEXT_DEPTH);
        if (bytes > longest) longest = bytes;
    }
    return longest;
}

/* What the first request will ask of the worker can be got ready with the load. */
static void add_first_request(const struct supervisor *sup, int slot, yyjson_mut_doc *doc,
                              yyjson_mut_val *obj) {
    add_positive(doc, obj, "prompt_tokens",
                 (int64_t)(longest_text(sup, slot) / BYTES_PER_TOKEN));
    if (sup->prefetch_slot == slot && prefetch_done(sup->prefetch))
        yyjson_mut_obj_add_bool(doc, obj, "prefetched", true);
}

/* The prompt store: the worker reads and writes the model's folder itself. */
static void add_prompts(const struct supervisor *sup, const struct model *model,
                        yyjson_mut_doc *doc, yyjson_mut_val *obj) {
    struct buf dir = BUF_INIT(1 << 16);
    yyjson_mut_val *prompts = yyjson_mut_obj_add_obj(doc, obj, "prompts");
    buf_addf(&dir, "%s/", sup->config.prompts_dir);
    folder_from_key(model->key, &dir);
    yyjson_mut_obj_add_str(doc, prompts, "mode", settings_prompt_store(sup->config.settings));
    yyjson_mut_obj_add_strncpy(doc, prompts, "dir", buf_str(&dir), dir.len);
    buf_clear(&dir);
}

void supervisor_format_load(const struct supervisor *sup, const struct model *model, int slot,
                            const struct load_settings *s, struct buf *out) {
    static const char *const attention[] = { "off", "on" };
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, obj);
    yyjson_mut_obj_add_str(doc, obj, "path", model->path);
    yyjson_mut_obj_add_str(doc, obj, "identifier",
                           slot >= 0 ? sup->instances[slot].identifier : model->key);
    if (s->seed >= 0) yyjson_mut_obj_add_int(doc, obj, "seed", s->seed);
    add_positive(doc, obj, "context_length", s->context_length);
    yyjson_mut_obj_add_int(doc, obj, "cells", LOAD_FIRST_CELLS);
    if (slot >= 0) add_first_request(sup, slot, doc, obj);
    add_limit(sup, slot, doc, obj);
    add_positive(doc, obj, "parallel", s->parallel);
    add_positive(doc, obj, "batch", s->eval_batch_size);
    add_positive(doc, obj, "threads", s->threads);
    add_positive(doc, obj, "threads_batch", s->threads);
    add_positive(doc, obj, "num_experts", s->num_experts);
    if (s->gpu_layers >= -1) yyjson_mut_obj_add_int(doc, obj, "gpu_layers", s->gpu_layers);
    if (s->flash_attention >= 0) {
        yyjson_mut_obj_add_str(doc, obj, "flash_attention", attention[s->flash_attention != 0]);
    }
    add_flag(doc, obj, "offload_kv", s->offload_kv_cache_to_gpu);
    add_flag(doc, obj, "mmap", s->mmap);
    add_flag(doc, obj, "mlock", s->mlock);
    add_positive(doc, obj, "chunk", s->chunk_size);
    add_text(sup, doc, obj, "chat_template", s->chat_template);
    add_text(sup, doc, obj, "reasoning_ending", s->reasoning_ending);
    if (s->kv_type_k[0]) yyjson_mut_obj_add_str(doc, obj, "kv_type_k", s->kv_type_k);
    if (s->kv_type_v[0]) yyjson_mut_obj_add_str(doc, obj, "kv_type_v", s->kv_type_v);
    yyjson_mut_obj_add_str(doc, obj, "repack", s->repack);
    if (s->rope_frequency_base > 0) {
        yyjson_mut_obj_add_real(doc, obj, "rope_frequency_base", s->rope_frequency_base);
    }
    if (s->rope_frequency_scale > 0) {
        yyjson_mut_obj_add_real(doc, obj, "rope_frequency_scale", s->rope_frequency_scale);
    }
    add_prompts(sup, model, doc, obj);
    json_write(doc, out);
    yyjson_mut_doc_free(doc);
}
