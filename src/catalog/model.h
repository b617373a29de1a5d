/* SPDX-License-Identifier: MIT */
/*
 * model.h - one entry of the catalog, made from its files.
 */
#ifndef DOZE_CATALOG_MODEL_H
#define DOZE_CATALOG_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "catalog/catalog.h"
#include "catalog/walk.h"

/* A model that will enter the catalog; its key is the base until the keys are made unique. */
struct draft {
    struct model model;
    bool is_model; /* false: a projector, an adapter or an importance matrix */
    bool is_projector;
};

/* Read the headers of a model's files: all parts that exist, in order; count > 0. The draft
 * owns its strings; clear with model_clear. */
void draft_read(const struct found_file *files, size_t count, struct draft *ret_draft);

void model_clear(struct model *model);

#endif
