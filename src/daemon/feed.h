/* SPDX-License-Identifier: MIT */
/*
 * feed.h - a numbered feed of entries that remembers the last ones, so that listeners can
 * resume where they left off.
 *
 * An entry is a struct of the publisher; its JSON is made once, and only if a listener or
 * the memory needs it. Used for events (events.h) and for the log (log_feed.h). Loop's
 * thread only.
 */
#ifndef DOZE_DAEMON_FEED_H
#define DOZE_DAEMON_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct feed;
struct feed_listener;
struct feed_message;

/* Append the subject of an entry as one JSON value. seq: its number, 0 for none. */
typedef void feed_format_fn(const void *subject, uint64_t seq, struct buf *out);

struct feed_entry {
    const char *event;   /* name of the SSE event, a literal; "" for none */
    unsigned topics;     /* bits of the feed's own choice */
    const void *subject; /* the topics say which struct. NULL in a replay */
    feed_format_fn *format;
};

typedef void feed_listen_fn(void *ctx, struct feed_message *message);

/* Remembers the last `capacity` numbered messages. boot: identifies this run of the daemon,
 * e.g. the time of its start. */
struct feed *feed_new(size_t capacity, uint64_t boot);
void feed_free(struct feed *feed);

/* The number the next remembered message will get. */
uint64_t feed_next_seq(const struct feed *feed);

/* The number as clients see it, "<boot>-<seq>": valid in this run only. */
enum { FEED_ID_SIZE = 42 };
void feed_format_id(const struct feed *feed, uint64_t seq, char ret_id[FEED_ID_SIZE]);
/* False for an id of another run and for a malformed one. "0" stands for the number before the
 * oldest remembered message. */
bool feed_parse_id(const struct feed *feed, const char *id, uint64_t *ret_seq)
    __attribute__((warn_unused_result));

/* FEED_REMEMBER: the message gets a number and can be replayed. FEED_PASS: it is soon outdated
 * (progress). */
enum feed_memory { FEED_PASS, FEED_REMEMBER };

/* Deliver to all listeners; the entry is borrowed for the call. Listeners must not publish. */
void feed_publish(struct feed *feed, const struct feed_entry *entry, enum feed_memory memory);

/* Does anyone listen for one of these topics? Saves making entries that nobody reads. */
bool feed_wanted(const struct feed *feed, unsigned topics);

/* Are there too many listeners to add a client? Each message is work for every one. */
enum { FEED_CROWD = 512 };
bool feed_is_crowded(const struct feed *feed);

/* fn is called for every later message with one of the topics. */
struct feed_listener *feed_listen(struct feed *feed, unsigned topics, feed_listen_fn *fn,
                                  void *ctx);
void feed_leave(struct feed_listener *listener);

/* Call fn for each remembered message after seq. False, without a call, if some of them are no
 * longer remembered or seq lies in the future. */
bool feed_replay(const struct feed *feed, uint64_t seq, unsigned topics, feed_listen_fn *fn,
                 void *ctx);

/* ---- for listeners, in their call ---- */

/* 1, 2, 3, ...; 0: not remembered, has no number. */
uint64_t feed_message_seq(const struct feed_message *message);
const struct feed_entry *feed_message_entry(const struct feed_message *message);
/* Borrowed for the call. "null" if it cannot be JSON: longer than 16 MiB, or not UTF-8. */
const char *feed_message_json(struct feed_message *message);

#endif
