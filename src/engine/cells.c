/* SPDX-License-Identifier: MIT */
#include "engine/cells.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/next_turn.h"
#include "engine/prompt_cache.h"

/* Contexts come in steps of 256 cells. */
enum { STEP = 256 };

/* So much is left to the rest of the machine. */
#define RESERVE ((uint64_t)128 << 20)

/* Cells for all sequences once the slot (NULL: none) holds `count` tokens. What it holds now
 * has to be copied before it can be dropped. */
static size_t cells_for(const struct engine *e, const struct slot *slot, size_t count) {
    size_t sum = 0;
    for (int i = 0; i < e->context.parallel; i++) {
        size_t held = e->slots[i].tokens.count;
        bool grows = &e->slots[i] == slot && count > held;
        sum += grows ? count : held;
    }
    return sum;
}

/* Cells that a new context could have: it stands beside the old one for a moment, and the state
 * of a sequence between them. */
static size_t cells_possible(const struct engine *e) {
    const struct context *c = &e->context;
    uint64_t available = memory_available(), cell = c->cell_bytes > 0 ? c->cell_bytes : 1;
    if (available == UINT64_MAX) return (size_t)c->most;
    uint64_t copied = (uint64_t)c->cells * cell;
    uint64_t taken = RESERVE + copied;
    uint64_t cells = available > taken ? (available - taken) / cell : 0;
    if (e->memory_limit > 0) {
        uint64_t now = model_memory_bytes(&e->model), limit = e->memory_limit;
        uint64_t more = limit > now ? (limit - now) / cell : 0;
        if ((uint64_t)c->cells + more < cells) cells = (uint64_t)c->cells + more;
    }
    return cells > (uint64_t)c->most ? (size_t)c->most : (size_t)cells;
}

static size_t round_up(const struct engine *e, size_t cells) {
    size_t most = (size_t)e->context.most;
    cells = (cells + STEP - 1) / STEP * STEP;
    return cells < most ? cells : most;
}

static bool resize(struct engine *e, size_t cells) {
    struct error err;
    if (!context_replace(&e->context, &e->model, (int32_t)cells, &err)) return false;
    cells_report(e);
    return true;
}

bool cells_suffice(const struct engine *engine, const struct slot *slot, size_t count) {
    return cells_for(engine, slot, count) <= (size_t)engine->context.cells;
}

/* Doubling, or a quarter more than is asked for if that is more; if there is no memory for it
 * just what is asked for. */
bool cells_reserve(struct engine *engine, const struct slot *slot, size_t count) {
    size_t cells = (size_t)engine->context.cells, need = cells_for(engine, slot, count);
    if (need <= cells) return true;
    if (need > (size_t)engine->context.most) return false;
    size_t wish = need + need / 4 > 2 * cells ? need + need / 4 : 2 * cells;
    size_t possible = cells_possible(engine);
    wish = round_up(engine, wish);
    if (wish <= possible && resize(engine, wish)) return true;
    wish = round_up(engine, need);
    return wish <= possible && resize(engine, wish);
}

/* ---- room by giving up what nobody works on ---- */

static struct slot *oldest_free(struct engine *e, const struct slot *a, const struct slot *b) {
    struct slot *oldest = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s == a || s == b || s->job || s->tokens.count == 0) continue;
        if (!oldest || s->last_used < oldest->last_used) oldest = s;
    }
    return oldest;
}

static void forget(struct engine *e, struct slot *s) {
    keep_aside(e, s, 0);
    s->processed = keep_cut(e, s, 0);
    s->saved = 0;
    tokens_cut(&s->tokens, 0);
    next_turn_forget(s);
}

static bool no_room(const struct engine *e, const struct slot *slot, size_t count,
                    struct error *err) {
    size_t others = cells_for(e, slot, count) - count, possible = cells_possible(e);
    if (possible < (size_t)e->context.cells) possible = (size_t)e->context.cells;
    return error_set(
        err, ERR_CONTEXT_LENGTH,
        "The request needs room for %zu tokens, but only %zu fit into the memory "
        "that is free; shorten it, wait for others to end, or unload other models.",
        count, possible > others ? possible - others : 0);
}

bool cells_provide(struct engine *engine, struct slot *slot, const struct slot *donor,
                   size_t count, struct error *err) {
    while (!cells_reserve(engine, slot, count)) {
        struct slot *old = oldest_free(engine, slot, donor);
        if (!old) return no_room(engine, slot, count, err);
        forget(engine, old);
    }
    return true;
}

static struct slot *newest_running(struct engine *e) {
    struct slot *newest = NULL;
    for (int i = 0; i < e->context.parallel; i++) {
        struct slot *s = &e->slots[i];
        if (s->job && (!newest || s->last_used > newest->last_used)) newest = s;
    }
    return newest;
}

void cells_provide_next(struct engine *engine) {
    struct slot *newest = newest_running(engine);
    struct error err;
    while (newest && !cells_provide(engine, newest, NULL, newest->tokens.count, &err)) {
        if (newest->job->completion_tokens > 0) {
            slot_finish(engine, newest, "contextLengthReached");
        } else {
            slot_fail(engine, newest, &err);
        }
        newest = newest_running(engine);
    }
}

/* ---- giving back ---- */

static size_t shrunk(const struct engine *e) {
    size_t used = cells_for(e, NULL, 0), first = (size_t)e->context.first;
    size_t cells = round_up(e, used + used / 4);
    return cells > first ? cells : first;
}

/* Not for less than half of it: the next request may need it again. */
int cells_due(const struct engine *engine, int64_t idle_since) {
    if (2 * shrunk(engine) > (size_t)engine->context.cells) return -1;
    int64_t left = idle_since + engine->shrink_after - clock_boottime_usec();
    return left > 0 ? (int)(left / 1000) + 1 : 0;
}

void cells_shrink(struct engine *engine) {
    if (resize(engine, shrunk(engine))) {
        (void)malloc_trim(0);
    } else {
        engine->context.first = engine->context.cells; /* not again and again */
    }
}

void cells_report(struct engine *engine) {
    char json[96];
    int len = snprintf(json, sizeof json, "{\"memory_bytes\":%llu,\"repack\":\"%s\"}",
                       (unsigned long long)model_memory_bytes(&engine->model),
                       repack_word(&engine->repack));
    link_send(&engine->link, MSG_MEMORY, 0, json, (size_t)len);
}
