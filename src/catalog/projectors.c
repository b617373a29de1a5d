/* SPDX-License-Identifier: MIT */
#include "catalog/projectors.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

static size_t folder_len(const struct model *m) {
    const char *slash = strrchr(m->path, '/');
    return slash ? (size_t)(slash - m->path) : 0;
}

static int compare_folders(const struct model *a, const struct model *b) {
    size_t x = folder_len(a), y = folder_len(b);
    int order = strncmp(a->path, b->path, x < y ? x : y);
    return order ? order : x < y ? -1 : x > y;
}

static int rank(const struct model *projector) {
    static const char *const best[] = { "F16", "BF16", "Q8_0", "F32" };
    enum { COUNT = sizeof best / sizeof *best };
    int i = 0;
    while (i < COUNT && strcmp(projector->quantization, best[i]) != 0) i++;
    return i;
}

static int by_folder_and_rank(const void *a, const void *b) {
    const struct model *x = a, *y = b;
    int order = compare_folders(x, y);
    if (order) return order;
    if (rank(x) != rank(y)) return rank(x) < rank(y) ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool are_one_model(const struct model *models, size_t count) {
    for (size_t i = 1; i < count; i++) {
        if (strcmp(models[0].key, models[i].key) != 0) return false;
    }
    return true;
}

static bool names(const struct model *projector, const struct model *model) {
    return strcasestr(projector->path + folder_len(projector), model->key) != NULL;
}

/* All of one folder. */
static void assign(struct model *models, size_t count, const struct model *projectors,
                   size_t projector_count) {
    bool one = are_one_model(models, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < projector_count && !models[i].projector; j++) {
            if (projectors[j].problem || !(one || names(&projectors[j], &models[i]))) continue;
            models[i].projector = xstrdup(projectors[j].path);
            models[i].projector_size = projectors[j].size;
        }
    }
}

/* The end of the group that begins at `from`. */
static size_t group_end(const struct model *all, size_t count, size_t from) {
    size_t end = from + 1;
    while (end < count && compare_folders(&all[from], &all[end]) == 0) end++;
    return end;
}

void projectors_assign(struct model *models, size_t count, struct model *projectors,
                       size_t projector_count) {
    if (count == 0 || projector_count == 0) return;
    qsort(models, count, sizeof *models, by_folder_and_rank);
    qsort(projectors, projector_count, sizeof *projectors, by_folder_and_rank);
    for (size_t i = 0, j = 0; i < count && j < projector_count;) {
        int order = compare_folders(&models[i], &projectors[j]);
        size_t end = group_end(models, count, i);
        size_t projector_end = group_end(projectors, projector_count, j);
        if (order == 0) assign(&models[i], end - i, &projectors[j], projector_end - j);
        if (order <= 0) i = end;
        if (order >= 0) j = projector_end;
    }
}
