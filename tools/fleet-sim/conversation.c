/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sim.h"

/* Text that no other conversation has, four bytes a token. */
static void say(const struct sim *sim, uint32_t index, uint32_t tokens) {
    struct conversation *c = &sim->conversations[index];

    for (uint32_t i = 0; i < tokens; i++) {
        uint32_t token = (index * UINT32_C(2654435761)) ^ (c->history + i);
        prefix_chain_add(c->chain, &token, sizeof token);
    }
    c->history += tokens;
}

void conversation_begin(struct sim *sim) {
    if (sim->conversation_count == sim->conversation_room) {
        sim->conversation_room = sim->conversation_room ? 2 * sim->conversation_room : 256;
        sim->conversations = xrealloc(sim->conversations,
                                      sim->conversation_room * sizeof *sim->conversations);
    }
    uint32_t index = sim->conversation_count++;
    struct conversation *c = &sim->conversations[index];
    *c = (struct conversation){ .random = { random_mix(sim->options.seed, 1000 + index) } };
    c->model = model_draw(sim, &c->random);
    c->taker = random_below(&c->random, sim->options.nodes);
    c->turns = 1 + (uint32_t)random_exponential(&c->random, 5);
    memset(c->holders, 0xff, sizeof c->holders);
    c->chain = xcalloc(1, sizeof *c->chain);
    prefix_chain_init(c->chain, "simulated");
    events_add(&sim->events, sim->now, EV_TURN, index, 0, 0);
    double every = 1 / (sim->options.rate * sim->options.nodes);
    usec next = (usec)(random_exponential(&sim->traffic, every) * SECOND);
    events_add(&sim->events, sim->now + next, EV_CONVERSATION, 0, 0, 0);
}

static uint32_t tokens(double drawn, uint32_t least, uint32_t most) {
    if (drawn < least) return least;
    return drawn > most ? most : (uint32_t)drawn;
}

void conversation_end(struct sim *sim, uint32_t index) {
    free(sim->conversations[index].chain);
    sim->conversations[index].chain = NULL;
}

/* The first question brings a system prompt, often a file; later ones are short. */
void conversation_ask(struct sim *sim, uint32_t index) {
    struct conversation *c = &sim->conversations[index];
    bool first = c->history == 0;
    double more = random_lognormal(&c->random, first ? 800 : 60, first ? 1.0 : 0.8);
    double answer = random_exponential(&c->random, 200);

    if (c->turns == 0) conversation_end(sim, index);
    if (c->chain == NULL) return;
    say(sim, index, tokens(more, 8, 16000));
    request_ask(sim, index, c->history, tokens(answer, 1, 2000));
}

void conversation_answered(struct sim *sim, uint32_t index, uint32_t answer) {
    struct conversation *c = &sim->conversations[index];

    say(sim, index, answer);
    if (c->history > CONTEXT) c->turns = 1;
    usec think = (usec)(random_exponential(&c->random, 20) * SECOND) + SECOND;
    events_add(&sim->events, sim->now + (--c->turns > 0 ? think : 0), EV_TURN, index, 0, 0);
}
