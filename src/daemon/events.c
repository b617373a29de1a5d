/* SPDX-License-Identifier: MIT */
#include "daemon/events.h"

#include "api/lmstudio_rest/v1.h"
#include "base/clock.h"
#include "base/json.h"

static void add_msec(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, msec value) {
    if (value == MSEC_NEVER)
        yyjson_mut_obj_add_null(doc, obj, name);
    else
        yyjson_mut_obj_add_int(doc, obj, name, value);
}

/* ---- transitions ---- */

/* "ttl", "user", ..., "evicted_by:<identifier>" */
static void add_reason(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                       const struct instance_transition *t) {
    struct buf reason = BUF_INIT(1 << 16);
    buf_add_str(&reason, lc_reason_name(t->reason));
    if (t->evicted_by) buf_addf(&reason, ":%s", t->evicted_by);
    yyjson_mut_obj_add_strcpy(doc, obj, "reason", buf_str(&reason));
    buf_clear(&reason);
}

static void format_transition(const void *subject, uint64_t seq, struct buf *out) {
    const struct instance_transition *t = subject;
    yyjson_mut_val *obj;
    yyjson_mut_doc *doc = json_object_new(&obj);
    yyjson_mut_obj_add_uint(doc, obj, "seq", seq);
    yyjson_mut_obj_add_int(doc, obj, "at", t->at);
    yyjson_mut_obj_add_str(doc, obj, "id", t->identifier);
    yyjson_mut_obj_add_str(doc, obj, "model", t->model_key);
    yyjson_mut_obj_add_str(doc, obj, "from", lc_state_name(t->from));
    yyjson_mut_obj_add_str(doc, obj, "to", lc_state_name(t->to));
    add_reason(doc, obj, t);
    yyjson_mut_obj_add_uint(doc, obj, "generation", t->generation);
    yyjson_mut_obj_add_str(doc, obj, "origin", instance_origin_name(t->origin));
    yyjson_mut_obj_add_uint(doc, obj, "running", t->running);
    yyjson_mut_obj_add_uint(doc, obj, "waiting", t->waiting);
    if (t->pid) yyjson_mut_obj_add_int(doc, obj, "pid", t->pid);
    if (t->memory) yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", t->memory);
    if (t->from == LC_LOADING && (t->to == LC_IDLE || t->to == LC_BUSY)) {
        yyjson_mut_obj_add_real(doc, obj, "load_time_seconds", t->load_seconds);
    }
    if (t->to == LC_IDLE) add_msec(doc, obj, "expires_in_ms", t->expires_in);
    if (t->reason == LC_BECAUSE_TTL) yyjson_mut_obj_add_int(doc, obj, "due", t->due);
    if (t->error) yyjson_mut_obj_add_str(doc, obj, "error", t->error);
    if (t->hint) yyjson_mut_obj_add_str(doc, obj, "hint", t->hint);
    json_write_end(doc, out);
}

void events_publish_transition(struct feed *events,
                               const struct instance_transition *transition) {
    struct feed_entry entry = { .event = "instance",
                                .topics = EVENT_TOPIC_INSTANCES | EVENT_TOPIC_TRANSITIONS,
                                .subject = transition,
                                .format = format_transition };
    feed_publish(events, &entry, FEED_REMEMBER);
}

static void format_progress(const void *subject, uint64_t seq, struct buf *out) {
    const struct instance_progress *progress = subject;
    yyjson_mut_val *obj;
    yyjson_mut_doc *doc = json_object_new(&obj);
    (void)seq;
    yyjson_mut_obj_add_str(doc, obj, "id", progress->identifier);
    yyjson_mut_obj_add_str(doc, obj, "model", progress->model_key);
    yyjson_mut_obj_add_real(doc, obj, "progress", progress->progress);
    json_write_end(doc, out);
}

void events_publish_progress(struct feed *events, const struct instance_progress *progress) {
    struct feed_entry entry = { .event = "progress",
                                .topics = EVENT_TOPIC_INSTANCES,
                                .subject = progress,
                                .format = format_progress };
    feed_publish(events, &entry, FEED_PASS);
}

/* ---- parked workers ---- */

static void format_parked(const void *subject, uint64_t seq, struct buf *out) {
    const struct parked_event *event = subject;
    yyjson_mut_val *obj;
    yyjson_mut_doc *doc = json_object_new(&obj);
    yyjson_mut_obj_add_uint(doc, obj, "seq", seq);
    yyjson_mut_obj_add_int(doc, obj, "at", event->at);
    yyjson_mut_obj_add_str(doc, obj, "model", event->model_key);
    yyjson_mut_obj_add_str(doc, obj, "to", parked_change_name(event->change));
    if (event->change == PARKED_ENDS)
        yyjson_mut_obj_add_str(doc, obj, "reason", parked_reason_name(event->reason));
    yyjson_mut_obj_add_int(doc, obj, "pid", event->pid);
    yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", event->memory);
    if (event->change != PARKED_BEGINS)
        yyjson_mut_obj_add_real(doc, obj, "parked_seconds", event->seconds);
    json_write_end(doc, out);
}

void events_publish_parked(struct feed *events, const struct parked_event *event) {
    struct feed_entry entry = { .event = "parked",
                                .topics = EVENT_TOPIC_INSTANCES,
                                .subject = event,
                                .format = format_parked };
    feed_publish(events, &entry, FEED_REMEMBER);
}

/* ---- all instances ---- */

void events_format_snapshot(struct supervisor *sup, uint64_t seq, struct buf *out) {
    struct instance_status instances[LC_MAX_SLOTS];
    size_t count = supervisor_instances(sup, instances);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "seq", seq);
    yyjson_mut_obj_add_int(doc, root, "at", clock_unix());
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "instances");
    for (size_t i = 0; i < count; i++) {
        const struct instance_view *view = &instances[i].view;
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, obj, "id", view->identifier);
        yyjson_mut_obj_add_str(doc, obj, "model", view->model_key);
        yyjson_mut_obj_add_str(doc, obj, "origin", instance_origin_name(view->origin));
        yyjson_mut_obj_add_str(doc, obj, "state", instance_state_name(view->state));
        yyjson_mut_obj_add_uint(doc, obj, "generation", instances[i].generation);
        yyjson_mut_obj_add_uint(doc, obj, "running", view->running);
        yyjson_mut_obj_add_uint(doc, obj, "waiting", view->waiting);
        yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", view->memory_bytes);
        add_msec(doc, obj, "ttl_ms", view->ttl);
        add_msec(doc, obj, "expires_in_ms", view->expires_in);
        yyjson_mut_obj_add_int(doc, obj, "pid", view->pid);
    }
    json_write_end(doc, out);
}

static void add_memory(struct supervisor *sup, yyjson_mut_doc *doc, yyjson_mut_val *root) {
    struct memory_status status = supervisor_memory(sup);
    yyjson_mut_val *memory = yyjson_mut_obj_add_obj(doc, root, "memory");
    yyjson_mut_obj_add_uint(doc, memory, "total_bytes", status.total);
    yyjson_mut_obj_add_uint(doc, memory, "available_bytes", status.available);
    yyjson_mut_obj_add_uint(doc, memory, "other_bytes", status.other);
    if (status.limit)
        yyjson_mut_obj_add_uint(doc, memory, "limit_bytes", status.limit);
    else
        yyjson_mut_obj_add_null(doc, memory, "limit_bytes");
    yyjson_mut_obj_add_uint(doc, memory, "device_bytes", status.device);
}

static void add_parked(const struct supervisor *sup, yyjson_mut_doc *doc,
                       yyjson_mut_val *root) {
    struct parked_status parked[PARKED_MAX];
    size_t count = supervisor_parked(sup, parked);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "parked");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, obj, "model", parked[i].model_key);
        lmstudio_v1_fill_parked(doc, obj, &parked[i].view);
    }
}

void events_format_status(struct supervisor *sup, struct buf *out) {
    static const char *const works[] = { [WORK_NONE] = "none",
                                         [WORK_EMBEDDING] = "embedding",
                                         [WORK_PROMPT] = "prompt",
                                         [WORK_GENERATING] = "generating" };
    struct instance_status instances[LC_MAX_SLOTS];
    size_t count = supervisor_instances(sup, instances);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "at", clock_unix());
    add_memory(sup, doc, root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "instances");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        lmstudio_v1_fill_instance(doc, obj, &instances[i].view);
        yyjson_mut_obj_add_str(doc, obj, "work", works[instances[i].view.work]);
        yyjson_mut_obj_add_int(doc, obj, "context_used", instances[i].context_used);
        yyjson_mut_obj_add_real(doc, obj, "tokens_per_second", instances[i].tokens_per_second);
    }
    add_parked(sup, doc, root);
    json_write_end(doc, out);
}
