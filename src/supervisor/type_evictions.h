/* SPDX-License-Identifier: MIT */
/*
 * type_evictions.h - notices when language and embedding models throw one another out, as
 * retrieval beside a chat does: then auto_evict = per_type serves better (docs/lifecycle.md,
 * Auto-evict, rule 1). Pure.
 */
#ifndef DOZE_SUPERVISOR_TYPE_EVICTIONS_H
#define DOZE_SUPERVISOR_TYPE_EVICTIONS_H

#include <stdbool.h>

#include "base/msec.h"

enum { TYPE_EVICTIONS = 5, TYPE_EVICTIONS_SPAN_MS = 10 * 60 * 1000 };

struct type_evictions {
    msec at[TYPE_EVICTIONS]; /* the last ones, a ring */
    unsigned count;
    bool told;
};

/* A model made room for one of another type, at this time, which never goes back. True once:
 * TYPE_EVICTIONS of them came within TYPE_EVICTIONS_SPAN_MS. */
bool type_evictions_add(struct type_evictions *evictions, msec now);

#endif
