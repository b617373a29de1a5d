/* SPDX-License-Identifier: MIT */
#include "daemon/recorder.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

enum { SAMPLE_EVERY_MS = 10000 };

static void add_instances(struct supervisor *sup, yyjson_mut_doc *doc, yyjson_mut_val *list) {
    struct instance_status instances[LC_MAX_SLOTS];
    size_t count = supervisor_instances(sup, instances);
    for (size_t i = 0; i < count; i++) {
        const struct instance_view *view = &instances[i].view;
        if (view->memory_bytes == 0) continue; /* waits for a load */
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, obj, "id", view->identifier);
        yyjson_mut_obj_add_uint(doc, obj, "bytes", view->memory_bytes);
    }
}

static size_t count_parked(const struct supervisor *sup) {
    struct parked_status parked[PARKED_MAX];
    return supervisor_parked(sup, parked);
}

/* Without those that were told to end, which take no more loads. */
static void add_parked(const struct supervisor *sup, yyjson_mut_doc *doc,
                       yyjson_mut_val *list) {
    struct parked_status parked[PARKED_MAX];
    size_t count = supervisor_parked(sup, parked);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, obj, "model", parked[i].model_key);
        yyjson_mut_obj_add_uint(doc, obj, "bytes", parked[i].view.memory_bytes);
    }
}

static void sample(struct recorder *r) {
    nbytes total = memory_total(), available = memory_available();
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "at", clock_unix());
    yyjson_mut_obj_add_uint(doc, root, "total_bytes", total);
    yyjson_mut_obj_add_uint(doc, root, "available_bytes",
                            available < total ? available : total);
    add_instances(r->supervisor, doc, yyjson_mut_obj_add_arr(doc, root, "instances"));
    add_parked(r->supervisor, doc, yyjson_mut_obj_add_arr(doc, root, "parked"));
    struct buf json = BUF_INIT(1 << 20);
    if (json_write(doc, &json)) history_add(r->history, HISTORY_MEMORY, buf_str(&json));
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
    r->sampled = uv_now(r->timer.loop);
    r->parked = supervisor_parked_bytes(r->supervisor);
    r->parked_count = count_parked(r->supervisor);
}

static void recorder_on_timer(uv_timer_t *timer) {
    struct recorder *r = timer->data;
    sample(r);
    if (supervisor_is_working(r->supervisor)) {
        uv_timer_start(timer, recorder_on_timer, SAMPLE_EVERY_MS, 0);
    }
}

static bool is_resident(enum lc_state state) {
    return state == LC_IDLE || state == LC_BUSY || state == LC_DRAINING;
}

/* From one request to the next the memory is the same. */
static bool changes_memory(const struct instance_transition *transition) {
    return !is_resident(transition->from) || !is_resident(transition->to);
}

static uint64_t until_next(const struct recorder *r) {
    uint64_t since = uv_now(r->timer.loop) - r->sampled;
    return r->sampled && since < SAMPLE_EVERY_MS ? SAMPLE_EVERY_MS - since : 0;
}

/* The timer takes the sample, from the loop, so one sample serves all transitions of a step. */
static void recorder_on_transition(void *ctx, struct feed_message *message) {
    struct recorder *r = ctx;
    history_add(r->history, HISTORY_EVENT, feed_message_json(message));
    bool active = uv_is_active((uv_handle_t *)&r->timer);
    if (changes_memory(feed_message_entry(message)->subject)) {
        uv_timer_start(&r->timer, recorder_on_timer, 0, 0);
    } else if (!supervisor_is_working(r->supervisor)) {
        if (active && uv_timer_get_due_in(&r->timer) > 0) uv_timer_stop(&r->timer);
    } else if (!active) {
        uv_timer_start(&r->timer, recorder_on_timer, until_next(r), 0);
    }
}

/* The end of a parked worker has no transition: it is told to end, then its memory is back. */
void recorder_look(struct recorder *r) {
    if (!r->listener) return;
    if (count_parked(r->supervisor) != r->parked_count ||
        supervisor_parked_bytes(r->supervisor) != r->parked)
        uv_timer_start(&r->timer, recorder_on_timer, 0, 0);
}

void recorder_open(struct recorder *r, uv_loop_t *loop, struct feed *events,
                   struct supervisor *supervisor, struct history *history) {
    *r = (struct recorder){ .history = history, .supervisor = supervisor };
    uv_timer_init(loop, &r->timer);
    r->timer.data = r;
    r->listener = feed_listen(events, EVENT_TOPIC_TRANSITIONS, recorder_on_transition, r);
}

void recorder_close(struct recorder *r) {
    if (!r->listener) return;
    feed_leave(r->listener);
    r->listener = NULL;
    uv_close((uv_handle_t *)&r->timer, NULL);
}
