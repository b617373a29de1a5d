/* SPDX-License-Identifier: MIT */
#include "daemon/status_stream.h"

#include "base/json.h"

enum { EVERY_MS = 500 };

static void on_timer(uv_timer_t *timer) {
    struct live *live = timer->data;
    if (!feed_wanted(live->events, EVENT_TOPIC_LIVE)) return;
    struct buf json = BUF_INIT(1 << 20);
    supervisor_format_status(live->supervisor, &json);
    live->told_at = uv_now(timer->loop);
    feed_publish(live->events, "status", EVENT_TOPIC_LIVE, buf_str(&json), false);
    buf_clear(&json);
    if (supervisor_is_working(live->supervisor)) uv_timer_start(timer, on_timer, EVERY_MS, 0);
}

void live_init(struct live *live, uv_loop_t *loop, struct feed *events) {
    *live = (struct live){ .events = events };
    uv_timer_init(loop, &live->timer);
    live->timer.data = live;
}

void live_close(struct live *live) {
    uv_close((uv_handle_t *)&live->timer, NULL);
}

void live_touch(struct live *live) {
    uv_handle_t *handle = (uv_handle_t *)&live->timer;
    if (!live->supervisor || uv_is_closing(handle) || uv_is_active(handle)) return;
    if (!feed_wanted(live->events, EVENT_TOPIC_LIVE)) return;
    uint64_t since = uv_now(live->timer.loop) - live->told_at;
    uv_timer_start(&live->timer, on_timer, since < EVERY_MS ? EVERY_MS - since : 0, 0);
}

void live_tell_settings(struct live *live, const char *json) {
    feed_publish(live->events, "settings", EVENT_TOPIC_LIVE, json, false);
    live_touch(live);
}

void live_format_catalog(const struct serve_options *options, const struct catalog *catalog,
                         struct buf *ret_json) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_uint(doc, root, "models", catalog->count);
    yyjson_mut_val *folders = yyjson_mut_obj_add_arr(doc, root, "folders");
    for (size_t i = 0; i < options->model_dir_count; i++) {
        yyjson_mut_arr_add_str(doc, folders, options->model_dirs[i]);
    }
    json_write(doc, ret_json);
    yyjson_mut_doc_free(doc);
}

void live_tell_catalog(struct live *live, const struct serve_options *options,
                       const struct catalog *catalog) {
    struct buf json = BUF_INIT(1 << 18);
    live_format_catalog(options, catalog, &json);
    feed_publish(live->events, "catalog", EVENT_TOPIC_LIVE, buf_str(&json), false);
    buf_clear(&json);
}
