/* SPDX-License-Identifier: MIT */
#include "daemon/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { JSON_MAX = 16 << 20 };

struct remembered {
    const char *event;
    unsigned topics;
    char *json;
};

struct feed_message {
    struct feed_entry entry;
    uint64_t seq;
    const char *json; /* NULL: not made yet */
    struct buf text;
};

struct feed_listener {
    struct feed *feed;
    struct feed_listener *next;
    unsigned topics;
    feed_listen_fn *fn;
    void *ctx;
};

struct feed {
    size_t capacity;
    uint64_t boot;
    uint64_t last;           /* number of the newest */
    struct remembered *ring; /* number n lives in ring[n % capacity] */
    struct feed_listener *listeners;
    size_t count; /* of them */
};

struct feed *feed_new(size_t capacity, uint64_t boot) {
    struct feed *feed = xcalloc(1, sizeof *feed);
    feed->capacity = capacity;
    feed->boot = boot;
    feed->ring = xcalloc(capacity, sizeof *feed->ring);
    return feed;
}

void feed_free(struct feed *feed) {
    if (!feed) return;
    struct feed_listener *next;
    for (struct feed_listener *l = feed->listeners; l; l = next) {
        next = l->next;
        free(l);
    }
    for (size_t i = 0; i < feed->capacity; i++) free(feed->ring[i].json);
    free(feed->ring);
    free(feed);
}

uint64_t feed_next_seq(const struct feed *feed) {
    return feed->last + 1;
}

void feed_format_id(const struct feed *feed, uint64_t seq, char ret_id[FEED_ID_SIZE]) {
    snprintf(ret_id, FEED_ID_SIZE, "%llu-%llu", (unsigned long long)feed->boot,
             (unsigned long long)seq);
}

/* strtoull also accepts signs and spaces: a valid id formats to the same text again. */
bool feed_parse_id(const struct feed *feed, const char *id, uint64_t *ret_seq) {
    char again[FEED_ID_SIZE];
    if (strcmp(id, "0") == 0) {
        *ret_seq = feed->last > feed->capacity ? feed->last - feed->capacity : 0;
        return true;
    }
    const char *dash = strchr(id, '-');
    uint64_t seq = dash ? strtoull(dash + 1, NULL, 10) : 0;
    feed_format_id(feed, seq, again);
    if (strcmp(id, again) != 0) return false;
    *ret_seq = seq;
    return true;
}

uint64_t feed_message_seq(const struct feed_message *message) {
    return message->seq;
}

const struct feed_entry *feed_message_entry(const struct feed_message *message) {
    return &message->entry;
}

const char *feed_message_json(struct feed_message *message) {
    if (message->json) return message->json;
    message->entry.format(message->entry.subject, message->seq, &message->text);
    bool made = message->text.len > 0 && !message->text.overflowed;
    message->json = made ? buf_str(&message->text) : "null";
    return message->json;
}

static void remember(struct feed *feed, struct feed_message *message) {
    message->seq = ++feed->last;
    struct remembered *place = &feed->ring[message->seq % feed->capacity];
    free(place->json);
    *place = (struct remembered){ .event = message->entry.event,
                                  .topics = message->entry.topics,
                                  .json = xstrdup(feed_message_json(message)) };
}

void feed_publish(struct feed *feed, const struct feed_entry *entry, enum feed_memory memory) {
    struct feed_message message = { .entry = *entry, .text = BUF_INIT(JSON_MAX) };
    if (memory == FEED_REMEMBER) remember(feed, &message);
    struct feed_listener *next;
    for (struct feed_listener *l = feed->listeners; l; l = next) {
        next = l->next; /* a listener may leave in its call */
        if (l->topics & entry->topics) l->fn(l->ctx, &message);
    }
    buf_clear(&message.text);
}

bool feed_wanted(const struct feed *feed, unsigned topics) {
    for (const struct feed_listener *l = feed->listeners; l; l = l->next) {
        if (l->topics & topics) return true;
    }
    return false;
}

bool feed_is_crowded(const struct feed *feed) {
    return feed->count >= FEED_CROWD;
}

struct feed_listener *feed_listen(struct feed *feed, unsigned topics, feed_listen_fn *fn,
                                  void *ctx) {
    struct feed_listener *l = xcalloc(1, sizeof *l);
    *l = (struct feed_listener){ feed, feed->listeners, topics, fn, ctx };
    feed->listeners = l;
    feed->count++;
    return l;
}

void feed_leave(struct feed_listener *listener) {
    struct feed_listener **link = &listener->feed->listeners;
    while (*link != listener) link = &(*link)->next;
    *link = listener->next;
    listener->feed->count--;
    free(listener);
}

bool feed_replay(const struct feed *feed, uint64_t seq, unsigned topics, feed_listen_fn *fn,
                 void *ctx) {
    if (seq > feed->last || feed->last - seq > feed->capacity) return false;
    for (uint64_t n = seq + 1; n <= feed->last; n++) {
        const struct remembered *old = &feed->ring[n % feed->capacity];
        struct feed_message message = { .entry = { .event = old->event, .topics = old->topics },
                                        .seq = n,
                                        .json = old->json };
        if (old->topics & topics) fn(ctx, &message);
    }
    return true;
}
