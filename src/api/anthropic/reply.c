/* SPDX-License-Identifier: MIT */
/*
 * reply.c - events of a request to Anthropic's message, streamed or whole.
 *
 * A message is a list of blocks: thinking, text, one for each call of a tool. In a stream each
 * block has a start, deltas and a stop, and the blocks come one after the other.
 */
#include <assert.h>
#include <stdlib.h>

#include "api/anthropic/anthropic.h"
#include "api/anthropic/translate.h"
#include "api/choice.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

enum block { BLOCK_NONE, BLOCK_THINKING, BLOCK_TEXT, BLOCK_CALL };

struct reply {
    struct reply_options options; /* model is ours */
    char *id;
    struct service_usage usage; /* as far as it is known */
    struct choice choice;       /* an answer that is not streamed */
    /* a stream's */
    bool started;
    enum block open; /* the block that is being sent */
    int call;        /* BLOCK_CALL: the call's index */
    int index;       /* of the open block, or of the next one */
};

static struct reply *anthropic_reply_new(const struct reply_options *options, int count,
                                         const char *id, int64_t created) {
    (void)created;
    assert(count == 1);
    struct reply *reply = xcalloc(1, sizeof *reply);
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->id = xstrdup(id);
    return reply;
}

static void anthropic_reply_free(struct reply *reply) {
    if (!reply) return;
    choice_clear(&reply->choice);
    free(reply->options.model);
    free(reply->id);
    free(reply);
}

/* ---- pieces of both ways to answer ---- */

static const char *stop_reason(const struct service_event *end, bool cut) {
    if (cut) return "max_tokens";
    switch (end->stop_reason) {
    case STOP_EOS:
    case STOP_USER:
        return "end_turn";
    case STOP_STRING:
        return "stop_sequence";
    case STOP_TOOL_CALLS:
        return "tool_use";
    case STOP_CONTEXT:
        return "model_context_window_exceeded";
    case STOP_MAX_TOKENS:
    case STOP_UNLOADED: /* these two are answered as errors */
    case STOP_FAILED:
        return "max_tokens";
    }
    assert(false && "stop_reason");
    return "max_tokens";
}

/* Tokens that were read from the cache or, where the client marked them, written to it are not
 * counted among input_tokens. The whole prompt is written. */
static void add_usage(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *root,
                      const struct service_usage *usage) {
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "usage");
    int64_t fresh = usage->prompt_tokens - usage->cached_tokens;
    int64_t written = reply->options.marks_cache ? fresh : 0;
    yyjson_mut_obj_add_int(doc, out, "input_tokens", fresh - written);
    yyjson_mut_obj_add_int(doc, out, "cache_creation_input_tokens", written);
    yyjson_mut_obj_add_int(doc, out, "cache_read_input_tokens", usage->cached_tokens);
    yyjson_mut_obj_add_int(doc, out, "output_tokens", usage->completion_tokens);
}

static yyjson_mut_val *add_head(const struct reply *reply, yyjson_mut_doc *doc,
                                yyjson_mut_val *message) {
    char id[64];
    snprintf(id, sizeof id, "msg_%s", reply->id);
    yyjson_mut_obj_add_strcpy(doc, message, "id", id);
    yyjson_mut_obj_add_str(doc, message, "type", "message");
    yyjson_mut_obj_add_str(doc, message, "role", "assistant");
    yyjson_mut_obj_add_str(doc, message, "model", reply->options.model);
    return yyjson_mut_obj_add_arr(doc, message, "content");
}

static void add_stop(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct service_event *end,
                     bool cut) {
    yyjson_mut_obj_add_str(doc, out, "stop_reason", stop_reason(end, cut));
    const char *string = end->stop_reason == STOP_STRING ? end->stop_string : NULL;
    add_text_or_null(doc, out, "stop_sequence", string);
}

static yyjson_mut_val *block_new(yyjson_mut_doc *doc, const char *type, const char *name,
                                 const char *text) {
    yyjson_mut_val *block = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, block, "type", type);
    yyjson_mut_obj_add_strcpy(doc, block, name, text);
    return block;
}

static yyjson_mut_val *thinking_new(yyjson_mut_doc *doc, const char *text) {
    yyjson_mut_val *block = block_new(doc, "thinking", "thinking", text);
    yyjson_mut_obj_add_str(doc, block, "signature", "");
    return block;
}

/* A model may leave out the id. */
static yyjson_mut_val *call_new(const struct reply *reply, yyjson_mut_doc *doc, int index,
                                const char *id, const char *name) {
    char made[64];
    snprintf(made, sizeof made, "toolu_%s_%d", reply->id, index);
    yyjson_mut_val *block = block_new(doc, "tool_use", "id", id && *id ? id : made);
    yyjson_mut_obj_add_strcpy(doc, block, "name", name ? name : "");
    return block;
}

/* ---- streamed ---- */

static void stream_start(struct reply *reply, struct buf *out) {
    if (reply->started) return;
    reply->started = true;
    yyjson_mut_doc *doc = event_new("message_start");
    yyjson_mut_val *message = yyjson_mut_obj_add_obj(doc, yyjson_mut_doc_get_root(doc),
                                                     "message");
    (void)add_head(reply, doc, message);
    yyjson_mut_obj_add_null(doc, message, "stop_reason");
    yyjson_mut_obj_add_null(doc, message, "stop_sequence");
    add_usage(reply, doc, message, &reply->usage);
    event_send(doc, out);
}

static yyjson_mut_doc *block_event(const struct reply *reply, const char *type) {
    yyjson_mut_doc *doc = event_new(type);
    yyjson_mut_obj_add_int(doc, yyjson_mut_doc_get_root(doc), "index", reply->index);
    return doc;
}

static void send_delta(const struct reply *reply, const char *type, const char *name,
                       const char *text, struct buf *out) {
    yyjson_mut_doc *doc = block_event(reply, "content_block_delta");
    yyjson_mut_val *delta = block_new(doc, type, name, text);
    yyjson_mut_obj_add_val(doc, yyjson_mut_doc_get_root(doc), "delta", delta);
    event_send(doc, out);
}

static void block_close(struct reply *reply, struct buf *out) {
    if (reply->open == BLOCK_NONE) return;
    if (reply->open == BLOCK_THINKING) {
        send_delta(reply, "signature_delta", "signature", "", out);
    }
    event_send(block_event(reply, "content_block_stop"), out);
    reply->open = BLOCK_NONE;
    reply->index++;
}

/* Takes the content_block, which is part of doc. */
static void block_open(struct reply *reply, enum block kind, yyjson_mut_doc *doc,
                       yyjson_mut_val *block, struct buf *out) {
    yyjson_mut_obj_add_val(doc, yyjson_mut_doc_get_root(doc), "content_block", block);
    event_send(doc, out);
    reply->open = kind;
}

static void stream_text(struct reply *reply, const char *text, struct buf *out) {
    if (!text || !*text) return;
    if (reply->open != BLOCK_TEXT) {
        block_close(reply, out);
        yyjson_mut_doc *doc = block_event(reply, "content_block_start");
        block_open(reply, BLOCK_TEXT, doc, block_new(doc, "text", "text", ""), out);
    }
    send_delta(reply, "text_delta", "text", text, out);
}

static void stream_thinking(struct reply *reply, const char *text, struct buf *out) {
    if (!text || !*text || !reply->options.reasoning) return;
    if (reply->open != BLOCK_THINKING) {
        block_close(reply, out);
        yyjson_mut_doc *doc = block_event(reply, "content_block_start");
        block_open(reply, BLOCK_THINKING, doc, thinking_new(doc, ""), out);
    }
    if (reply->options.reasoning_text) {
        send_delta(reply, "thinking_delta", "thinking", text, out);
    }
}

static void stream_call(struct reply *reply, const struct tool_call_piece *piece,
                        struct buf *out) {
    if (reply->open != BLOCK_CALL || reply->call != piece->index) {
        block_close(reply, out);
        yyjson_mut_doc *doc = block_event(reply, "content_block_start");
        yyjson_mut_val *block = call_new(reply, doc, piece->index, piece->id, piece->name);
        yyjson_mut_obj_add_obj(doc, block, "input");
        block_open(reply, BLOCK_CALL, doc, block, out);
        reply->call = piece->index;
    }
    if (piece->arguments && *piece->arguments) {
        send_delta(reply, "input_json_delta", "partial_json", piece->arguments, out);
    }
}

static void stream_delta(struct reply *reply, const struct service_event *ev, struct buf *out) {
    stream_start(reply, out);
    stream_thinking(reply, ev->reasoning, out);
    stream_text(reply, ev->content, out);
    for (int i = 0; i < ev->call_count; i++) stream_call(reply, &ev->calls[i], out);
}

static void stream_finish(struct reply *reply, const struct service_event *ev,
                          struct buf *out) {
    stream_start(reply, out);
    block_close(reply, out);
    yyjson_mut_doc *doc = event_new("message_delta");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *delta = yyjson_mut_obj_add_obj(doc, root, "delta");
    add_stop(doc, delta, ev, false);
    add_usage(reply, doc, root, &ev->usage);
    event_send(doc, out);
    event_send(event_new("message_stop"), out);
}

static void anthropic_format_waiting(struct reply *reply, const struct service_wait *wait,
                                     struct buf *out) {
    (void)reply;
    wait_comment(wait, out);
    event_send(event_new("ping"), out);
}

/* ---- whole ---- */

static void add_call(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *content,
                     int index) {
    const struct choice_call *call = &reply->choice.calls[index];
    struct error ignored;
    yyjson_mut_val *block = call_new(reply, doc, index, call->id, call->name);
    yyjson_doc *input = json_parse_object(call->arguments.data, call->arguments.len, &ignored);
    if (input) {
        yyjson_mut_obj_add_val(doc, block, "input",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(input)));
    } else {
        yyjson_mut_obj_add_obj(doc, block, "input"); /* the call was cut off */
    }
    yyjson_doc_free(input);
    yyjson_mut_arr_append(content, block);
}

static void whole_format(const struct reply *reply, const struct service_event *ev,
                         struct buf *out) {
    const struct choice *choice = &reply->choice;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *content = add_head(reply, doc, root);
    if (choice->reasoning.len > 0 && reply->options.reasoning) {
        bool shown = reply->options.reasoning_text;
        const char *text = shown ? buf_str(&choice->reasoning) : "";
        yyjson_mut_arr_append(content, thinking_new(doc, text));
    }
    if (choice->text.len > 0) {
        yyjson_mut_arr_append(content, block_new(doc, "text", "text", buf_str(&choice->text)));
    }
    for (int i = 0; i < choice->call_count; i++) add_call(reply, doc, content, i);
    add_stop(doc, root, ev, choice->cut);
    add_usage(reply, doc, root, &ev->usage);
    json_write_end(doc, out);
}

static void count_format(const struct service_event *ev, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_int(doc, yyjson_mut_doc_get_root(doc), "input_tokens",
                           yyjson_get_sint(yyjson_obj_get(ev->result, "tokens")));
    json_write_end(doc, out);
}

/* ---- events ---- */

static enum reply_step reply_on_error(const struct reply *reply, const struct error *error,
                                      struct buf *out) {
    if (reply->options.stream) buf_add_str(out, "event: error\ndata: ");
    anthropic_format_error(error, out);
    if (reply->options.stream) buf_add_str(out, "\n\n");
    return REPLY_END;
}

static void reply_on_done(struct reply *reply, const struct service_event *ev,
                          struct buf *out) {
    if (reply->options.op == OP_TEMPLATE) {
        count_format(ev, out);
    } else if (reply->options.stream) {
        stream_finish(reply, ev, out);
    } else {
        whole_format(reply, ev, out);
    }
}

static enum reply_step anthropic_reply_event(struct reply *reply, int index,
                                             const struct service_event *ev, struct buf *out) {
    assert(index == 0);
    (void)index;
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_PROMPT:
    case SERVICE_VECTOR:
        return REPLY_MORE;
    case SERVICE_STARTED:
        reply->usage = ev->usage;
        return REPLY_MORE;
    case SERVICE_DELTA:
        if (reply->options.stream) {
            stream_delta(reply, ev, out);
        } else {
            choice_keep(&reply->choice, ev);
        }
        return REPLY_MORE;
    case SERVICE_DONE:
        reply_on_done(reply, ev, out);
        return REPLY_END;
    case SERVICE_ERROR:
        return reply_on_error(reply, ev->error, out);
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

static size_t anthropic_reply_held(const struct reply *reply) {
    return choice_held(&reply->choice);
}

const struct dialect dialect_anthropic = {
    .name = "anthropic",
    .parse = anthropic_parse,
    .reply_new = anthropic_reply_new,
    .reply_free = anthropic_reply_free,
    .reply_event = anthropic_reply_event,
    .reply_held = anthropic_reply_held,
    .format_waiting = anthropic_format_waiting,
    .format_error = anthropic_format_error,
};
