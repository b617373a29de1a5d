/* SPDX-License-Identifier: MIT */
/*
 * input.c - the items of a Responses body as the messages of a chat.
 *
 * An item is a message, a call of a tool, its result, or a thought. Calls and thoughts belong
 * to the assistant's message that is being put together; results follow it.
 */
#include <string.h>

#include "api/conversation.h"
#include "api/responses/item.h"
#include "api/responses/translate.h"
#include "base/buf.h"
#include "base/json.h"

/* ---- content: a string, or parts ---- */

static bool is_text_part(yyjson_val *part) {
    static const char *const types[] = { "input_text", "output_text", "text", "reasoning_text",
                                         "summary_text" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (item_is_type(part, types[i])) return yyjson_is_str(yyjson_obj_get(part, "text"));
    }
    return false;
}

static bool part_refuse(struct translation *t, yyjson_val *part) {
    const char *type = json_find_str(part, "type");
    return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                           "Parts of type \"%.40s\" are not supported here; send text.",
                           type ? type : "");
}

static bool text_of(struct translation *t, yyjson_val *content, struct buf *out) {
    yyjson_val *part;
    size_t i, count;
    if (yyjson_is_str(content)) {
        return buf_add(out, yyjson_get_str(content), yyjson_get_len(content));
    }
    yyjson_arr_foreach(content, i, count, part) {
        yyjson_val *text = yyjson_obj_get(part, "text");
        if (item_is_type(part, "refusal"))
            text = yyjson_obj_get(part, "refusal");
        else if (!is_text_part(part))
            return part_refuse(t, part);
        conversation_add_paragraph(out, yyjson_get_str(text), yyjson_get_len(text));
    }
    return true;
}

/* Codex's view_image answers with an image, which must not end the conversation. */
static bool result_text_of(struct translation *t, yyjson_val *output, struct buf *out) {
    yyjson_val *part;
    size_t i, count;
    if (!yyjson_is_arr(output)) return text_of(t, output, out);
    yyjson_arr_foreach(output, i, count, part) {
        yyjson_val *text = yyjson_obj_get(part, "text");
        bool image = item_is_type(part, "input_image");
        if (!image && !is_text_part(part)) return part_refuse(t, part);
        if (image)
            conversation_add_paragraph(out, CONVERSATION_IMAGE, strlen(CONVERSATION_IMAGE));
        else
            conversation_add_paragraph(out, yyjson_get_str(text), yyjson_get_len(text));
    }
    return true;
}

static bool has_image(yyjson_val *content) {
    yyjson_val *part;
    size_t i, count;
    yyjson_arr_foreach(content, i, count, part) {
        if (item_is_type(part, "input_image")) return true;
    }
    return false;
}

/* A user's message with images is a list of parts. */
static bool pictures_add(struct translation *t, yyjson_val *content) {
    const struct conversation c = conversation_into(t);
    yyjson_val *part;
    size_t i, count;
    yyjson_mut_val *parts = yyjson_mut_obj_add_arr(t->doc, conversation_add(&c, "user"),
                                                   "content");
    yyjson_arr_foreach(content, i, count, part) {
        yyjson_val *url = yyjson_obj_get(part, "image_url");
        bool image = item_is_type(part, "input_image") && yyjson_is_str(url);
        if (!image && !is_text_part(part)) return part_refuse(t, part);
        yyjson_mut_val *out = yyjson_mut_arr_add_obj(t->doc, parts);
        yyjson_mut_obj_add_str(t->doc, out, "type", image ? "image_url" : "text");
        if (image) {
            yyjson_mut_val *wrap = yyjson_mut_obj_add_obj(t->doc, out, "image_url");
            yyjson_mut_obj_add_val(t->doc, wrap, "url", yyjson_val_mut_copy(t->doc, url));
        } else {
            yyjson_mut_obj_add_val(t->doc, out, "text",
                                   yyjson_val_mut_copy(t->doc, yyjson_obj_get(part, "text")));
        }
    }
    return true;
}

/* ---- items ---- */

typedef bool item_add(struct translation *t, yyjson_val *item);

static bool message_add(struct translation *t, yyjson_val *item) {
    const struct conversation c = conversation_into(t);
    yyjson_val *content = yyjson_obj_get(item, "content");
    const char *role = json_find_str(item, "role");
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!yyjson_is_str(content) && !yyjson_is_arr(content)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "content",
                               "'content' must be a string or an array of parts, not %s.",
                               json_type_phrase(content));
    }
    if (role && strcmp(role, "user") == 0 && has_image(content)) {
        return pictures_add(t, content);
    }
    bool ok = text_of(t, content, &text);
    if (!ok) {
        buf_clear(&text);
        return false;
    }
    if (role && (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0)) {
        conversation_add_system(&c, buf_str(&text), text.len);
    } else if (role && strcmp(role, "assistant") == 0) {
        conversation_set_text(&c, conversation_assistant(&c), buf_str(&text), text.len);
    } else if (role && strcmp(role, "user") == 0) {
        conversation_add_user(&c, buf_str(&text), text.len);
    } else {
        ok = error_set_param(t->err, ERR_INVALID_REQUEST, "role",
                             "'role' must be \"user\", \"assistant\", \"system\" or "
                             "\"developer\".");
    }
    buf_clear(&text);
    return ok;
}

static bool name_missing(struct translation *t, const char *name) {
    return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                           "'%s' is missing; send it as it was answered.", name);
}

static bool call_add(struct translation *t, yyjson_val *item) {
    const struct conversation c = conversation_into(t);
    const char *name = json_find_str(item, "name"), *id = json_find_str(item, "call_id");
    const char *arguments = json_find_str(item, "arguments");
    if (!name) return name_missing(t, "name");
    if (!id) return name_missing(t, "call_id");
    conversation_add_call(&c, conversation_assistant(&c), id, name,
                          arguments && *arguments ? arguments : "{}");
    return true;
}

/* A custom tool takes a text, which a function has as its only argument (tools.c). */
static bool custom_call_add(struct translation *t, yyjson_val *item) {
    const struct conversation c = conversation_into(t);
    const char *name = json_find_str(item, "name"), *id = json_find_str(item, "call_id");
    const char *input = json_find_str(item, "input");
    struct buf arguments = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!name) return name_missing(t, "name");
    if (!id) return name_missing(t, "call_id");
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "input", input ? input : "");
    json_write_end(doc, &arguments);
    conversation_add_call(&c, conversation_assistant(&c), id, name, buf_str(&arguments));
    buf_clear(&arguments);
    return true;
}

static bool result_add(struct translation *t, yyjson_val *item) {
    const struct conversation c = conversation_into(t);
    const char *id = json_find_str(item, "call_id");
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    if (!id) return name_missing(t, "call_id");
    bool ok = result_text_of(t, yyjson_obj_get(item, "output"), &text);
    if (ok) conversation_add_result(&c, id, buf_str(&text), text.len);
    buf_clear(&text);
    return ok;
}

/* The thought before an answer or a call; a summary where that is all there is. */
static bool reasoning_add(struct translation *t, yyjson_val *item) {
    const struct conversation c = conversation_into(t);
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    bool ok = text_of(t, yyjson_obj_get(item, "content"), &text);
    if (ok && text.len == 0) ok = text_of(t, yyjson_obj_get(item, "summary"), &text);
    if (ok && text.len > 0) {
        yyjson_mut_val *message = conversation_add(&c, "assistant");
        yyjson_mut_obj_add_strncpy(t->doc, message, "reasoning_content", text.data, text.len);
    }
    buf_clear(&text);
    return ok;
}

static bool reference_refuse(struct translation *t, yyjson_val *item) {
    (void)item;
    return error_set_param(t->err, ERR_INVALID_REQUEST, "type",
                           "There is no such stored item; send the item itself.");
}

static const struct {
    const char *type;
    item_add *add;
} kinds[] = {
    { "message", message_add },
    { "function_call", call_add },
    { "function_call_output", result_add },
    { "custom_tool_call", custom_call_add },
    { "custom_tool_call_output", result_add },
    { "reasoning", reasoning_add },
    { "item_reference", reference_refuse },
};

/* Items of other types are about tools that OpenAI runs itself: left out. */
static bool item_translate(struct translation *t, yyjson_val *item) {
    const char *type = json_find_str(item, "type");
    if (!yyjson_is_obj(item)) {
        return error_set(t->err, ERR_INVALID_REQUEST, "An item must be an object, not %s.",
                         json_type_phrase(item));
    }
    if (!type) return message_add(t, item);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].type, type) == 0) return kinds[i].add(t, item);
    }
    return true;
}

/* A thought that no answer followed, and a call whose text is missing, have no content. */
static void fill_contents(const struct conversation *c) {
    yyjson_mut_val *message;
    size_t i, count;
    yyjson_mut_arr_foreach(c->messages, i, count, message) {
        if (!yyjson_mut_obj_get(message, "content")) {
            yyjson_mut_obj_add_str(c->doc, message, "content", "");
        }
    }
}

static bool items_translate(struct translation *t, yyjson_val *input) {
    yyjson_val *item;
    size_t i, count;
    if (!yyjson_is_arr(input)) {
        return translation_wrong_type(t, "input", "a string or an array of items");
    }
    yyjson_arr_foreach(input, i, count, item) {
        if (!item_translate(t, item)) return translation_error_inside_item(t->err, "input", i);
    }
    return true;
}

bool responses_translate_input(struct translation *t) {
    const char *instructions = NULL;
    yyjson_val *input = translation_field(t, "input");
    struct translation list = translation_into(
        t, t->in, yyjson_mut_obj_add_arr(t->doc, t->out, "messages"));
    const struct conversation c = conversation_into(&list);
    if (!json_read_str(t->in, "instructions", &instructions, t->err)) return false;
    if (!input) return translation_missing(t, "input", "a string or an array of items");
    if (instructions) conversation_add_system(&c, instructions, strlen(instructions));
    if (yyjson_is_str(input)) {
        conversation_add_user(&c, yyjson_get_str(input), yyjson_get_len(input));
    } else if (!items_translate(&list, input)) {
        return false;
    }
    if (yyjson_mut_arr_size(c.messages) == 0) conversation_add_user(&c, "", 0);
    fill_contents(&c);
    return true;
}
