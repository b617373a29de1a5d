/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "api/openai/form.h"
#include "api/write.h"

static void chat_add_opening(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index) {
    yyjson_mut_obj_add_int(doc, choice, "index", index);
    yyjson_mut_val *delta = yyjson_mut_obj_add_obj(doc, choice, "delta");
    yyjson_mut_obj_add_str(doc, delta, "role", "assistant");
    yyjson_mut_obj_add_str(doc, delta, "content", "");
    yyjson_mut_obj_add_null(doc, delta, "refusal");
}

/* Clients send the id back with the tool's result, so each call of a conversation needs its
 * own; many chat formats have none. */
static void add_call_id(yyjson_mut_doc *doc, yyjson_mut_val *call, const char *id,
                        const char *reply_id, int index) {
    char made[96];
    if (id && *id) {
        yyjson_mut_obj_add_str(doc, call, "id", id);
        return;
    }
    snprintf(made, sizeof made, "call_%s_%d", reply_id, index);
    yyjson_mut_obj_add_strcpy(doc, call, "id", made);
}

static void add_call_piece(yyjson_mut_doc *doc, yyjson_mut_val *list,
                           const struct tool_call_piece *piece, const char *reply_id) {
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_int(doc, call, "index", piece->index);
    if (piece->name) {
        add_call_id(doc, call, piece->id, reply_id, piece->index);
        yyjson_mut_obj_add_str(doc, call, "type", "function");
    }
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(doc, call, "function");
    if (piece->name) yyjson_mut_obj_add_str(doc, function, "name", piece->name);
    const char *arguments = piece->arguments ? piece->arguments : "";
    yyjson_mut_obj_add_str(doc, function, "arguments", arguments);
}

static void chat_add_piece(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                           const struct service_event *ev, const char *reply_id) {
    yyjson_mut_obj_add_int(doc, choice, "index", index);
    yyjson_mut_val *delta = yyjson_mut_obj_add_obj(doc, choice, "delta");
    if (ev->reasoning) yyjson_mut_obj_add_str(doc, delta, "reasoning_content", ev->reasoning);
    if (ev->content) yyjson_mut_obj_add_str(doc, delta, "content", ev->content);
    if (ev->call_count == 0) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, delta, "tool_calls");
    for (int i = 0; i < ev->call_count; i++) add_call_piece(doc, list, &ev->calls[i], reply_id);
}

static void add_whole_call(yyjson_mut_doc *doc, yyjson_mut_val *list,
                           const struct choice_call *from, const char *reply_id, int index) {
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(doc, list);
    add_call_id(doc, call, from->id, reply_id, index);
    yyjson_mut_obj_add_str(doc, call, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(doc, call, "function");
    yyjson_mut_obj_add_str(doc, function, "name", from->name ? from->name : "");
    yyjson_mut_obj_add_str(doc, function, "arguments", buf_str(&from->arguments));
}

static void chat_add_whole(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                           const struct choice *from, const char *reply_id) {
    yyjson_mut_obj_add_int(doc, choice, "index", index);
    yyjson_mut_val *message = yyjson_mut_obj_add_obj(doc, choice, "message");
    yyjson_mut_obj_add_str(doc, message, "role", "assistant");
    /* Calls alone: null, as OpenAI has it. */
    bool silent = from->text.len == 0 && from->call_count > 0;
    add_text_or_null(doc, message, "content", silent ? NULL : buf_str(&from->text));
    yyjson_mut_obj_add_null(doc, message, "refusal"); /* what a model declines it says */
    if (from->reasoning.len) {
        yyjson_mut_obj_add_str(doc, message, "reasoning_content", buf_str(&from->reasoning));
    }
    if (from->call_count == 0) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, message, "tool_calls");
    for (int i = 0; i < from->call_count; i++) {
        add_whole_call(doc, list, &from->calls[i], reply_id, i);
    }
}

static yyjson_mut_val *chat_format_logprobs(yyjson_mut_doc *doc, yyjson_mut_val *entries,
                                            int64_t *offset) {
    (void)offset;
    yyjson_mut_val *wrap = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, wrap, "content", entries);
    yyjson_mut_obj_add_null(doc, wrap, "refusal");
    return wrap;
}

const struct openai_form openai_chat_form = {
    .id_prefix = "chatcmpl-",
    .object = "chat.completion",
    .chunk_object = "chat.completion.chunk",
    .add_opening = chat_add_opening,
    .add_piece = chat_add_piece,
    .add_whole = chat_add_whole,
    .format_logprobs = chat_format_logprobs,
};
