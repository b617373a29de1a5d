/* SPDX-License-Identifier: MIT */
#include "cli/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "cli/body.h"
#include "cli/chat_reply.h"

struct chat {
    const struct cli *cli;
    struct chat_options options;
    yyjson_mut_doc *body; /* of the next request; its messages grow */
    yyjson_mut_val *messages;
};

static void add_message(struct chat *chat, const char *role, const char *text, size_t len) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(chat->body, chat->messages);
    yyjson_mut_obj_add_str(chat->body, message, "role", role);
    yyjson_mut_obj_add_strncpy(chat->body, message, "content", text, len);
}

struct chat *chat_new(const struct cli *cli, const struct chat_options *options) {
    struct chat *chat = xcalloc(1, sizeof *chat);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    *chat = (struct chat){ .cli = cli, .options = *options, .body = doc };
    if (options->model) yyjson_mut_obj_add_str(doc, root, "model", options->model);
    yyjson_mut_obj_add_bool(doc, root, "stream", true);
    body_add_ttl(doc, &options->ttl);
    yyjson_mut_val *stream = yyjson_mut_obj_add_obj(doc, root, "stream_options");
    yyjson_mut_obj_add_bool(doc, stream, "include_progress", true);
    if (options->stats) yyjson_mut_obj_add_bool(doc, stream, "include_usage", true);
    chat->messages = yyjson_mut_obj_add_arr(doc, root, "messages");
    chat_forget(chat);
    return chat;
}

void chat_free(struct chat *chat) {
    yyjson_mut_doc_free(chat->body);
    free(chat);
}

void chat_forget(struct chat *chat) {
    const char *system = chat->options.system;
    yyjson_mut_arr_clear(chat->messages);
    if (system) add_message(chat, "system", system, strlen(system));
}

/* Only LM Studio's dialect has the figures; the rest is the same. */
static enum outcome chat_call(struct chat *chat, struct chat_reply *reply, int cancel_fd,
                              struct error *err) {
    struct call call = {
        .method = "POST",
        .path = chat->options.stats ? "/api/v0/chat/completions" : "/v1/chat/completions",
        .body = chat->body,
        .on_event = chat_reply_on_event,
        .ctx = reply,
        .cancel_fd = cancel_fd,
    };
    enum outcome outcome = client_call(chat->cli, &call, NULL, err);
    if (outcome != OUTCOME_DONE || !reply->failed) return outcome;
    *err = reply->err;
    return OUTCOME_REFUSED;
}

enum outcome chat_ask(struct chat *chat, const char *text, size_t len, int cancel_fd,
                      struct error *err) {
    struct chat_reply reply;
    if (!utf8_is_valid(text, len)) {
        error_set(err, ERR_INVALID_REQUEST,
                  "The prompt is not UTF-8 text; convert it, for example with iconv.");
        return OUTCOME_REFUSED;
    }
    chat_reply_init(&reply, chat->cli, chat->options.model);
    add_message(chat, "user", text, len);
    enum outcome outcome = chat_call(chat, &reply, cancel_fd, err);
    chat_reply_end(&reply);
    if (outcome == OUTCOME_DONE || (outcome == OUTCOME_CANCELLED && reply.text.len > 0)) {
        add_message(chat, "assistant", buf_str(&reply.text), reply.text.len);
    } else {
        yyjson_mut_arr_remove_last(chat->messages);
    }
    if (outcome == OUTCOME_DONE && chat->options.stats) chat_reply_print_stats(&reply);
    chat_reply_clear(&reply);
    return outcome;
}
