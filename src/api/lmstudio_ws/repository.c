/* SPDX-License-Identifier: MIT */
/* repository.c - `client.repository` of the SDK: search the hub, download a model of it. */
#include <stdlib.h>

#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "base/json.h"
#include "base/xalloc.h"

enum { LIMIT_DEFAULT = 10, LIMIT_MAX = 25 };

/* State of an op that waits for the hub. */
struct question {
    const struct lmws_hub *hub;
    void *handle; /* NULL: answered */
};

static void question_clear(void *state) {
    const struct question *q = state;
    if (q->handle) q->hub->drop(q->hub->self, q->handle, false);
}

static struct question *question_begin(struct lmws_op *op) {
    struct question *q = xcalloc(1, sizeof *q);
    q->hub = op->session->host->hub;
    op->state = q;
    op->clear_state = question_clear;
    return q;
}

/* Its sink will not be called again. True if the op goes on, with a result. */
static bool question_is_answered(struct lmws_op *op, const struct error *error) {
    ((struct question *)op->state)->handle = NULL;
    if (error) lmws_op_fail(op, error);
    return !error;
}

static yyjson_mut_val *results_new(yyjson_mut_doc **ret_doc, yyjson_mut_val **ret_result) {
    *ret_doc = yyjson_mut_doc_new(NULL);
    *ret_result = yyjson_mut_obj(*ret_doc);
    return yyjson_mut_obj_add_arr(*ret_doc, *ret_result, "results");
}

/* ---- searchModels ---- */

static void on_found(void *ctx, const char *const *names, size_t count,
                     const struct error *error) {
    struct lmws_op *op = ctx;
    yyjson_mut_doc *doc;
    yyjson_mut_val *result;
    if (!question_is_answered(op, error)) return;
    yyjson_mut_val *list = results_new(&doc, &result);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *found = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_strcpy(doc, found, "name", names[i]);
        yyjson_mut_val *identifier = yyjson_mut_obj_add_obj(doc, found, "identifier");
        yyjson_mut_obj_add_str(doc, identifier, "type", "hf");
        yyjson_mut_obj_add_strcpy(doc, identifier, "identifier", names[i]);
    }
    lmws_op_result(op, doc, result);
}

void lmws_search_models(struct lmws_op *op, yyjson_val *param) {
    yyjson_val *opts = yyjson_obj_get(param, "opts"), *limit = yyjson_obj_get(opts, "limit");
    const char *words = json_find_str(opts, "searchTerm");
    int64_t wanted = yyjson_is_int(limit) ? yyjson_get_sint(limit) : LIMIT_DEFAULT;
    size_t most = wanted < 1 ? 1 : wanted > LIMIT_MAX ? LIMIT_MAX : (size_t)wanted;
    struct question *q = question_begin(op);
    struct lmws_hub_sink sink = { .on_found = on_found, .ctx = op };
    q->handle = q->hub->search(q->hub->self, words ? words : "", most, &sink);
}

/* ---- getModelDownloadOptions ---- */

char *lmws_option_name(const char *repo, const struct lmws_hub_option *option) {
    return *option->quantization ? xasprintf("%s@%s", repo, option->quantization)
                                 : xasprintf("%s/%s", repo, option->file);
}

static void add_option(yyjson_mut_doc *doc, yyjson_mut_val *list, const char *repo,
                       const struct lmws_hub_option *option) {
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
    char *identifier = lmws_option_name(repo, option);
    char *indexed = xasprintf("%s/%s", repo, option->file);
    if (*option->quantization)
        yyjson_mut_obj_add_strcpy(doc, out, "quantization", option->quantization);
    yyjson_mut_obj_add_strcpy(doc, out, "name", option->file);
    yyjson_mut_obj_add_uint(doc, out, "sizeBytes", option->size);
    yyjson_mut_obj_add_str(doc, out, "fitEstimation",
                           option->fits ? "fitWithoutGPU" : "willNotFit");
    if (option->recommended) yyjson_mut_obj_add_bool(doc, out, "recommended", true);
    yyjson_mut_obj_add_strcpy(doc, out, "downloadIdentifier", identifier);
    yyjson_mut_obj_add_strcpy(doc, out, "indexedModelIdentifier", indexed);
    yyjson_mut_obj_add_str(doc, out, "compatibilityType", "gguf");
    free(identifier);
    free(indexed);
}

/* State of getModelDownloadOptions. */
struct options_question {
    struct question base;
    char *repo;
};

static void options_clear(void *state) {
    struct options_question *q = state;
    question_clear(&q->base);
    free(q->repo);
}

static void on_options(void *ctx, const struct lmws_hub_option *options, size_t count,
                       const struct error *error) {
    struct lmws_op *op = ctx;
    const struct options_question *q = op->state;
    yyjson_mut_doc *doc;
    yyjson_mut_val *result;
    if (!question_is_answered(op, error)) return;
    yyjson_mut_val *list = results_new(&doc, &result);
    for (size_t i = 0; i < count; i++) add_option(doc, list, q->repo, &options[i]);
    lmws_op_result(op, doc, result);
}

void lmws_download_options(struct lmws_op *op, yyjson_val *param) {
    yyjson_val *identifier = yyjson_obj_get(param, "modelSearchResultIdentifier");
    const char *repo = json_find_str(identifier, "identifier");
    struct options_question *q = xcalloc(1, sizeof *q);
    const struct lmws_hub *hub = op->session->host->hub;
    struct lmws_hub_sink sink = { .on_options = on_options, .ctx = op };
    *q = (struct options_question){ { hub, NULL }, xstrdup(repo ? repo : "") };
    op->state = q;
    op->clear_state = options_clear;
    q->base.handle = hub->options(hub->self, q->repo, &sink);
}

/* ---- downloadModel ---- */

void lmws_send_progress(struct lmws_op *op, uint64_t done, uint64_t total,
                        double bytes_per_second) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "downloadProgress");
    yyjson_mut_val *update = yyjson_mut_obj_add_obj(doc, message, "update");
    yyjson_mut_obj_add_uint(doc, update, "downloadedBytes", done);
    yyjson_mut_obj_add_uint(doc, update, "totalBytes", total);
    yyjson_mut_obj_add_real(doc, update, "speedBytesPerSecond", bytes_per_second);
    lmws_op_send(op, doc, message);
}

void lmws_send_success(struct lmws_op *op, const char *model_key) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *message = lmws_op_message(&doc, "startFinalizing");
    lmws_op_send(op, doc, message);
    message = lmws_op_message(&doc, "success");
    yyjson_mut_obj_add_strcpy(doc, message, "defaultIdentifier", model_key);
    lmws_op_send(op, doc, message);
    lmws_op_close(op);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total, double bytes_per_second) {
    lmws_send_progress(ctx, done, total, bytes_per_second);
}

static void on_got(void *ctx, const char *model_key, const struct error *error) {
    struct lmws_op *op = ctx;
    if (question_is_answered(op, error)) lmws_send_success(op, model_key);
}

void lmws_download_model(struct lmws_op *op, yyjson_val *param) {
    const char *name = json_find_str(param, "downloadIdentifier");
    struct question *q = question_begin(op);
    struct lmws_hub_sink sink = { .on_got = on_got, .on_progress = on_progress, .ctx = op };
    q->handle = q->hub->get(q->hub->self, name ? name : "", &sink);
}

/* A client that only disconnects lets the download go on. */
void lmws_download_message(struct lmws_op *op, yyjson_val *message) {
    struct question *q = op->state;
    if (!yyjson_equals_str(yyjson_obj_get(message, "type"), "cancel")) return;
    if (q->handle) q->hub->drop(q->hub->self, q->handle, true);
    q->handle = NULL;
    lmws_op_close(op);
}
