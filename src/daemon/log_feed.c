/* SPDX-License-Identifier: MIT */
#include "daemon/log_feed.h"

#include <math.h>

#include "base/json.h"

static bool is_of_model(enum log_kind kind) {
    return kind == LOG_INPUT || kind == LOG_OUTPUT || kind == LOG_STATS;
}

static void add_rounded(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                        double value) {
    yyjson_mut_obj_add_real(doc, obj, name, round(value * 1000) / 1000);
}

static void add_stats(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct log_line *line) {
    const struct service_usage *usage = &line->usage;
    const struct service_timing *timing = &line->timing;
    double speed = timing->generation > 0
                       ? (double)usage->completion_tokens / timing->generation
                       : 0;
    yyjson_mut_val *stats = yyjson_mut_obj_add_obj(doc, root, "stats");
    yyjson_mut_obj_add_int(doc, stats, "prompt_tokens", usage->prompt_tokens);
    yyjson_mut_obj_add_int(doc, stats, "cached_tokens", usage->cached_tokens);
    yyjson_mut_obj_add_int(doc, stats, "completion_tokens", usage->completion_tokens);
    add_rounded(doc, stats, "tokens_per_second", speed);
    add_rounded(doc, stats, "time_to_first_token", timing->time_to_first_token);
    add_rounded(doc, stats, "generation_time", timing->generation);
    yyjson_mut_obj_add_str(doc, stats, "stop_reason", stop_reason_name(line->stop_reason));
}

static void format_line(const void *subject, uint64_t seq, struct buf *out) {
    static const char *const types[] = { [LOG_SERVER] = "line",
                                         [LOG_REQUEST] = "line",
                                         [LOG_INPUT] = "input",
                                         [LOG_OUTPUT] = "output",
                                         [LOG_STATS] = "stats" };
    const struct log_line *line = subject;
    (void)seq;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "at", line->at);
    yyjson_mut_obj_add_str(doc, root, "source", is_of_model(line->kind) ? "model" : "server");
    yyjson_mut_obj_add_str(doc, root, "level", log_level_name(line->level));
    yyjson_mut_obj_add_str(doc, root, "type", types[line->kind]);
    if (is_of_model(line->kind)) yyjson_mut_obj_add_str(doc, root, "model", line->model);
    if (line->kind == LOG_STATS)
        add_stats(doc, root, line);
    else
        yyjson_mut_obj_add_str(doc, root, "text", line->text);
    json_write_end(doc, out);
}

bool log_feed_wanted(const struct feed *log, enum log_kind kind) {
    return feed_wanted(log, 1U << kind);
}

void log_feed_publish(struct feed *log, const struct log_line *line) {
    struct feed_entry entry = {
        .event = "", .topics = 1U << line->kind, .subject = line, .format = format_line
    };
    feed_publish(log, &entry, line->kind == LOG_SERVER ? FEED_REMEMBER : FEED_PASS);
}
