/* SPDX-License-Identifier: MIT */
#include "engine/limit.h"

#include "engine/cells.h"
#include "engine/engine.h"
#include "engine/prompt_cache.h"

static void give_back(struct engine *e, uint64_t bytes) {
    size_t cells = cells_without(e, bytes);
    if (cells == 0) return;
    slots_forget_idle(e, cells);
    cells_shrink_to(e, cells);
}

void limit_obey(struct engine *engine, uint64_t most) {
    struct growth *g = &engine->growth;
    g->tight = growth_taken(engine) > most;
    if (!g->tight) {
        repack_try_again(engine);
        return;
    }
    repack_give_up(engine);
    prompt_cache_leave_memory(engine);
    uint64_t now = growth_taken(engine);
    if (now > most) give_back(engine, now - most);
    g->unsettled = true;
}
