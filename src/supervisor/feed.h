/* SPDX-License-Identifier: MIT */
/*
 * feed.h - a numbered feed of JSON messages with a memory: publish once, any number of
 * listeners, each of whom may begin where it left off.
 *
 * Used for the transitions of instances (events) and for log lines. Loop's thread only.
 */
#ifndef DOZE_SUPERVISOR_FEED_H
#define DOZE_SUPERVISOR_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed;
struct feed_listener;

struct feed_message {
    uint64_t seq;      /* 1, 2, 3, ...; 0: not remembered, has no number */
    const char *event; /* name of the SSE event; "" for none */
    const char *json;
    unsigned topics; /* bits of the feed's own choice */
};

/* Remembers the last `capacity` numbered messages. boot: tells this run of the daemon from all
 * others, such as the time when it began. */
struct feed *feed_new(size_t capacity, uint64_t boot);
void feed_free(struct feed *feed);

/* The number the next remembered message will get. */
uint64_t feed_next_seq(const struct feed *feed);

/* The number for clients, "<boot>-<seq>": good in this run only. */
enum { FEED_ID_SIZE = 42 };
void feed_format_id(const struct feed *feed, uint64_t seq, char ret_id[FEED_ID_SIZE]);
/* False for an id of another run, and for what is no id. "0" is before all that is remembered.
 */
bool feed_parse_id(const struct feed *feed, const char *id, uint64_t *ret_seq)
    __attribute__((warn_unused_result));

/* Copy and deliver. `remember` false: a passing thing (progress), delivered without a number.
 * Listeners must not publish. */
void feed_publish(struct feed *feed, const char *event, unsigned topics, const char *json,
                  bool remember);

/* Anybody there for one of these topics? Saves making messages that nobody reads. */
bool feed_wanted(const struct feed *feed, unsigned topics);

/* fn is called for every later message with one of the topics. */
struct feed_listener *feed_listen(struct feed *feed, unsigned topics,
                                  void (*fn)(void *ctx, const struct feed_message *message),
                                  void *ctx);
void feed_leave(struct feed_listener *listener);

/* Call fn for each remembered message after seq. False, and no call, if some of them are
 * forgotten or seq lies in the future. */
bool feed_replay(const struct feed *feed, uint64_t seq, unsigned topics,
                 void (*fn)(void *ctx, const struct feed_message *message), void *ctx);

#endif
