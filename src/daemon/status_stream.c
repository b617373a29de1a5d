/* SPDX-License-Identifier: MIT */
#include "daemon/status_stream.h"

#include "base/json.h"
#include "daemon/fleet_node.h"

/* A little more than half a second, so that no second has three. */
enum { EVERY_MS = 520 };

/* An entry for those who watch live. */
static void publish(struct live *live, const char *event, const void *subject,
                    feed_format_fn *format) {
    struct feed_entry entry = {
        .event = event, .topics = EVENT_TOPIC_LIVE, .subject = subject, .format = format
    };
    feed_publish(live->events, &entry, FEED_PASS);
}

static void format_status(const void *subject, uint64_t seq, struct buf *out) {
    const struct live *live = subject;
    (void)seq;
    events_format_status(live->supervisor, out);
}

static void format_fleet(const void *subject, uint64_t seq, struct buf *out) {
    (void)seq;
    fleet_node_format_state(subject, out);
}

static void live_on_timer(uv_timer_t *timer) {
    struct live *live = timer->data;
    live->postponed = false;
    if (!feed_wanted(live->events, EVENT_TOPIC_LIVE)) return;
    uv_update_time(timer->loop);
    live->told_at = uv_now(timer->loop);
    publish(live, "status", live, format_status);
    if (live->fleet_changed) publish(live, "fleet", live->fleet, format_fleet);
    live->fleet_changed = false;
    if (supervisor_is_working(live->supervisor)) {
        uv_timer_start(timer, live_on_timer, EVERY_MS, 0);
    }
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
    uv_timer_start(&live->timer, live_on_timer, since < EVERY_MS ? EVERY_MS - since : 0, 0);
}

void live_touch_fleet(struct live *live) {
    if (!live->fleet) return;
    live->fleet_changed = true;
    live_touch(live);
}

/* At most once per status, so that listeners that come and go cannot delay it for others. */
void live_greeted(struct live *live) {
    uv_handle_t *handle = (uv_handle_t *)&live->timer;
    uv_update_time(live->timer.loop);
    live->told_at = uv_now(live->timer.loop);
    if (!uv_is_active(handle) || live->postponed) return;
    live->postponed = true;
    uv_timer_start(&live->timer, live_on_timer, EVERY_MS, 0);
}

static void format_settings(const void *subject, uint64_t seq, struct buf *out) {
    (void)seq;
    settings_show(subject, out);
}

void live_tell_settings(struct live *live, const struct settings *settings) {
    publish(live, "settings", settings, format_settings);
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
    json_write_end(doc, ret_json);
}

struct catalog_news {
    const struct serve_options *options;
    const struct catalog *catalog;
};

static void format_catalog(const void *subject, uint64_t seq, struct buf *out) {
    const struct catalog_news *news = subject;
    (void)seq;
    live_format_catalog(news->options, news->catalog, out);
}

void live_tell_catalog(struct live *live, const struct serve_options *options,
                       const struct catalog *catalog) {
    struct catalog_news news = { options, catalog };
    publish(live, "catalog", &news, format_catalog);
}
