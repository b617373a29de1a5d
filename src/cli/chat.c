/* SPDX-License-Identifier: MIT */
#include "cli/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/body.h"
#include "cli/chat_reply.h"

enum { MAX_BODY = 64 << 20 };

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
    *chat = (struct chat){ .cli = cli, .options = *options, .body = yyjson_mut_doc_new(NULL) };
    yyjson_mut_doc *doc = chat->body;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    if (options->model) yyjson_mut_obj_add_str(doc, root, "model", options->model);
    yyjson_mut_obj_add_bool(doc, root, "stream", true);
    body_add_ttl(doc, &options->ttl);
    if (options->stats) {
        yyjson_mut_val *stream = yyjson_mut_obj_add_obj(doc, root, "stream_options");
        yyjson_mut_obj_add_bool(doc, stream, "include_usage", true);
    }
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

/* The figures are in LM Studio's dialect only; the rest is the same. */
static enum outcome exchange(struct chat *chat, struct chat_reply *reply, int cancel_fd,
                             struct error *err) {
    struct buf body = BUF_INIT(MAX_BODY), answer = BUF_INIT(CLIENT_MAX_BODY);
    struct call call = {
        .method = "POST",
        .path = chat->options.stats ? "/api/v0/chat/completions" : "/v1/chat/completions",
        .on_event = chat_reply_on_event,
        .ctx = reply,
        .cancel_fd = cancel_fd,
    };
    enum outcome outcome = OUTCOME_REFUSED;
    if (json_write(chat->body, &body)) {
        call.body = buf_str(&body);
        outcome = client_call(chat->cli, &call, &answer, err);
    } else {
        error_set(err, ERR_TOO_LARGE, "The conversation is larger than %d MB; begin a new one.",
                  MAX_BODY >> 20);
    }
    buf_clear(&body);
    buf_clear(&answer);
    if (outcome != OUTCOME_DONE || !reply->failed) return outcome;
    *err = reply->err;
    return OUTCOME_REFUSED;
}

enum outcome chat_ask(struct chat *chat, const char *text, size_t len, int cancel_fd,
                      struct error *err) {
    struct chat_reply reply;
    chat_reply_init(&reply, chat->options.model);
    add_message(chat, "user", text, len);
    enum outcome outcome = exchange(chat, &reply, cancel_fd, err);
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
