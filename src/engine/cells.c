/* SPDX-License-Identifier: MIT */
#include "engine/cells.h"

#include <malloc.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/reply.h"

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

/* Cells that a new context could have, in whole steps: it stands beside the old one for a
 * moment, and the state of a sequence between them. */
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
    return cells >= (uint64_t)c->most ? (size_t)c->most : (size_t)(cells - cells % STEP);
}

static size_t round_up(const struct engine *e, size_t cells) {
    size_t most = (size_t)e->context.most;
    cells = (cells + STEP - 1) / STEP * STEP;
    return cells < most ? cells : most;
}

static bool resize(struct engine *e, size_t cells) {
    struct error err;
    if (!context_replace(&e->context, &e->model, (int32_t)cells, &err)) return false;
    reply_memory(e);
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

size_t cells_left(const struct engine *engine, const struct slot *slot, size_t count) {
    size_t others = cells_for(engine, slot, count) - count, possible = cells_possible(engine);
    if (possible < (size_t)engine->context.cells) possible = (size_t)engine->context.cells;
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
