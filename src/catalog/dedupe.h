/* SPDX-License-Identifier: MIT */
/*
 * dedupe.h - drops duplicates of a file: all names but the first, and all its revisions in the
 * Hugging Face cache but the newest. Keeps the order.
 */
#ifndef DOZE_CATALOG_DEDUPE_H
#define DOZE_CATALOG_DEDUPE_H

#include "catalog/walk.h"

void found_drop_duplicates(struct found *found);

#endif
