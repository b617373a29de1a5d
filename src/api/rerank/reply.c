/* SPDX-License-Identifier: MIT */
/* reply.c - scores of documents to the whole answer, the best first. */
#include <assert.h>
#include <stdlib.h>

#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "api/rerank/translate.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

struct result {
    size_t index; /* of the document */
    double score;
};

struct reply {
    struct reply_options options; /* model is ours */
    char *id;
    yyjson_mut_doc *documents; /* to show; NULL: none */
    struct result *results;
    size_t count;
};

static struct reply *reply_new(const struct reply_options *options, int count, const char *id,
                               int64_t created) {
    assert(count == 1);
    (void)count;
    (void)created;
    struct reply *reply = xcalloc(1, sizeof *reply);
    reply->options = *options;
    reply->options.model = xstrdup(options->model);
    reply->options.echo = NULL;
    reply->documents = options->echo ? yyjson_mut_doc_mut_copy(options->echo, NULL) : NULL;
    reply->id = xasprintf("rerank-%s", id);
    return reply;
}

static void reply_free(struct reply *reply) {
    if (!reply) return;
    yyjson_mut_doc_free(reply->documents);
    free(reply->options.model);
    free(reply->results);
    free(reply->id);
    free(reply);
}

static void keep(struct reply *reply, double score) {
    reply->results = xrealloc(reply->results, (reply->count + 1) * sizeof *reply->results);
    reply->results[reply->count] = (struct result){ reply->count, score };
    reply->count++;
}

/* Equal ones stay in the order of the documents. */
static int by_score(const void *a, const void *b) {
    const struct result *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static void add_result(const struct reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *list,
                       const struct result *result) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_uint(doc, out, "index", result->index);
    yyjson_mut_obj_add_real(doc, out, "relevance_score", result->score);
    if (!reply->documents) return;
    yyjson_mut_val *documents = yyjson_mut_doc_get_root(reply->documents);
    yyjson_mut_val *text = yyjson_mut_arr_get(documents, result->index);
    yyjson_mut_val *document = yyjson_mut_obj_add_obj(doc, out, "document");
    yyjson_mut_obj_add_val(doc, document, "text", yyjson_mut_val_mut_copy(doc, text));
}

static void format(struct reply *reply, const struct service_usage *usage, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    size_t shown = reply->count, top = (size_t)reply->options.top_n;
    if (top > 0 && top < shown) shown = top;
    qsort(reply->results, reply->count, sizeof *reply->results, by_score);
    yyjson_mut_obj_add_str(doc, root, "id", reply->id);
    yyjson_mut_obj_add_str(doc, root, "object", "list");
    yyjson_mut_obj_add_str(doc, root, "model", reply->options.model);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "results");
    for (size_t i = 0; i < shown; i++) add_result(reply, doc, list, &reply->results[i]);
    yyjson_mut_val *tokens = yyjson_mut_obj_add_obj(doc, root, "usage");
    yyjson_mut_obj_add_int(doc, tokens, "prompt_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, tokens, "total_tokens", usage->prompt_tokens);
    json_write_end(doc, out);
}

static enum reply_step reply_event(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out) {
    assert(index == 0);
    (void)index;
    reply_options_set_name(&reply->options, ev);
    switch (ev->kind) {
    case SERVICE_LOADING:
    case SERVICE_STARTED:
    case SERVICE_PROMPT:
    case SERVICE_DELTA:
        return REPLY_MORE;
    case SERVICE_VECTOR:
        keep(reply, ev->vector_len > 0 ? (double)ev->vector[0] : 0);
        return REPLY_MORE;
    case SERVICE_DONE:
        format(reply, &ev->usage, out);
        return REPLY_END;
    case SERVICE_ERROR:
        openai_format_error(ev->error, out);
        return REPLY_END;
    }
    assert(false && "service_event_kind");
    return REPLY_END;
}

static size_t reply_held(const struct reply *reply) {
    return reply->count * sizeof *reply->results;
}

const struct dialect dialect_rerank = {
    .name = "rerank",
    .parse = rerank_parse,
    .reply_new = reply_new,
    .reply_free = reply_free,
    .reply_event = reply_event,
    .reply_held = reply_held,
    .format_error = openai_format_error,
};
