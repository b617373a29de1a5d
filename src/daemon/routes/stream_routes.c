/* SPDX-License-Identifier: MIT */
/* stream_routes.c - GET /api/v1/events and GET /api/v1/log, which end when the client leaves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/events.h"
#include "daemon/fleet_node.h"
#include "daemon/log_feed.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/status_stream.h"

/* Proxies and browsers close a silent stream; comments keep it open. No timer runs without a
 * listener. */
enum { COMMENT_EVERY_MS = 15000 };

struct follower {
    struct exchange *x;
    struct feed *feed;
    struct feed_listener *listener;
    uv_timer_t timer;
};

static void follower_on_timer_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void follower_on_gone(void *ctx) {
    struct follower *f = ctx;
    f->x = NULL;
    feed_leave(f->listener);
    uv_close((uv_handle_t *)&f->timer, follower_on_timer_closed);
}

static void follower_on_timer(uv_timer_t *timer) {
    struct follower *f = timer->data;
    exchange_write(f->x, ": still here\n\n", 14);
}

static void write_message(void *ctx, struct feed_message *message) {
    struct follower *f = ctx;
    uint64_t seq = feed_message_seq(message);
    char id[FEED_ID_SIZE];
    feed_format_id(f->feed, seq, id);
    reply_event(f->x, seq ? id : NULL, feed_message_entry(message)->event,
                feed_message_json(message));
}

/* True: it has too many followers, and the client was refused. */
static bool refused(struct exchange *x, const struct feed *feed) {
    struct error err;
    if (!feed_is_crowded(feed)) return false;
    error_set(&err, ERR_QUEUE_FULL,
              "Too many clients follow this stream; try again when some have left.");
    err.retry_after = 10;
    exchange_fail(x, &err);
    return true;
}

static struct follower *follow(struct routes *r, struct exchange *x, struct feed *feed,
                               unsigned topics) {
    struct follower *f = xcalloc(1, sizeof *f);
    f->x = x;
    f->feed = feed;
    exchange_begin(x, 200, "text/event-stream");
    exchange_on_gone(x, follower_on_gone, f);
    f->listener = feed_listen(feed, topics, write_message, f);
    uv_timer_init(r->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, follower_on_timer, COMMENT_EVERY_MS, COMMENT_EVERY_MS);
    return f;
}

static void write_snapshot(struct routes *r, struct follower *f) {
    struct buf json = BUF_INIT(1 << 20);
    char id[FEED_ID_SIZE];
    uint64_t seq = feed_next_seq(r->events) - 1;
    events_format_snapshot(r->supervisor, seq, &json);
    feed_format_id(r->events, seq, id);
    reply_event(f->x, id, "snapshot", buf_str(&json));
    buf_clear(&json);
}

static void write_status(struct routes *r, struct follower *f) {
    struct buf json = BUF_INIT(1 << 20);
    events_format_status(r->supervisor, &json);
    reply_event(f->x, NULL, "status", buf_str(&json));
    buf_clear(&json);
    live_greeted(r->live);
}

static void write_catalog(struct routes *r, struct follower *f) {
    struct buf json = BUF_INIT(1 << 18);
    live_format_catalog(r->options, *r->catalog, &json);
    reply_event(f->x, NULL, "catalog", buf_str(&json));
    buf_clear(&json);
}

static void write_fleet(struct routes *r, struct follower *f) {
    struct buf json = BUF_INIT(4096);
    fleet_node_format_state(r->fleet, &json);
    reply_event(f->x, NULL, "fleet", buf_str(&json));
    buf_clear(&json);
}

/* ?live=true: status, settings, catalog and fleet, too. */
static unsigned event_topics(const struct exchange *x) {
    const char *live = exchange_query(x, "live");
    bool wanted = live && strcmp(live, "false") != 0;
    return wanted ? EVENT_TOPIC_INSTANCES | EVENT_TOPIC_LIVE : EVENT_TOPIC_INSTANCES;
}

/* A client that comes back gets what it missed, if that is still remembered; any other starts
 * with a snapshot. */
void route_events(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    const char *last = exchange_header(x, "Last-Event-ID");
    uint64_t seq = 0;
    bool resumes = last && feed_parse_id(r->events, last, &seq);
    unsigned topics = event_topics(x);
    if (refused(x, r->events)) return;
    struct follower *f = follow(r, x, r->events, topics);
    if (!resumes || !feed_replay(r->events, seq, topics, write_message, f)) {
        write_snapshot(r, f);
    }
    if (!(topics & EVENT_TOPIC_LIVE)) return;
    write_catalog(r, f);
    write_status(r, f);
    write_fleet(r, f);
}

static unsigned topics_of(const struct exchange *x) {
    const char *source = exchange_query(x, "source");
    const char *filter = exchange_query(x, "filter");
    unsigned topics = 0;
    if (!source || strcmp(source, "server") == 0) topics |= LOG_TOPIC_SERVER;
    if (source && strcmp(source, "server") == 0) return topics;
    if (!filter || strstr(filter, "input")) topics |= LOG_TOPIC_INPUT;
    if (!filter || strstr(filter, "output")) topics |= LOG_TOPIC_OUTPUT;
    const char *stats = exchange_query(x, "stats");
    if (stats && strcmp(stats, "false") != 0) topics |= LOG_TOPIC_STATS;
    return topics;
}

/* ?tail=n: first the last n lines of the server that are remembered. */
static void write_tail(struct routes *r, struct follower *f, unsigned topics) {
    const char *tail = exchange_query(f->x, "tail");
    uint64_t newest = feed_next_seq(r->log) - 1;
    uint64_t count = tail ? strtoull(tail, NULL, 10) : 0;
    if (count > LOG_FEED_REMEMBERED) count = LOG_FEED_REMEMBERED;
    if (count > newest) count = newest;
    feed_replay(r->log, newest - count, topics, write_message, f);
}

void route_log(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    const char *source = exchange_query(x, "source");
    if (source && strcmp(source, "server") != 0 && strcmp(source, "model") != 0) {
        struct error err;
        error_set_param(&err, ERR_INVALID_REQUEST, "source",
                        "'source' must be \"server\" or \"model\".");
        exchange_fail(x, &err);
        return;
    }
    unsigned topics = topics_of(x);
    if (refused(x, r->log)) return;
    write_tail(r, follow(r, x, r->log, topics), topics);
}
