/* SPDX-License-Identifier: MIT */
/*
 * matryoshka.h - which embedding models were trained so that the beginning of a vector is a
 * good shorter vector (Matryoshka Representation Learning). GGUF files do not say. Pure.
 */
#ifndef DOZE_CATALOG_MATRYOSHKA_H
#define DOZE_CATALOG_MATRYOSHKA_H

#include <stdbool.h>

#include "catalog/catalog.h"

/* By the model's key and name. */
bool model_shortens_vectors(const struct model *model);

#endif
