/* SPDX-License-Identifier: MIT */
#include "engine/cells.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/drafter.h"
#include "engine/reply.h"

/* Contexts come in steps of 256 cells. */
enum { STEP = 256 };

/* Bytes left free for the rest of the machine. */
#define RESERVE ((uint64_t)128 << 20)

/* Cells for all sequences once the slot (NULL: none) holds `count` tokens. What it holds
 * counts too, because it is copied before it is dropped. */
static size_t cells_for(const struct engine *e, const struct slot *slot, size_t count) {
    size_t sum = 0;
    for (int i = 0; i < e->context.parallel; i++) {
        size_t held = e->slots[i].tokens.count;
        bool grows = &e->slots[i] == slot && count > held;
        sum += grows ? count : held;
    }
    return sum;
}

/* Cells that the machine has memory for, in whole steps: for a moment the old context, the new
 * one and the state of a sequence exist together. */
static size_t cells_possible(const struct engine *e) {
    const struct context *c = &e->context;
    uint64_t available = memory_available(), cell = c->cell_bytes > 0 ? c->cell_bytes : 1;
    if (available == UINT64_MAX) return (size_t)c->most;
    uint64_t copied = (uint64_t)c->cells * cell;
    uint64_t taken = RESERVE + copied;
    uint64_t cells = available > taken ? (available - taken) / cell : 0;
    return cells >= (uint64_t)c->most ? (size_t)c->most : (size_t)(cells - cells % STEP);
}

static size_t round_up(const struct engine *e, size_t cells) {
    size_t most = (size_t)e->context.most;
    cells = (cells + STEP - 1) / STEP * STEP;
    return cells < most ? cells : most;
}

static bool resize(struct engine *e, size_t cells) {
    struct error err;
    int32_t before = e->context.cells;
    if (!context_replace(&e->context, &e->model, (int32_t)cells, &err)) return false;
    drafter_resize(e);
    if (e->growth.reserved > 0 && e->context.cells > before)
        e->growth.reserved += (uint64_t)(e->context.cells - before) * e->context.cell_bytes;
    reply_memory(e);
    return true;
}

bool cells_suffice(const struct engine *engine, const struct slot *slot, size_t count) {
    return cells_for(engine, slot, count) <= (size_t)engine->context.cells;
}

bool cells_fit_twice(const struct engine *engine) {
    const struct context *c = &engine->context;
    return cells_possible(engine) >= (size_t)(c->cells < c->most ? c->cells : c->most);
}

/* What the daemon is asked for, including the reserve for the rest of the machine where memory
 * is short. */
static uint64_t more_bytes(const struct engine *e, size_t cells) {
    uint64_t now = (uint64_t)e->context.cells, cell = e->context.cell_bytes;
    uint64_t beside = cells > cells_possible(e) ? RESERVE + now * cell : 0;
    return cells > now ? (cells - now) * cell + beside : 0;
}

static bool grow(struct engine *e, size_t cells, uint64_t granted) {
    return more_bytes(e, cells) <= granted && cells <= cells_possible(e) && resize(e, cells);
}

/* Double the cells, or reserve a quarter more than `count` if that is more; without memory for
 * it, just `count`. */
enum cells_answer cells_reserve(struct engine *engine, const struct slot *slot, size_t count,
                                size_t spare) {
    size_t cells = (size_t)engine->context.cells, need = cells_for(engine, slot, count);
    uint64_t granted;
    if (need <= cells) return CELLS_YES;
    if (need > (size_t)engine->context.most) return CELLS_NO;
    size_t wish = need + need / 4 > 2 * cells ? need + need / 4 : 2 * cells;
    size_t exact = round_up(engine, need), least = round_up(engine, need - spare);
    bool optional = least <= cells;
    wish = round_up(engine, wish);
    const struct growth_wish asked = { .kind = GROWTH_CONTEXT,
                                       .wish = more_bytes(engine, wish),
                                       .least = more_bytes(engine, optional ? exact : least),
                                       .optional = optional };
    switch (growth_ask(engine, &asked, &granted)) {
    case GROWTH_WAITS:
        return CELLS_WAIT;
    case GROWTH_REFUSED:
        return CELLS_NO;
    case GROWTH_GRANTED:
        break;
    }
    bool grown = grow(engine, wish, granted) || grow(engine, exact, granted);
    return grown ? CELLS_YES : CELLS_NO;
}

size_t cells_left(const struct engine *engine, const struct slot *slot, size_t count) {
    const struct growth *g = &engine->growth;
    uint64_t cell = engine->context.cell_bytes > 0 ? engine->context.cell_bytes : 1;
    uint64_t most = g->granted > 0 ? g->granted : g->most;
    size_t others = cells_for(engine, slot, count) - count, now = (size_t)engine->context.cells;
    size_t possible = cells_possible(engine), allowed = now + (size_t)(most / cell);
    allowed -= allowed % STEP;
    if (allowed < possible) possible = allowed;
    if (possible < now) possible = now;
    return possible > others ? possible - others : 0;
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

size_t cells_without(const struct engine *engine, uint64_t bytes) {
    const struct context *c = &engine->context;
    uint64_t cell = c->cell_bytes > 0 ? c->cell_bytes : 1;
    size_t cells = (size_t)c->cells, less = (size_t)((bytes + cell - 1) / cell);
    if (c->first == c->most) return 0;
    return round_up(engine, less < cells ? cells - less : 1);
}

void cells_shrink_to(struct engine *engine, size_t cells) {
    size_t used = round_up(engine, cells_for(engine, NULL, 0) + 1);
    if (used > cells) cells = used;
    if (cells >= (size_t)engine->context.cells || cells > cells_possible(engine)) return;
    if (resize(engine, cells)) (void)malloc_trim(0);
}
