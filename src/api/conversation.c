/* SPDX-License-Identifier: MIT */
#include "api/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct conversation conversation_into(const struct translation *t) {
    return (struct conversation){ t->doc, t->out };
}

void conversation_add_paragraph(struct buf *out, const char *text, size_t len) {
    if (out->len > 0 && len > 0) (void)buf_add_str(out, "\n\n");
    (void)buf_add(out, text, len);
}

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

/* The bytes that a text of this length has at hand, its end included: a power of two, so that
 * the neighbours of a text of many parts are not all copied for each of them. */
static size_t room_of(size_t len) {
    size_t room = 64;
    if (len == 0) return 0;
    while (room <= len) room *= 2;
    return room;
}

/* Where the message's text is, with room for len bytes. */
static char *text_reserve(const struct conversation *c, yyjson_mut_val *message, size_t len) {
    yyjson_mut_val *before = yyjson_mut_obj_get(message, "content");
    size_t has = yyjson_mut_get_len(before);
    if (len < room_of(has)) return (char *)yyjson_mut_get_str(before);
    char *larger = xcalloc(1, room_of(len) + 1);
    if (has > 0) memcpy(larger, yyjson_mut_get_str(before), has);
    (void)yyjson_mut_obj_remove_key(message, "content");
    yyjson_mut_obj_add_strncpy(c->doc, message, "content", larger, room_of(len));
    free(larger);
    return (char *)yyjson_mut_get_str(yyjson_mut_obj_get(message, "content"));
}

/* The message's text, and one more paragraph. */
static void add_paragraph(const struct conversation *c, yyjson_mut_val *message,
                          const char *text, size_t len) {
    static const char gap[] = "\n\n";
    size_t has = yyjson_mut_get_len(yyjson_mut_obj_get(message, "content"));
    size_t apart = has > 0 && len > 0 ? sizeof gap - 1 : 0;
    char *whole = text_reserve(c, message, has + apart + len);
    memcpy(whole + has, gap, apart);
    if (len > 0) memcpy(whole + has + apart, text, len);
    whole[has + apart + len] = '\0';
    yyjson_mut_set_strn(yyjson_mut_obj_get(message, "content"), whole, has + apart + len);
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
