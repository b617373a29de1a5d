/* SPDX-License-Identifier: MIT */
#include "daemon/catalog_log.h"

#include <string.h>

#include "base/log.h"
#include "base/no_model.h"

/* Both are sorted by key: *at is where the last search ended. */
static bool had_problem(const struct catalog *before, const struct model *model, size_t *at) {
    if (!before) return false;
    while (*at < before->count && strcmp(before->models[*at].key, model->key) < 0) ++*at;
    if (*at == before->count) return false;
    const struct model *old = &before->models[*at];
    return strcmp(old->key, model->key) == 0 && old->problem &&
           strcmp(old->problem, model->problem) == 0;
}

static size_t count_broken(const struct catalog *catalog) {
    size_t broken = 0;
    for (size_t i = 0; i < catalog->count; i++) broken += catalog->models[i].problem != NULL;
    return broken;
}

/* The folders are read whenever a file in them changes, which may be no model. */
static bool has_counts_of(const struct catalog *catalog, const struct catalog *before) {
    return before && before->count == catalog->count &&
           count_broken(before) == count_broken(catalog);
}

void catalog_log(const struct catalog *catalog, const struct catalog *before) {
    size_t broken = count_broken(catalog), at = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct model *model = &catalog->models[i];
        if (!model->problem || had_problem(before, model, &at)) continue;
        log_warn("model %s cannot be loaded: %s", model->key, model->problem);
    }
    if (has_counts_of(catalog, before)) return;
    if (catalog->count == 0) {
        struct error none;
        (void)error_no_models(&none);
        log_info("%s", none.text);
        return;
    }
    size_t whole = catalog->count - broken;
    log_info("%zu model%s on disk%s", whole, whole == 1 ? "" : "s",
             broken ? ", some files broken" : "");
}
