/* SPDX-License-Identifier: MIT */
#include "api/conversation.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

yyjson_mut_val *conversation_add(const struct conversation *c, const char *role) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(c->doc, c->messages);
    yyjson_mut_obj_add_str(c->doc, message, "role", role);
    return message;
}

/* The last message if it has this role. */
static yyjson_mut_val *last_of(const struct conversation *c, const char *role) {
    yyjson_mut_val *last = yyjson_mut_arr_get_last(c->messages);
    return yyjson_mut_equals_str(yyjson_mut_obj_get(last, "role"), role) ? last : NULL;
}

/* The message's text, and one more paragraph. */
static void add_paragraph(const struct conversation *c, yyjson_mut_val *message,
                          const char *text, size_t len) {
    yyjson_mut_val *before = yyjson_mut_obj_get(message, "content");
    struct buf whole = BUF_INIT(SIZE_MAX / 2); /* no longer than the body it is from */
    (void)buf_add(&whole, yyjson_mut_get_str(before), yyjson_mut_get_len(before));
    if (whole.len > 0 && len > 0) (void)buf_add_str(&whole, "\n\n");
    (void)buf_add(&whole, text, len);
    (void)yyjson_mut_obj_remove_key(message, "content");
    yyjson_mut_obj_add_strncpy(c->doc, message, "content", buf_str(&whole), whole.len);
    buf_clear(&whole);
}

void conversation_add_user(const struct conversation *c, const char *text, size_t len) {
    yyjson_mut_val *last = last_of(c, "user");
    bool goes_on = last && yyjson_mut_is_str(yyjson_mut_obj_get(last, "content"));
    add_paragraph(c, goes_on ? last : conversation_add(c, "user"), text, len);
}

void conversation_add_system(const struct conversation *c, const char *text, size_t len) {
    if (len == 0) return;
    bool begins = yyjson_mut_arr_size(c->messages) == 0;
    yyjson_mut_val *system = begins ? conversation_add(c, "system") : last_of(c, "system");
    if (system) {
        add_paragraph(c, system, text, len);
    } else {
        conversation_add_user(c, text, len);
    }
}

yyjson_mut_val *conversation_assistant(const struct conversation *c) {
    yyjson_mut_val *last = last_of(c, "assistant");
    return last ? last : conversation_add(c, "assistant");
}

void conversation_set_text(const struct conversation *c, yyjson_mut_val *assistant,
                           const char *text, size_t len) {
    if (len > 0 || !yyjson_mut_obj_get(assistant, "content")) {
        add_paragraph(c, assistant, text, len);
    }
}

void conversation_add_call(const struct conversation *c, yyjson_mut_val *assistant,
                           const char *id, const char *name, const char *arguments) {
    yyjson_mut_val *calls = yyjson_mut_obj_get(assistant, "tool_calls");
    if (!calls) calls = yyjson_mut_obj_add_arr(c->doc, assistant, "tool_calls");
    if (!yyjson_mut_obj_get(assistant, "content")) {
        yyjson_mut_obj_add_null(c->doc, assistant, "content");
    }
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(c->doc, calls);
    if (id) yyjson_mut_obj_add_strcpy(c->doc, call, "id", id);
    yyjson_mut_obj_add_str(c->doc, call, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(c->doc, call, "function");
    yyjson_mut_obj_add_strcpy(c->doc, function, "name", name);
    yyjson_mut_obj_add_strcpy(c->doc, function, "arguments", arguments);
}

void conversation_add_result(const struct conversation *c, const char *id, const char *text,
                             size_t len) {
    yyjson_mut_val *message = conversation_add(c, "tool");
    yyjson_mut_obj_add_strcpy(c->doc, message, "tool_call_id", id);
    yyjson_mut_obj_add_strncpy(c->doc, message, "content", text, len);
}
