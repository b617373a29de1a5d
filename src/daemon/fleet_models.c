/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_models.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_sum.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/split_files.h"
#include "base/xalloc.h"
#include "catalog/model_files.h"
#include "fleet/published.h"
#include "hub/peer_model.h"
#include "load/load_plan.h"
#include "supervisor/adapters.h"
#include "supervisor/settings.h"

enum { PATH_SIZE = 4096, ADAPTERS_SIZE = 17 };

static_assert((int)PUBLISHED_FILES_MAX == (int)PEER_FILES_MAX,
              "what is published can be fetched");

/* ---- one file ---- */

/* In the Hugging Face cache a file is a link to one that has its SHA-256 as name; of a smaller
 * file that is another hash. */
static bool read_link(const char *path, char ret[FILE_SUM_SIZE]) {
    char target[PATH_SIZE];
    if (!model_file_is_cached(path)) return false;
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len < 0) return false;
    target[len] = '\0';
    const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
    const size_t digits = FILE_SUM_SIZE - 1;
    if (strlen(name) != digits || strspn(name, "0123456789abcdef") != digits) return false;
    (void)snprintf(ret, FILE_SUM_SIZE, "%.*s", (int)digits, name);
    return true;
}

/* Where it is known without reading the file. */
static bool read_sum(const char *path, char ret[FILE_SUM_SIZE]) {
    return file_sum_find(path, ret) || read_link(path, ret);
}

/* In LM Studio's layout; NULL. */
static const char *path_to_fetch(const struct model *model, const char *file) {
    const char *at = file + strlen(file);
    for (int slashes = 0; at > file && slashes < 3;) slashes += *--at == '/';
    const char *path = at + 1;
    size_t len = strlen(model->publisher);
    bool laid_out = *at == '/' && strncmp(path, model->publisher, len) == 0 && path[len] == '/';
    return laid_out && peer_path_is_safe(path) ? path : NULL;
}

/* ---- the files of a model: its parts, the first one first, and its projector ---- */

static unsigned count_files(const struct model *model) {
    return split_files_count(model->path) + (model->projector != NULL);
}

static void place_of(const struct model *model, unsigned index, char ret[PATH_SIZE]) {
    unsigned parts = split_files_count(model->path);
    if (index == parts)
        (void)snprintf(ret, PATH_SIZE, "%s", model->projector);
    else if (parts == 1)
        (void)snprintf(ret, PATH_SIZE, "%s", model->path);
    else
        split_files_path(model->path, index + 1, ret, PATH_SIZE);
}

static void free_files(struct published_file *files, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free((void *)files[i].sha256);
        free((void *)files[i].path);
    }
    free(files);
}

static bool read_file(const struct model *model, unsigned index, struct published_file *ret) {
    char place[PATH_SIZE], sum[FILE_SUM_SIZE];
    struct stat st;
    place_of(model, index, place);
    const char *path = path_to_fetch(model, place);
    if (!path || stat(place, &st) != 0 || !read_sum(place, sum)) return false;
    *ret = (struct published_file){ .sha256 = xstrdup(sum),
                                    .path = xstrdup(path),
                                    .size = (nbytes)st.st_size };
    return true;
}

/* Those that others may fetch: all, or none. Returns how many; free_files frees them. */
static size_t share_files(const struct model *model, struct published_file **ret) {
    unsigned count = count_files(model), known = 0;
    *ret = NULL;
    if (count > PUBLISHED_FILES_MAX) return 0;
    *ret = xcalloc(count, sizeof **ret);
    while (known < count && read_file(model, known, &(*ret)[known])) known++;
    if (known == count) return count;
    free_files(*ret, known);
    *ret = NULL;
    return 0;
}

static bool is_shared(const struct model *model) {
    struct published_file *files;
    size_t count = share_files(model, &files);
    free_files(files, count);
    return count > 0;
}

char *fleet_models_file(const struct catalog *catalog, const char *sha256) {
    char place[PATH_SIZE], sum[FILE_SUM_SIZE];
    for (size_t i = 0; i < catalog->count; i++) {
        const struct model *model = &catalog->models[i];
        if (model->problem) continue;
        for (unsigned k = 0; k < count_files(model); k++) {
            place_of(model, k, place);
            if (read_sum(place, sum) && strcmp(sum, sha256) == 0 && is_shared(model))
                return xstrdup(place);
        }
    }
    return NULL;
}

/* ---- adapters ---- */

/* By name, size and scale: nobody knows their checksums. */
static uint64_t add_adapter(const struct model *model, const struct load_adapter *adapter,
                            uint64_t hash) {
    char *path = adapter_path(model, adapter->path);
    const char *name = path_name(path);
    struct stat st;
    uint64_t size = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    hash = hash_add(hash, name, strlen(name) + 1);
    hash = hash_add(hash, &size, sizeof size);
    free(path);
    return hash_add(hash, &adapter->scale, sizeof adapter->scale);
}

/* What tells those apart that its settings name; false: they name none. */
static bool mark_adapters(const struct model *model, const struct settings *settings,
                          char ret[ADAPTERS_SIZE]) {
    const struct model_entry *entry = model_settings_find(&settings->models, model->key);
    struct load_layers layers = { .for_all = &settings->load,
                                  .for_model = entry ? &entry->load : NULL };
    const struct load_adapters *adapters = load_plan_adapters(&layers);
    uint64_t hash = HASH_BEGIN;
    if (!adapters || adapters->count <= 0) return false;
    for (int64_t i = 0; i < adapters->count; i++)
        hash = add_adapter(model, &adapters->list[i], hash);
    (void)snprintf(ret, ADAPTERS_SIZE, "%016" PRIx64, hash);
    return true;
}

/* ---- all models ---- */

/* What a published model borrows. */
struct texts {
    char sum[FILE_SUM_SIZE], adapters[ADAPTERS_SIZE];
    struct published_file *files;
};

static struct published_model describe(const struct model *model,
                                       const struct settings *settings, struct texts *texts) {
    bool one = split_files_count(model->path) == 1;
    bool adapted = mark_adapters(model, settings, texts->adapters);
    size_t count = adapted ? 0 : share_files(model, &texts->files);
    return (struct published_model){
        .key = model->key,
        .type = model->type,
        .size = model->size,
        .sha256 = one && read_sum(model->path, texts->sum) ? texts->sum : NULL,
        .adapters = adapted ? texts->adapters : NULL,
        .files = texts->files,
        .file_count = count,
    };
}

void fleet_models_format(const struct catalog *catalog, const struct settings *settings,
                         struct buf *out) {
    struct published_model *models = xcalloc(catalog->count + 1, sizeof *models);
    struct texts *texts = xcalloc(catalog->count + 1, sizeof *texts);
    size_t count = 0;
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->models[i].problem) continue;
        models[count] = describe(&catalog->models[i], settings, &texts[count]);
        count++;
    }
    published_format_models(models, count, out);
    for (size_t i = 0; i < count; i++) free_files(texts[i].files, models[i].file_count);
    free(texts);
    free(models);
}
