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

/* What the files of one set are. The model's key is its base until the keys are made unique. */
struct scanned {
    struct model model;
    bool is_model; /* false: a projector, an adapter or an importance matrix */
    bool is_projector;
};

/* Read the headers of a model's files: all parts that exist, in order; count > 0. Its
 * strings are owned; clear the model with model_clear. */
void scanned_read(const struct found_file *files, size_t count, struct scanned *ret_scanned);

void model_clear(struct model *model);

#endif
