/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sim.h"

#define GB 1e9

/* Three kinds of machines. `prompt_rate` and `answer_rate`: an 8-core laptop processes a prompt
 * with 90 tokens/s in a 4.5 GB model and answers with 9; a card of 24 GB with 2,700 and 133. */
static const struct machine machines[] = {
    { "laptop", 400, 40, 0.55, 1000, 12000000000, 40, 8, 0 },
    { "desktop", 800, 70, 0.55, 2000, 28000000000, 120, 16, 0 },
    { "card", 12000, 600, 0.15, 3000, 22000000000, 120, 16, 24000000000 },
};
static const double sizes_gb[] = { 0.5, 1, 2, 2, 4.5, 4.5, 4.5, 8, 8, 14 };

/* Of ten machines. */
static const struct machine *machine_of(uint32_t index) {
    static const uint8_t kinds[] = { 0, 1, 2, 0, 1, 0, 2, 0, 1, 2 };
    return &machines[kinds[index % sizeof kinds]];
}

static void models_make(struct sim *sim, struct random *r) {
    double sum = 0;

    sim->models = xcalloc(sim->options.models, sizeof *sim->models);
    for (uint32_t i = 0; i < sim->options.models; i++) {
        struct model *m = &sim->models[i];
        m->gb = sizes_gb[random_below(r, sizeof sizes_gb / sizeof *sizes_gb)];
        m->file = (nbytes)(m->gb * GB);
        m->need = (nbytes)(m->gb * 1.2 * GB);
        m->kv_bytes = (uint32_t)(16000 * m->gb);
        m->id = random_next(r);
        m->claimed_by = m->first_waiter = m->last_waiter = NONE;
        sum += 1.0 / (i + 1); /* Zipf, exponent 1 */
        m->share = sum;
    }
    for (uint32_t i = 0; i < sim->options.models; i++) sim->models[i].share /= sum;
}

uint32_t model_draw(const struct sim *sim, struct random *r) {
    double at = random_unit(r);
    uint32_t low = 0, high = sim->options.models - 1;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sim->models[middle].share > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static bool model_fits(const struct sim *sim, uint32_t node, uint32_t model) {
    return sim->models[model].need <= sim->nodes[node].machine->memory;
}

/* People download what is popular, until the disk is full. */
static void files_draw(struct sim *sim, uint32_t node, struct random *r) {
    struct node *n = &sim->nodes[node];
    double room = n->machine->files_gb;

    for (int tries = 0; tries < 200; tries++) {
        uint32_t model = model_draw(sim, r);
        if (n->files[model] || !model_fits(sim, node, model)) continue;
        if (sim->models[model].gb > room) break;
        n->files[model] = true;
        room -= sim->models[model].gb;
    }
}

/* Each model is on two nodes at least. */
static void files_complete(struct sim *sim, uint32_t model, struct random *r) {
    uint32_t have = 0;

    for (uint32_t i = 0; i < sim->options.nodes; i++) have += sim->nodes[i].files[model];
    while (have < 2) {
        uint32_t i = random_below(r, sim->options.nodes);
        if (sim->nodes[i].files[model] || !model_fits(sim, i, model)) continue;
        sim->nodes[i].files[model] = true;
        have++;
    }
}

static void node_make(struct sim *sim, uint32_t index, struct random *r) {
    struct node *n = &sim->nodes[index];

    n->machine = machine_of(index);
    snprintf(n->name, sizeof n->name, "n%u", index);
    n->up = true;
    n->memory_free = n->machine->memory;
    n->files = xcalloc(sim->options.models, 1);
    n->random.state = random_next(r);
    n->way_first = NONE;
    files_draw(sim, index, r);
    sim->table[index].alive_until = NEVER;
    sim->table[index].heads = xcalloc(1, sizeof *sim->table[index].heads);
    table_publish(sim, index);
}

void world_make(struct sim *sim) {
    struct random r = { random_mix(sim->options.seed, 1) };

    sim->traffic.state = random_mix(sim->options.seed, 2);
    sim->choice.state = random_mix(sim->options.seed, 3);
    sim->nodes = xcalloc(sim->options.nodes, sizeof *sim->nodes);
    sim->table = xcalloc(sim->options.nodes, sizeof *sim->table);
    sim->view = xcalloc(sim->options.nodes, sizeof *sim->view);
    models_make(sim, &r);
    for (uint32_t i = 0; i < sim->options.nodes; i++) node_make(sim, i, &r);
    for (uint32_t i = 0; i < sim->options.models; i++) files_complete(sim, i, &r);
}

void world_clear(struct sim *sim) {
    for (uint32_t i = 0; i < sim->options.nodes; i++) {
        free(sim->nodes[i].files);
        free(sim->nodes[i].store);
        free(sim->nodes[i].changes);
        free(sim->table[i].heads);
    }
    for (uint32_t i = 0; i < sim->conversation_count; i++) free(sim->conversations[i].chain);
    free(sim->models);
    free(sim->nodes);
    free(sim->table);
    free(sim->view);
    free(sim->conversations);
    free(sim->requests);
    free(sim->events.list);
    free(sim->figures.first);
}
