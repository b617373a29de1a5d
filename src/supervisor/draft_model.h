/* SPDX-License-Identifier: MIT */
/* draft_model.h - which model guesses tokens for another one (load setting draft_model), and
 * whether it can. Pure. */
#ifndef DOZE_SUPERVISOR_DRAFT_MODEL_H
#define DOZE_SUPERVISOR_DRAFT_MODEL_H

#include "catalog/catalog.h"

/* name: as models are named, or the path of one. ERR_INVALID_REQUEST about 'draft_model': it
 * does not exist, is the model itself, cannot be loaded, it or the model generates no text, or
 * their vocabularies differ. The worker compares these token by token; the catalog's figures
 * show almost every difference before a load. */
bool draft_model_find(const struct catalog *catalog, const struct model *model,
                      const char *name, const struct model **ret_draft, struct error *err)
    __attribute__((warn_unused_result));

#endif
