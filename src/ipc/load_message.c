/* SPDX-License-Identifier: MIT */
#include "ipc/load_message.h"

#include "base/json.h"
#include "base/words.h"

const char *const prompt_store_modes[] = {
    [PROMPT_STORE_OFF] = "off",
    [PROMPT_STORE_MEMORY] = "memory",
    [PROMPT_STORE_ON] = "on",
};

static void add_prompts(const struct load_prompts *prompts, yyjson_mut_doc *doc,
                        yyjson_mut_val *root) {
    yyjson_mut_val *obj = yyjson_mut_obj_add_obj(doc, root, "prompts");
    yyjson_mut_obj_add_str(doc, obj, "mode", prompt_store_modes[prompts->mode]);
    if (prompts->dir) yyjson_mut_obj_add_str(doc, obj, "dir", prompts->dir);
    yyjson_mut_obj_add_int(doc, obj, "memory_bytes", prompts->memory_bytes);
}

void load_message_format(const struct load_message *m, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "path", m->path);
    if (m->projector) yyjson_mut_obj_add_str(doc, root, "projector", m->projector);
    if (m->draft) yyjson_mut_obj_add_str(doc, root, "draft", m->draft);
    yyjson_mut_obj_add_str(doc, root, "identifier", m->identifier);
    load_settings_add(&m->settings, doc, root);
    yyjson_mut_obj_add_int(doc, root, "cells", m->cells);
    yyjson_mut_obj_add_int(doc, root, "prompt_tokens", m->prompt_tokens);
    yyjson_mut_obj_add_bool(doc, root, "prefetched", m->prefetched);
    yyjson_mut_obj_add_int(doc, root, "whole_bytes", m->whole_bytes);
    yyjson_mut_obj_add_int(doc, root, "device_bytes", m->device_bytes);
    yyjson_mut_obj_add_int(doc, root, "lent_bytes", m->lent_bytes);
    yyjson_mut_obj_add_int(doc, root, "memory_bytes", m->memory_bytes);
    yyjson_mut_obj_add_real(doc, root, "shrink_seconds", m->shrink_seconds);
    yyjson_mut_obj_add_real(doc, root, "growth_seconds", m->growth_seconds);
    yyjson_mut_obj_add_int(doc, root, "draft_trial", m->draft_trial);
    add_prompts(&m->prompts, doc, root);
    json_write_end(doc, out);
}

static bool read_prompts(struct load_prompts *p, yyjson_val *root, struct error *err) {
    yyjson_val *obj = NULL;
    const char *mode = prompt_store_modes[p->mode];
    if (!json_read_object(root, "prompts", &obj, err)) return false;
    if (!obj) return true;
    if (!json_read_str(obj, "dir", &p->dir, err) || !json_read_str(obj, "mode", &mode, err) ||
        !json_read_int(obj, "memory_bytes", 0, INT64_MAX, &p->memory_bytes, err)) {
        return false;
    }
    int found = WORDS_FIND(prompt_store_modes, mode);
    if (found < 0)
        return words_refuse(prompt_store_modes, PROMPT_STORE_MODE_COUNT, "mode", err);
    p->mode = (enum prompt_store_mode)found;
    return p->mode != PROMPT_STORE_ON || p->dir ||
           error_set_param(err, ERR_INVALID_REQUEST, "dir", "'dir' of the prompts is missing.");
}

static bool read_fields(struct load_message *m, yyjson_val *root, struct error *err) {
    return json_read_str(root, "path", &m->path, err) &&
           json_read_str(root, "projector", &m->projector, err) &&
           json_read_str(root, "draft", &m->draft, err) &&
           json_read_str(root, "identifier", &m->identifier, err) &&
           load_settings_read(root, true, &m->settings, err) &&
           json_read_int(root, "cells", 0, LOAD_MAX_CONTEXT, &m->cells, err) &&
           json_read_int(root, "prompt_tokens", 0, INT64_MAX, &m->prompt_tokens, err) &&
           json_read_bool(root, "prefetched", &m->prefetched, err) &&
           json_read_int(root, "whole_bytes", 0, INT64_MAX, &m->whole_bytes, err) &&
           json_read_int(root, "device_bytes", 0, INT64_MAX, &m->device_bytes, err) &&
           json_read_int(root, "lent_bytes", 0, INT64_MAX, &m->lent_bytes, err) &&
           json_read_int(root, "memory_bytes", 0, INT64_MAX, &m->memory_bytes, err) &&
           json_read_double(root, "shrink_seconds", 0, 86400, &m->shrink_seconds, err) &&
           json_read_double(root, "growth_seconds", 0, 86400, &m->growth_seconds, err) &&
           json_read_int(root, "draft_trial", 0, INT32_MAX, &m->draft_trial, err) &&
           read_prompts(&m->prompts, root, err);
}

bool load_message_parse(struct load_message *ret, const char *text, size_t len,
                        struct error *err) {
    struct load_message m = LOAD_MESSAGE_DEFAULTS;
    m.doc = json_parse_object(text, len, err);
    if (!m.doc) return false;
    bool ok = read_fields(&m, yyjson_doc_get_root(m.doc), err);
    if (ok && !m.path) {
        ok = error_set_param(err, ERR_INVALID_REQUEST, "path",
                             "'path' of the model is missing.");
    }
    if (!ok) {
        load_message_clear(&m);
        return false;
    }
    *ret = m;
    return true;
}

/* Its own rope, experts and template; as the model's threads, batches and devices. */
struct load_message load_message_of_draft(const struct load_message *message) {
    struct load_message r = *message;
    struct load_settings *s = &r.settings;
    r.path = message->draft;
    r.draft = r.projector = NULL;
    r.doc = NULL;
    r.whole_bytes = r.lent_bytes = 0;
    r.prompts = (struct load_prompts){ 0 };
    r.prompt_tokens = 0;
    s->speculation = LOAD_SPECULATION_OFF;
    s->num_experts = 0;
    s->rope_frequency_base = s->rope_frequency_scale = 0;
    s->kv_type_k = s->kv_type_v = KV_TYPE_F16;
    s->chat_template = s->reasoning_ending = NULL;
    s->adapters = (struct load_adapters)LOAD_ADAPTERS_UNSET;
    if (s->repack == LOAD_REPACK_BACKGROUND) s->repack = LOAD_REPACK_NEVER;
    return r;
}

void load_message_clear(struct load_message *message) {
    yyjson_doc_free(message->doc);
    *message = (struct load_message){ 0 };
}
