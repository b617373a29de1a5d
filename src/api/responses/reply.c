/* SPDX-License-Identifier: MIT */
/*
 * reply.c - events of a request to a response, streamed or whole.
 *
 * A response is a list of items: a thought, a message, one for each call of a tool. A stream
 * announces each item, sends its pieces, and repeats it whole when it is complete; the last
 * event has the whole response. An answer that is not streamed is the response of that last
 * event.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/openai/openai.h"
#include "api/responses/item.h"
#include "api/responses/responses.h"
#include "api/responses/translate.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct reply {
    struct reply_options options; /* model and echo are ours */
    char *id;
    int64_t created;
    yyjson_mut_doc *output;   /* an array of the items that are complete */
    size_t output_held;       /* bytes of it */
    struct item item;         /* that is being said */
    bool cut;                 /* an item was too long */
    bool started;             /* the first event is out */
    int64_t sequence;         /* of the next event */
    struct service_event end; /* figures of a complete answer; its pointers are not valid */
    bool ended;
};

static struct reply *responses_reply_new(const struct reply_options *options, int count,
                                         const char *id, int64_t created) {
    assert(count == 1);
    struct reply *reply = xcalloc(1, sizeof *reply);
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->options.echo = yyjson_mut_doc_mut_copy(options->echo, NULL);
    reply->id = xstrdup(id);
    reply->created = created;
    yyjson_mut_val *root;
    reply->output = json_array_new(&root);
    return reply;
}

static void responses_reply_free(struct reply *reply) {
    if (!reply) return;
    item_clear(&reply->item);
    yyjson_mut_doc_free(reply->output);
    yyjson_mut_doc_free(reply->options.echo);
    free(reply->options.model);
    free(reply->id);
    free(reply);
}

/* ---- the response object ---- */

struct state {
    const char *status;
    const struct service_event *end; /* NULL: it goes on, or failed */
    const struct error *error;
};

static void add_usage(yyjson_mut_doc *doc, yyjson_mut_val *out,
                      const struct service_event *end) {
    if (end)
        add_response_usage(doc, out, &end->usage);
    else
        yyjson_mut_obj_add_null(doc, out, "usage");
}

static void add_error(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct error *err) {
    if (!err) {
        yyjson_mut_obj_add_null(doc, out, "error");
        return;
    }
    yyjson_mut_val *error = yyjson_mut_obj_add_obj(doc, out, "error");
    yyjson_mut_obj_add_str(doc, error, "code", error_name(err->code));
    yyjson_mut_obj_add_str(doc, error, "message", err->text);
}

/* The fields of the request; those that it left out have OpenAI's defaults. */
static void add_echo(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *out) {
    static const char *const nulls[] = { "instructions", "max_output_tokens",
                                         "temperature",  "top_p",
                                         "user",         "previous_response_id",
                                         "conversation" };
    yyjson_mut_val *echo = yyjson_mut_doc_get_root(reply->options.echo), *key;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(echo);
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        yyjson_mut_obj_add_val(doc, out, yyjson_mut_get_str(key),
                               yyjson_mut_val_mut_copy(doc, value));
    }
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        if (!yyjson_mut_obj_get(out, nulls[i])) yyjson_mut_obj_add_null(doc, out, nulls[i]);
    }
    if (!yyjson_mut_obj_get(out, "tools")) yyjson_mut_obj_add_arr(doc, out, "tools");
    if (!yyjson_mut_obj_get(out, "metadata")) yyjson_mut_obj_add_obj(doc, out, "metadata");
    if (!yyjson_mut_obj_get(out, "tool_choice")) {
        yyjson_mut_obj_add_str(doc, out, "tool_choice", "auto");
    }
    if (!yyjson_mut_obj_get(out, "truncation")) {
        yyjson_mut_obj_add_str(doc, out, "truncation", "disabled");
    }
    if (!yyjson_mut_obj_get(out, "text")) {
        yyjson_mut_val *text = yyjson_mut_obj_add_obj(doc, out, "text");
        yyjson_mut_val *format = yyjson_mut_obj_add_obj(doc, text, "format");
        yyjson_mut_obj_add_str(doc, format, "type", "text");
    }
    yyjson_mut_obj_add_bool(doc, out, "store", reply->options.store);
    if (!yyjson_mut_obj_get(out, "parallel_tool_calls")) {
        yyjson_mut_obj_add_bool(doc, out, "parallel_tool_calls", true);
    }
}

/* Fills `out`, a new object, with the response as it is now. */
static void add_response(const struct reply *reply, const struct state *state,
                         yyjson_mut_doc *doc, yyjson_mut_val *out) {
    char id[64];
    snprintf(id, sizeof id, "resp_%s", reply->id);
    yyjson_mut_obj_add_strcpy(doc, out, "id", id);
    yyjson_mut_obj_add_str(doc, out, "object", "response");
    yyjson_mut_obj_add_int(doc, out, "created_at", reply->created);
    yyjson_mut_obj_add_str(doc, out, "status", state->status);
    yyjson_mut_obj_add_bool(doc, out, "background", false);
    add_error(doc, out, state->error);
    if (strcmp(state->status, "incomplete") == 0) {
        yyjson_mut_val *details = yyjson_mut_obj_add_obj(doc, out, "incomplete_details");
        yyjson_mut_obj_add_str(doc, details, "reason", "max_output_tokens");
    } else {
        yyjson_mut_obj_add_null(doc, out, "incomplete_details");
    }
    yyjson_mut_obj_add_str(doc, out, "model", reply->options.model);
    yyjson_mut_val *output = yyjson_mut_doc_get_root(reply->output);
    yyjson_mut_obj_add_val(doc, out, "output", yyjson_mut_val_mut_copy(doc, output));
    add_echo(reply, doc, out);
    add_usage(doc, out, state->end);
}

static struct state end_state(const struct reply *reply, const struct service_event *end) {
    bool whole = !reply->cut &&
                 (end->stop_reason == STOP_EOS || end->stop_reason == STOP_STRING ||
                  end->stop_reason == STOP_USER || end->stop_reason == STOP_TOOL_CALLS);
    return (struct state){ .status = whole ? "completed" : "incomplete", .end = end };
}

/* ---- streamed ---- */

static yyjson_mut_doc *numbered_event(struct reply *reply, const char *type) {
    yyjson_mut_doc *doc = event_new(type);
    yyjson_mut_obj_add_int(doc, yyjson_mut_doc_get_root(doc), "sequence_number",
                           reply->sequence++);
    return doc;
}

static void send_response(struct reply *reply, const char *type, const struct state *state,
                          struct buf *out) {
    yyjson_mut_doc *doc = numbered_event(reply, type);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    add_response(reply, state, doc, yyjson_mut_obj_add_obj(doc, root, "response"));
    event_send(doc, out);
}

static void stream_start(struct reply *reply, struct buf *out) {
    const struct state running = { .status = "in_progress" };
    if (reply->started) return;
    reply->started = true;
    send_response(reply, "response.created", &running, out);
    send_response(reply, "response.in_progress", &running, out);
}

/* The words that an item's events have in common. */
struct wording {
    const char *delta, *done, *text; /* two event types; the name of the whole in the second */
    bool has_part;
};
static const struct wording wordings[] = {
    [ITEM_REASONING] = { "response.reasoning_text.delta", "response.reasoning_text.done",
                         "text", true },
    [ITEM_MESSAGE] = { "response.output_text.delta", "response.output_text.done", "text",
                       true },
    [ITEM_CALL] = { "response.function_call_arguments.delta",
                    "response.function_call_arguments.done", "arguments", false },
    [ITEM_CUSTOM] = { "response.custom_tool_call_input.delta",
                      "response.custom_tool_call_input.done", "input", false },
};

/* Where the item stands in the output. */
static int place(const struct reply *reply) {
    return (int)yyjson_mut_arr_size(yyjson_mut_doc_get_root(reply->output));
}

/* An event about the text of the item. */
static yyjson_mut_doc *text_event(struct reply *reply, const char *type) {
    yyjson_mut_doc *doc = numbered_event(reply, type);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_strcpy(doc, root, "item_id", reply->item.id);
    yyjson_mut_obj_add_int(doc, root, "output_index", place(reply));
    if (wordings[reply->item.kind].has_part)
        yyjson_mut_obj_add_int(doc, root, "content_index", 0);
    return doc;
}

static void send_item(struct reply *reply, const char *type, enum item_stage stage,
                      struct buf *out) {
    yyjson_mut_doc *doc = numbered_event(reply, type);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_int(doc, root, "output_index", place(reply));
    yyjson_mut_obj_add_val(doc, root, "item", item_format(&reply->item, doc, stage));
    event_send(doc, out);
}

static void send_part(struct reply *reply, const char *type, enum item_stage stage,
                      struct buf *out) {
    yyjson_mut_doc *doc = text_event(reply, type);
    yyjson_mut_obj_add_val(doc, yyjson_mut_doc_get_root(doc), "part",
                           item_format_part(&reply->item, doc, stage));
    event_send(doc, out);
}

/* A piece of the item's text. logprobs: of its tokens; NULL: none. */
static void send_piece(struct reply *reply, const char *text, yyjson_val *logprobs,
                       struct buf *out) {
    yyjson_mut_doc *doc = text_event(reply, wordings[reply->item.kind].delta);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_strcpy(doc, root, "delta", text);
    if (reply->item.kind == ITEM_MESSAGE)
        yyjson_mut_obj_add_val(doc, root, "logprobs",
                               logprobs ? yyjson_val_mut_copy(doc, logprobs)
                                        : yyjson_mut_arr(doc));
    event_send(doc, out);
}

static void send_text(struct reply *reply, const char *text, struct buf *out) {
    const struct wording *w = &wordings[reply->item.kind];
    yyjson_mut_doc *doc = text_event(reply, w->done);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_strcpy(doc, root, w->text, text);
    if (reply->item.kind == ITEM_MESSAGE)
        yyjson_mut_obj_add_val(doc, root, "logprobs", item_format_logprobs(&reply->item, doc));
    event_send(doc, out);
}

static void item_close(struct reply *reply, struct buf *out) {
    struct item *item = &reply->item;
    if (item->kind == ITEM_NONE) return;
    const struct wording *w = &wordings[item->kind];
    struct buf text = BUF_INIT(ITEM_TEXT_MAX);
    item_text(item, &text);
    if (item->kind == ITEM_CUSTOM) { /* its input is part of a JSON text, known only now */
        send_piece(reply, buf_str(&text), NULL, out);
    }
    send_text(reply, buf_str(&text), out);
    if (w->has_part) send_part(reply, "response.content_part.done", ITEM_COMPLETE, out);
    send_item(reply, "response.output_item.done", ITEM_COMPLETE, out);
    yyjson_mut_val *whole = item_format(item, reply->output, ITEM_COMPLETE);
    yyjson_mut_arr_append(yyjson_mut_doc_get_root(reply->output), whole);
    reply->output_held += json_cost(whole);
    buf_clear(&text);
    item_clear(item);
}

/* Takes the item. */
static void item_open(struct reply *reply, struct item item, struct buf *out) {
    reply->item = item;
    send_item(reply, "response.output_item.added", ITEM_BEGUN, out);
    if (wordings[item.kind].has_part) {
        send_part(reply, "response.content_part.added", ITEM_BEGUN, out);
    }
}

static void add_piece(struct reply *reply, const char *text, yyjson_val *logprobs,
                      struct buf *out) {
    if (!text || !*text) return;
    if (!buf_add_str(&reply->item.text, text)) reply->cut = true;
    if (logprobs && !item_keep_logprobs(&reply->item, logprobs)) reply->cut = true;
    if (reply->item.kind == ITEM_CUSTOM) return;
    send_piece(reply, text, logprobs, out);
}

static void say(struct reply *reply, enum item_kind kind, const char *text,
                yyjson_val *logprobs, struct buf *out) {
    if (!text || !*text) return;
    if (reply->item.kind != kind) {
        item_close(reply, out);
        item_open(reply, item_new(kind, reply->id, place(reply)), out);
    }
    add_piece(reply, text, logprobs, out);
}

static void call(struct reply *reply, const struct tool_call_piece *piece, struct buf *out) {
    bool calls = reply->item.kind == ITEM_CALL || reply->item.kind == ITEM_CUSTOM;
    if (!calls || reply->item.call != piece->index) {
        yyjson_mut_val *echo = yyjson_mut_doc_get_root(reply->options.echo);
        item_close(reply, out);
        item_open(reply,
                  item_new_call(reply->id, place(reply), piece->index, piece->id, piece->name,
                                yyjson_mut_obj_get(echo, "tools")),
                  out);
    }
    add_piece(reply, piece->arguments, NULL, out);
}

static void stream_delta(struct reply *reply, const struct service_event *ev, struct buf *out) {
    stream_start(reply, out);
    say(reply, ITEM_REASONING, ev->reasoning, NULL, out);
    say(reply, ITEM_MESSAGE, ev->content, ev->logprobs, out);
    for (int i = 0; i < ev->call_count; i++) call(reply, &ev->calls[i], out);
}

static void stream_finish(struct reply *reply, const struct service_event *ev,
                          struct buf *out) {
    struct state state = end_state(reply, ev);
    bool whole = strcmp(state.status, "completed") == 0;
    send_response(reply, whole ? "response.completed" : "response.incomplete", &state, out);
}

/* Codex ignores comments and gives up after a while without an event. */
static void responses_format_waiting(struct reply *reply, const struct service_wait *wait,
                                     struct buf *out) {
    const struct state running = { .status = "in_progress" };
    bool fresh = !reply->started;
    wait_comment(wait, out);
    stream_start(reply, out);
    if (!fresh) send_response(reply, "response.in_progress", &running, out);
}

/* ---- events ---- */

/* Codex understands no other error in a stream than a failed response. */
static enum reply_step reply_on_error(struct reply *reply, const struct error *error,
                                      struct buf *out) {
    const struct state failed = { .status = "failed", .error = error };
    if (reply->options.stream) {
        stream_start(reply, out);
        send_response(reply, "response.failed", &failed, out);
    } else {
        openai_format_error(error, out);
    }
    return REPLY_END;
}

static void format_whole(const struct reply *reply, const struct service_event *end,
                         struct buf *out) {
    const struct state state = end_state(reply, end);
    yyjson_mut_doc *doc = answer_new();
    add_response(reply, &state, doc, yyjson_mut_doc_get_root(doc));
    json_write_end(doc, out);
}

static bool responses_format_stored(const struct reply *reply, struct buf *out) {
    if (reply->ended) format_whole(reply, &reply->end, out);
    return reply->ended && !out->overflowed;
}

/* The events of an answer that is not streamed go nowhere; its items are kept. */
static void reply_on_piece(struct reply *reply, const struct service_event *ev,
                           struct buf *out) {
    struct buf nowhere = BUF_INIT(SIZE_MAX / 2);
    struct buf *to = reply->options.stream ? out : &nowhere;
    if (ev->kind == SERVICE_DELTA) {
        stream_delta(reply, ev, to);
    } else {
        stream_start(reply, to);
        item_close(reply, to);
    }
    buf_clear(&nowhere);
}

static enum reply_step responses_reply_event(struct reply *reply, int index,
                                             const struct service_event *ev, struct buf *out) {
    assert(index == 0);
    (void)index;
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_STARTED:
    case SERVICE_PROMPT:
    case SERVICE_VECTOR:
        return REPLY_MORE;
    case SERVICE_DELTA:
        reply_on_piece(reply, ev, out);
        return REPLY_MORE;
    case SERVICE_DONE:
        reply_on_piece(reply, ev, out);
        reply->end = *ev;
        reply->ended = true;
        if (reply->options.stream) {
            stream_finish(reply, ev, out);
        } else {
            format_whole(reply, ev, out);
        }
        return REPLY_END;
    case SERVICE_ERROR:
        return reply_on_error(reply, ev->error, out);
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

static size_t responses_reply_held(const struct reply *reply) {
    return reply->output_held + reply->item.text.cap + reply->item.logprobs_held;
}

const struct dialect dialect_responses = {
    .name = "responses",
    .parse = responses_parse,
    .reply_new = responses_reply_new,
    .reply_free = responses_reply_free,
    .reply_event = responses_reply_event,
    .reply_held = responses_reply_held,
    .format_waiting = responses_format_waiting,
    .format_stored = responses_format_stored,
    .format_error = openai_format_error,
};
