/* SPDX-License-Identifier: MIT */
/* placement.h - which parts of a model go to devices with memory of their own. */
#ifndef DOZE_ENGINE_PLACEMENT_H
#define DOZE_ENGINE_PLACEMENT_H

#include <llama.h>

#include "base/error.h"
#include "engine/placement_shim.h"
#include "ipc/load_message.h"

/* Fill in what the settings say. If all layers are wanted, and devices and experts are not
 * set, layers that do not fit into the free memory stay on the CPU; that is measured, unless
 * the whole model is known to fit. params will point into `room`. */
void placement_choose(struct llama_model_params *params, const struct load_message *request,
                      struct placement *room);

/* As much of the model as fits goes to the lent memory (lent.h), whatever the settings say of
 * devices; the rest stays here. */
bool placement_choose_lent(struct llama_model_params *params,
                           const struct load_message *request, struct placement *room,
                           struct error *err);

#endif
