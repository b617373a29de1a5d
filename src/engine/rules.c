/* SPDX-License-Identifier: MIT */
#include "engine/rules.h"

#include <string.h>

#include "base/json.h"

static bool may_call(const struct request_chat *chat) {
    return chat->tools && !(chat->tool_choice && strcmp(chat->tool_choice, "none") == 0);
}

static bool is_callable(const struct request_chat *chat, yyjson_val *tool) {
    yyjson_val *name = yyjson_obj_get(yyjson_obj_get(tool, "function"), "name");
    return !chat->tool_name || yyjson_equals_str(name, chat->tool_name);
}

/* Beside calls an answer is not kept to its schema by llguidance. */
static void write_tools(const struct request_chat *chat, yyjson_mut_doc *doc,
                        yyjson_mut_val *root) {
    yyjson_mut_val *strict = yyjson_mut_arr(doc);
    yyjson_val *tool;
    size_t i, count;
    if (!may_call(chat)) return;
    yyjson_arr_foreach(chat->tools, i, count, tool) {
        if (yyjson_get_bool(yyjson_obj_get(tool, "strict")) && is_callable(chat, tool))
            yyjson_mut_arr_append(strict, yyjson_val_mut_copy(doc, tool));
    }
    if (yyjson_mut_arr_size(strict) > 0) yyjson_mut_obj_add_val(doc, root, "tools", strict);
    if (chat->schema) yyjson_mut_obj_add_true(doc, root, "calls");
}

/* Passing on more would block the thread that does it. */
static bool are_few_bytes(const struct request_chat *chat) {
    size_t bytes = 0;
    for (size_t i = 0; i < chat->picture_count; i++) bytes += chat->pictures[i].len;
    return bytes <= RULES_PICTURES_MAX;
}

static void write_pictures(const struct request_chat *chat, yyjson_mut_doc *doc,
                           yyjson_mut_val *root) {
    if (chat->picture_count == 0 || !are_few_bytes(chat)) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "pictures");
    for (size_t i = 0; i < chat->picture_count; i++)
        yyjson_mut_arr_add_strn(doc, list, chat->pictures[i].text, chat->pictures[i].len);
}

static void write_text(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name,
                       const char *text) {
    if (text && *text) yyjson_mut_obj_add_str(doc, root, name, text);
}

void rules_write(const struct request_chat *chat, double seconds, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    write_text(doc, root, "template", chat->chat_template);
    write_tools(chat, doc, root);
    write_text(doc, root, "schema", chat->schema);
    write_text(doc, root, "grammar", chat->grammar);
    write_pictures(chat, doc, root);
    if (yyjson_mut_obj_size(root) > 0) {
        yyjson_mut_obj_add_real(doc, root, "seconds", seconds);
        (void)json_write(doc, out);
    }
    yyjson_mut_doc_free(doc);
}
