/* SPDX-License-Identifier: MIT */
/* reply.c - events of a request to an OpenAI answer, streamed or whole. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "api/openai/embeddings.h"
#include "api/openai/form.h"
#include "api/openai/openai.h"
#include "api/vectors.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct reply {
    const struct openai_form *form; /* NULL: embeddings */
    openai_end_hook *hook;
    struct reply_options options; /* model is ours */
    char *id, *full_id;           /* "x", "chatcmpl-x" */
    int64_t created;
    int count, ended;
    enum service_event_kind told_kind; /* of the last comment: of a load or its prompt */
    int told_percent;                  /* of that; -1: there was none yet */
    struct service_usage usage;        /* of all choices that ended */
    struct service_timing timing;      /* the longest of them */
    struct buf vectors;                /* of embeddings: the entries so far */
    int vector_count;
    struct choice choices[]; /* count of them */
};

static const struct openai_form *const forms[] = {
    [OP_CHAT] = &openai_chat_form,
    [OP_COMPLETION] = &openai_completion_form,
    [OP_EMBEDDING] = NULL,
};

struct reply *openai_reply_new(const struct reply_options *options, int count, const char *id,
                               int64_t created, openai_end_hook *hook) {
    assert((size_t)options->op < sizeof forms / sizeof forms[0]);
    assert(count >= 1 && count <= PARSED_MAX_REQUESTS);
    assert(!options->stream || options->op != OP_EMBEDDING);
    struct reply *reply = xcalloc(1, sizeof *reply + (size_t)count * sizeof reply->choices[0]);
    reply->form = forms[options->op];
    reply->hook = hook;
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->id = xstrdup(id);
    reply->full_id = xasprintf("%s%s", reply->form ? reply->form->id_prefix : "", id);
    reply->created = created;
    reply->count = count;
    reply->told_percent = -1;
    buf_init(&reply->vectors, VECTORS_TEXT_MAX);
    return reply;
}

void openai_reply_free(struct reply *reply) {
    if (!reply) return;
    for (int i = 0; i < reply->count; i++) choice_clear(&reply->choices[i]);
    buf_clear(&reply->vectors);
    free(reply->options.model);
    free(reply->id);
    free(reply->full_id);
    free(reply);
}

/* ---- pieces of both ways to answer ---- */

/* UNLOADED and FAILED are answered as errors; should one come here, the answer is cut off. */
static const char *finish_reason(const struct choice *choice) {
    if (choice->cut) return "length";
    switch (choice->stop_reason) {
    case STOP_EOS:
    case STOP_STRING:
    case STOP_USER:
        return "stop";
    case STOP_TOOL_CALLS:
        return "tool_calls";
    case STOP_MAX_TOKENS:
    case STOP_CONTEXT:
    case STOP_UNLOADED:
    case STOP_FAILED:
        return "length";
    }
    assert(false && "stop_reason");
    return "length";
}

/* The fields that every answer and chunk begins with. */
static yyjson_mut_doc *head_new(const struct reply *reply, const char *object) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "id", reply->full_id);
    yyjson_mut_obj_add_str(doc, root, "object", object);
    yyjson_mut_obj_add_int(doc, root, "created", reply->created);
    yyjson_mut_obj_add_str(doc, root, "model", reply->options.model);
    yyjson_mut_obj_add_str(doc, root, "system_fingerprint", "doze-" DOZE_VERSION);
    return doc;
}

static void add_usage(yyjson_mut_doc *doc, yyjson_mut_val *root,
                      const struct service_usage *usage) {
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "usage");
    yyjson_mut_obj_add_int(doc, out, "prompt_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, out, "completion_tokens", usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, out, "total_tokens",
                           usage->prompt_tokens + usage->completion_tokens);
    yyjson_mut_val *prompt = yyjson_mut_obj_add_obj(doc, out, "prompt_tokens_details");
    yyjson_mut_obj_add_int(doc, prompt, "cached_tokens", usage->cached_tokens);
    bool kept = usage->cache_miss != CACHE_MISS_OFF;
    yyjson_mut_obj_add_int(doc, prompt, "cache_write_tokens",
                           kept ? usage->prompt_tokens - usage->cached_tokens : 0);
    yyjson_mut_val *completion = yyjson_mut_obj_add_obj(doc, out, "completion_tokens_details");
    yyjson_mut_obj_add_int(doc, completion, "reasoning_tokens", usage->reasoning_tokens);
}

static void add_logprobs(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *choice,
                         yyjson_mut_val *entries, int64_t *offset) {
    yyjson_mut_val *value = entries ? reply->form->format_logprobs(doc, entries, offset)
                                    : yyjson_mut_null(doc);
    yyjson_mut_obj_add_val(doc, choice, "logprobs", value);
}

/* Tokens add up over the choices, those of a prompt once for all its answers; of the times, the
 * longest counts. */
static void note_end(struct reply *reply, int index, const struct service_event *ev) {
    struct choice *choice = &reply->choices[index];
    struct service_usage *usage = &reply->usage;
    struct service_timing *timing = &reply->timing;
    choice->ended = true;
    choice->stop_reason = ev->stop_reason;
    choice->tokens = ev->usage.completion_tokens;
    reply->ended++;
    if (index % (reply->options.answers > 1 ? reply->options.answers : 1) == 0) {
        usage->prompt_tokens += ev->usage.prompt_tokens;
        usage->cached_tokens += ev->usage.cached_tokens;
    }
    usage->completion_tokens += ev->usage.completion_tokens;
    usage->reasoning_tokens += ev->usage.reasoning_tokens;
    usage->draft.model = ev->usage.draft.model;
    usage->draft.total += ev->usage.draft.total;
    usage->draft.accepted += ev->usage.draft.accepted;
    usage->draft.ignored += ev->usage.draft.ignored;
    usage->draft.pauses += ev->usage.draft.pauses;
    if (ev->usage.cache_source > usage->cache_source) {
        usage->cache_source = ev->usage.cache_source;
    }
    usage->cache_miss = ev->usage.cache_miss;
    timing->prompt = fmax(timing->prompt, ev->timing.prompt);
    timing->generation = fmax(timing->generation, ev->timing.generation);
    timing->time_to_first_token = fmax(timing->time_to_first_token,
                                       ev->timing.time_to_first_token);
}

/* ---- streamed ---- */

/* One server-sent event. Zed requires exactly one space after the colon. */
static void send_doc(yyjson_mut_doc *doc, struct buf *out) {
    buf_add_str(out, "data: ");
    json_write_end(doc, out);
    buf_add_str(out, "\n\n");
}

static void add_null_usage(const struct reply *reply, yyjson_mut_doc *doc,
                           yyjson_mut_val *root) {
    if (reply->options.include_usage) yyjson_mut_obj_add_null(doc, root, "usage");
}

static yyjson_mut_doc *chunk_new(const struct reply *reply, yyjson_mut_val **ret_choice) {
    yyjson_mut_doc *doc = head_new(reply, reply->form->chunk_object);
    yyjson_mut_val *choices = yyjson_mut_obj_add_arr(doc, yyjson_mut_doc_get_root(doc),
                                                     "choices");
    *ret_choice = yyjson_mut_arr_add_obj(doc, choices);
    return doc;
}

static void stream_opening(struct reply *reply, int index, struct buf *out) {
    struct choice *choice = &reply->choices[index];
    if (choice->begun || !reply->form->add_opening) return;
    choice->begun = true;
    yyjson_mut_val *item;
    yyjson_mut_doc *doc = chunk_new(reply, &item);
    reply->form->add_opening(doc, item, index);
    yyjson_mut_obj_add_null(doc, item, "logprobs");
    yyjson_mut_obj_add_null(doc, item, "finish_reason");
    add_null_usage(reply, doc, yyjson_mut_doc_get_root(doc));
    send_doc(doc, out);
}

static void stream_delta(struct reply *reply, int index, const struct service_event *ev,
                         struct buf *out) {
    struct choice *choice = &reply->choices[index];
    if (!ev->content && !ev->reasoning && !ev->call_count && !ev->logprobs) return;
    stream_opening(reply, index, out);
    yyjson_mut_val *item;
    yyjson_mut_doc *doc = chunk_new(reply, &item);
    reply->form->add_piece(doc, item, index, ev, reply->id);
    add_logprobs(reply, doc, item, ev->logprobs ? yyjson_val_mut_copy(doc, ev->logprobs) : NULL,
                 &choice->text_offset);
    if (ev->content && !ev->logprobs) choice->text_offset += choice_text_length(ev->content);
    yyjson_mut_obj_add_null(doc, item, "finish_reason");
    add_null_usage(reply, doc, yyjson_mut_doc_get_root(doc));
    send_doc(doc, out);
}

/* The chunk with the finish_reason. A dialect with a hook reports usage here, unless the client
 * asked for a usage chunk: that one has no choices, which Zed takes for an error. */
static void stream_finish(struct reply *reply, int index, const struct service_event *ev,
                          struct buf *out) {
    stream_opening(reply, index, out);
    yyjson_mut_val *item;
    yyjson_mut_doc *doc = chunk_new(reply, &item);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    reply->form->add_piece(doc, item, index, ev, reply->id);
    yyjson_mut_obj_add_null(doc, item, "logprobs");
    yyjson_mut_obj_add_str(doc, item, "finish_reason", finish_reason(&reply->choices[index]));
    add_null_usage(reply, doc, root);
    if (reply->hook) {
        bool last = reply->ended == reply->count;
        if (last && !reply->options.include_usage) add_usage(doc, root, &reply->usage);
        reply->hook(doc, root, ev);
    }
    send_doc(doc, out);
}

static void stream_close(struct reply *reply, struct buf *out) {
    if (reply->options.include_usage) {
        yyjson_mut_doc *doc = head_new(reply, reply->form->chunk_object);
        yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
        yyjson_mut_obj_add_arr(doc, root, "choices");
        add_usage(doc, root, &reply->usage);
        send_doc(doc, out);
    }
    buf_add_str(out, "data: [DONE]\n\n");
}

/* LlamaIndex's client takes every line for JSON: no comment where none was asked for, unless
 * the client has waited long (openai_format_waiting). */
static void stream_progress(struct reply *reply, const struct service_event *ev,
                            struct buf *out) {
    int percent = (int)(fmin(fmax(ev->progress, 0), 1) * 100);
    bool known = ev->kind == reply->told_kind && percent == reply->told_percent;
    bool loads = ev->kind == SERVICE_LOADING;
    reply->told_kind = ev->kind;
    reply->told_percent = percent;
    if (!reply->options.stream || !reply->options.progress || known) return;
    if (loads && percent == 0) { /* a waiting request is told of a load at 0 %, too */
        buf_add_str(out, ": waiting\n\n");
    } else {
        buf_addf(out, ": %s %d%%\n\n", loads ? "loading" : "prompt", percent);
    }
}

void openai_format_waiting(struct reply *reply, const struct service_wait *wait,
                           struct buf *out) {
    (void)reply;
    wait_comment(wait, out);
}

/* ---- whole ---- */

/* What was collected is shown, not copied: it stays until the document is written. */
static void whole_add_choice(struct reply *reply, struct choice *choice, int index,
                             yyjson_mut_doc *doc, yyjson_mut_val *choices) {
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, choices);
    reply->form->add_whole(doc, item, index, choice, reply->id);
    yyjson_mut_val *entries = NULL;
    if (reply->options.logprobs) entries = yyjson_mut_doc_get_root(choice->logprobs);
    add_logprobs(reply, doc, item, entries, &choice->text_offset);
    yyjson_mut_obj_add_str(doc, item, "finish_reason", finish_reason(choice));
}

/* Of the answers to each prompt the best, where best_of had more made. */
static void whole_add_best(struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *choices) {
    int answers = reply->options.answers, best = reply->options.best, index = 0;
    for (int first = 0; first < reply->count; first += answers) {
        int order[PARSED_MAX_REQUESTS];
        choice_rank(&reply->choices[first], answers, order);
        for (int i = 0; i < best; i++) {
            whole_add_choice(reply, &reply->choices[first + order[i]], index++, doc, choices);
        }
    }
}

static void whole_format(struct reply *reply, const struct service_event *ev, struct buf *out) {
    yyjson_mut_doc *doc = head_new(reply, reply->form->object);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *choices = yyjson_mut_obj_add_arr(doc, root, "choices");
    if (reply->options.best) {
        whole_add_best(reply, doc, choices);
    } else {
        for (int i = 0; i < reply->count; i++)
            whole_add_choice(reply, &reply->choices[i], i, doc, choices);
    }
    add_usage(doc, root, &reply->usage);
    struct service_event end = *ev;
    end.usage = reply->usage;
    end.timing = reply->timing;
    end.stop_reason = reply->choices[0].stop_reason;
    if (reply->hook) reply->hook(doc, root, &end);
    json_write_end(doc, out);
}

/* ---- events ---- */

/* No [DONE] after an error: OpenAI's clients raise at the error itself, and a client that
 * misses it must not take the answer for complete. */
static enum reply_step reply_on_error(struct reply *reply, const struct error *error,
                                      struct buf *out) {
    if (reply->options.stream) buf_add_str(out, "data: ");
    openai_format_error(error, out);
    if (reply->options.stream) buf_add_str(out, "\n\n");
    return REPLY_END;
}

static enum reply_step reply_on_done(struct reply *reply, int index,
                                     const struct service_event *ev, struct buf *out) {
    note_end(reply, index, ev);
    if (reply->options.stream) stream_finish(reply, index, ev, out);
    if (reply->ended < reply->count) return REPLY_MORE;
    if (reply->options.stream) {
        stream_close(reply, out);
    } else if (reply->form) {
        whole_format(reply, ev, out);
    } else {
        openai_embeddings_format(&reply->vectors, &reply->options, &reply->usage, out);
    }
    return REPLY_END;
}

static enum reply_step reply_on_vector(struct reply *reply, const struct service_event *ev,
                                       struct buf *out) {
    openai_embeddings_add(&reply->vectors, reply->vector_count++, ev, &reply->options);
    out->overflowed = reply->vectors.overflowed;
    return out->overflowed ? REPLY_END : REPLY_MORE;
}

static size_t rated(const struct reply *reply) {
    size_t sum = 0;
    for (int i = 0; i < reply->count; i++) sum += reply->choices[i].rated;
    return sum;
}

enum reply_step openai_reply_event(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out) {
    assert(index >= 0 && index < reply->count);
    struct choice *choice = &reply->choices[index];
    assert(!choice->ended);
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_STARTED:
        return REPLY_MORE;
    case SERVICE_LOADING:
    case SERVICE_PROMPT:
        stream_progress(reply, ev, out);
        return REPLY_MORE;
    case SERVICE_DELTA:
        if (reply->options.stream) {
            stream_delta(reply, index, ev, out);
        } else {
            choice_keep(choice, ev);
            if (ev->logprobs && rated(reply) > ANSWER_RATED_MAX) out->overflowed = true;
        }
        return REPLY_MORE;
    case SERVICE_VECTOR:
        return reply_on_vector(reply, ev, out);
    case SERVICE_DONE:
        return reply_on_done(reply, index, ev, out);
    case SERVICE_ERROR:
        return reply_on_error(reply, ev->error, out);
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

size_t openai_reply_held(const struct reply *reply) {
    size_t bytes = reply->vectors.cap;
    for (int i = 0; i < reply->count; i++) bytes += choice_held(&reply->choices[i]);
    return bytes;
}

static struct reply *plain_reply_new(const struct reply_options *options, int count,
                                     const char *id, int64_t created) {
    return openai_reply_new(options, count, id, created, NULL);
}

const struct dialect dialect_openai = {
    .name = "openai",
    .reply_new = plain_reply_new,
    OPENAI_TRANSLATOR,
};
