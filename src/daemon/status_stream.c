/* SPDX-License-Identifier: MIT */
#include "daemon/status_stream.h"

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

void live_tell_catalog(struct live *live, size_t models) {
    struct buf json = BUF_INIT(64);
    buf_addf(&json, "{\"models\":%zu}", models);
    feed_publish(live->events, "catalog", EVENT_TOPIC_LIVE, buf_str(&json), false);
    buf_clear(&json);
}
