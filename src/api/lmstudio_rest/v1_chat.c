/* SPDX-License-Identifier: MIT */
/*
 * v1_chat.c - LM Studio's chat: the request, and the events of its answer.
 *
 * An answer is a list of parts, a thought and a message. A stream says how far the load and the
 * prompt are, sends the pieces of each part, and ends with the whole answer, which is all that
 * is sent if it is not streamed.
 */
#include "api/lmstudio_rest/v1_chat.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/choice.h"
#include "api/draft_name.h"
#include "api/draft_stats.h"
#include "api/openai/openai.h"
#include "api/parsed.h"
#include "api/responses/responses.h"
#include "api/responses/translate.h"
#include "api/sampling_fields.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

/* ---- the request ---- */

static bool reasoning_translate(struct translation *t) {
    static const char *const efforts[] = { "low", "medium", "high" };
    const char *reasoning = NULL;
    if (!json_read_str(t->in, "reasoning", &reasoning, t->err)) return false;
    if (!reasoning) return true;
    bool on = strcmp(reasoning, "on") == 0, known = on || strcmp(reasoning, "off") == 0;
    for (size_t i = 0; i < sizeof efforts / sizeof efforts[0]; i++) {
        if (strcmp(reasoning, efforts[i]) != 0) continue;
        yyjson_mut_obj_add_str(t->doc, t->out, "reasoning_effort", efforts[i]);
        on = known = true;
    }
    if (!known) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "reasoning",
                               "'reasoning' must be \"off\", \"low\", \"medium\", \"high\" or "
                               "\"on\".");
    }
    yyjson_mut_val *kwargs = yyjson_mut_obj_add_obj(t->doc, t->out, "chat_template_kwargs");
    return yyjson_mut_obj_add_bool(t->doc, kwargs, "enable_thinking", on);
}

static bool chat_read(struct parsed *parsed, struct translation *t) {
    struct service_request *request = &parsed->requests[0];
    return json_read_int(t->in, "context_length", LOAD_MIN_CONTEXT, LOAD_MAX_CONTEXT,
                         &request->context_length, t->err) &&
           api_read_draft_name(t->in, &request->draft_model, t->err) &&
           responses_translate_input(t) && sampling_fields_translate(t) &&
           responses_translate_max_tokens(t) && reasoning_translate(t);
}

static bool chat_parse(enum service_op op, const char *body, size_t len,
                       struct parsed *ret_parsed, struct error *err) {
    return parsed_read_one(op, body, len, chat_read, ret_parsed, err);
}

/* ---- the answer ---- */

enum part { PART_NONE, PART_REASONING, PART_MESSAGE };

/* The words of a part's events; the second is also its type in the whole answer. */
static const char *const part_starts[] = { "", "reasoning.start", "message.start" };
static const char *const part_names[] = { "", "reasoning", "message" };
static const char *const part_deltas[] = { "", "reasoning.delta", "message.delta" };
static const char *const part_ends[] = { "", "reasoning.end", "message.end" };

struct reply {
    struct reply_options options; /* model is ours */
    char *id;
    char *instance;         /* NULL: not known yet */
    struct reply *kept;     /* the Responses API's answer, to be stored; NULL: it is not */
    yyjson_mut_doc *output; /* an array of the parts that are complete */
    size_t output_held;     /* bytes of it */
    enum part part;         /* that is being said */
    struct buf text;        /* of it so far */
    int percent;            /* told last, of the load or the prompt; -1: none */
    bool started, loading, processing;
    double load_began, load_seconds; /* load_seconds < 0: nothing was loaded */
};

static struct reply *chat_reply_new(const struct reply_options *options, int count,
                                    const char *id, int64_t created) {
    struct reply *reply = xcalloc(1, sizeof *reply);
    yyjson_mut_val *root;
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->id = xstrdup(id);
    reply->output = json_array_new(&root);
    reply->load_seconds = -1;
    reply->percent = -1;
    buf_init(&reply->text, CHOICE_TEXT_MAX);
    struct reply_options whole = *options;
    whole.stream = false;
    if (options->store) reply->kept = dialect_responses.reply_new(&whole, count, id, created);
    return reply;
}

static void chat_reply_free(struct reply *reply) {
    if (!reply) return;
    dialect_responses.reply_free(reply->kept);
    yyjson_mut_doc_free(reply->output);
    buf_clear(&reply->text);
    free(reply->options.model);
    free(reply->instance);
    free(reply->id);
    free(reply);
}

static const char *instance_of(const struct reply *reply) {
    return reply->instance ? reply->instance : reply->options.model;
}

/* ---- the whole answer ---- */

static void add_stats(const struct reply *reply, const struct service_event *end,
                      yyjson_mut_doc *doc, yyjson_mut_val *out) {
    const struct service_usage *usage = &end->usage;
    double seconds = end->timing.generation, tokens = (double)usage->completion_tokens;
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, out, "stats");
    yyjson_mut_obj_add_int(doc, stats, "input_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, stats, "total_output_tokens", usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, stats, "reasoning_output_tokens", usage->reasoning_tokens);
    yyjson_mut_obj_add_real(doc, stats, "tokens_per_second",
                            seconds > 0 ? tokens / seconds : 0);
    yyjson_mut_obj_add_real(doc, stats, "time_to_first_token_seconds",
                            end->timing.time_to_first_token);
    draft_stats_add(usage, DRAFT_STATS_REST, doc, stats);
    if (reply->load_seconds >= 0)
        yyjson_mut_obj_add_real(doc, stats, "model_load_time_seconds", reply->load_seconds);
}

static void add_result(const struct reply *reply, const struct service_event *end,
                       yyjson_mut_doc *doc, yyjson_mut_val *out) {
    yyjson_mut_val *output = yyjson_mut_doc_get_root(reply->output);
    yyjson_mut_obj_add_str(doc, out, "model_instance_id", instance_of(reply));
    yyjson_mut_obj_add_val(doc, out, "output", yyjson_mut_val_mut_copy(doc, output));
    add_stats(reply, end, doc, out);
    if (!reply->kept) return;
    char *id = xasprintf("resp_%s", reply->id);
    yyjson_mut_obj_add_strcpy(doc, out, "response_id", id);
    free(id);
}

/* ---- events ---- */

/* Drops the event if the answer is not streamed. */
static void event_pass(const struct reply *reply, yyjson_mut_doc *doc, struct buf *out) {
    if (reply->options.stream)
        event_send(doc, out);
    else
        yyjson_mut_doc_free(doc);
}

static void send_plain(const struct reply *reply, const char *type, struct buf *out) {
    event_pass(reply, event_new(type), out);
}

static void send_of_instance(const struct reply *reply, const char *type, const char *number,
                             double value, struct buf *out) {
    yyjson_mut_doc *doc = event_new(type);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "model_instance_id", instance_of(reply));
    if (number) yyjson_mut_obj_add_real(doc, root, number, value);
    event_pass(reply, doc, out);
}

static void send_text(const struct reply *reply, const char *type, const char *text,
                      struct buf *out) {
    yyjson_mut_doc *doc = event_new(type);
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "content", text);
    event_pass(reply, doc, out);
}

static void start(struct reply *reply, struct buf *out) {
    if (reply->started) return;
    reply->started = true;
    send_of_instance(reply, "chat.start", NULL, 0, out);
}

/* Each whole percent once. */
static bool is_news(struct reply *reply, double progress) {
    int percent = (int)(100 * progress);
    bool news = percent != reply->percent;
    reply->percent = percent;
    return news;
}

static void on_loading(struct reply *reply, const struct service_event *ev, struct buf *out) {
    start(reply, out);
    if (!reply->loading) {
        reply->loading = true;
        reply->load_began = ev->elapsed;
        send_of_instance(reply, "model_load.start", NULL, 0, out);
    }
    if (is_news(reply, ev->progress))
        send_of_instance(reply, "model_load.progress", "progress", ev->progress, out);
}

static void on_started(struct reply *reply, const struct service_event *ev, struct buf *out) {
    if (!reply->instance && ev->instance) reply->instance = xstrdup(ev->instance->identifier);
    start(reply, out);
    if (reply->loading) {
        reply->loading = false;
        reply->load_seconds = ev->elapsed - reply->load_began;
        send_of_instance(reply, "model_load.end", "load_time_seconds", reply->load_seconds,
                         out);
    }
    if (reply->processing) return;
    reply->processing = true;
    reply->percent = -1;
    send_plain(reply, "prompt_processing.start", out);
}

static void on_prompt(struct reply *reply, const struct service_event *ev, struct buf *out) {
    if (!reply->processing || !is_news(reply, ev->progress)) return;
    yyjson_mut_doc *doc = event_new("prompt_processing.progress");
    yyjson_mut_obj_add_real(doc, yyjson_mut_doc_get_root(doc), "progress", ev->progress);
    event_pass(reply, doc, out);
}

static void end_processing(struct reply *reply, struct buf *out) {
    start(reply, out);
    if (reply->processing) send_plain(reply, "prompt_processing.end", out);
    reply->processing = false;
}

static void part_close(struct reply *reply, struct buf *out) {
    if (reply->part == PART_NONE) return;
    yyjson_mut_doc *doc = reply->output;
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(doc, yyjson_mut_doc_get_root(doc));
    yyjson_mut_obj_add_str(doc, part, "type", part_names[reply->part]);
    yyjson_mut_obj_add_strncpy(doc, part, "content", buf_str(&reply->text), reply->text.len);
    reply->output_held += json_cost(part);
    send_plain(reply, part_ends[reply->part], out);
    buf_reset(&reply->text);
    reply->part = PART_NONE;
}

static void say(struct reply *reply, enum part part, const char *text, struct buf *out) {
    if (!text || !*text) return;
    if (reply->part != part) {
        part_close(reply, out);
        reply->part = part;
        send_plain(reply, part_starts[part], out);
    }
    send_text(reply, part_deltas[part], text, out);
    if (!buf_add_str(&reply->text, text)) out->overflowed = true;
}

static void on_done(struct reply *reply, const struct service_event *end, struct buf *out) {
    yyjson_mut_doc *doc = event_new("chat.end");
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (reply->options.stream) {
        add_result(reply, end, doc, yyjson_mut_obj_add_obj(doc, root, "result"));
        event_pass(reply, doc, out);
    } else {
        yyjson_mut_obj_clear(root);
        add_result(reply, end, doc, root);
        json_write_end(doc, out);
    }
}

/* The end of a stream says what there was of an answer. */
static void on_error(struct reply *reply, const struct service_event *ev, struct buf *out) {
    if (!reply->options.stream) {
        openai_format_error(ev->error, out);
        return;
    }
    yyjson_mut_doc *doc = event_new("error");
    openai_add_error(doc, yyjson_mut_doc_get_root(doc), ev->error);
    start(reply, out);
    part_close(reply, out);
    event_pass(reply, doc, out);
    on_done(reply, ev, out);
}

static void keep(const struct reply *reply, const struct service_event *ev) {
    struct buf nowhere = BUF_INIT(SIZE_MAX / 2);
    if (reply->kept) (void)dialect_responses.reply_event(reply->kept, 0, ev, &nowhere);
    buf_clear(&nowhere);
}

static enum reply_step chat_reply_event(struct reply *reply, int index,
                                        const struct service_event *ev, struct buf *out) {
    assert(index == 0);
    (void)index;
    reply_options_set_name(&reply->options, ev);
    keep(reply, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
        on_loading(reply, ev, out);
        return REPLY_MORE;
    case SERVICE_STARTED:
        on_started(reply, ev, out);
        return REPLY_MORE;
    case SERVICE_PROMPT:
        on_prompt(reply, ev, out);
        return REPLY_MORE;
    case SERVICE_VECTOR:
        return REPLY_MORE;
    case SERVICE_DELTA:
        end_processing(reply, out);
        say(reply, PART_REASONING, ev->reasoning, out);
        say(reply, PART_MESSAGE, ev->content, out);
        return REPLY_MORE;
    case SERVICE_DONE:
        end_processing(reply, out);
        part_close(reply, out);
        on_done(reply, ev, out);
        return REPLY_END;
    case SERVICE_ERROR:
        on_error(reply, ev, out);
        return REPLY_END;
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

static size_t chat_reply_held(const struct reply *reply) {
    size_t kept = reply->kept ? dialect_responses.reply_held(reply->kept) : 0;
    return reply->output_held + reply->text.cap + kept;
}

static void chat_format_waiting(struct reply *reply, const struct service_wait *wait,
                                struct buf *out) {
    start(reply, out);
    wait_comment(wait, out);
}

static bool chat_format_stored(const struct reply *reply, struct buf *out) {
    return reply->kept && dialect_responses.format_stored(reply->kept, out);
}

const struct dialect dialect_lmstudio_v1_chat = {
    .name = "lmstudio-v1-chat",
    .parse = chat_parse,
    .reply_new = chat_reply_new,
    .reply_free = chat_reply_free,
    .reply_event = chat_reply_event,
    .reply_held = chat_reply_held,
    .format_waiting = chat_format_waiting,
    .format_stored = chat_format_stored,
    .format_error = openai_format_error,
};
