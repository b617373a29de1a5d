/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/prediction.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/draft_stats.h"
#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"
#include "base/xalloc.h"

/* ---- the beginning ---- */

static void prediction_clear(void *state) {
    struct lmws_prediction *p = state;
    yyjson_mut_doc_free(p->success);
    byte_hold_release(&p->kept);
    lmws_tags_clear(&p->tags);
    buf_clear(&p->call);
    free(p->call_id);
    free(p->call_name);
}

/* Views are borrowed, so the document is copied, and its strings with it. */
static yyjson_mut_doc *success_new(const struct lmws_session *session,
                                   const struct lmws_found *found, yyjson_mut_val *config) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "success");
    yyjson_mut_obj_add_obj(doc, message, "stats");
    yyjson_mut_obj_add_val(
        doc, message, "modelInfo",
        lmws_instance_info(doc, session->host, &found->model, &found->instance));
    yyjson_mut_obj_add_val(doc, message, "loadModelConfig",
                           lmws_load_config_format(doc, &found->model, &found->instance));
    yyjson_mut_obj_add_val(doc, message, "predictionConfig",
                           yyjson_mut_val_mut_copy(doc, config));
    yyjson_mut_doc_set_root(doc, message);
    yyjson_mut_doc *copy = yyjson_mut_doc_mut_copy(doc, NULL);
    yyjson_mut_doc_free(doc);
    return copy;
}

static void prediction_set_parsing(struct lmws_prediction *p, yyjson_val *parsing) {
    yyjson_val *apart = yyjson_obj_get(parsing, "enabled");
    const char *start = json_find_str(parsing, "startString");
    const char *end = json_find_str(parsing, "endString");
    p->reasoning_apart = !yyjson_is_bool(apart) || yyjson_get_bool(apart);
    if (p->reasoning_apart && start && *start && end && *end) {
        lmws_tags_init(&p->tags, start, end);
    }
}

/* A client's config is repeated at the end. */
static bool prediction_hold(struct lmws_op *op, struct lmws_prediction *p, struct error *err) {
    const struct lmws_transport *transport = &op->session->transport;
    const struct lmws_host *host = op->session->host;
    size_t cost = json_cost(yyjson_mut_doc_get_root(p->success));
    p->kept.budget = host->answers;
    return byte_hold_take(host->budget, cost, transport->held(transport->ctx), &op->held, err);
}

bool lmws_prediction_begin(struct lmws_op *op, const struct lmws_found *found,
                           yyjson_val *stack, yyjson_mut_val *config, struct error *err) {
    struct lmws_prediction *p = xcalloc(1, sizeof *p);
    op->state = p;
    op->clear_state = prediction_clear;
    p->success = success_new(op->session, found, config);
    p->stats = yyjson_mut_obj_get(yyjson_mut_doc_get_root(p->success), "stats");
    p->call_stops = yyjson_val_mut_copy(
        p->success, lmws_config_find(stack, "llm.prediction.toolCallStopStrings"));
    p->gpu_layers = (int)found->instance.settings->gpu_layers;
    prediction_set_parsing(p, lmws_config_find(stack, "llm.prediction.reasoning.parsing"));
    buf_init(&p->call, LMWS_REPLY_MAX);
    return prediction_hold(op, p, err);
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

/* ---- text ---- */

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

struct fragment {
    const char *text, *reasoning_type;
    bool structural;
    int tokens;
    yyjson_val *logprobs; /* NULL: none */
};

/* Clients drop a fragment that lacks one of the first five keys. */
static void send_fragment(struct lmws_op *op, const struct fragment *f) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "fragment");
    yyjson_mut_val *fragment = yyjson_mut_obj_add_obj(doc, message, "fragment");
    yyjson_mut_obj_add_str(doc, fragment, "content", f->text);
    yyjson_mut_obj_add_int(doc, fragment, "tokensCount", f->tokens);
    yyjson_mut_obj_add_bool(doc, fragment, "containsDrafted", false);
    yyjson_mut_obj_add_str(doc, fragment, "reasoningType", f->reasoning_type);
    yyjson_mut_obj_add_bool(doc, fragment, "isStructural", f->structural);
    if (f->logprobs) add_tokens(doc, fragment, f->logprobs);
    lmws_op_send(op, doc, message);
}

/* The texts of one event. Its token and the probabilities go into the first fragment. */
struct text_writer {
    struct lmws_op *op;
    int tokens;
    yyjson_val *logprobs; /* NULL: none, or sent already */
};

/* The worker removes the tags around reasoning; clients expect them, as fragments of their own
 * or as plain text. Tags that the client named were part of the text, so they count tokens. */
static void write_reasoning_tag(struct text_writer *w, bool open) {
    struct lmws_prediction *p = w->op->state;
    if (p->reasoning_open == open) return;
    p->reasoning_open = open;
    const char *start = p->tags.start ? p->tags.start : "<think>";
    const char *end = p->tags.end ? p->tags.end : "</think>";
    struct fragment tag = { .text = open ? start : end, .reasoning_type = "none" };
    if (p->reasoning_apart) {
        tag.reasoning_type = open ? "reasoningStartTag" : "reasoningEndTag";
        tag.structural = true;
    }
    if (p->tags.start) {
        tag.tokens = w->tokens;
        w->tokens = 0;
    }
    send_fragment(w->op, &tag);
}

static void write_text(void *ctx, const char *text, bool reasoning) {
    struct text_writer *w = ctx;
    const struct lmws_prediction *p = w->op->state;
    write_reasoning_tag(w, reasoning);
    if (!*text) return;
    struct fragment fragment = {
        .text = text, .reasoning_type = "none", .tokens = w->tokens, .logprobs = w->logprobs
    };
    if (reasoning && p->reasoning_apart) fragment.reasoning_type = "reasoning";
    send_fragment(w->op, &fragment);
    w->logprobs = NULL;
    w->tokens = 0;
}

/* Probabilities of text that is held back are sent at once, with an empty text. */
static void write_event_text(struct lmws_op *op, const struct service_event *ev) {
    struct lmws_prediction *p = op->state;
    bool content = ev->content && *ev->content;
    struct text_writer w = { .op = op, .tokens = 1, .logprobs = content ? NULL : ev->logprobs };
    if (ev->reasoning && *ev->reasoning) write_text(&w, ev->reasoning, true);
    if (content) {
        w.logprobs = ev->logprobs;
        w.tokens += p->held_tokens;
        lmws_tags_feed(&p->tags, ev->content, write_text, &w);
    }
    if (w.logprobs) {
        send_fragment(op, &(struct fragment){ .text = "",
                                              .reasoning_type = "none",
                                              .tokens = w.tokens,
                                              .logprobs = w.logprobs });
        w.tokens = 0;
    }
    if (content) p->held_tokens = w.tokens;
}

/* Text that was held back is not a tag after all, and open reasoning ends here. */
static void finish_text(struct lmws_op *op) {
    struct lmws_prediction *p = op->state;
    struct text_writer w = { .op = op, .tokens = p->held_tokens };
    p->held_tokens = 0;
    lmws_tags_finish(&p->tags, write_text, &w);
    write_reasoning_tag(&w, false);
}

/* ---- tool calls ---- */

static void send_call_failed(struct lmws_op *op, const char *raw) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "toolCallGenerationFailed");
    const char *why = "The model wrote a tool call whose arguments are not a JSON object.";
    yyjson_mut_obj_add_val(doc, message, "error", lmws_error_object(doc, why));
    yyjson_mut_obj_add_str(doc, message, "rawContent", raw);
    lmws_op_send(op, doc, message);
}

static void send_call_end(struct lmws_op *op, const struct lmws_prediction *p,
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
static void finish_call(struct lmws_op *op) {
    struct lmws_prediction *p = op->state;
    struct error err;
    if (!p->call_name) return;
    const char *text = p->call.len > 0 ? buf_str(&p->call) : "{}";
    yyjson_doc *arguments = json_parse_object(text, strlen(text), &err);
    if (arguments) {
        send_call_end(op, p, yyjson_doc_get_root(arguments));
    } else {
        send_call_failed(op, buf_str(&p->call));
    }
    yyjson_doc_free(arguments);
    free(p->call_id);
    free(p->call_name);
    p->call_id = p->call_name = NULL;
    buf_clear(&p->call);
}

static void begin_call(struct lmws_op *op, const struct tool_call_piece *piece) {
    struct lmws_prediction *p = op->state;
    yyjson_mut_doc *doc;
    finish_call(op);
    finish_text(op);
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

static void write_call_piece(struct lmws_op *op, const struct tool_call_piece *piece) {
    struct lmws_prediction *p = op->state;
    if (piece->name) begin_call(op, piece);
    if (!p->call_name || p->call_index != piece->index || !*piece->arguments) return;
    buf_add_str(&p->call, piece->arguments);
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc,
                                              "toolCallGenerationArgumentFragmentGenerated");
    yyjson_mut_obj_add_str(doc, message, "content", piece->arguments);
    lmws_op_send(op, doc, message);
}

/* ---- the end ---- */

/* Times are known at SERVICE_DONE only. */
static void fill_stats(struct lmws_prediction *p, const struct service_event *end) {
    yyjson_mut_doc *doc = p->success;
    const struct service_usage *usage = &end->usage;
    const struct service_timing *timing = &end->timing;
    yyjson_mut_obj_add_str(doc, p->stats, "stopReason", stop_reason_name(end->stop_reason));
    if (end->stop_string) {
        yyjson_mut_obj_add_strcpy(doc, p->stats, "stopString", end->stop_string);
    }
    yyjson_mut_obj_add_int(doc, p->stats, "promptTokensCount", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, p->stats, "predictedTokensCount", usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, p->stats, "totalTokensCount",
                           usage->prompt_tokens + usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, p->stats, "numGpuLayers", p->gpu_layers);
    if (end->kind != SERVICE_DONE) return;
    draft_stats_add(usage, DRAFT_STATS_SDK, doc, p->stats);
    if (timing->generation > 0) {
        yyjson_mut_obj_add_real(doc, p->stats, "tokensPerSecond",
                                (double)usage->completion_tokens / timing->generation);
    }
    yyjson_mut_obj_add_real(doc, p->stats, "timeToFirstTokenSec", timing->time_to_first_token);
    yyjson_mut_obj_add_real(doc, p->stats, "totalTimeSec",
                            timing->time_to_first_token + timing->generation);
}

static void succeed(struct lmws_op *op, const struct service_event *end) {
    struct lmws_prediction *p = op->state;
    yyjson_mut_doc *doc = p->success;
    finish_text(op);
    fill_stats(p, end);
    p->success = NULL;
    lmws_op_send(op, doc, yyjson_mut_doc_get_root(doc));
    lmws_op_close(op);
}

/* An answer that was cut off succeeds, too: if the channel were only closed, the client would
 * wait on. */
static void succeed_early(struct lmws_op *op, enum stop_reason reason) {
    const struct lmws_prediction *p = op->state;
    succeed(op, &(struct service_event){
                    .kind = SERVICE_ERROR, .stop_reason = reason, .usage = p->usage });
}

void lmws_prediction_cancel(struct lmws_op *op) {
    succeed_early(op, STOP_USER);
}

/* Some stop strings begin a tool call in a syntax that only the client knows. */
static bool begins_client_call(const struct lmws_prediction *p, const char *stop_string) {
    size_t i, max;
    yyjson_mut_val *word;
    yyjson_mut_arr_foreach(p->call_stops, i, max, word) {
        if (stop_string && yyjson_mut_equals_str(word, stop_string)) return true;
    }
    return false;
}

static void prediction_on_done(struct lmws_op *op, const struct service_event *ev) {
    struct service_event end = *ev;
    finish_call(op);
    if (ev->stop_reason == STOP_STRING && begins_client_call(op->state, ev->stop_string)) {
        end.stop_reason = STOP_TOOL_CALLS;
    }
    succeed(op, &end);
}

static void prediction_on_error(struct lmws_op *op, const struct error *error) {
    const struct lmws_prediction *p = op->state;
    if (error->code == ERR_MODEL_UNLOADED && p->started) {
        succeed_early(op, STOP_UNLOADED);
    } else {
        lmws_op_fail(op, error);
    }
}

/* ---- events ---- */

static void prediction_on_started(struct lmws_op *op, const struct service_event *ev) {
    struct lmws_prediction *p = op->state;
    p->usage = ev->usage;
    p->started = true;
    send_prompt_progress(op, 0, &ev->usage);
}

static void prediction_on_delta(struct lmws_op *op, const struct service_event *ev) {
    struct lmws_prediction *p = op->state;
    struct error err;
    p->usage.completion_tokens++;
    write_event_text(op, ev);
    for (int i = 0; i < ev->call_count; i++) write_call_piece(op, &ev->calls[i]);
    if (!byte_hold_grow(&p->kept, p->call.cap, &err)) lmws_op_fail(op, &err);
}

void lmws_prediction_on_event(void *ctx, call_id call, const struct service_event *ev) {
    struct lmws_op *op = ctx;
    (void)call;
    if (ev->kind == SERVICE_DONE || ev->kind == SERVICE_ERROR) op->call = 0;
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_VECTOR:
        break;
    case SERVICE_STARTED:
        prediction_on_started(op, ev);
        break;
    case SERVICE_PROMPT:
        send_prompt_progress(op, ev->progress, &ev->usage);
        break;
    case SERVICE_DELTA:
        prediction_on_delta(op, ev);
        break;
    case SERVICE_DONE:
        prediction_on_done(op, ev);
        break;
    case SERVICE_ERROR:
        prediction_on_error(op, ev->error);
        break;
    }
}
