/* SPDX-License-Identifier: MIT */
/*
 * messages.c - the conversation of a Messages body as OpenAI's messages, which templates know.
 *
 * One message of Anthropic's may become several: each tool_result is a message of its own, and
 * the text beside it follows. Neighbours of one role become one, because many templates demand
 * that the roles alternate. A system message in mid-conversation, which Claude Code sends and
 * many templates refuse, is the user's text there.
 */
#include <string.h>

#include "api/anthropic/translate.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

enum { TEXT_MAX = 256 << 20 }; /* bytes; no text is longer than the body it is from */

/* The first block of Claude Code's system text changes with its version and is no prompt. */
static const char billing[] = "x-anthropic-billing-header:";

static const char *type_of(yyjson_val *block) {
    const char *type = json_find_str(block, "type");
    return type ? type : "";
}

static bool is_type(yyjson_val *block, const char *type) {
    return strcmp(type_of(block), type) == 0;
}

static bool block_refuse(struct translation *t, yyjson_val *block) {
    if (!yyjson_is_obj(block)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A block must be an object, not %s.",
                         json_type_phrase(block));
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                           "Blocks of type \"%.40s\" are not supported here; send text.",
                           type_of(block));
}

static void add_paragraph(struct buf *out, const char *text, size_t len) {
    if (len == 0) return;
    if (out->len > 0) (void)buf_add_str(out, "\n\n");
    (void)buf_add(out, text, len);
}

/* ---- text ---- */

/* The text of a block that is one: text, a document of text, a found tool's name. */
static bool block_text(yyjson_val *block, yyjson_val **ret_text) {
    *ret_text = NULL;
    if (is_type(block, "text")) *ret_text = yyjson_obj_get(block, "text");
    if (is_type(block, "tool_reference")) *ret_text = yyjson_obj_get(block, "tool_name");
    if (is_type(block, "document")) {
        yyjson_val *source = yyjson_obj_get(block, "source");
        if (is_type(source, "text")) *ret_text = yyjson_obj_get(source, "data");
    }
    return yyjson_is_str(*ret_text);
}

bool anthropic_text_of(struct translation *t, yyjson_val *content, struct buf *out) {
    yyjson_val *block, *text;
    size_t i, count;
    if (yyjson_is_str(content)) {
        return buf_add(out, yyjson_get_str(content), yyjson_get_len(content));
    }
    if (!yyjson_is_arr(content)) {
        return error_set(t->err, ERR_INVALID_REQUEST,
                         "It must be a string or an array of blocks, not %s.",
                         json_type_phrase(content));
    }
    yyjson_arr_foreach(content, i, count, block) {
        if (!block_text(block, &text)) return block_refuse(t, block);
        if (strncmp(yyjson_get_str(text), billing, sizeof billing - 1) == 0) continue;
        add_paragraph(out, yyjson_get_str(text), yyjson_get_len(text));
    }
    return true;
}

/* ---- the neutral list ---- */

static yyjson_mut_val *message_add(struct translation *t, const char *role) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(t->doc, t->out);
    yyjson_mut_obj_add_str(t->doc, message, "role", role);
    return message;
}

static bool role_is(yyjson_mut_val *message, const char *role) {
    return yyjson_mut_equals_str(yyjson_mut_obj_get(message, "role"), role);
}

/* Text of the user; goes on a text of the user just before. */
static void user_add(struct translation *t, const struct buf *text) {
    yyjson_mut_val *last = yyjson_mut_arr_get_last(t->out);
    yyjson_mut_val *before = role_is(last, "user") ? yyjson_mut_obj_get(last, "content") : NULL;
    struct buf whole = BUF_INIT(TEXT_MAX);
    if (yyjson_mut_is_str(before)) {
        (void)buf_add(&whole, yyjson_mut_get_str(before), yyjson_mut_get_len(before));
        (void)yyjson_mut_obj_remove_key(last, "content");
    } else {
        last = message_add(t, "user");
    }
    add_paragraph(&whole, text->data, text->len);
    yyjson_mut_obj_add_strncpy(t->doc, last, "content", buf_str(&whole), whole.len);
    buf_clear(&whole);
}

/* ---- what a user sends ---- */

/* {"type":"base64","media_type","data"} or {"type":"url","url"}. */
static bool image_add(struct translation *t, yyjson_val *block, yyjson_mut_val *parts) {
    yyjson_val *source = yyjson_obj_get(block, "source");
    const char *media = json_find_str(source, "media_type"), *data = NULL;
    struct buf url = BUF_INIT(TEXT_MAX);
    if (is_type(source, "base64") && media) {
        data = json_find_str(source, "data");
        (void)buf_addf(&url, "data:%.100s;base64,", media);
    } else if (is_type(source, "url")) {
        data = json_find_str(source, "url");
    }
    if (data && buf_add_str(&url, data)) {
        yyjson_mut_val *part = yyjson_mut_arr_add_obj(t->doc, parts);
        yyjson_mut_obj_add_str(t->doc, part, "type", "image_url");
        yyjson_mut_val *image = yyjson_mut_obj_add_obj(t->doc, part, "image_url");
        yyjson_mut_obj_add_strncpy(t->doc, image, "url", url.data, url.len);
    }
    buf_clear(&url);
    if (data) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, "source",
                           "'source' must be {\"type\": \"base64\", \"media_type\": \"...\", "
                           "\"data\": \"...\"} or {\"type\": \"url\", \"url\": \"...\"}.");
}

/* A message with images is a list of parts and stays by itself. */
static bool pictures_add(struct translation *t, yyjson_val *blocks) {
    yyjson_val *block, *text;
    size_t i, count;
    yyjson_mut_val *parts = yyjson_mut_obj_add_arr(t->doc, message_add(t, "user"), "content");
    yyjson_arr_foreach(blocks, i, count, block) {
        if (is_type(block, "tool_result")) continue;
        if (is_type(block, "image")) {
            if (!image_add(t, block, parts))
                return translation_error_inside_item(t->err, "content", i);
            continue;
        }
        if (!block_text(block, &text)) return block_refuse(t, block);
        yyjson_mut_val *part = yyjson_mut_arr_add_obj(t->doc, parts);
        yyjson_mut_obj_add_str(t->doc, part, "type", "text");
        yyjson_mut_obj_add_val(t->doc, part, "text", yyjson_val_mut_copy(t->doc, text));
    }
    return true;
}

static bool result_add(struct translation *t, yyjson_val *block) {
    yyjson_val *content = yyjson_obj_get(block, "content");
    const char *id = json_find_str(block, "tool_use_id");
    struct buf text = BUF_INIT(TEXT_MAX);
    if (!id) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_use_id",
                               "'tool_use_id' is missing; send the id of the tool_use.");
    }
    if (yyjson_is_true(yyjson_obj_get(block, "is_error"))) (void)buf_add_str(&text, "Error: ");
    bool ok = !content || yyjson_is_null(content) || anthropic_text_of(t, content, &text);
    if (ok) {
        yyjson_mut_val *message = message_add(t, "tool");
        yyjson_mut_obj_add_strcpy(t->doc, message, "tool_call_id", id);
        yyjson_mut_obj_add_strncpy(t->doc, message, "content", buf_str(&text), text.len);
    }
    buf_clear(&text);
    return ok;
}

/* Results first, which the template wants right behind the calls; then the words. */
static bool user_blocks(struct translation *t, yyjson_val *blocks) {
    yyjson_val *block, *text;
    size_t i, count;
    bool pictures = false;
    struct buf words = BUF_INIT(TEXT_MAX);
    yyjson_arr_foreach(blocks, i, count, block) {
        pictures = pictures || is_type(block, "image");
        if (is_type(block, "tool_result")) {
            if (result_add(t, block)) continue;
        } else if (is_type(block, "image")) {
            continue;
        } else if (block_text(block, &text)) {
            add_paragraph(&words, yyjson_get_str(text), yyjson_get_len(text));
            continue;
        } else {
            (void)block_refuse(t, block);
        }
        buf_clear(&words);
        return translation_error_inside_item(t->err, "content", i);
    }
    if (!pictures && words.len > 0) user_add(t, &words);
    buf_clear(&words);
    return !pictures || pictures_add(t, blocks);
}

/* ---- what the model said ---- */

static void call_add(struct translation *t, yyjson_val *block, yyjson_mut_val *message) {
    yyjson_mut_val *calls = yyjson_mut_obj_get(message, "tool_calls");
    if (!calls) calls = yyjson_mut_obj_add_arr(t->doc, message, "tool_calls");
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(t->doc, calls);
    const char *id = json_find_str(block, "id"), *name = json_find_str(block, "name");
    yyjson_val *input = yyjson_obj_get(block, "input");
    struct buf arguments = BUF_INIT(TEXT_MAX);
    if (!yyjson_is_obj(input) || !json_write_val(input, &arguments)) {
        buf_clear(&arguments);
        (void)buf_add_str(&arguments, "{}");
    }
    if (id) yyjson_mut_obj_add_strcpy(t->doc, call, "id", id);
    yyjson_mut_obj_add_str(t->doc, call, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(t->doc, call, "function");
    yyjson_mut_obj_add_strcpy(t->doc, function, "name", name ? name : "");
    yyjson_mut_obj_add_strncpy(t->doc, function, "arguments", arguments.data, arguments.len);
    buf_clear(&arguments);
}

/* The text so far, without what Anthropic's own servers did in between. */
static void assistant_block(struct translation *t, yyjson_val *block, yyjson_mut_val *message,
                            struct buf *words) {
    yyjson_val *text;
    if (is_type(block, "tool_use")) {
        call_add(t, block, message);
    } else if (is_type(block, "thinking")) {
        yyjson_val *thought = yyjson_obj_get(block, "thinking");
        if (!yyjson_is_str(thought) || yyjson_get_len(thought) == 0) return;
        if (yyjson_mut_obj_get(message, "reasoning_content")) return;
        yyjson_mut_obj_add_val(t->doc, message, "reasoning_content",
                               yyjson_val_mut_copy(t->doc, thought));
    } else if (block_text(block, &text)) {
        add_paragraph(words, yyjson_get_str(text), yyjson_get_len(text));
    }
}

static bool assistant_add(struct translation *t, yyjson_val *content) {
    yyjson_mut_val *message = message_add(t, "assistant");
    yyjson_val *block;
    size_t i, count;
    struct buf words = BUF_INIT(TEXT_MAX);
    if (yyjson_is_str(content)) {
        (void)buf_add(&words, yyjson_get_str(content), yyjson_get_len(content));
    }
    yyjson_arr_foreach(content, i, count, block) assistant_block(t, block, message, &words);
    if (words.len == 0 && yyjson_mut_obj_get(message, "tool_calls")) {
        yyjson_mut_obj_add_null(t->doc, message, "content");
    } else {
        yyjson_mut_obj_add_strncpy(t->doc, message, "content", buf_str(&words), words.len);
    }
    buf_clear(&words);
    return true;
}

/* ---- the whole ---- */

static bool system_add(struct translation *t, yyjson_val *content) {
    struct buf text = BUF_INIT(TEXT_MAX);
    bool ok = anthropic_text_of(t, content, &text);
    if (ok && text.len > 0) {
        if (yyjson_mut_arr_size(t->out) > 0) {
            user_add(t, &text);
        } else {
            yyjson_mut_obj_add_strncpy(t->doc, message_add(t, "system"), "content", text.data,
                                       text.len);
        }
    }
    buf_clear(&text);
    return ok;
}

static bool user_text_add(struct translation *t, yyjson_val *content) {
    struct buf text = BUF_INIT(TEXT_MAX);
    bool ok = anthropic_text_of(t, content, &text);
    if (ok) user_add(t, &text);
    buf_clear(&text);
    return ok;
}

static bool message_translate(struct translation *t, yyjson_val *message) {
    const char *role = NULL;
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (!yyjson_is_obj(message)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A message must be an object, not %s.",
                         json_type_phrase(message));
    }
    if (!json_read_str(message, "role", &role, t->err)) return false;
    if (role && !yyjson_is_str(content) && !yyjson_is_arr(content)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "content",
                               "'content' must be a string or an array of blocks, not %s.",
                               json_type_phrase(content));
    }
    if (role && strcmp(role, "assistant") == 0) return assistant_add(t, content);
    if (role && strcmp(role, "system") == 0) return system_add(t, content);
    if (role && strcmp(role, "user") == 0) {
        return yyjson_is_arr(content) ? user_blocks(t, content) : user_text_add(t, content);
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "role",
                           "'role' must be \"user\", \"assistant\" or \"system\".");
}

bool anthropic_translate_messages(struct translation *t) {
    yyjson_val *messages = NULL, *message, *system = translation_field(t, "system");
    size_t i, count;
    struct translation list = translation_into(
        t, t->in, yyjson_mut_obj_add_arr(t->doc, t->out, "messages"));
    if (!json_read_array(t->in, "messages", &messages, t->err)) return false;
    if (yyjson_arr_size(messages) == 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "messages",
                               "'messages' must hold at least one message.");
    }
    if (system && !system_add(&list, system)) return translation_error_inside(t->err, "system");
    yyjson_arr_foreach(messages, i, count, message) {
        if (message_translate(&list, message)) continue;
        return translation_error_inside_item(t->err, "messages", i);
    }
    return true;
}
