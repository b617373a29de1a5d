/* SPDX-License-Identifier: MIT */
#include "supervisor/park_rules.h"

#include <string.h>

const char *const park_words[] = { [PARK_AUTO] = "auto", [PARK_ON] = "on", [PARK_OFF] = "off" };

const char *parked_change_name(enum parked_change change) {
    static const char *const names[] = {
        [PARKED_BEGINS] = "parked", [PARKED_WAKES] = "woken", [PARKED_ENDS] = "given_up"
    };
    return names[change];
}

const char *parked_reason_name(enum parked_reason reason) {
    static const char *const names[] = {
        [PARKED_FOR_ROOM] = "memory",
        [PARKED_FOR_PRESSURE] = "memory_pressure",
        [PARKED_TOO_LONG] = "expired",
        [PARKED_FILE_CHANGED] = "file_changed",
        [PARKED_ENGINE_CHANGED] = "engine_changed",
        [PARKED_SWITCHED_OFF] = "switched_off",
        [PARKED_BY_USER] = "user",
        [PARKED_SHUTDOWN] = "shutdown",
        [PARKED_DIED] = "worker_died",
    };
    return names[reason];
}

bool park_allows(const struct park_case *c) {
    nbytes spare = c->mode == PARK_AUTO ? PARK_LEAST_FREE : 0;
    if (c->mode == PARK_OFF || !c->returns || c->under_stress) return false;
    if (c->elsewhere || c->locked || c->drafts) return false;
    return c->free >= spare && c->free - spare >= c->bytes;
}

static bool stays(const struct parked_facts *place) {
    return place->taken && !place->leaves;
}

/* Of equals the one used last, because most of it is still in memory. */
int park_find(const struct parked_facts *places, const char *model_key,
              const struct park_key *key) {
    int found = -1;
    for (int i = 0; i < PARKED_MAX; i++) {
        const struct parked_facts *place = &places[i];
        if (!stays(place) || strcmp(place->model_key, model_key) != 0) continue;
        if (place->key.settings != key->settings || place->key.files != key->files) continue;
        if (found < 0 || place->since > places[found].since) found = i;
    }
    return found;
}

int park_find_stale(const struct parked_facts *places, const char *model_key, uint64_t files) {
    for (int i = 0; i < PARKED_MAX; i++) {
        const struct parked_facts *place = &places[i];
        if (!stays(place) || strcmp(place->model_key, model_key) != 0) continue;
        if (place->key.files != files) return i;
    }
    return -1;
}

int park_first_to_leave(const struct parked_facts *places) {
    int first = -1;
    for (int i = 0; i < PARKED_MAX; i++) {
        if (!stays(&places[i])) continue;
        if (first < 0 || places[i].since < places[first].since) first = i;
    }
    return first;
}

int park_free_place(const struct parked_facts *places) {
    for (int i = 0; i < PARKED_MAX; i++) {
        if (!places[i].taken) return i;
    }
    return -1;
}

bool park_exceeds(const struct parked_facts *places, enum parked_counted counted, nbytes taken,
                  nbytes budget) {
    bool leaving = counted == PARKED_ALL;
    for (int i = 0; i < PARKED_MAX; i++) {
        bool counts = leaving ? places[i].taken : stays(&places[i]);
        if (!counts) continue;
        if (taken > budget || places[i].bytes > budget - taken) return true;
        taken += places[i].bytes;
    }
    return false;
}

msec park_deadline(const struct parked_facts *places, msec life) {
    int first = park_first_to_leave(places);
    return first < 0 || life == MSEC_NEVER ? MSEC_NEVER : places[first].since + life;
}
