/* SPDX-License-Identifier: MIT */
#include "supervisor/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct remembered {
    const char *event; /* literals only */
    unsigned topics;
    char *json;
};

struct feed_listener {
    struct feed *feed;
    struct feed_listener *next;
    unsigned topics;
    void (*fn)(void *ctx, const struct feed_message *message);
    void *ctx;
};

struct feed {
    size_t capacity;
    uint64_t boot;
    uint64_t last;           /* number of the newest */
    struct remembered *ring; /* number n lives in ring[n % capacity] */
    struct feed_listener *listeners;
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

/* strtoull takes signs and spaces, too: an id of ours formats to the same text again. */
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

static uint64_t remember(struct feed *feed, const char *event, unsigned topics,
                         const char *json) {
    uint64_t seq = ++feed->last;
    struct remembered *place = &feed->ring[seq % feed->capacity];
    free(place->json);
    *place = (struct remembered){ .event = event, .topics = topics, .json = xstrdup(json) };
    return seq;
}

void feed_publish(struct feed *feed, const char *event, unsigned topics, const char *json,
                  bool keep) {
    struct feed_message message = { .event = event, .json = json, .topics = topics };
    if (keep) message.seq = remember(feed, event, topics, json);
    struct feed_listener *next;
    for (struct feed_listener *l = feed->listeners; l; l = next) {
        next = l->next; /* a listener may leave in its call */
        if (l->topics & topics) l->fn(l->ctx, &message);
    }
}

bool feed_wanted(const struct feed *feed, unsigned topics) {
    for (const struct feed_listener *l = feed->listeners; l; l = l->next) {
        if (l->topics & topics) return true;
    }
    return false;
}

struct feed_listener *feed_listen(struct feed *feed, unsigned topics,
                                  void (*fn)(void *ctx, const struct feed_message *message),
                                  void *ctx) {
    struct feed_listener *l = xcalloc(1, sizeof *l);
    *l = (struct feed_listener){ feed, feed->listeners, topics, fn, ctx };
    feed->listeners = l;
    return l;
}

void feed_leave(struct feed_listener *listener) {
    struct feed_listener **link = &listener->feed->listeners;
    while (*link != listener) link = &(*link)->next;
    *link = listener->next;
    free(listener);
}

bool feed_replay(const struct feed *feed, uint64_t seq, unsigned topics,
                 void (*fn)(void *ctx, const struct feed_message *message), void *ctx) {
    if (seq > feed->last || feed->last - seq > feed->capacity) return false;
    for (uint64_t n = seq + 1; n <= feed->last; n++) {
        const struct remembered *old = &feed->ring[n % feed->capacity];
        struct feed_message message = { n, old->event, old->json, old->topics };
        if (old->topics & topics) fn(ctx, &message);
    }
    return true;
}
