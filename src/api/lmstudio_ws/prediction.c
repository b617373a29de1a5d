/* SPDX-License-Identifier: MIT */
/* prediction.c - the events of a prediction as the messages of its channel. */
#include "api/lmstudio_ws/prediction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "base/json.h"
#include "base/xalloc.h"

void lmws_prediction_clear(void *prediction) {
    struct lmws_prediction *p = prediction;
    free(p->model_info);
    free(p->load_config);
    free(p->prediction_config);
    free(p->call_id);
    free(p->call_name);
    lmws_tags_clear(&p->tags);
    buf_clear(&p->call);
}

/* ---- progress ---- */

static void send_prompt_progress(struct lmws_op *op, double progress,
                                 const struct service_usage *usage) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "promptProcessingProgress");
    int64_t total = usage->prompt_tokens, cached = usage->cached_tokens;
    int64_t done = llround(progress * (double)total) - cached;
    if (done < 0) done = 0;
    if (done > total - cached) done = total - cached;
    yyjson_mut_obj_add_real(doc, message, "progress", progress);
    yyjson_mut_val *details = yyjson_mut_obj_add_obj(doc, message, "details");
    yyjson_mut_obj_add_int(doc, details, "cachedTokenCount", cached);
    yyjson_mut_obj_add_int(doc, details, "totalPromptTokenCount", total);
    yyjson_mut_obj_add_int(doc, details, "processedPromptTokenCount", done);
    yyjson_mut_obj_add_int(doc, details, "unprocessedPromptTokenCount", total - cached - done);
    lmws_op_send(op, doc, message);
}

static void on_started(struct lmws_op *op, struct lmws_prediction *p,
                       const struct service_event *ev) {
    p->usage = ev->usage;
    p->started = true;
    send_prompt_progress(op, 0, &ev->usage);
}

static void on_prompt(struct lmws_op *op, struct lmws_prediction *p,
                      const struct service_event *ev) {
    (void)p;
    send_prompt_progress(op, ev->progress, &ev->usage);
}

/* ---- text ---- */

struct piece {
    const char *text, *reasoning_type;
    bool structural;
    int tokens;
    yyjson_val *logprobs;
};

static void add_token(yyjson_mut_doc *doc, yyjson_mut_val *out, yyjson_val *entry) {
    yyjson_val *text = yyjson_obj_get(entry, "token"), *id = yyjson_obj_get(entry, "id");
    double logprob = yyjson_get_num(yyjson_obj_get(entry, "logprob"));
    yyjson_mut_obj_add_val(doc, out, "text", yyjson_val_mut_copy(doc, text));
    yyjson_mut_obj_add_int(doc, out, "id", yyjson_get_int(id));
    yyjson_mut_obj_add_real(doc, out, "logProb", logprob);
}

static void add_tokens(yyjson_mut_doc *doc, yyjson_mut_val *fragment, yyjson_val *logprobs) {
    size_t i, max, k, rivals;
    yyjson_val *entry, *rival;
    yyjson_mut_val *tokens = yyjson_mut_obj_add_arr(doc, fragment, "tokens");
    yyjson_arr_foreach(logprobs, i, max, entry) {
        yyjson_mut_val *token = yyjson_mut_arr_add_obj(doc, tokens);
        add_token(doc, token, entry);
        yyjson_mut_val *candidates = yyjson_mut_obj_add_arr(doc, token, "candidates");
        yyjson_arr_foreach(yyjson_obj_get(entry, "top_logprobs"), k, rivals, rival) {
            add_token(doc, yyjson_mut_arr_add_obj(doc, candidates), rival);
        }
    }
}

/* A fragment without one of its five keys is lost text to the clients. */
static void send_fragment(struct lmws_op *op, const struct piece *piece) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "fragment");
    yyjson_mut_val *fragment = yyjson_mut_obj_add_obj(doc, message, "fragment");
    yyjson_mut_obj_add_str(doc, fragment, "content", piece->text);
    yyjson_mut_obj_add_int(doc, fragment, "tokensCount", piece->tokens);
    yyjson_mut_obj_add_bool(doc, fragment, "containsDrafted", false);
    yyjson_mut_obj_add_str(doc, fragment, "reasoningType", piece->reasoning_type);
    yyjson_mut_obj_add_bool(doc, fragment, "isStructural", piece->structural);
    if (piece->logprobs) add_tokens(doc, fragment, piece->logprobs);
    lmws_op_send(op, doc, message);
}

/* Texts of one event: the first of them has its token and the probabilities. */
struct saying {
    struct lmws_op *op;
    yyjson_val *logprobs; /* NULL: none, or given already */
    int tokens;
};

/* The worker takes the tags away; the clients want them, apart or as plain text. Tags that the
 * client named came as text and have tokens of their own. */
static void turn_reasoning(struct saying *s, bool open) {
    struct lmws_prediction *p = s->op->state;
    if (p->reasoning_open == open) return;
    p->reasoning_open = open;
    const char *start = p->tags.start ? p->tags.start : "<think>";
    const char *end = p->tags.end ? p->tags.end : "</think>";
    struct piece tag = { .text = open ? start : end, .reasoning_type = "none" };
    if (p->reasoning_apart) {
        tag.reasoning_type = open ? "reasoningStartTag" : "reasoningEndTag";
        tag.structural = true;
    }
    if (p->tags.start) {
        tag.tokens = s->tokens;
        s->tokens = 0;
    }
    send_fragment(s->op, &tag);
}

static void say(void *ctx, const char *text, bool thinking) {
    struct saying *s = ctx;
    struct lmws_prediction *p = s->op->state;
    turn_reasoning(s, thinking);
    if (!*text) return;
    send_fragment(s->op, &(struct piece){ .text = text,
                                          .reasoning_type = thinking && p->reasoning_apart
                                                                ? "reasoning"
                                                                : "none",
                                          .tokens = s->tokens,
                                          .logprobs = s->logprobs });
    s->logprobs = NULL;
    s->tokens = 0;
}

static void on_text(struct lmws_op *op, struct lmws_prediction *p,
                    const struct service_event *ev) {
    bool speaks = ev->content && *ev->content;
    struct saying saying = { .op = op, .tokens = 1, .logprobs = speaks ? NULL : ev->logprobs };
    if (ev->reasoning && *ev->reasoning) say(&saying, ev->reasoning, true);
    if (speaks) {
        saying.logprobs = ev->logprobs;
        saying.tokens += p->held_tokens;
        lmws_tags_feed(&p->tags, ev->content, say, &saying);
    }
    if (saying.logprobs) {
        send_fragment(op, &(struct piece){ .text = "",
                                           .reasoning_type = "none",
                                           .tokens = saying.tokens,
                                           .logprobs = saying.logprobs });
        saying.tokens = 0;
    }
    if (speaks) p->held_tokens = saying.tokens;
}

/* What was held back is no tag, and a thought that has no end ends here. */
static void end_text(struct lmws_op *op, struct lmws_prediction *p) {
    struct saying saying = { .op = op, .tokens = p->held_tokens };
    p->held_tokens = 0;
    lmws_tags_finish(&p->tags, say, &saying);
    turn_reasoning(&saying, false);
}

/* ---- tool calls ---- */

static void send_call_failed(struct lmws_op *op, struct lmws_prediction *p) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "toolCallGenerationFailed");
    yyjson_mut_obj_add_val(
        doc, message, "error",
        lmws_error_object(doc, "The model wrote a tool call whose arguments are no "
                               "JSON object."));
    yyjson_mut_obj_add_str(doc, message, "rawContent", buf_str(&p->call));
    lmws_op_send(op, doc, message);
}

static void send_call_end(struct lmws_op *op, struct lmws_prediction *p,
                          yyjson_val *arguments) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "toolCallGenerationEnd");
    yyjson_mut_val *request = yyjson_mut_obj_add_obj(doc, message, "toolCallRequest");
    if (p->call_id) yyjson_mut_obj_add_str(doc, request, "id", p->call_id);
    yyjson_mut_obj_add_str(doc, request, "type", "function");
    yyjson_mut_obj_add_str(doc, request, "name", p->call_name);
    yyjson_mut_obj_add_val(doc, request, "arguments", yyjson_val_mut_copy(doc, arguments));
    yyjson_mut_obj_add_str(doc, message, "rawContent", buf_str(&p->call));
    lmws_op_send(op, doc, message);
}

/* The call that is being written, if one is, is complete. */
static void end_call(struct lmws_op *op, struct lmws_prediction *p) {
    struct error err;
    if (!p->call_name) return;
    const char *text = p->call.len > 0 ? buf_str(&p->call) : "{}";
    yyjson_doc *arguments = json_parse_object(text, strlen(text), &err);
    if (arguments)
        send_call_end(op, p, yyjson_doc_get_root(arguments));
    else
        send_call_failed(op, p);
    yyjson_doc_free(arguments);
    free(p->call_id);
    free(p->call_name);
    p->call_id = p->call_name = NULL;
    buf_clear(&p->call);
}

static void begin_call(struct lmws_op *op, struct lmws_prediction *p,
                       const struct tool_call_piece *piece) {
    yyjson_mut_doc *doc;
    end_call(op, p);
    end_text(op, p);
    p->call_index = piece->index;
    p->call_name = xstrdup(piece->name);
    if (piece->id) p->call_id = xstrdup(piece->id);
    yyjson_mut_val *message = lmws_op_message(&doc, "toolCallGenerationStart");
    if (piece->id) yyjson_mut_obj_add_str(doc, message, "toolCallId", piece->id);
    lmws_op_send(op, doc, message);
    message = lmws_op_message(&doc, "toolCallGenerationNameReceived");
    yyjson_mut_obj_add_str(doc, message, "name", piece->name);
    lmws_op_send(op, doc, message);
}

static void on_call_piece(struct lmws_op *op, struct lmws_prediction *p,
                          const struct tool_call_piece *piece) {
    if (piece->name) begin_call(op, p, piece);
    if (!p->call_name || p->call_index != piece->index || !*piece->arguments) return;
    buf_add_str(&p->call, piece->arguments);
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc,
                                              "toolCallGenerationArgumentFragmentGenerated");
    yyjson_mut_obj_add_str(doc, message, "content", piece->arguments);
    lmws_op_send(op, doc, message);
}

static void on_delta(struct lmws_op *op, struct lmws_prediction *p,
                     const struct service_event *ev) {
    p->usage.completion_tokens++;
    on_text(op, p, ev);
    for (int i = 0; i < ev->call_count; i++) on_call_piece(op, p, &ev->calls[i]);
}

/* ---- the end ---- */

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *message,
                      const struct lmws_prediction *p, enum stop_reason reason,
                      const struct service_usage *usage, const struct service_timing *timing) {
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, message, "stats");
    yyjson_mut_obj_add_str(doc, stats, "stopReason", stop_reason_name(reason));
    if (p->stop_string) yyjson_mut_obj_add_str(doc, stats, "stopString", p->stop_string);
    yyjson_mut_obj_add_int(doc, stats, "promptTokensCount", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, stats, "predictedTokensCount", usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, stats, "totalTokensCount",
                           usage->prompt_tokens + usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, stats, "numGpuLayers", p->gpu_layers);
    if (!timing) return;
    if (timing->generation > 0) {
        yyjson_mut_obj_add_real(doc, stats, "tokensPerSecond",
                                (double)usage->completion_tokens / timing->generation);
    }
    yyjson_mut_obj_add_real(doc, stats, "timeToFirstTokenSec", timing->time_to_first_token);
    yyjson_mut_obj_add_real(doc, stats, "totalTimeSec",
                            timing->time_to_first_token + timing->generation);
}

/* Also for answers that were cut: the channel's close alone would leave the client waiting. */
static void succeed(struct lmws_op *op, enum stop_reason reason,
                    const struct service_usage *usage, const struct service_timing *timing) {
    struct lmws_prediction *p = op->state;
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "success");
    add_stats(doc, message, p, reason, usage, timing);
    yyjson_mut_obj_add_val(doc, message, "modelInfo", yyjson_mut_raw(doc, p->model_info));
    yyjson_mut_obj_add_val(doc, message, "loadModelConfig",
                           yyjson_mut_raw(doc, p->load_config));
    yyjson_mut_obj_add_val(doc, message, "predictionConfig",
                           yyjson_mut_raw(doc, p->prediction_config));
    lmws_op_send(op, doc, message);
    lmws_op_close(op);
}

/* Strings of this kind tell that a tool is called, in a syntax that only the client knows. */
static bool ends_call(const struct lmws_prediction *p, const char *stop_string) {
    bool found = false;
    size_t i, max;
    yyjson_val *word;
    yyjson_doc *config = yyjson_read(p->prediction_config, strlen(p->prediction_config), 0);
    yyjson_val *fields = yyjson_obj_get(yyjson_doc_get_root(config), "fields");
    yyjson_val *words = lmws_fields_find(fields, "llm.prediction.toolCallStopStrings");
    yyjson_arr_foreach(words, i, max, word) {
        if (stop_string && yyjson_equals_str(word, stop_string)) found = true;
    }
    yyjson_doc_free(config);
    return found;
}

static void on_done(struct lmws_op *op, struct lmws_prediction *p,
                    const struct service_event *ev) {
    end_call(op, p);
    end_text(op, p);
    p->stop_string = ev->stop_string;
    enum stop_reason reason = ev->stop_reason;
    if (reason == STOP_STRING && ends_call(p, ev->stop_string)) reason = STOP_TOOL_CALLS;
    succeed(op, reason, &ev->usage, &ev->timing);
}

static void on_error(struct lmws_op *op, struct lmws_prediction *p,
                     const struct service_event *ev) {
    if (ev->error->code != ERR_MODEL_UNLOADED || !p->started) {
        lmws_op_fail(op, ev->error);
        return;
    }
    end_text(op, p);
    succeed(op, STOP_UNLOADED, &p->usage, NULL);
}

void lmws_prediction_cancel(struct lmws_op *op) {
    struct lmws_prediction *p = op->state;
    end_text(op, p);
    succeed(op, STOP_USER, &p->usage, NULL);
}

static void on_ignored(struct lmws_op *op, struct lmws_prediction *p,
                       const struct service_event *ev) {
    (void)op;
    (void)p;
    (void)ev;
}

void lmws_prediction_on_event(void *ctx, call_id call, const struct service_event *ev) {
    static void (*const fns[])(struct lmws_op *, struct lmws_prediction *,
                               const struct service_event *) = {
        [SERVICE_LOADING] = on_ignored, [SERVICE_STARTED] = on_started,
        [SERVICE_PROMPT] = on_prompt,   [SERVICE_DELTA] = on_delta,
        [SERVICE_VECTOR] = on_ignored,  [SERVICE_DONE] = on_done,
        [SERVICE_ERROR] = on_error,
    };
    struct lmws_op *op = ctx;
    (void)call;
    if (ev->kind == SERVICE_DONE || ev->kind == SERVICE_ERROR) op->call = 0;
    lmws_op_enter(op);
    fns[ev->kind](op, op->state, ev);
    lmws_op_leave(op);
}
