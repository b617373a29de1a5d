/* SPDX-License-Identifier: MIT */
/*
 * status_stream.h - sends `event: status` to live listeners: after each change, at most twice
 * a second, and every half second while an instance works. Without listeners no timer runs.
 */
#ifndef DOZE_DAEMON_STATUS_STREAM_H
#define DOZE_DAEMON_STATUS_STREAM_H

#include <uv.h>

#include "base/buf.h"
#include "catalog/catalog.h"
#include "daemon/events.h"
#include "daemon/serve_options.h"
#include "supervisor/settings.h"

struct fleet_node;

struct live {
    struct feed *events;
    struct supervisor *supervisor;
    uv_timer_t timer;
    const struct fleet_node *fleet; /* NULL: not yet */
    uint64_t told_at;               /* uv_now of the last status */
    bool fleet_changed;             /* since it was told */
    bool postponed;                 /* the next one was postponed, because a listener came */
};

void live_init(struct live *live, uv_loop_t *loop, struct feed *events);
/* Before the loop ends. */
void live_close(struct live *live);

/* Instances, requests or memory changed: send a status from the loop. Safe at any time, also
 * before there is a supervisor. */
void live_touch(struct live *live);

/* The list of nodes was changed: "fleet" goes out with the next status. */
void live_touch_fleet(struct live *live);

/* A listener has come and got the status: the next status is due a full interval later. */
void live_greeted(struct live *live);

/* The settings were changed: all of them, as GET /api/v1/settings shows them. */
void live_tell_settings(struct live *live, const struct settings *settings);

/* The model folders and how many models they hold: {"models":2,"folders":["/..."]}. */
void live_format_catalog(const struct serve_options *options, const struct catalog *catalog,
                         struct buf *ret_json);
/* The model folders were scanned. */
void live_tell_catalog(struct live *live, const struct serve_options *options,
                       const struct catalog *catalog);

#endif
