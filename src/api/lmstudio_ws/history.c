/* SPDX-License-Identifier: MIT */
/* history.c - a ChatHistory becomes the messages of a neutral body: one for each turn, and one
 * for each result of a tool. */
#include "api/lmstudio_ws/history.h"

#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "base/json.h"
#include "base/xalloc.h"

struct writer {
    const struct lmws_history *history;
    yyjson_mut_doc *doc;
    yyjson_mut_val *messages;
    struct error *err;
};

/* ---- the files that it names ---- */

static const struct lmws_file *held_file(const struct lmws_held_files *files,
                                         const char *identifier) {
    for (size_t i = 0; identifier && i < files->count; i++) {
        if (strcmp(files->list[i].identifier, identifier) == 0) return &files->list[i];
    }
    return NULL;
}

static const struct lmws_file *hold_file(struct lmws_history *history, const char *identifier) {
    const struct lmws_host *host = history->host;
    struct lmws_held_files *files = &history->files;
    const struct lmws_file *known = held_file(files, identifier);
    struct lmws_file file;
    if (known || !identifier || !host->file_find(host->self, identifier, &file)) return known;
    host->file_hold(host->self, &file);
    files->list = xrealloc(files->list, (files->count + 1) * sizeof file);
    files->list[files->count] = file;
    return &files->list[files->count++];
}

/* A few bytes of a message name a file, and may name it again and again: counted before any is
 * copied. */
static bool hold_part(struct lmws_history *history, yyjson_val *part, struct error *err) {
    const struct lmws_file *file = hold_file(history, json_find_str(part, "identifier"));
    size_t len = file ? strlen(file->text ? file->text : file->base64) : 0;
    if (!file) return true;
    history->files.bytes += len > LMWS_HISTORY_FILE_MIN ? len : LMWS_HISTORY_FILE_MIN;
    return history->files.bytes <= LMWS_HISTORY_FILES_MAX ||
           error_set(err, ERR_TOO_LARGE,
                     "The files of this conversation have more than %d MB together; send "
                     "fewer or smaller ones.",
                     LMWS_HISTORY_FILES_MAX / 1000000);
}

bool lmws_history_hold(struct lmws_history *history, struct error *err) {
    size_t i, k, count, parts;
    yyjson_val *message, *part;
    yyjson_arr_foreach(yyjson_obj_get(history->history, "messages"), i, count, message) {
        yyjson_arr_foreach(yyjson_obj_get(message, "content"), k, parts, part) {
            if (!hold_part(history, part, err)) return false;
        }
    }
    return true;
}

void lmws_history_release(struct lmws_history *history) {
    const struct lmws_host *host = history->host;
    struct lmws_held_files *files = &history->files;
    for (size_t i = 0; i < files->count; i++) host->file_release(host->self, &files->list[i]);
    free(files->list);
    *files = (struct lmws_held_files){ 0 };
}

/* ---- its messages ---- */

static yyjson_mut_val *copy(struct writer *w, yyjson_val *val) {
    return yyjson_val_mut_copy(w->doc, val);
}

static yyjson_mut_val *message_new(struct writer *w, const char *role) {
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(w->doc, w->messages);
    yyjson_mut_obj_add_strcpy(w->doc, message, "role", role);
    return message;
}

static void add_text_part(struct writer *w, yyjson_mut_val *parts, yyjson_mut_val *text) {
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(w->doc, parts);
    yyjson_mut_obj_add_str(w->doc, part, "type", "text");
    yyjson_mut_obj_add_val(w->doc, part, "text", text);
}

static void add_image(struct writer *w, yyjson_mut_val *parts, const struct lmws_file *file) {
    struct buf url = BUF_INIT(SIZE_MAX / 2); /* not much longer than the upload */
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(w->doc, parts);
    buf_addf(&url, "data:%s;base64,", file->mime);
    buf_add_str(&url, file->base64);
    yyjson_mut_obj_add_str(w->doc, part, "type", "image_url");
    yyjson_mut_val *image = yyjson_mut_obj_add_obj(w->doc, part, "image_url");
    yyjson_mut_obj_add_strncpy(w->doc, image, "url", buf_str(&url), url.len);
    buf_clear(&url);
}

/* The text of a file goes into the message, under its name. */
static void add_text_file(struct writer *w, yyjson_mut_val *parts,
                          const struct lmws_file *file) {
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    buf_addf(&text, "%s:\n", file->name);
    buf_add_str(&text, file->text);
    add_text_part(w, parts, yyjson_mut_strncpy(w->doc, buf_str(&text), text.len));
    buf_clear(&text);
}

static bool add_file(struct writer *w, yyjson_mut_val *parts, yyjson_val *part) {
    const struct lmws_history *history = w->history;
    const char *name = json_find_str(part, "name");
    const struct lmws_file *file = held_file(&history->files,
                                             json_find_str(part, "identifier"));
    if (!file) {
        if (history->shown && name) {
            add_text_file(w, parts, &(struct lmws_file){ .name = name, .text = "" });
            return true;
        }
        return error_set(w->err, ERR_INVALID_REQUEST,
                         "The file '%.80s' is not on this server, which keeps uploads for a "
                         "while only; upload it again.",
                         name ? name : "");
    }
    if (strcmp(file->type, "image") == 0) {
        add_image(w, parts, file);
    } else if (file->text) {
        add_text_file(w, parts, file);
    } else {
        return error_set(w->err, ERR_NOT_SUPPORTED,
                         "Only images and text files can be sent; '%.80s' is neither.",
                         file->name);
    }
    return true;
}

static void add_tool_call(struct writer *w, yyjson_mut_val *message, yyjson_val *request) {
    yyjson_mut_val *calls = yyjson_mut_obj_get(message, "tool_calls");
    yyjson_val *arguments = yyjson_obj_get(request, "arguments");
    yyjson_val *id = yyjson_obj_get(request, "id"), *name = yyjson_obj_get(request, "name");
    if (!calls) calls = yyjson_mut_obj_add_arr(w->doc, message, "tool_calls");
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(w->doc, calls);
    if (yyjson_is_str(id)) yyjson_mut_obj_add_val(w->doc, call, "id", copy(w, id));
    yyjson_mut_obj_add_str(w->doc, call, "type", "function");
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(w->doc, call, "function");
    yyjson_mut_obj_add_val(w->doc, function, "name",
                           yyjson_is_str(name) ? copy(w, name) : yyjson_mut_str(w->doc, ""));
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    if (yyjson_is_obj(arguments)) json_write_val(arguments, &text);
    yyjson_mut_obj_add_strcpy(w->doc, function, "arguments", text.len ? text.data : "{}");
    buf_clear(&text);
}

static void add_tool_result(struct writer *w, yyjson_val *part) {
    static const char *const fields[][2] = { { "toolCallId", "tool_call_id" },
                                             { "name", "name" } };
    yyjson_val *content = yyjson_obj_get(part, "content");
    yyjson_mut_val *message = message_new(w, "tool");
    yyjson_mut_obj_add_val(w->doc, message, "content",
                           yyjson_is_str(content) ? copy(w, content)
                                                  : yyjson_mut_str(w->doc, ""));
    for (size_t i = 0; i < 2; i++) {
        yyjson_val *val = yyjson_obj_get(part, fields[i][0]);
        if (yyjson_is_str(val))
            yyjson_mut_obj_add_val(w->doc, message, fields[i][1], copy(w, val));
    }
}

static bool add_part(struct writer *w, yyjson_mut_val *message, yyjson_mut_val *parts,
                     yyjson_val *part) {
    const char *type = json_find_str(part, "type");
    yyjson_val *text = yyjson_obj_get(part, "text");
    if (!type)
        return error_set(w->err, ERR_INVALID_REQUEST, "A part of a message needs a 'type'.");
    if (strcmp(type, "text") == 0 && yyjson_is_str(text)) {
        add_text_part(w, parts, copy(w, text));
    } else if (strcmp(type, "file") == 0) {
        return add_file(w, parts, part);
    } else if (strcmp(type, "toolCallRequest") == 0) {
        add_tool_call(w, message, yyjson_obj_get(part, "toolCallRequest"));
    } else {
        return error_set(w->err, ERR_NOT_SUPPORTED, "Parts of type '%.40s' are not supported.",
                         type);
    }
    return true;
}

/* Templates expect a plain string for a content of one text. */
static void set_content(struct writer *w, yyjson_mut_val *message, yyjson_mut_val *parts) {
    yyjson_mut_val *first = yyjson_mut_arr_get_first(parts);
    size_t count = yyjson_mut_arr_size(parts);
    yyjson_mut_val *content = parts;
    if (count == 0) content = yyjson_mut_str(w->doc, "");
    if (count == 1 && yyjson_mut_obj_get(first, "text")) {
        content = yyjson_mut_val_mut_copy(w->doc, yyjson_mut_obj_get(first, "text"));
    }
    yyjson_mut_obj_add_val(w->doc, message, "content", content);
}

static bool add_turn(struct writer *w, const char *role, yyjson_val *content) {
    size_t i, max;
    yyjson_val *part;
    yyjson_mut_val *message = message_new(w, role);
    yyjson_mut_val *parts = yyjson_mut_arr(w->doc);
    yyjson_arr_foreach(content, i, max, part) {
        if (!add_part(w, message, parts, part)) return false;
    }
    set_content(w, message, parts);
    return true;
}

static bool add_message(struct writer *w, yyjson_val *message) {
    static const char *const roles[] = { "system", "user", "assistant" };
    const char *role = json_find_str(message, "role");
    yyjson_val *content = yyjson_obj_get(message, "content"), *part;
    size_t i, max;
    if (role && strcmp(role, "tool") == 0) {
        yyjson_arr_foreach(content, i, max, part) {
            add_tool_result(w, part);
        }
        return true;
    }
    for (i = 0; role && i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(roles[i], role) == 0) return add_turn(w, role, content);
    }
    return error_set(
        w->err, ERR_INVALID_REQUEST,
        "The role of a message must be \"system\", \"user\", \"assistant\" or \"tool\".");
}

bool lmws_history_read(const struct lmws_history *history, yyjson_mut_doc *doc,
                       yyjson_mut_val *body, struct error *err) {
    size_t i, max;
    yyjson_val *message;
    yyjson_val *system = lmws_config_find(history->stack, "llm.prediction.systemPrompt");
    struct writer w = { .history = history,
                        .doc = doc,
                        .messages = yyjson_mut_obj_add_arr(doc, body, "messages"),
                        .err = err };
    if (yyjson_is_str(system) && yyjson_get_len(system) > 0) {
        yyjson_mut_obj_add_val(doc, message_new(&w, "system"), "content", copy(&w, system));
    }
    yyjson_val *messages = yyjson_obj_get(history->history, "messages");
    yyjson_arr_foreach(messages, i, max, message) {
        if (!add_message(&w, message)) return false;
    }
    if (yyjson_mut_arr_size(w.messages) > 0) return true;
    return error_set(err, ERR_INVALID_REQUEST,
                     "The history is empty; send at least one message.");
}
