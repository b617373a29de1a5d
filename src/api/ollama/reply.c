/* SPDX-License-Identifier: MIT */
/*
 * reply.c - events of a request to Ollama's answer: lines of JSON in a stream, or one object.
 *
 * Endpoints with messages answer a message, those with a prompt its text. The last line has why
 * it ended and how long everything took. Calls of tools come whole, before the last line.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/choice.h"
#include "api/ollama/ollama.h"
#include "api/ollama/translate.h"
#include "api/vectors.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct reply {
    struct reply_options options; /* model and echo are ours */
    bool prompt;                  /* of an endpoint with a prompt */
    int64_t created;              /* Unix ms */
    double started;               /* seconds until an instance worked on it */
    struct choice choice;         /* of a stream: the calls, and the text if it has a context */
    struct buf vectors;           /* of embeddings: those so far, as JSON */
};

static struct reply *reply_new(const struct reply_options *options, int64_t created,
                               bool prompt) {
    struct reply *reply = xcalloc(1, sizeof *reply);
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->options.echo = yyjson_mut_doc_mut_copy(options->echo, NULL);
    reply->created = created * 1000;
    reply->prompt = prompt;
    buf_init(&reply->vectors, VECTORS_TEXT_MAX);
    return reply;
}

static struct reply *messages_reply_new(const struct reply_options *options, int count,
                                        const char *id, int64_t created) {
    (void)count;
    (void)id;
    return reply_new(options, created, false);
}

static struct reply *prompt_reply_new(const struct reply_options *options, int count,
                                      const char *id, int64_t created) {
    (void)count;
    (void)id;
    return reply_new(options, created, true);
}

static void ollama_reply_free(struct reply *reply) {
    if (!reply) return;
    choice_clear(&reply->choice);
    buf_clear(&reply->vectors);
    yyjson_mut_doc_free(reply->options.echo);
    free(reply->options.model);
    free(reply);
}

/* ---- pieces of both ways to answer ---- */

static yyjson_mut_doc *line_new(const struct reply *reply, bool done) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "model", reply->options.model);
    add_time(doc, root, "created_at", reply->created);
    yyjson_mut_obj_add_bool(doc, root, "done", done);
    return doc;
}

static void line_send(const struct reply *reply, yyjson_mut_doc *doc, struct buf *out) {
    json_write_end(doc, out);
    if (reply->options.stream) buf_add_str(out, "\n");
}

/* The object that holds the texts: the line itself, or its message. */
static yyjson_mut_val *add_text(const struct reply *reply, yyjson_mut_doc *doc,
                                const char *text, const char *thinking) {
    yyjson_mut_val *out = yyjson_mut_doc_get_root(doc);
    if (!reply->prompt) {
        out = yyjson_mut_obj_add_obj(doc, out, "message");
        yyjson_mut_obj_add_str(doc, out, "role", "assistant");
    }
    yyjson_mut_obj_add_strcpy(doc, out, reply->prompt ? "response" : "content", text);
    if (*thinking) yyjson_mut_obj_add_strcpy(doc, out, "thinking", thinking);
    return out;
}

static void add_call(yyjson_mut_doc *doc, yyjson_mut_val *list, int index,
                     const struct choice_call *call) {
    struct error ignored;
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
    if (call->id) yyjson_mut_obj_add_str(doc, out, "id", call->id);
    yyjson_mut_val *function = yyjson_mut_obj_add_obj(doc, out, "function");
    yyjson_mut_obj_add_int(doc, function, "index", index);
    yyjson_mut_obj_add_str(doc, function, "name", call->name ? call->name : "");
    yyjson_doc *input = json_parse_object(call->arguments.data, call->arguments.len, &ignored);
    if (input) {
        yyjson_mut_obj_add_val(doc, function, "arguments",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(input)));
    } else {
        yyjson_mut_obj_add_obj(doc, function, "arguments"); /* the call was cut off */
    }
    yyjson_doc_free(input);
}

static void add_calls(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *message) {
    const struct choice *choice = &reply->choice;
    if (choice->call_count == 0) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, message, "tool_calls");
    for (int i = 0; i < choice->call_count; i++) add_call(doc, list, i, &choice->calls[i]);
}

/* Clients know tokens by their text. */
static void shorten_entry(yyjson_mut_val *entry) {
    yyjson_mut_val *top = yyjson_mut_obj_get(entry, "top_logprobs"), *rival;
    size_t i, count;
    yyjson_mut_obj_remove_key(entry, "id");
    yyjson_mut_arr_foreach(top, i, count, rival) yyjson_mut_obj_remove_key(rival, "id");
    if (yyjson_mut_arr_size(top) == 0) yyjson_mut_obj_remove_key(entry, "top_logprobs");
}

/* Takes the worker's entries, which live as long as doc; NULL: none. */
static void add_logprobs(yyjson_mut_doc *doc, yyjson_mut_val *entries) {
    yyjson_mut_val *entry;
    size_t i, count;
    if (!entries) return;
    yyjson_mut_arr_foreach(entries, i, count, entry) shorten_entry(entry);
    yyjson_mut_obj_add_val(doc, yyjson_mut_doc_get_root(doc), "logprobs", entries);
}

/* The conversation with the answer, where the next prompt may continue it. */
static void add_context(const struct reply *reply, yyjson_mut_doc *doc) {
    yyjson_mut_doc *messages = reply->options.echo;
    if (!messages || reply->choice.cut) return;
    yyjson_mut_val *answer = yyjson_mut_arr_add_obj(messages,
                                                    yyjson_mut_doc_get_root(messages));
    yyjson_mut_obj_add_str(messages, answer, "role", "assistant");
    yyjson_mut_obj_add_str(messages, answer, "content", buf_str(&reply->choice.text));
    ollama_context_add(doc, yyjson_mut_doc_get_root(doc), messages);
}

static const char *done_reason(const struct reply *reply, const struct service_event *end) {
    bool cut = end->stop_reason == STOP_MAX_TOKENS || end->stop_reason == STOP_CONTEXT;
    return cut || reply->choice.cut ? "length" : "stop";
}

static void add_span(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name,
                     double seconds) {
    yyjson_mut_obj_add_int(doc, root, name, llround(seconds * 1e9));
}

/* Nanoseconds and tokens. What it waited for counts as loading. */
static void add_figures(const struct reply *reply, yyjson_mut_doc *doc,
                        const struct service_event *end) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "done_reason", done_reason(reply, end));
    add_span(doc, root, "total_duration", end->elapsed);
    add_span(doc, root, "load_duration", reply->started);
    yyjson_mut_obj_add_int(doc, root, "prompt_eval_count", end->usage.prompt_tokens);
    add_span(doc, root, "prompt_eval_duration", end->timing.prompt);
    yyjson_mut_obj_add_int(doc, root, "eval_count", end->usage.completion_tokens);
    add_span(doc, root, "eval_duration", end->timing.generation);
}

/* ---- streamed ---- */

/* What the last line needs of it. */
static void stream_keep(struct reply *reply, const struct service_event *ev) {
    struct service_event kept = *ev;
    if (!reply->options.echo) kept.content = NULL;
    kept.reasoning = NULL;
    kept.logprobs = NULL;
    choice_keep(&reply->choice, &kept);
}

static void stream_delta(struct reply *reply, const struct service_event *ev, struct buf *out) {
    const char *text = ev->content ? ev->content : "";
    bool hidden = ev->reasoning && !reply->options.reasoning;
    const char *thinking = ev->reasoning && !hidden ? ev->reasoning : "";
    yyjson_val *logprobs = hidden ? NULL : ev->logprobs;
    stream_keep(reply, ev);
    if (!*text && !*thinking && !logprobs) return;
    yyjson_mut_doc *doc = line_new(reply, false);
    (void)add_text(reply, doc, text, thinking);
    if (logprobs) add_logprobs(doc, yyjson_val_mut_copy(doc, logprobs));
    line_send(reply, doc, out);
}

static void stream_finish(struct reply *reply, const struct service_event *ev,
                          struct buf *out) {
    if (reply->choice.call_count > 0) {
        yyjson_mut_doc *doc = line_new(reply, false);
        add_calls(reply, doc, add_text(reply, doc, "", ""));
        line_send(reply, doc, out);
    }
    yyjson_mut_doc *doc = line_new(reply, true);
    (void)add_text(reply, doc, "", "");
    add_figures(reply, doc, ev);
    add_context(reply, doc);
    line_send(reply, doc, out);
}

/* Blanks before the next line: every parser of JSON skips them. */
static void ollama_format_waiting(struct reply *reply, const struct service_wait *wait,
                                  struct buf *out) {
    (void)reply;
    (void)wait;
    buf_add_str(out, " ");
}

/* ---- whole ---- */

static void whole_format(const struct reply *reply, const struct service_event *ev,
                         struct buf *out) {
    const struct choice *choice = &reply->choice;
    bool shown = reply->options.reasoning;
    yyjson_mut_doc *doc = line_new(reply, true);
    add_calls(
        reply, doc,
        add_text(reply, doc, buf_str(&choice->text), shown ? buf_str(&choice->reasoning) : ""));
    add_logprobs(doc, yyjson_mut_doc_get_root(choice->logprobs));
    add_figures(reply, doc, ev);
    add_context(reply, doc);
    line_send(reply, doc, out);
}

static void load_format(const struct reply *reply, struct buf *out) {
    yyjson_mut_doc *doc = line_new(reply, true);
    (void)add_text(reply, doc, "", "");
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "done_reason",
                           reply->options.unload ? "unload" : "load");
    line_send(reply, doc, out);
}

static void vectors_format(const struct reply *reply, const struct service_event *ev,
                           struct buf *out) {
    struct buf text = BUF_INIT(reply->vectors.len + 2);
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (!reply->prompt) buf_add_str(&text, "[");
    buf_add(&text, buf_str(&reply->vectors), reply->vectors.len);
    if (!reply->prompt) buf_add_str(&text, "]");
    if (text.len == 0) buf_add_str(&text, "[]");
    yyjson_mut_val *vectors = yyjson_mut_rawn(doc, text.data, text.len);
    if (reply->prompt) {
        yyjson_mut_obj_add_val(doc, root, "embedding", vectors);
    } else {
        yyjson_mut_obj_add_str(doc, root, "model", reply->options.model);
        yyjson_mut_obj_add_val(doc, root, "embeddings", vectors);
        add_span(doc, root, "total_duration", ev->elapsed);
        add_span(doc, root, "load_duration", reply->started);
        yyjson_mut_obj_add_int(doc, root, "prompt_eval_count", ev->usage.prompt_tokens);
    }
    json_write_end(doc, out);
    buf_clear(&text);
}

/* ---- events ---- */

static enum reply_step fail(const struct reply *reply, const struct error *error,
                            struct buf *out) {
    ollama_format_error(error, out);
    if (reply->options.stream) buf_add_str(out, "\n");
    return REPLY_END;
}

static enum reply_step finish(struct reply *reply, const struct service_event *ev,
                              struct buf *out) {
    if (reply->options.vectors)
        vectors_format(reply, ev, out);
    else if (reply->options.op == OP_TOKENIZE)
        load_format(reply, out);
    else if (reply->options.stream)
        stream_finish(reply, ev, out);
    else
        whole_format(reply, ev, out);
    return REPLY_END;
}

/* Of a prompt, the first. */
static enum reply_step vector_keep(struct reply *reply, const struct service_event *ev,
                                   struct buf *out) {
    struct buf room = { 0 };
    struct vector vector = vector_of(ev, reply->options.dimensions, &room);
    bool further = reply->vectors.len > 0;
    if (further && !reply->prompt) buf_add_str(&reply->vectors, ",");
    if (!further || !reply->prompt) vector_write(&vector, &reply->vectors);
    buf_clear(&room);
    out->overflowed = reply->vectors.overflowed;
    return out->overflowed ? REPLY_END : REPLY_MORE;
}

static enum reply_step ollama_reply_event(struct reply *reply, int index,
                                          const struct service_event *ev, struct buf *out) {
    assert(index == 0);
    (void)index;
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_PROMPT:
        return REPLY_MORE;
    case SERVICE_STARTED:
        reply->started = ev->elapsed;
        return REPLY_MORE;
    case SERVICE_VECTOR:
        return vector_keep(reply, ev, out);
    case SERVICE_DELTA:
        if (reply->options.stream)
            stream_delta(reply, ev, out);
        else
            choice_keep(&reply->choice, ev);
        return REPLY_MORE;
    case SERVICE_DONE:
        return finish(reply, ev, out);
    case SERVICE_ERROR:
        return fail(reply, ev->error, out);
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

static size_t ollama_reply_held(const struct reply *reply) {
    return choice_held(&reply->choice) + reply->vectors.cap;
}

enum { KEEP_ALIVE_MS = 300000 };

const struct dialect dialect_ollama = {
    .name = "ollama",
    .stream_type = "application/x-ndjson",
    .keep_alive = KEEP_ALIVE_MS,
    .parse = ollama_parse,
    .reply_new = messages_reply_new,
    .reply_free = ollama_reply_free,
    .reply_event = ollama_reply_event,
    .reply_held = ollama_reply_held,
    .format_waiting = ollama_format_waiting,
    .format_error = ollama_format_error,
};

const struct dialect dialect_ollama_prompt = {
    .name = "ollama-prompt",
    .stream_type = "application/x-ndjson",
    .keep_alive = KEEP_ALIVE_MS,
    .parse = ollama_parse_prompt,
    .reply_new = prompt_reply_new,
    .reply_free = ollama_reply_free,
    .reply_event = ollama_reply_event,
    .reply_held = ollama_reply_held,
    .format_waiting = ollama_format_waiting,
    .format_error = ollama_format_error,
};
