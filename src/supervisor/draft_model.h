/* SPDX-License-Identifier: MIT */
/* draft_model.h - which model guesses tokens for another one (load setting draft_model), and
 * whether it can. Pure. */
#ifndef DOZE_SUPERVISOR_DRAFT_MODEL_H
#define DOZE_SUPERVISOR_DRAFT_MODEL_H

#include "catalog/catalog.h"

/* name: as models are named, or the path of one. ERR_INVALID_REQUEST about 'draft_model': there
 * is none, it is the model itself, it cannot be loaded, it or the model generates nothing, or
 * they have different vocabularies. The worker compares these token by token; from the
 * catalog's figures almost every difference is known before a load. */
bool draft_model_find(const struct catalog *catalog, const struct model *model,
                      const char *name, const struct model **ret_draft, struct error *err)
    __attribute__((warn_unused_result));

#endif
