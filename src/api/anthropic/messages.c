/* SPDX-License-Identifier: MIT */
/*
 * messages.c - the conversation of a Messages body as OpenAI's messages, which templates know.
 *
 * One message of Anthropic's may become several: each tool_result is a message of its own, and
 * the text beside it follows. See conversation.h for system messages in mid-conversation, which
 * Claude Code sends.
 */
#include <string.h>

#include "api/anthropic/translate.h"
#include "api/conversation.h"
#include "base/buf.h"
#include "base/json.h"

/* The first block of Claude Code's system text changes with its version and is no prompt. */
static const char billing[] = "x-anthropic-billing-header:";

static bool is_type(yyjson_val *block, const char *type) {
    return yyjson_equals_str(yyjson_obj_get(block, "type"), type);
}

static bool block_refuse(struct translation *t, yyjson_val *block) {
    if (!yyjson_is_obj(block)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "A block must be an object, not %s.",
                         json_type_phrase(block));
    }
    return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                           "Blocks of type \"%.40s\" are not supported here; send text.",
                           json_find_text(block, "type"));
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

/* Append a content: a string as it is, text blocks with empty lines between. */
static bool text_of(struct translation *t, yyjson_val *content, struct buf *out) {
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
        conversation_add_paragraph(out, yyjson_get_str(text), yyjson_get_len(text));
    }
    return true;
}

/* ---- what a user sends ---- */

/* {"type":"base64","media_type","data"} or {"type":"url","url"}. */
static bool image_add(struct translation *t, yyjson_val *block, yyjson_mut_val *parts) {
    yyjson_val *source = yyjson_obj_get(block, "source");
    const char *media = json_find_str(source, "media_type"), *data = NULL;
    struct buf url = BUF_INIT(TRANSLATION_TEXT_MAX);
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
    const struct conversation c = conversation_into(t);
    yyjson_val *block, *text;
    size_t i, count;
    yyjson_mut_val *parts = yyjson_mut_obj_add_arr(t->doc, conversation_add(&c, "user"),
                                                   "content");
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

/* Claude Code's Read answers with an image, which must not end the conversation. */
static bool result_text_of(struct translation *t, yyjson_val *content, struct buf *out) {
    yyjson_val *block, *text;
    size_t i, count;
    if (!yyjson_is_arr(content)) return text_of(t, content, out);
    yyjson_arr_foreach(content, i, count, block) {
        if (is_type(block, "image"))
            conversation_add_paragraph(out, CONVERSATION_IMAGE, strlen(CONVERSATION_IMAGE));
        else if (block_text(block, &text))
            conversation_add_paragraph(out, yyjson_get_str(text), yyjson_get_len(text));
        else
            return block_refuse(t, block);
    }
    return true;
}

static bool result_add(struct translation *t, yyjson_val *block) {
    yyjson_val *content = yyjson_obj_get(block, "content");
    const char *id = json_find_str(block, "tool_use_id");
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!id) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "tool_use_id",
                               "'tool_use_id' is missing; send the id of the tool_use.");
    }
    if (yyjson_is_true(yyjson_obj_get(block, "is_error"))) (void)buf_add_str(&text, "Error: ");
    bool ok = !content || yyjson_is_null(content) || result_text_of(t, content, &text);
    const struct conversation c = conversation_into(t);
    if (ok) conversation_add_result(&c, id, buf_str(&text), text.len);
    buf_clear(&text);
    return ok;
}

/* Results first, which the template wants right behind the calls; then the words. */
static bool user_blocks(struct translation *t, yyjson_val *blocks) {
    yyjson_val *block, *text;
    size_t i, count;
    bool pictures = false;
    struct buf words = BUF_INIT(TRANSLATION_TEXT_MAX);
    yyjson_arr_foreach(blocks, i, count, block) {
        pictures = pictures || is_type(block, "image");
        if (is_type(block, "tool_result")) {
            if (result_add(t, block)) continue;
        } else if (is_type(block, "image")) {
            continue;
        } else if (block_text(block, &text)) {
            conversation_add_paragraph(&words, yyjson_get_str(text), yyjson_get_len(text));
            continue;
        } else {
            (void)block_refuse(t, block);
        }
        buf_clear(&words);
        return translation_error_inside_item(t->err, "content", i);
    }
    const struct conversation c = conversation_into(t);
    if (!pictures && words.len > 0) conversation_add_user(&c, words.data, words.len);
    buf_clear(&words);
    return !pictures || pictures_add(t, blocks);
}

/* ---- what the model said ---- */

static void call_add(struct translation *t, yyjson_val *block, yyjson_mut_val *message) {
    const struct conversation c = conversation_into(t);
    const char *name = json_find_str(block, "name");
    yyjson_val *input = yyjson_obj_get(block, "input");
    struct buf arguments = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!yyjson_is_obj(input) || !json_write_val(input, &arguments)) {
        buf_clear(&arguments);
        (void)buf_add_str(&arguments, "{}");
    }
    conversation_add_call(&c, message, json_find_str(block, "id"), name ? name : "",
                          buf_str(&arguments));
    buf_clear(&arguments);
}

/* Without what Anthropic's own servers did in between. */
static void assistant_block(struct translation *t, yyjson_val *block, yyjson_mut_val *message) {
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
        const struct conversation c = conversation_into(t);
        conversation_set_text(&c, message, yyjson_get_str(text), yyjson_get_len(text));
    }
}

static bool assistant_add(struct translation *t, yyjson_val *content) {
    const struct conversation c = conversation_into(t);
    yyjson_mut_val *message = conversation_add(&c, "assistant");
    yyjson_val *block;
    size_t i, count;
    if (yyjson_is_str(content)) {
        conversation_set_text(&c, message, yyjson_get_str(content), yyjson_get_len(content));
    }
    yyjson_arr_foreach(content, i, count, block) assistant_block(t, block, message);
    if (!yyjson_mut_obj_get(message, "content")) conversation_set_text(&c, message, "", 0);
    return true;
}

/* ---- the whole ---- */

static bool system_add(struct translation *t, yyjson_val *content) {
    const struct conversation c = conversation_into(t);
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    bool ok = text_of(t, content, &text);
    if (ok) conversation_add_system(&c, buf_str(&text), text.len);
    buf_clear(&text);
    return ok;
}

static bool user_text_add(struct translation *t, yyjson_val *content) {
    const struct conversation c = conversation_into(t);
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    bool ok = text_of(t, content, &text);
    if (ok) conversation_add_user(&c, buf_str(&text), text.len);
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
