/* SPDX-License-Identifier: MIT */
/* v1_chat_form.c - LM Studio's chat body as one of the Responses API. */
#include <string.h>

#include "api/lmstudio_rest/v1_chat.h"
#include "api/translation.h"
#include "api/write.h"
#include "base/json.h"

/* Fields whose name and value stay as they are; v1_chat_parse.c and past.h check them. */
static const char *const kept[] = { "model",
                                    "ttl",
                                    "stream",
                                    "store",
                                    "temperature",
                                    "top_p",
                                    "top_k",
                                    "min_p",
                                    "reasoning",
                                    "repeat_penalty",
                                    "max_output_tokens",
                                    "previous_response_id",
                                    "context_length",
                                    "draft_model" };

static void keep_fields(struct translation *t) {
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        yyjson_val *value = translation_field(t, kept[i]);
        if (!value) continue;
        yyjson_mut_obj_add_val(t->doc, t->out, kept[i], yyjson_val_mut_copy(t->doc, value));
    }
}

/* ---- what is not offered ---- */

static bool offers(struct translation *t) {
    yyjson_val *integrations = translation_field(t, "integrations");
    if (yyjson_arr_size(integrations) > 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "integrations",
                               "'integrations' (plugins, MCP servers) are not supported here; "
                               "send tools to /v1/responses or /v1/chat/completions.");
    }
    return true;
}

/* ---- input ---- */

static yyjson_mut_val *add_message(struct translation *t, yyjson_mut_val *items,
                                   const char *role) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(t->doc, items);
    yyjson_mut_obj_add_str(t->doc, message, "type", "message");
    yyjson_mut_obj_add_str(t->doc, message, "role", role);
    return yyjson_mut_obj_add_arr(t->doc, message, "content");
}

static void add_text(struct translation *t, yyjson_mut_val *content, yyjson_val *text) {
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(t->doc, content);
    yyjson_mut_obj_add_str(t->doc, part, "type", "input_text");
    yyjson_mut_obj_add_val(t->doc, part, "text", yyjson_val_mut_copy(t->doc, text));
}

/* {"type":"text","content":"…"} (also "message") or {"type":"image","data_url":"data:…"} */
static bool add_part(struct translation *t, yyjson_mut_val *content, yyjson_val *part) {
    const char *type = json_find_str(part, "type");
    bool image = type && strcmp(type, "image") == 0;
    bool text = type && (strcmp(type, "text") == 0 || strcmp(type, "message") == 0);
    const char *name = image ? "data_url" : "content";
    yyjson_val *value = yyjson_obj_get(part, name);
    if (!image && !text) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                               "'type' must be \"text\" or \"image\".");
    }
    if (!yyjson_is_str(value)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                               "'%s' must be a string, not %s.", name, json_type_phrase(value));
    }
    if (text) {
        add_text(t, content, value);
        return true;
    }
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(t->doc, content);
    yyjson_mut_obj_add_str(t->doc, out, "type", "input_image");
    yyjson_mut_obj_add_val(t->doc, out, "image_url", yyjson_val_mut_copy(t->doc, value));
    return true;
}

static bool input_form(struct translation *t, yyjson_mut_val *items) {
    yyjson_val *input = translation_field(t, "input"), *part;
    size_t i, count;
    if (!yyjson_is_str(input) && yyjson_arr_size(input) == 0) {
        return translation_missing(t, "input", "a string, or an array of parts");
    }
    yyjson_mut_val *content = add_message(t, items, "user");
    if (yyjson_is_str(input)) add_text(t, content, input);
    yyjson_arr_foreach(input, i, count, part) {
        if (!add_part(t, content, part))
            return translation_error_inside_item(t->err, "input", i);
    }
    return true;
}

/* It is part of the conversation that begins; one that goes on has its own already. */
static bool system_form(struct translation *t, yyjson_mut_val *items) {
    const char *system = NULL;
    if (!json_read_str(t->in, "system_prompt", &system, t->err)) return false;
    yyjson_val *text = translation_field(t, "system_prompt");
    if (!system || !*system) return true;
    if (translation_field(t, "previous_response_id"))
        yyjson_mut_obj_add_val(t->doc, t->out, "instructions",
                               yyjson_val_mut_copy(t->doc, text));
    else
        add_text(t, add_message(t, items, "system"), text);
    return true;
}

bool lmstudio_v1_chat_form(const char *body, size_t len, struct buf *out, struct error *err) {
    yyjson_doc *in = json_parse_object(body, len, err);
    if (!in) return false;
    struct translation t = { .in = yyjson_doc_get_root(in), .doc = answer_new(), .err = err };
    t.out = yyjson_mut_doc_get_root(t.doc);
    keep_fields(&t);
    yyjson_mut_val *items = yyjson_mut_obj_add_arr(t.doc, t.out, "input");
    bool ok = offers(&t) && system_form(&t, items) && input_form(&t, items);
    yyjson_doc_free(in);
    if (ok)
        json_write_end(t.doc, out);
    else
        yyjson_mut_doc_free(t.doc);
    if (!ok || !out->overflowed) return ok;
    return error_set(err, ERR_TOO_LARGE, "The message is too long; send a shorter one.");
}
