/* SPDX-License-Identifier: MIT */
#include "supervisor/type_evictions.h"

bool type_evictions_add(struct type_evictions *evictions, msec now) {
    msec *place = &evictions->at[evictions->count++ % TYPE_EVICTIONS];
    *place = now;
    if (evictions->told || evictions->count < TYPE_EVICTIONS) return false;
    msec oldest = evictions->at[evictions->count % TYPE_EVICTIONS];
    evictions->told = now - oldest <= TYPE_EVICTIONS_SPAN_MS;
    return evictions->told;
}
