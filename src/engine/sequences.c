/* SPDX-License-Identifier: MIT */
#include "engine/sequences.h"

#include "engine/cells.h"

void sequences_focus(struct engine *engine, struct slot *slot) {
    llama_seq_id seq = slot->seq;
    if (!engine->context.narrow || seq == 0) return;
    context_swap(&engine->context, seq);
    for (int i = 0; i < engine->context.parallel; i++) {
        if (engine->slots[i].seq == 0) engine->slots[i].seq = seq;
    }
    slot->seq = 0;
}

bool sequences_admit(struct engine *engine, bool alone) {
    struct error err;
    if (!engine->context.narrow || alone) return true;
    if (!cells_fit_twice(engine)) return false;
    return context_widen(&engine->context, &engine->model, &err);
}
