/* SPDX-License-Identifier: MIT */
#include "supervisor/metrics.h"

static const char *const op_names[] = {
    [OP_CHAT] = "chat",     [OP_COMPLETION] = "completion", [OP_EMBEDDING] = "embedding",
    [OP_RERANK] = "rerank", [OP_TOKENIZE] = "tokenize",     [OP_TEMPLATE] = "template",
};

static void head(struct buf *out, const char *name, const char *type, const char *help) {
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *out, const char *name, uint64_t value, const char *help) {
    head(out, name, "counter", help);
    buf_addf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void format_unloads(const struct metrics *metrics, struct buf *out) {
    head(out, "doze_unloads_total", "counter", "Instances that left, by reason.");
    for (int r = LC_BECAUSE_TTL; r < LC_REASON_COUNT; r++) {
        buf_addf(out, "doze_unloads_total{reason=\"%s\"} %llu\n",
                 lc_reason_name((enum lc_reason)r), (unsigned long long)metrics->unloads[r]);
    }
    counter(out, "doze_evictions_total", metrics->unloads[LC_BECAUSE_EVICTED],
            "Instances that made room for another.");
}

static void format_requests(const struct metrics *metrics, struct buf *out) {
    head(out, "doze_requests_total", "counter", "Requests for an instance, by kind of work.");
    for (int op = 0; op <= OP_TEMPLATE; op++) {
        buf_addf(out, "doze_requests_total{op=\"%s\"} %llu\n", op_names[op],
                 (unsigned long long)metrics->requests[op]);
    }
    head(out, "doze_request_errors_total", "counter",
         "Requests that ended with an error, by code.");
    for (int code = 1; code < ERR_CODE_COUNT; code++) {
        if (metrics->request_errors[code] == 0) continue;
        buf_addf(out, "doze_request_errors_total{code=\"%s\"} %llu\n",
                 error_name((enum err_code)code),
                 (unsigned long long)metrics->request_errors[code]);
    }
}

/* Identifiers come from clients: backslash, quote and newline are escaped. */
static void label(struct buf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\\' || *text == '"') buf_add(out, "\\", 1);
        if (*text == '\n')
            buf_add_str(out, "\\n");
        else
            buf_add(out, text, 1);
    }
}

static void gauge(struct buf *out, const char *name, const struct instance_view *view,
                  uint64_t value) {
    buf_addf(out, "%s{instance=\"", name);
    label(out, view->identifier);
    buf_addf(out, "\"} %llu\n", (unsigned long long)value);
}

struct gauge_row {
    const char *name, *help;
    uint64_t (*value)(const struct instance_view *view);
};

static uint64_t memory_of(const struct instance_view *view) {
    return view->memory_bytes;
}

static uint64_t device_memory_of(const struct instance_view *view) {
    return view->device_memory_bytes;
}

static uint64_t running_of(const struct instance_view *view) {
    return view->running;
}

static uint64_t waiting_of(const struct instance_view *view) {
    return view->waiting;
}

static const struct gauge_row gauges[] = {
    { "doze_instance_memory_bytes", "Bytes an instance occupies.", memory_of },
    { "doze_instance_device_memory_bytes",
      "Bytes an instance occupies on a device with memory of its own.", device_memory_of },
    { "doze_instance_running", "Requests an instance is working on.", running_of },
    { "doze_instance_waiting", "Requests that wait for an instance.", waiting_of },
};

static void format_gauges(const struct service_models *models, struct buf *out) {
    for (size_t g = 0; g < sizeof gauges / sizeof gauges[0]; g++) {
        head(out, gauges[g].name, "gauge", gauges[g].help);
        for (size_t m = 0; m < models->count; m++) {
            const struct model_view *model = &models->models[m];
            for (size_t i = 0; i < model->instance_count; i++) {
                const struct instance_view *view = &model->instances[i];
                gauge(out, gauges[g].name, view, gauges[g].value(view));
            }
        }
    }
}

static void format_prompts(const struct metrics *metrics, struct buf *out) {
    head(out, "doze_prompt_hits_total", "counter",
         "Requests whose prompt was processed in part already, by where that was kept.");
    for (int s = CACHE_SLOT; s < CACHE_SOURCE_COUNT; s++) {
        buf_addf(out, "doze_prompt_hits_total{source=\"%s\"} %llu\n",
                 cache_source_name((enum cache_source)s),
                 (unsigned long long)metrics->prompt_hits[s]);
    }
    head(out, "doze_prompt_store_entries", "gauge", "Processed prompts on disk.");
    buf_addf(out, "doze_prompt_store_entries %llu\n",
             (unsigned long long)metrics->prompt_entries);
    head(out, "doze_prompt_store_bytes", "gauge", "Bytes of processed prompts on disk.");
    buf_addf(out, "doze_prompt_store_bytes %llu\n", (unsigned long long)metrics->prompt_bytes);
}

/* The gauges are of the snapshot. */
static void format_parked(const struct metrics *metrics, const struct service_models *models,
                          struct buf *out) {
    uint64_t workers = 0, bytes = 0;
    for (size_t m = 0; m < models->count; m++) {
        workers += models->models[m].parked_count;
        for (size_t i = 0; i < models->models[m].parked_count; i++)
            bytes += models->models[m].parked[i].memory_bytes;
    }
    head(out, "doze_parked_workers", "gauge", "Workers that keep a model without an instance.");
    buf_addf(out, "doze_parked_workers %llu\n", (unsigned long long)workers);
    head(out, "doze_parked_memory_bytes", "gauge", "Bytes that parked workers occupy.");
    buf_addf(out, "doze_parked_memory_bytes %llu\n", (unsigned long long)bytes);
    counter(out, "doze_parked_total", metrics->parked[PARKED_BEGINS],
            "Workers that were parked at an unload.");
    counter(out, "doze_parked_woken_total", metrics->parked[PARKED_WAKES],
            "Loads that a parked worker took up.");
    head(out, "doze_parked_given_up_total", "counter", "Parked workers that ended, by reason.");
    for (int r = 0; r < PARKED_REASON_COUNT; r++) {
        buf_addf(out, "doze_parked_given_up_total{reason=\"%s\"} %llu\n",
                 parked_reason_name((enum parked_reason)r),
                 (unsigned long long)metrics->parked_ends[r]);
    }
}

void metrics_format(const struct metrics *metrics, const struct service_models *models,
                    struct buf *out) {
    counter(out, "doze_loads_total", metrics->loads, "Loads that succeeded.");
    counter(out, "doze_load_failures_total", metrics->load_failures, "Loads that failed.");
    head(out, "doze_load_seconds_total", "counter", "Time spent in loads that succeeded.");
    buf_addf(out, "doze_load_seconds_total %.3f\n", metrics->load_seconds);
    format_unloads(metrics, out);
    format_requests(metrics, out);
    counter(out, "doze_prompt_tokens_total", metrics->prompt_tokens, "Tokens of prompts.");
    counter(out, "doze_cached_tokens_total", metrics->cached_tokens,
            "Tokens of prompts that did not have to be processed.");
    counter(out, "doze_completion_tokens_total", metrics->completion_tokens,
            "Tokens generated.");
    counter(out, "doze_drafted_tokens_total", metrics->drafted_tokens,
            "Tokens that were guessed ahead.");
    counter(out, "doze_accepted_tokens_total", metrics->accepted_tokens,
            "Tokens that were guessed ahead and were right.");
    counter(out, "doze_draft_pauses_total", metrics->draft_pauses,
            "How often an answer went on without guesses because they took longer.");
    format_prompts(metrics, out);
    format_parked(metrics, models, out);
    format_gauges(models, out);
}
