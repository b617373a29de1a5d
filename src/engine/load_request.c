/* SPDX-License-Identifier: MIT */
#include "engine/load_request.h"

#include <string.h>

#include "base/json.h"

static bool read_prompts(struct load_prompts *p, yyjson_val *root, struct error *err) {
    yyjson_val *obj = NULL;
    if (!json_read_object(root, "prompts", &obj, err)) return false;
    if (!obj) return true;
    if (!json_read_str(obj, "dir", &p->dir, err) ||
        !json_read_str(obj, "mode", &p->mode, err) ||
        !json_read_int(obj, "memory_bytes", 0, INT64_MAX, &p->memory_bytes, err)) {
        return false;
    }
    bool on = strcmp(p->mode, "on") == 0;
    if (!on && strcmp(p->mode, "memory") != 0 && strcmp(p->mode, "off") != 0) {
        return error_set_param(err, ERR_INVALID_REQUEST, "mode",
                               "'mode' must be \"on\", \"memory\" or \"off\".");
    }
    if (on && !p->dir) {
        return error_set_param(err, ERR_INVALID_REQUEST, "dir",
                               "'dir' of the prompts is missing.");
    }
    return true;
}

static bool read_repack(enum load_repack *ret, yyjson_val *root, struct error *err) {
    static const char *const words[] = { [LOAD_REPACK_NEVER] = "never",
                                         [LOAD_REPACK_BACKGROUND] = "background",
                                         [LOAD_REPACK_FIRST] = "first" };
    const char *word = words[LOAD_REPACK_NEVER];
    if (!json_read_str(root, "repack", &word, err)) return false;
    for (int i = 0; i < 3; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *ret = (enum load_repack)i;
        return true;
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "repack",
                           "'repack' must be \"background\", \"first\" or \"never\".");
}

static bool read_fields(struct load_request *r, yyjson_val *root, struct error *err) {
    return json_read_str(root, "path", &r->path, err) &&
           json_read_str(root, "identifier", &r->identifier, err) &&
           json_read_str(root, "flash_attention", &r->flash_attention, err) &&
           json_read_str(root, "kv_type_k", &r->kv_type_k, err) &&
           json_read_str(root, "kv_type_v", &r->kv_type_v, err) &&
           json_read_str(root, "chat_template", &r->chat_template, err) &&
           json_read_str(root, "reasoning_ending", &r->reasoning_ending, err) &&
           json_read_int(root, "context_length", 0, LOAD_MAX_CONTEXT, &r->context_length,
                         err) &&
           json_read_int(root, "parallel", 1, LOAD_MAX_PARALLEL, &r->parallel, err) &&
           json_read_int(root, "batch", 1, 1 << 16, &r->batch, err) &&
           json_read_int(root, "chunk", 0, 1 << 16, &r->chunk, err) &&
           json_read_int(root, "threads", 0, 1024, &r->threads, err) &&
           json_read_int(root, "threads_batch", 0, 1024, &r->threads_batch, err) &&
           json_read_int(root, "cells", 0, LOAD_MAX_CONTEXT, &r->cells, err) &&
           json_read_int(root, "prompt_tokens", 0, INT64_MAX, &r->prompt_tokens, err) &&
           json_read_bool(root, "prefetched", &r->prefetched, err) &&
           json_read_int(root, "memory_bytes", 0, INT64_MAX, &r->memory_bytes, err) &&
           json_read_double(root, "shrink_seconds", 0, 86400, &r->shrink_seconds, err) &&
           json_read_int(root, "gpu_layers", -1, 1 << 16, &r->gpu_layers, err) &&
           json_read_int(root, "num_experts", 0, 1 << 16, &r->num_experts, err) &&
           json_read_double(root, "rope_frequency_base", 0, 1e12, &r->rope_frequency_base,
                            err) &&
           json_read_double(root, "rope_frequency_scale", 0, 1e6, &r->rope_frequency_scale,
                            err) &&
           json_read_int(root, "seed", -1, UINT32_MAX, &r->seed, err) &&
           json_read_bool(root, "mmap", &r->mmap, err) &&
           json_read_bool(root, "offload_kv", &r->offload_kv, err) &&
           json_read_bool(root, "mlock", &r->mlock, err) &&
           read_repack(&r->repack, root, err) && read_prompts(&r->prompts, root, err);
}

bool load_request_parse(struct load_request *ret, const char *text, size_t len,
                        struct error *err) {
    struct load_request r = { .identifier = "",
                              .flash_attention = "auto",
                              .kv_type_k = "f16",
                              .kv_type_v = "f16",
                              .parallel = 4,
                              .batch = 512,
                              .shrink_seconds = 30,
                              .gpu_layers = -1,
                              .seed = -1,
                              .offload_kv = true,
                              .mmap = true,
                              .prompts = { .mode = "off", .memory_bytes = 256 << 20 } };
    r.doc = json_parse_object(text, len, err);
    if (!r.doc) return false;
    bool ok = read_fields(&r, yyjson_doc_get_root(r.doc), err);
    if (ok && !r.path) {
        ok = error_set_param(err, ERR_INVALID_REQUEST, "path",
                             "'path' of the model is missing.");
    }
    if (!ok) {
        load_request_clear(&r);
        return false;
    }
    *ret = r;
    return true;
}

void load_request_clear(struct load_request *request) {
    yyjson_doc_free(request->doc);
    *request = (struct load_request){ 0 };
}
