/* SPDX-License-Identifier: MIT */
#include "engine/growth.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/reply.h"

uint64_t growth_taken(const struct engine *engine) {
    uint64_t now = model_memory_bytes(&engine->model) + drafter_memory_bytes(&engine->drafter);
    return engine->growth.reserved > now ? engine->growth.reserved : now;
}

static void send(struct engine *e, const struct growth_wish *wish) {
    struct growth *g = &e->growth;
    struct buf text = BUF_INIT(1 << 10);
    g->state = GROWTH_ASKED;
    g->kind = wish->kind;
    g->ask++;
    g->asked_at = clock_boottime_usec();
    g->base = growth_taken(e);
    g->granted = g->most = 0;
    const struct grow_message message = { .ask = g->ask,
                                          .bytes = (int64_t)(g->base + wish->wish),
                                          .least = (int64_t)(g->base + wish->least),
                                          .optional = wish->optional };
    grow_message_format(&message, &text);
    link_send(&e->link, MSG_GROW, 0, text.data, text.len);
    buf_clear(&text);
}

static bool is_overdue(const struct growth *g) {
    return clock_boottime_usec() - g->asked_at >= g->patience;
}

enum growth_answer growth_ask(struct engine *engine, const struct growth_wish *wish,
                              uint64_t *ret_bytes) {
    struct growth *g = &engine->growth;
    if (g->state == GROWTH_ASKED) {
        if (!is_overdue(g)) return GROWTH_WAITS;
        g->state = GROWTH_ANSWERED;
        g->silent = true;
    }
    *ret_bytes = g->granted;
    if (g->state == GROWTH_ANSWERED && g->kind == wish->kind) {
        if (g->granted >= wish->least) return GROWTH_GRANTED;
        if (g->granted == 0 && g->most < wish->least) return GROWTH_REFUSED;
    }
    send(engine, wish);
    return GROWTH_WAITS;
}

static void on_answer(struct growth *g, const struct grant_message *grant) {
    uint64_t bytes = (uint64_t)grant->bytes, most = (uint64_t)grant->most;
    g->state = GROWTH_ANSWERED;
    g->silent = false;
    g->granted = bytes > g->base ? bytes - g->base : 0;
    g->tight = g->granted == 0;
    g->most = most > g->base ? most - g->base : 0;
}

void growth_take_answer(struct engine *engine, const struct grant_message *grant) {
    struct growth *g = &engine->growth;
    g->limit = (uint64_t)grant->limit;
    if (grant->bytes > 0) g->unsettled = true;
    if (g->state == GROWTH_ASKED && grant->ask == g->ask) on_answer(g, grant);
}

void growth_settle(struct engine *engine) {
    struct growth *g = &engine->growth;
    if (g->state == GROWTH_ANSWERED) g->state = GROWTH_NONE;
    if (g->unsettled) reply_memory(engine);
}

int growth_timeout(const struct engine *engine) {
    const struct growth *g = &engine->growth;
    if (g->state != GROWTH_ASKED) return -1;
    int64_t left = g->asked_at + g->patience - clock_boottime_usec();
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}
