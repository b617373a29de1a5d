/* SPDX-License-Identifier: MIT */
/* log.c - the daemon's log as LM Studio's events. What a model wrote comes in two
 * messages, its text and its figures; clients want them as one. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/info.h"
#include "base/json.h"
#include "base/xalloc.h"

struct log_stream {
    const struct lmws_host *host;
    void *follower;
    char *output, *output_model; /* text that waits for its figures; NULL: none */
};

static void log_stream_clear(void *state) {
    struct log_stream *stream = state;
    if (stream->follower) stream->host->log_leave(stream->host->self, stream->follower);
    free(stream->output);
    free(stream->output_model);
}

static yyjson_mut_val *event_new(yyjson_mut_doc **ret_doc, yyjson_val *line, const char *type,
                                 yyjson_mut_val **ret_data) {
    yyjson_mut_val *message = lmws_op_message(ret_doc, "log");
    yyjson_mut_val *log = yyjson_mut_obj_add_obj(*ret_doc, message, "log");
    yyjson_mut_obj_add_int(*ret_doc, log, "timestamp",
                           yyjson_get_sint(yyjson_obj_get(line, "at")));
    *ret_data = yyjson_mut_obj_add_obj(*ret_doc, log, "data");
    yyjson_mut_obj_add_str(*ret_doc, *ret_data, "type", type);
    return message;
}

static void copy_text(yyjson_mut_doc *doc, yyjson_mut_val *data, const char *name,
                      yyjson_val *line, const char *field) {
    yyjson_val *text = yyjson_obj_get(line, field);
    yyjson_mut_obj_add_val(doc, data, name,
                           yyjson_is_str(text) ? yyjson_val_mut_copy(doc, text)
                                               : yyjson_mut_str(doc, ""));
}

/* [2026-01-31 23:59:59][INFO] text, by the local clock: clients print nothing but the content,
 * and programs that read LM Studio's log look for this. */
static void add_content(yyjson_mut_doc *doc, yyjson_mut_val *data, yyjson_val *line,
                        const char *level) {
    const char *text = json_find_str(line, "text");
    time_t at = (time_t)(yyjson_get_sint(yyjson_obj_get(line, "at")) / 1000);
    struct buf content = BUF_INIT(1 << 20);
    struct tm local;
    char when[32];
    if (localtime_r(&at, &local) &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local) > 0)
        buf_addf(&content, "[%s]", when);
    buf_addf(&content, "[%s] %s", level, text ? text : "");
    yyjson_mut_obj_add_strcpy(doc, data, "content", buf_str(&content));
    buf_clear(&content);
}

static void on_line(struct lmws_op *op, yyjson_val *line) {
    static const struct {
        const char *name, *written;
    } levels[] = {
        { "info", "INFO" }, { "debug", "DEBUG" }, { "warn", "WARN" }, { "error", "ERROR" }
    };
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "server.log", &data);
    const char *level = json_find_str(line, "level");
    size_t known = 0;
    for (size_t i = 0; level && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcmp(levels[i].name, level) == 0) known = i;
    }
    add_content(doc, data, line, levels[known].written);
    yyjson_mut_obj_add_str(doc, data, "level", levels[known].name);
    lmws_op_send(op, doc, message);
}

/* NULL: it has been unloaded since. */
static const struct instance_view *find_instance(struct lmws_op *op, const char *identifier,
                                                 const struct model_view **ret_model) {
    const struct service *service = op->session->service;
    struct service_models models = service->models(service->self);
    for (size_t i = 0; i < models.count; i++) {
        const struct model_view *model = models.models + i;
        for (size_t k = 0; k < model->instance_count; k++) {
            if (strcmp(model->instances[k].identifier, identifier) != 0) continue;
            *ret_model = model;
            return &model->instances[k];
        }
    }
    return NULL;
}

static void add_model_path(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *data,
                           const char *identifier) {
    struct buf path = BUF_INIT(1 << 16);
    const struct model_view *model;
    if (find_instance(op, identifier, &model)) lmws_model_path(model, &path);
    yyjson_mut_obj_add_strcpy(doc, data, "modelPath", buf_str(&path));
    buf_clear(&path);
}

static void on_input(struct lmws_op *op, yyjson_val *line) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "llm.prediction.input", &data);
    const char *model = json_find_str(line, "model");
    copy_text(doc, data, "input", line, "text");
    add_model_path(op, doc, data, model ? model : "");
    copy_text(doc, data, "modelIdentifier", line, "model");
    lmws_op_send(op, doc, message);
}

static void on_output(struct lmws_op *op, yyjson_val *line) {
    struct log_stream *stream = op->state;
    const char *text = json_find_str(line, "text"), *model = json_find_str(line, "model");
    free(stream->output);
    free(stream->output_model);
    stream->output = xstrdup(text ? text : "");
    stream->output_model = xstrdup(model ? model : "");
}

static void add_sum(yyjson_mut_doc *doc, yyjson_mut_val *stats, yyjson_val *a, yyjson_val *b,
                    const char *name) {
    if (yyjson_is_int(a) && yyjson_is_int(b)) {
        yyjson_mut_obj_add_int(doc, stats, name, yyjson_get_sint(a) + yyjson_get_sint(b));
    } else if (yyjson_is_num(a) && yyjson_is_num(b)) {
        yyjson_mut_obj_add_real(doc, stats, name, yyjson_get_num(a) + yyjson_get_num(b));
    }
}

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *data, yyjson_val *from,
                      const struct instance_view *instance) {
    static const struct {
        const char *ours, *theirs;
    } names[] = { { "tokens_per_second", "tokensPerSecond" },
                  { "time_to_first_token", "timeToFirstTokenSec" },
                  { "prompt_tokens", "promptTokensCount" },
                  { "completion_tokens", "predictedTokensCount" } };
    const char *reason = json_find_str(from, "stop_reason");
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, data, "stats");
    yyjson_mut_obj_add_strcpy(doc, stats, "stopReason", reason ? reason : "failed");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        yyjson_val *n = yyjson_obj_get(from, names[i].ours);
        if (!yyjson_is_num(n)) continue;
        yyjson_mut_obj_add_val(doc, stats, names[i].theirs, yyjson_val_mut_copy(doc, n));
    }
    add_sum(doc, stats, yyjson_obj_get(from, "prompt_tokens"),
            yyjson_obj_get(from, "completion_tokens"), "totalTokensCount");
    add_sum(doc, stats, yyjson_obj_get(from, "time_to_first_token"),
            yyjson_obj_get(from, "generation_time"), "totalTimeSec");
    if (instance) yyjson_mut_obj_add_int(doc, stats, "numGpuLayers", instance->gpu_layers);
}

static void on_stats(struct lmws_op *op, yyjson_val *line) {
    struct log_stream *stream = op->state;
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "llm.prediction.output", &data);
    const char *model = json_find_str(line, "model");
    bool same = stream->output && model && strcmp(stream->output_model, model) == 0;
    yyjson_mut_obj_add_str(doc, data, "output", same ? stream->output : "");
    copy_text(doc, data, "modelIdentifier", line, "model");
    const struct model_view *model_view;
    add_stats(doc, data, yyjson_obj_get(line, "stats"),
              find_instance(op, model ? model : "", &model_view));
    lmws_op_send(op, doc, message);
    free(stream->output);
    free(stream->output_model);
    stream->output = stream->output_model = NULL;
}

static const struct {
    const char *type;
    void (*fn)(struct lmws_op *op, yyjson_val *line);
} kinds[] = {
    { "line", on_line }, { "input", on_input }, { "output", on_output }, { "stats", on_stats }
};

static void on_log(void *ctx, const char *json) {
    struct lmws_op *op = ctx;
    struct error err;
    yyjson_doc *doc = json_parse_object(json, strlen(json), &err);
    yyjson_val *line = yyjson_doc_get_root(doc);
    const char *type = json_find_str(line, "type");
    for (size_t i = 0; type && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].type, type) == 0) kinds[i].fn(op, line);
    }
    yyjson_doc_free(doc);
}

void lmws_stream_logs(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    struct log_stream *stream = xcalloc(1, sizeof *stream);
    (void)param;
    stream->host = host;
    op->state = stream;
    op->clear_state = log_stream_clear;
    stream->follower = host->log_follow(host->self, on_log, op);
}

void lmws_stream_logs_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "stop")) lmws_op_close(op);
}
