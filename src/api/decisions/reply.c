/* SPDX-License-Identifier: MIT */
/* reply.c - scores of each question's first token to the whole answer. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/decisions/decisions.h"
#include "api/decisions/translate.h"
#include "api/openai/openai.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

/* With less for all letters together the model has not understood that it is to choose one. */
static const double LEAST_MASS = 0.01;

struct decision {
    bool scored;
    double mass[DECISION_MAX_OPTIONS]; /* of the letters */
};

struct reply {
    struct reply_options options; /* model is ours */
    yyjson_mut_doc *questions;    /* options.echo */
    struct service_usage usage;
    int count, ended;
    struct decision decisions[]; /* count of them */
};

static struct reply *reply_new(const struct reply_options *options, int count, const char *id,
                               int64_t created) {
    (void)id;
    (void)created;
    struct reply *reply = xcalloc(1,
                                  sizeof *reply + (size_t)count * sizeof reply->decisions[0]);
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->options.echo = NULL;
    reply->questions = yyjson_mut_doc_mut_copy(options->echo, NULL);
    reply->count = count;
    return reply;
}

static void reply_free(struct reply *reply) {
    if (!reply) return;
    yyjson_mut_doc_free(reply->questions);
    free(reply->options.model);
    free(reply);
}

/* ---- scores ---- */

/* Of a token that is a letter, maybe with a space in front; -1: it is none. */
static int option_of(yyjson_val *token) {
    const char *text = yyjson_get_str(token);
    if (!text) return -1;
    if (*text == ' ') text++;
    bool letter = *text >= 'A' && *text <= 'Z' && text[1] == '\0';
    return letter ? *text - 'A' : -1;
}

/* Only the first token counts. */
static void keep(struct decision *decision, yyjson_val *logprobs) {
    yyjson_val *rivals = yyjson_obj_get(yyjson_arr_get_first(logprobs), "top_logprobs"), *rival;
    size_t i, count;
    if (decision->scored || !yyjson_is_arr(rivals)) return;
    decision->scored = true;
    yyjson_arr_foreach(rivals, i, count, rival) {
        int option = option_of(yyjson_obj_get(rival, "token"));
        if (option < 0) continue;
        decision->mass[option] += exp(yyjson_get_num(yyjson_obj_get(rival, "logprob")));
    }
}

/* Make the letters of `count` options add up to 1. False: they are nowhere near. */
static bool normalize(struct decision *decision, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += decision->mass[i];
    for (size_t i = 0; i < count && sum >= LEAST_MASS; i++) decision->mass[i] /= sum;
    return sum >= LEAST_MASS;
}

static size_t likeliest(const struct decision *decision, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (decision->mass[i] > decision->mass[best]) best = i;
    }
    return best;
}

/* ---- answers ---- */

/* {"probability", name: the option} of each; of a score also its position, the lowest 0. */
static void add_probabilities(yyjson_mut_doc *doc, yyjson_mut_val *out, yyjson_mut_val *options,
                              const struct decision *decision, bool scores) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, out, "probabilities"), *option;
    size_t i, count;
    yyjson_mut_arr_foreach(options, i, count, option) {
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_val(doc, entry, scores ? "label" : "value",
                               yyjson_mut_val_mut_copy(doc, option));
        if (scores) yyjson_mut_obj_add_uint(doc, entry, "value", i);
        yyjson_mut_obj_add_real(doc, entry, "probability", decision->mass[i]);
    }
}

static double expected(const struct decision *decision, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)i * decision->mass[i];
    return sum;
}

static void add_answer(yyjson_mut_doc *doc, yyjson_mut_val *list, yyjson_mut_val *question,
                       struct decision *decision) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_val *options = yyjson_mut_obj_get(question, "options");
    const char *type = yyjson_mut_get_str(yyjson_mut_obj_get(question, "type"));
    size_t count = yyjson_mut_arr_size(options), best = likeliest(decision, count);
    bool answered = normalize(decision, count), scores = strcmp(type, "score") == 0;
    yyjson_mut_obj_add_strcpy(doc, out, "type", answered ? type : "refusal");
    add_text_or_null(doc, out, "name",
                     yyjson_mut_get_str(yyjson_mut_obj_get(question, "name")));
    if (!answered) return;
    if (strcmp(type, "predicate") == 0) {
        yyjson_mut_obj_add_real(doc, out, "probability", decision->mass[0]);
        return;
    }
    if (scores) {
        yyjson_mut_obj_add_real(doc, out, "score", expected(decision, count));
    } else {
        yyjson_mut_obj_add_val(doc, out, "choice",
                               yyjson_mut_val_mut_copy(doc, yyjson_mut_arr_get(options, best)));
    }
    yyjson_mut_obj_add_real(doc, out, "confidence", decision->mass[best]);
    add_probabilities(doc, out, options, decision, scores);
}

static void format(struct reply *reply, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *questions = yyjson_mut_doc_get_root(reply->questions);
    yyjson_mut_obj_add_str(doc, root, "model", reply->options.model);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "answers");
    for (int i = 0; i < reply->count; i++) {
        add_answer(doc, list, yyjson_mut_arr_get(questions, (size_t)i), &reply->decisions[i]);
    }
    add_response_usage(doc, root, &reply->usage);
    json_write_end(doc, out);
}

/* ---- events ---- */

static enum reply_step on_done(struct reply *reply, const struct service_usage *usage,
                               struct buf *out) {
    reply->usage.prompt_tokens += usage->prompt_tokens;
    reply->usage.cached_tokens += usage->cached_tokens;
    reply->usage.completion_tokens += usage->completion_tokens;
    reply->usage.reasoning_tokens += usage->reasoning_tokens;
    if (++reply->ended < reply->count) return REPLY_MORE;
    format(reply, out);
    return REPLY_END;
}

static enum reply_step reply_event(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out) {
    assert(index >= 0 && index < reply->count);
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_STARTED:
    case SERVICE_PROMPT:
    case SERVICE_VECTOR:
        return REPLY_MORE;
    case SERVICE_DELTA:
        if (ev->logprobs) keep(&reply->decisions[index], ev->logprobs);
        return REPLY_MORE;
    case SERVICE_DONE:
        return on_done(reply, &ev->usage, out);
    case SERVICE_ERROR:
        openai_format_error(ev->error, out);
        return REPLY_END;
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

const struct dialect dialect_decisions = {
    .name = "decisions",
    .parse = decisions_parse,
    .reply_new = reply_new,
    .reply_free = reply_free,
    .reply_event = reply_event,
    .format_error = openai_format_error,
};
