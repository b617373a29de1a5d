/* SPDX-License-Identifier: MIT */
/*
 * dedupe.h - keeps each file in the list once: under the first of its names, and of the
 * revisions of a file in the Hugging Face cache the newest. The order stays.
 */
#ifndef DOZE_CATALOG_DEDUPE_H
#define DOZE_CATALOG_DEDUPE_H

#include "catalog/walk.h"

void found_drop_doubles(struct found *found);

#endif
