/* SPDX-License-Identifier: MIT */
/* report.c - every transition is seen: one event, one line in the log, one count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

static bool leaves(const struct lc_action *action) {
    return action->to == LC_UNLOADING ||
           (action->to == LC_ABSENT && action->from != LC_UNLOADING);
}

/* "ttl", "user", ..., "evicted_by:<identifier>"; free() it. */
static char *reason_text(const struct supervisor *sup, const struct lc_action *action) {
    const char *by = NULL;
    if (action->reason == LC_BECAUSE_EVICTED && action->by >= 0) {
        by = sup->instances[action->by].identifier;
    }
    return xasprintf("%s%s%s", lc_reason_name(action->reason), by ? ":" : "", by ? by : "");
}

static void add_numbers(const struct supervisor *sup, const struct lc_action *action,
                        yyjson_mut_doc *doc, yyjson_mut_val *obj) {
    const struct instance *in = &sup->instances[action->slot];
    struct lc_view view = lifecycle_view(&sup->lc, action->slot);
    yyjson_mut_obj_add_uint(doc, obj, "running", view.running);
    yyjson_mut_obj_add_uint(doc, obj, "waiting", view.waiting);
    if (in->worker) yyjson_mut_obj_add_int(doc, obj, "pid", worker_pid(in->worker));
    if (in->facts.memory) yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", in->facts.memory);
    if (action->from == LC_LOADING && (action->to == LC_IDLE || action->to == LC_BUSY)) {
        yyjson_mut_obj_add_real(doc, obj, "load_time_seconds", in->load_seconds);
    }
    if (action->to == LC_IDLE) {
        if (view.expires == MSEC_NEVER)
            yyjson_mut_obj_add_null(doc, obj, "expires_in_ms");
        else
            yyjson_mut_obj_add_int(doc, obj, "expires_in_ms", view.expires - sup->lc.now);
    }
    if (action->reason == LC_BECAUSE_TTL) {
        yyjson_mut_obj_add_int(doc, obj, "due", clock_unix() + action->at - supervisor_now());
    }
    if (leaves(action) && in->load_error.code != ERR_NONE) {
        yyjson_mut_obj_add_str(doc, obj, "error", in->load_error.text);
    }
}

static void publish(struct supervisor *sup, const struct lc_action *action,
                    const char *reason) {
    const struct instance *in = &sup->instances[action->slot];
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, obj);
    yyjson_mut_obj_add_uint(doc, obj, "seq", feed_next_seq(sup->config.events));
    yyjson_mut_obj_add_int(doc, obj, "at", clock_unix());
    yyjson_mut_obj_add_str(doc, obj, "id", in->identifier);
    yyjson_mut_obj_add_str(doc, obj, "model", in->model_key);
    yyjson_mut_obj_add_str(doc, obj, "from", lc_state_name(action->from));
    yyjson_mut_obj_add_str(doc, obj, "to", lc_state_name(action->to));
    yyjson_mut_obj_add_str(doc, obj, "reason", reason);
    yyjson_mut_obj_add_uint(doc, obj, "generation", sup->lc.slots[action->slot].generation);
    yyjson_mut_obj_add_str(doc, obj, "origin",
                           instance_origin_name(supervisor_origin(sup, action->slot)));
    add_numbers(sup, action, doc, obj);
    struct buf json = BUF_INIT(1 << 16);
    json_write(doc, &json);
    feed_publish(sup->config.events, "instance",
                 EVENT_TOPIC_INSTANCES | EVENT_TOPIC_TRANSITIONS, buf_str(&json), true);
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
}

static void count(struct metrics *metrics, const struct lc_action *action) {
    if (!leaves(action)) return;
    metrics->unloads[action->reason]++;
    bool failed = action->reason == LC_BECAUSE_LOAD_FAILED ||
                  (action->from == LC_LOADING && action->reason == LC_BECAUSE_DIED);
    if (failed) metrics->load_failures++;
}

void supervisor_report(struct supervisor *sup, const struct lc_action *action) {
    const struct instance *in = &sup->instances[action->slot];
    char *reason = reason_text(sup, action);
    publish(sup, action, reason);
    count(sup->config.metrics, action);
    char memory[64] = "";
    if (action->from == LC_UNLOADING && in->facts.memory) {
        snprintf(memory, sizeof memory, ", %llu MB came back",
                 (unsigned long long)(in->facts.memory >> 20));
    }
    bool busy = (action->from == LC_IDLE && action->to == LC_BUSY) ||
                (action->from == LC_BUSY && action->to == LC_IDLE);
    void (*say)(const char *fmt, ...) = busy ? log_debug : log_info;
    say("%s: %s -> %s (%s%s)", in->identifier, lc_state_name(action->from),
        lc_state_name(action->to), reason, memory);
    free(reason);
    if (action->reason == LC_BECAUSE_LOAD_FAILED) {
        log_warn("%s: %s", in->identifier, in->load_error.text);
    }
}

void supervisor_report_progress(struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    if (!in->identifier || !feed_wanted(sup->config.events, EVENT_TOPIC_INSTANCES)) return;
    struct buf json = BUF_INIT(4096);
    buf_add_str(&json, "{\"id\":");
    json_write_str(&json, in->identifier, strlen(in->identifier));
    buf_add_str(&json, ",\"model\":");
    json_write_str(&json, in->model_key, strlen(in->model_key));
    buf_addf(&json, ",\"progress\":%.3f}", sup->lc.slots[slot].permille / 1000.0);
    feed_publish(sup->config.events, "progress", EVENT_TOPIC_INSTANCES, buf_str(&json), false);
    buf_clear(&json);
}
