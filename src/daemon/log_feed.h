/* SPDX-License-Identifier: MIT */
/*
 * log_feed.h - the log as a feed (GET /api/v1/log): lines of the server, requests, and what
 * models read and write. The subject of its messages is a struct log_line.
 */
#ifndef DOZE_DAEMON_LOG_FEED_H
#define DOZE_DAEMON_LOG_FEED_H

#include "api/service.h"
#include "daemon/feed.h"

/* Topics of the feed: one for each kind of line. */
enum {
    LOG_TOPIC_SERVER = 1 << LOG_SERVER,
    LOG_TOPIC_REQUESTS = 1 << LOG_REQUEST,
    LOG_TOPIC_INPUT = 1 << LOG_INPUT,
    LOG_TOPIC_OUTPUT = 1 << LOG_OUTPUT,
    LOG_TOPIC_STATS = 1 << LOG_STATS,
};

enum { LOG_FEED_REMEMBERED = 200 }; /* lines of the server, for ?tail=n */

bool log_feed_wanted(const struct feed *log, enum log_kind kind);
/* Lines of the server are remembered. */
void log_feed_publish(struct feed *log, const struct log_line *line);

#endif
