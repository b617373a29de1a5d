/* SPDX-License-Identifier: MIT */
#include "hub/hub_choice.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/names.h"
#include "base/split_files.h"
#include "base/xalloc.h"
#include "catalog/model_name.h"

enum { SETS_MAX = 1000 };

/* A model of the repository: one file, or the parts of a split one. */
struct model_set {
    const struct hub_file *first;
    nbytes bytes;
    unsigned parts, wanted; /* there are, and there should be */
    char quantization[16];
};

static bool is_projector(const struct hub_file *file) {
    return model_name_is_projector(path_name(file->path));
}

/* Is the file a part of the split model that begins with `first`? */
static bool is_part_of(const struct hub_file *file, const struct hub_file *first) {
    struct split_name a, b;
    assert(file && first);
    if (!split_name_parse(file->path, &a) || !split_name_parse(first->path, &b))
        return file == first;
    return a.count == b.count && a.stem_len == b.stem_len &&
           strncmp(file->path, first->path, a.stem_len) == 0;
}

static bool begins_set(const struct hub_file *file) {
    struct split_name split;
    return !is_projector(file) && (!split_name_parse(file->path, &split) || split.part == 1);
}

static struct model_set set_of(const struct hub_files *files, const struct hub_file *first) {
    struct split_name split;
    struct model_set set = { .first = first, .wanted = 1 };
    if (split_name_parse(first->path, &split)) set.wanted = split.count;
    model_name_quantization(path_name(first->path), set.quantization);
    for (size_t i = 0; i < files->count; i++) {
        if (!is_part_of(&files->list[i], first)) continue;
        set.parts++;
        set.bytes += files->list[i].size;
    }
    return set;
}

/* Whole models only: a set that lacks a part cannot be loaded. */
static size_t list_sets(const struct hub_files *files, struct model_set *ret) {
    size_t count = 0;
    for (size_t i = 0; i < files->count && count < SETS_MAX; i++) {
        if (!begins_set(&files->list[i])) continue;
        ret[count] = set_of(files, &files->list[i]);
        if (ret[count].parts == ret[count].wanted) count++;
    }
    return count;
}

bool hub_fits(nbytes bytes, nbytes memory) {
    return memory == 0 || bytes + bytes / 10 <= memory;
}

static const struct model_set *find_quantization(const struct model_set *sets, size_t count,
                                                 const char *quantization) {
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(sets[i].quantization, quantization) == 0) return &sets[i];
    }
    return NULL;
}

static const struct model_set *find_file(const struct model_set *sets, size_t count,
                                         const struct hub_files *files, const char *path) {
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->list[i].path, path) != 0) continue;
        for (size_t j = 0; j < count; j++) {
            if (is_part_of(&files->list[i], sets[j].first)) return &sets[j];
        }
    }
    return NULL;
}

/* The better of two when nothing was named: the larger of those that fit, else the smaller. */
static bool is_better(const struct model_set *a, const struct model_set *b, nbytes memory) {
    bool a_fits = hub_fits(a->bytes, memory), b_fits = hub_fits(b->bytes, memory);
    if (a_fits != b_fits) return a_fits;
    return a_fits ? a->bytes > b->bytes : a->bytes < b->bytes;
}

static const struct model_set *find_best(const struct model_set *sets, size_t count,
                                         nbytes memory) {
    static const char *const usual[] = { "Q4_K_M", "Q8_0" };
    const struct model_set *best = NULL;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        const struct model_set *found = find_quantization(sets, count, usual[i]);
        if (found) return found;
    }
    for (size_t i = 0; i < count; i++) {
        if (!best || is_better(&sets[i], best, memory)) best = &sets[i];
    }
    return best;
}

size_t hub_list_options(const struct hub_files *files, nbytes memory, struct hub_option *ret,
                        size_t max) {
    struct model_set *sets = xcalloc(SETS_MAX, sizeof *sets);
    size_t count = list_sets(files, sets);
    const struct model_set *best = find_best(sets, count, memory);
    if (count > max) count = max;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct hub_option){ .path = sets[i].first->path,
                                      .bytes = sets[i].bytes,
                                      .fits = hub_fits(sets[i].bytes, memory),
                                      .recommended = &sets[i] == best };
        memcpy(ret[i].quantization, sets[i].quantization, sizeof ret[i].quantization);
    }
    free(sets);
    return count;
}

static bool fail_quantization(const struct model_set *sets, size_t count, const char *wanted,
                              struct error *err) {
    struct buf names = BUF_INIT(200);
    for (size_t i = 0; i < count; i++) {
        if (sets[i].quantization[0])
            (void)buf_addf(&names, "%s%s", names.len ? ", " : "", sets[i].quantization);
    }
    error_set_param(err, ERR_NOT_FOUND, "quantization",
                    "There is no quantization '%.30s'; the repository has %s.", wanted,
                    names.len ? buf_str(&names) : "none in its file names");
    buf_clear(&names);
    return false;
}

static const struct model_set *choose_set(const struct model_set *sets, size_t count,
                                          const struct hub_files *files,
                                          const struct hub_name *name, nbytes memory,
                                          struct error *err) {
    const struct model_set *set;
    if (count == 0) {
        error_set(err, ERR_NOT_SUPPORTED,
                  "The repository has no whole GGUF model; look for one whose name ends with "
                  "-GGUF.");
        return NULL;
    }
    if (name->file[0]) {
        set = find_file(sets, count, files, name->file);
        if (!set)
            error_set(err, ERR_NOT_FOUND, "The repository has no GGUF model in '%.120s'.",
                      name->file);
        return set;
    }
    if (!name->quantization[0]) return find_best(sets, count, memory);
    set = find_quantization(sets, count, name->quantization);
    if (!set) fail_quantization(sets, count, name->quantization, err);
    return set;
}

/* The projector of the repository: F16 before any other; NULL: it has none. */
static const struct hub_file *find_projector(const struct hub_files *files) {
    const struct hub_file *found = NULL;
    char quantization[16];
    for (size_t i = 0; i < files->count; i++) {
        if (!is_projector(&files->list[i])) continue;
        model_name_quantization(path_name(files->list[i].path), quantization);
        if (!found || strcmp(quantization, "F16") == 0) found = &files->list[i];
    }
    return found;
}

static void add_file(struct hub_choice *choice, const struct hub_file *file) {
    choice->files[choice->count++] = file;
    choice->bytes += file->size;
}

static void fill_choice(const struct hub_files *files, const struct model_set *set,
                        struct hub_choice *ret) {
    const struct hub_file *projector = find_projector(files);
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    *ret = (struct hub_choice){ .files = xcalloc(set->parts + 1, sizeof *ret->files) };
    (void)snprintf(ret->quantization, sizeof ret->quantization, "%s", set->quantization);
    add_file(ret, set->first);
    for (size_t i = 0; i < files->count; i++) {
        const struct hub_file *file = &files->list[i];
        if (file != set->first && is_part_of(file, set->first)) add_file(ret, file);
    }
    if (projector) add_file(ret, projector);
}

bool hub_choose(const struct hub_files *files, const struct hub_name *name, nbytes memory,
                struct hub_choice *ret, struct error *err) {
    struct model_set *sets = xcalloc(SETS_MAX, sizeof *sets);
    size_t count = list_sets(files, sets);
    const struct model_set *set = choose_set(sets, count, files, name, memory, err);
    if (set) fill_choice(files, set, ret);
    free(sets);
    return set != NULL;
}

void hub_choice_clear(struct hub_choice *choice) {
    free(choice->files);
    *choice = (struct hub_choice){ 0 };
}
