/* SPDX-License-Identifier: MIT */
#include "cli/chat.h"

#include <stdlib.h>
#include <string.h>

#include "api/sampling_range.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "cli/body.h"
#include "cli/chat_file.h"
#include "cli/chat_reply.h"
#include "cli/closest.h"

struct chat {
    const struct cli *cli;
    const char *model;
    char *system; /* NULL: none */
    bool stats;
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
    *chat = (struct chat){ .cli = cli, .model = options->model, .body = doc };
    if (options->model) yyjson_mut_obj_add_str(doc, root, "model", options->model);
    yyjson_mut_obj_add_bool(doc, root, "stream", true);
    body_add_ttl(doc, &options->ttl);
    yyjson_mut_val *stream = yyjson_mut_obj_add_obj(doc, root, "stream_options");
    yyjson_mut_obj_add_bool(doc, stream, "include_progress", true);
    chat->messages = yyjson_mut_obj_add_arr(doc, root, "messages");
    chat_set_stats(chat, options->stats);
    chat_set_system(chat, options->system);
    return chat;
}

void chat_free(struct chat *chat) {
    yyjson_mut_doc_free(chat->body);
    free(chat->system);
    free(chat);
}

void chat_forget(struct chat *chat) {
    yyjson_mut_arr_clear(chat->messages);
    if (chat->system) add_message(chat, "system", chat->system, strlen(chat->system));
}

/* --- options --- */

const char *chat_model(const struct chat *chat) {
    return chat->model ? chat->model : "doze";
}

const char *chat_system(const struct chat *chat) {
    return chat->system;
}

/* The system message is the first one. */
void chat_set_system(struct chat *chat, const char *text) {
    if (chat->system) yyjson_mut_arr_remove_first(chat->messages);
    free(chat->system);
    chat->system = text ? xstrdup(text) : NULL;
    if (!text) return;
    add_message(chat, "system", text, strlen(text));
    yyjson_mut_arr_prepend(chat->messages, yyjson_mut_arr_remove_last(chat->messages));
}

bool chat_stats(const struct chat *chat) {
    return chat->stats;
}

void chat_set_stats(struct chat *chat, bool on) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chat->body);
    yyjson_mut_val *stream = yyjson_mut_obj_get(root, "stream_options");
    chat->stats = on;
    yyjson_mut_obj_remove_key(stream, "include_usage");
    if (on) yyjson_mut_obj_add_bool(chat->body, stream, "include_usage", true);
}

/* --- sampling --- */

static const char *const samplings[][2] = {
    { "temperature", "how much the answers vary: 0 to 5" },
    { "top_p", "only tokens of this share of probability: 0 to 1" },
    { "top_k", "only this many of the likeliest tokens; 0: all" },
    { "min_p", "only tokens of this share of the likeliest: 0 to 1" },
    { "repeat_penalty", "makes repeated tokens less likely: 0.01 to 10" },
    { "presence_penalty", "makes tokens that were used less likely: -2 to 2" },
    { "frequency_penalty", "the same, with each use: -2 to 2" },
    { "max_tokens", "longest answer; -1: to the end of the context" },
    { "seed", "the same seed gives the same answer" },
};
enum { SAMPLING_COUNT = sizeof samplings / sizeof samplings[0] };

/* As the server would, but before an answer is asked for. */
static bool is_admitted(const char *name, yyjson_val *number, const char *text,
                        struct error *err) {
    const struct sampling_range *range = sampling_range_find(name);
    if (!yyjson_is_num(number)) {
        return error_set(err, ERR_INVALID_REQUEST, "%s takes a number or none, not '%.80s'.",
                         name, text);
    }
    return !range || sampling_range_admits(range, number, err);
}

static bool set_number(struct chat *chat, const char *name, const char *value,
                       struct error *err) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chat->body);
    struct error ignored;
    bool none = strcmp(value, "none") == 0;
    yyjson_doc *json = none ? NULL : json_parse(value, strlen(value), &ignored);
    yyjson_val *number = yyjson_doc_get_root(json);
    bool ok = none || is_admitted(name, number, value, err);
    if (ok) yyjson_mut_obj_remove_key(root, name);
    if (ok && number) {
        yyjson_mut_obj_add_val(chat->body, root, name, yyjson_val_mut_copy(chat->body, number));
    }
    yyjson_doc_free(json);
    return ok;
}

static bool refuse_name(const char *name, struct error *err) {
    const char *names[SAMPLING_COUNT];
    struct buf close = BUF_INIT(256);
    for (size_t i = 0; i < SAMPLING_COUNT; i++) names[i] = samplings[i][0];
    closest_add(name, names, SAMPLING_COUNT, &close);
    if (close.len)
        error_set(err, ERR_NOT_FOUND, "There is no setting '%.80s'; did you mean %s?", name,
                  buf_str(&close));
    else
        error_set(err, ERR_NOT_FOUND, "There is no setting '%.80s'; /set lists them.", name);
    buf_clear(&close);
    return false;
}

bool chat_set(struct chat *chat, const char *name, const char *value, struct error *err) {
    for (size_t i = 0; i < SAMPLING_COUNT; i++) {
        if (strcmp(name, samplings[i][0]) == 0) {
            return set_number(chat, samplings[i][0], value, err);
        }
    }
    return refuse_name(name, err);
}

void chat_add_settings(const struct chat *chat, struct buf *out) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(chat->body);
    for (size_t i = 0; i < SAMPLING_COUNT; i++) {
        yyjson_mut_val *val = yyjson_mut_obj_get(root, samplings[i][0]);
        char *text = val ? yyjson_mut_val_write(val, 0, NULL) : NULL;
        buf_addf(out, "  %-18s %-8s %s\n", samplings[i][0], text ? text : "-", samplings[i][1]);
        free(text);
    }
}

/* --- asking --- */

/* Only LM Studio's dialect has the figures; the rest is the same. */
static enum outcome chat_call(struct chat *chat, struct chat_reply *reply, int cancel_fd,
                              struct error *err) {
    struct call call = {
        .method = "POST",
        .path = chat->stats ? "/api/v0/chat/completions" : "/v1/chat/completions",
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
    chat_reply_init(&reply, chat->cli, chat->model);
    add_message(chat, "user", text, len);
    enum outcome outcome = chat_call(chat, &reply, cancel_fd, err);
    chat_reply_end(&reply);
    if (outcome == OUTCOME_DONE || (outcome == OUTCOME_CANCELLED && reply.text.len > 0)) {
        add_message(chat, "assistant", buf_str(&reply.text), reply.text.len);
    } else {
        yyjson_mut_arr_remove_last(chat->messages);
    }
    if (outcome == OUTCOME_DONE && chat->stats) chat_reply_print_stats(&reply);
    chat_reply_clear(&reply);
    return outcome;
}

/* --- files --- */

size_t chat_message_count(const struct chat *chat) {
    return yyjson_mut_arr_size(chat->messages);
}

bool chat_save(const struct chat *chat, const char *path, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (chat->model) yyjson_mut_obj_add_str(doc, root, "model", chat->model);
    yyjson_mut_obj_add_val(doc, root, "messages", yyjson_mut_val_mut_copy(doc, chat->messages));
    bool saved = chat_file_write(path, doc, err);
    yyjson_mut_doc_free(doc);
    return saved;
}

bool chat_load(struct chat *chat, const char *path, struct error *err) {
    yyjson_doc *doc = chat_file_read(path, err);
    if (!doc) return false;
    yyjson_val *messages = yyjson_obj_get(yyjson_doc_get_root(doc), "messages"), *message;
    size_t i, max;
    free(chat->system);
    chat->system = NULL;
    yyjson_mut_arr_clear(chat->messages);
    yyjson_arr_foreach(messages, i, max, message) {
        const char *role = json_find_str(message, "role");
        if (i == 0 && strcmp(role, "system") == 0) {
            chat_set_system(chat, json_find_str(message, "content"));
        } else {
            yyjson_mut_arr_append(chat->messages, yyjson_val_mut_copy(chat->body, message));
        }
    }
    yyjson_doc_free(doc);
    return true;
}
