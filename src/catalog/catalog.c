/* SPDX-License-Identifier: MIT */
#include "catalog/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/split_files.h"
#include "base/xalloc.h"
#include "catalog/dedupe.h"
#include "catalog/model.h"
#include "catalog/model_name.h"
#include "catalog/projectors.h"
#include "catalog/walk.h"

enum { MODELS_MAX = 10000 };

struct scan {
    struct model *models, *projectors;
    size_t count, projector_count;
};

/* --- files to models --- */

/* The name of a part of a set; another file is a set of its own. */
static struct split_name set_of(const struct found_file *file) {
    struct split_name split = { .stem_len = strlen(file->path), .part = 1 };
    (void)split_name_parse(file->path, &split); /* false: split stays as it is */
    return split;
}

static int compare_sets(const struct found_file *a, const struct found_file *b) {
    struct split_name x = set_of(a), y = set_of(b);
    int order = strncmp(a->path, b->path, x.stem_len < y.stem_len ? x.stem_len : y.stem_len);
    if (order) return order;
    if (x.stem_len != y.stem_len) return x.stem_len < y.stem_len ? -1 : 1;
    return x.count == y.count ? 0 : x.count < y.count ? -1 : 1;
}

static int by_set_and_part(const void *a, const void *b) {
    int order = compare_sets(a, b);
    if (order) return order;
    unsigned x = set_of(a).part, y = set_of(b).part;
    return x < y ? -1 : x > y;
}

static void sort_in(struct scan *scan, struct scanned *scanned) {
    if (scanned->is_model)
        scan->models[scan->count++] = scanned->model;
    else if (scanned->is_projector)
        scan->projectors[scan->projector_count++] = scanned->model;
    else
        model_clear(&scanned->model);
}

static struct scan scan_files(struct found_file *files, size_t count) {
    struct scan scan = { .models = xcalloc(count, sizeof *scan.models),
                         .projectors = xcalloc(count, sizeof *scan.projectors) };
    if (count) qsort(files, count, sizeof *files, by_set_and_part);
    for (size_t i = 0, next; i < count && scan.count < MODELS_MAX; i = next) {
        struct scanned scanned;
        for (next = i + 1; next < count && compare_sets(&files[i], &files[next]) == 0;) next++;
        scanned_read(&files[i], next - i, &scanned);
        sort_in(&scan, &scanned);
    }
    return scan;
}

static void clear_projectors(struct scan *scan) {
    for (size_t i = 0; i < scan->projector_count; i++) model_clear(&scan->projectors[i]);
    free(scan->projectors);
}

/* --- keys --- */

/* Which of several models gets the plain key: one that works before one that does not, then the
 * older one, so that a new file does not take the name of a model in use. */
static int by_claim(const void *a, const void *b) {
    const struct model *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order) return order;
    if (!x->problem != !y->problem) return x->problem ? 1 : -1;
    if (x->modified != y->modified) return x->modified < y->modified ? -1 : 1;
    return strcmp(x->path, y->path);
}

static int by_key(const void *a, const void *b) {
    const struct model *x = a, *y = b;
    return strcmp(x->key, y->key);
}

static char *variant_key(const struct model *model, const char *base, unsigned number) {
    const char *quantization = model->quantization[0] ? model->quantization : "unknown";
    char *key = number > 1 ? xasprintf("%s@%s-%u", base, quantization, number)
                           : xasprintf("%s@%s", base, quantization);
    for (char *c = key; *c; c++) *c = ascii_lower(*c);
    return key;
}

/* Models with the same base; all but the first get a longer key. */
static void name_variants(struct model *first, size_t count) {
    for (size_t i = 1; i < count; i++) {
        unsigned number = 1;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(first[j].quantization, first[i].quantization) == 0) number++;
        }
        char *key = variant_key(&first[i], first->key, number);
        free(first[i].key);
        first[i].key = key;
    }
}

static void make_keys_unique(struct catalog *catalog) {
    struct model *models = catalog->models;
    if (catalog->count == 0) return;
    qsort(models, catalog->count, sizeof *models, by_claim);
    for (size_t i = 0, next; i < catalog->count; i = next) {
        for (next = i + 1; next < catalog->count;) {
            if (strcmp(models[i].key, models[next].key) != 0) break;
            next++;
        }
        name_variants(&models[i], next - i);
    }
    qsort(models, catalog->count, sizeof *models, by_key);
}

/* --- the catalog --- */

struct catalog *catalog_scan(const char *const *dirs, size_t dir_count) {
    struct found found;
    walk_folders(dirs, dir_count, &found);
    found_drop_duplicates(&found);
    struct scan scan = scan_files(found.files, found.file_count);
    found_clear(&found);
    projectors_assign(scan.models, scan.count, scan.projectors, scan.projector_count);
    clear_projectors(&scan);
    struct catalog *catalog = xcalloc(1, sizeof *catalog);
    catalog->models = scan.models;
    catalog->count = scan.count;
    make_keys_unique(catalog);
    return catalog;
}

void catalog_free(struct catalog *catalog) {
    if (!catalog) return;
    for (size_t i = 0; i < catalog->count; i++) model_clear(&catalog->models[i]);
    free(catalog->models);
    free(catalog);
}

static const struct model *find_as_written(const struct catalog *catalog, const char *name) {
    if (catalog->count == 0) return NULL;
    const struct model wanted = { .key = (char *)(uintptr_t)name };
    const struct model *exact = bsearch(&wanted, catalog->models, catalog->count,
                                        sizeof *catalog->models, by_key);
    if (exact) return exact;
    const struct model *best = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        const struct model *model = &catalog->models[i];
        if (ascii_equal(name, strlen(name), model->key, strlen(model->key))) return model;
        if (!model_name_matches(model, name)) continue;
        if (!best || (best->problem && !model->problem)) best = model;
    }
    return best;
}

/* LM Studio puts this before the names of embedding models, and its clients know them so. */
static const struct model *find_embedding(const struct catalog *catalog, const char *name) {
    static const char mark[] = "text-embedding-";
    if (strncmp(name, mark, sizeof mark - 1) != 0) return NULL;
    const struct model *model = find_as_written(catalog, name + sizeof mark - 1);
    return model && model->type == MODEL_EMBEDDINGS ? model : NULL;
}

/* A wrong publisher is ignored if only one model has the name. */
static const struct model *find_of_any(const struct catalog *catalog, const char *name) {
    const struct model *only = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        if (!model_name_matches_of_any(&catalog->models[i], name)) continue;
        if (only) return NULL;
        only = &catalog->models[i];
    }
    return only;
}

const struct model *catalog_find(const struct catalog *catalog, const char *name) {
    const struct model *model = find_as_written(catalog, name);
    if (!model) model = find_embedding(catalog, name);
    for (const char *mark = "@-"; !model && *mark; mark++) {
        char *plain = model_name_untag(name, *mark);
        if (!plain) break;
        model = find_as_written(catalog, plain);
        free(plain);
    }
    return model ? model : find_of_any(catalog, name);
}
