/* SPDX-License-Identifier: MIT */
/* forget_prompts.c - has workers forget what they have processed, when its files are
 * deleted. */
#include <string.h>

#include "supervisor/internal.h"

/* A worker that leaves saves its prompts, and may not read this message. */
void supervisor_forget_prompts(struct supervisor *sup, const char *model_key) {
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        struct instance *in = &sup->instances[i];
        if (!in->worker || (model_key && strcmp(in->model_key, model_key) != 0)) continue;
        worker_send(in->worker, MSG_FORGET, 0, NULL, 0);
        in->forgets = sup->lc.slots[i].state == LC_UNLOADING;
    }
}
