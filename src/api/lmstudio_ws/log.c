/* SPDX-License-Identifier: MIT */
/* log.c - the daemon's log as LM Studio's events. An answer comes in two lines, its text and
 * its figures; clients want them as one event. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/find.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/lmstudio_ws/info.h"
#include "base/xalloc.h"

struct log_stream {
    const struct lmws_host *host;
    void *follower;
    char *output, *output_model; /* text that waits for its figures; NULL: none */
};

static void forget_output(struct log_stream *stream) {
    free(stream->output);
    free(stream->output_model);
    stream->output = stream->output_model = NULL;
}

static void log_stream_clear(void *state) {
    struct log_stream *stream = state;
    if (stream->follower) stream->host->log_leave(stream->host->self, stream->follower);
    forget_output(stream);
}

static yyjson_mut_val *event_new(yyjson_mut_doc **ret_doc, const struct log_line *line,
                                 const char *type, yyjson_mut_val **ret_data) {
    yyjson_mut_val *message = lmws_op_message(ret_doc, "log");
    yyjson_mut_val *log = yyjson_mut_obj_add_obj(*ret_doc, message, "log");
    yyjson_mut_obj_add_int(*ret_doc, log, "timestamp", line->at);
    *ret_data = yyjson_mut_obj_add_obj(*ret_doc, log, "data");
    yyjson_mut_obj_add_str(*ret_doc, *ret_data, "type", type);
    return message;
}

/* "[2026-01-31 23:59:59][INFO] text" in local time: clients print only the content, and
 * programs that read LM Studio's log look for this form. */
static void add_content(yyjson_mut_doc *doc, yyjson_mut_val *data,
                        const struct log_line *line) {
    static const char *const levels[] = { [LOG_LEVEL_ERROR] = "ERROR",
                                          [LOG_LEVEL_WARN] = "WARN",
                                          [LOG_LEVEL_INFO] = "INFO",
                                          [LOG_LEVEL_DEBUG] = "DEBUG" };
    time_t at = (time_t)(line->at / 1000);
    struct buf content = BUF_INIT(1 << 20);
    struct tm local;
    char when[32];
    if (localtime_r(&at, &local) &&
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local) > 0)
        buf_addf(&content, "[%s]", when);
    buf_addf(&content, "[%s] %s", levels[line->level], line->text);
    yyjson_mut_obj_add_strcpy(doc, data, "content", buf_str(&content));
    buf_clear(&content);
}

static void send_server_line(struct lmws_op *op, const struct log_line *line) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "server.log", &data);
    add_content(doc, data, line);
    yyjson_mut_obj_add_str(doc, data, "level", log_level_name(line->level));
    lmws_op_send(op, doc, message);
}

/* False: it has been unloaded since. */
static bool find_instance(const struct lmws_op *op, uint64_t reference,
                          struct lmws_found *ret_found) {
    const struct service *service = op->session->service;
    return service->find_instance(service->self, reference, &ret_found->model,
                                  &ret_found->instance);
}

static void send_input(struct lmws_op *op, const struct log_line *line) {
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "llm.prediction.input", &data);
    struct buf path = BUF_INIT(1 << 16);
    struct lmws_found found;
    if (find_instance(op, line->instance, &found)) lmws_model_path(&found.model, &path);
    yyjson_mut_obj_add_str(doc, data, "input", line->text);
    yyjson_mut_obj_add_str(doc, data, "modelPath", buf_str(&path));
    yyjson_mut_obj_add_str(doc, data, "modelIdentifier", line->model);
    lmws_op_send(op, doc, message);
    buf_clear(&path);
}

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *stats, const struct log_line *line) {
    const struct service_usage *usage = &line->usage;
    const struct service_timing *timing = &line->timing;
    double speed = timing->generation > 0
                       ? (double)usage->completion_tokens / timing->generation
                       : 0;
    yyjson_mut_obj_add_str(doc, stats, "stopReason", stop_reason_name(line->stop_reason));
    yyjson_mut_obj_add_real(doc, stats, "tokensPerSecond", speed);
    yyjson_mut_obj_add_real(doc, stats, "timeToFirstTokenSec", timing->time_to_first_token);
    yyjson_mut_obj_add_int(doc, stats, "promptTokensCount", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, stats, "predictedTokensCount", usage->completion_tokens);
    yyjson_mut_obj_add_int(doc, stats, "totalTokensCount",
                           usage->prompt_tokens + usage->completion_tokens);
    yyjson_mut_obj_add_real(doc, stats, "totalTimeSec",
                            timing->time_to_first_token + timing->generation);
}

static void send_output(struct lmws_op *op, const struct log_line *line) {
    struct log_stream *stream = op->state;
    struct lmws_found found;
    yyjson_mut_doc *doc;
    yyjson_mut_val *data, *message = event_new(&doc, line, "llm.prediction.output", &data);
    bool same = stream->output && strcmp(stream->output_model, line->model) == 0;
    yyjson_mut_obj_add_str(doc, data, "output", same ? stream->output : "");
    yyjson_mut_obj_add_str(doc, data, "modelIdentifier", line->model);
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, data, "stats");
    add_stats(doc, stats, line);
    if (find_instance(op, line->instance, &found)) {
        int64_t layers = found.instance.settings->gpu_layers;
        yyjson_mut_obj_add_int(doc, stats, "numGpuLayers", layers);
    }
    lmws_op_send(op, doc, message);
    forget_output(stream);
}

static void log_on_line(void *ctx, const struct log_line *line) {
    struct lmws_op *op = ctx;
    struct log_stream *stream = op->state;
    switch (line->kind) {
    case LOG_SERVER:
    case LOG_REQUEST:
        send_server_line(op, line);
        break;
    case LOG_INPUT:
        send_input(op, line);
        break;
    case LOG_OUTPUT:
        forget_output(stream);
        stream->output = xstrdup(line->text);
        stream->output_model = xstrdup(line->model);
        break;
    case LOG_STATS:
        send_output(op, line);
        break;
    }
}

void lmws_stream_logs(struct lmws_op *op, yyjson_val *param) {
    const struct lmws_host *host = op->session->host;
    struct log_stream *stream = xcalloc(1, sizeof *stream);
    struct error err;
    (void)param;
    stream->host = host;
    op->state = stream;
    op->clear_state = log_stream_clear;
    stream->follower = host->log_follow(host->self, log_on_line, op);
    if (stream->follower) return;
    error_set(&err, ERR_QUEUE_FULL,
              "Too many clients follow the log; try again when some have left.");
    lmws_op_fail(op, &err);
}

void lmws_stream_logs_message(struct lmws_op *op, yyjson_val *message) {
    if (yyjson_equals_str(yyjson_obj_get(message, "type"), "stop")) lmws_op_close(op);
}
