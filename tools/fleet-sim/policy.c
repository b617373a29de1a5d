/* SPDX-License-Identifier: MIT */
#include "sim.h"

/* What every policy knows: who has the file and memory for it, by the table. */
static bool may_serve(const struct sim *sim, const struct request *r, uint32_t node) {
    for (uint32_t i = 0; i < r->tries; i++)
        if (r->tried[i] == node) return false;
    if (sim->table[node].alive_until <= sim->now) return false;
    return sim->nodes[node].files[r->model] &&
           sim->models[r->model].need <= sim->nodes[node].machine->memory;
}

/* Any of them for random; of the least busy ones for least loaded. */
static uint32_t pick(struct sim *sim, const struct request *r) {
    uint32_t best = NONE, least = UINT32_MAX, equal = 0;

    for (uint32_t i = 0; i < sim->options.nodes; i++) {
        if (!may_serve(sim, r, i)) continue;
        uint32_t load = sim->options.policy == POLICY_RANDOM
                            ? 0
                            : sim->table[i].running + table_sent(sim, r, i, true);
        if (load > least) continue;
        if (load < least) equal = 0;
        least = load;
        if (random_below(&sim->choice, ++equal) == 0) best = i;
    }
    return best;
}

static struct placement simple(struct sim *sim, const struct request *r) {
    uint32_t node = pick(sim, r);
    return (struct placement){ .where = node == NONE ? PLACEMENT_REFUSE : PLACEMENT_NODE,
                               .node = node,
                               .source = NONE };
}

struct placement policy_choose(struct sim *sim, const struct request *r) {
    const struct model *m = &sim->models[r->model];
    struct placement p;

    if (sim->options.policy != POLICY_DOZE) return simple(sim, r);
    struct placement_table table = table_view(sim, r);
    struct placement_request request = {
        .model = m->id,
        .file = m->file,
        .need = m->need,
        .prompt = r->prompt,
        .key = random_mix(r->conversation, 9),
    };
    placement_choose(&table, &request, sim->now / MS, &p);
    return p;
}
