/* SPDX-License-Identifier: MIT */
/*
 * projectors.h - which model sees with which projector file. Pure.
 *
 * A projector belongs to the models of its folder. Where these are several (not only several
 * quantizations of one), it belongs to those whose name is in its own:
 * mmproj-gemma-3-4b-it.gguf. Of several for one model the F16 one is taken, which loses
 * nothing.
 */
#ifndef DOZE_CATALOG_PROJECTORS_H
#define DOZE_CATALOG_PROJECTORS_H

#include <stddef.h>

#include "catalog/catalog.h"

/* The models' keys are still their bases. Both lists are reordered. */
void projectors_assign(struct model *models, size_t count, struct model *projectors,
                       size_t projector_count);

#endif
