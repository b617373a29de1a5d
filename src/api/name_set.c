/* SPDX-License-Identifier: MIT */
#include "api/name_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void name_set_add(struct name_set *set, const char *name) {
    if (!name) return;
    if (set->count == set->room) {
        set->room = set->room ? 2 * set->room : 16;
        set->names = xrealloc(set->names, set->room * sizeof *set->names);
    }
    set->names[set->count++] = name;
    set->sorted = false;
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool name_set_has(struct name_set *set, const char *name) {
    if (!name || set->count == 0) return false;
    if (!set->sorted) qsort(set->names, set->count, sizeof *set->names, compare);
    set->sorted = true;
    return bsearch(&name, set->names, set->count, sizeof *set->names, compare) != NULL;
}

void name_set_clear(struct name_set *set) {
    free(set->names);
    *set = (struct name_set){ 0 };
}
