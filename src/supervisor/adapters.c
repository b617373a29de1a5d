/* SPDX-License-Identifier: MIT */
#include "supervisor/adapters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "catalog/gguf_file.h"

enum { REMEMBERED = 32 };

struct adapter_files {
    struct adapter_look list[REMEMBERED];
    size_t next; /* is replaced */
};

void adapter_look_clear(struct adapter_look *look) {
    free(look->path);
    free(look->model_path);
    free(look->model_architecture);
    *look = (struct adapter_look){ 0 };
}

struct adapter_files *adapter_files_new(void) {
    return xcalloc(1, sizeof(struct adapter_files));
}

void adapter_files_free(struct adapter_files *files) {
    if (!files) return;
    for (size_t i = 0; i < REMEMBERED; i++) adapter_look_clear(&files->list[i]);
    free(files);
}

char *adapter_path(const struct model *model, const char *name) {
    const char *slash = strrchr(model->path, '/');
    if (*name == '/' || !slash) return xstrdup(name);
    return xasprintf("%.*s%s", (int)(slash + 1 - model->path), model->path, name);
}

/* NULL: nobody has looked. */
static const struct adapter_look *find_look(const struct adapter_files *files, const char *path,
                                            const struct stat *st, const struct model *model) {
    for (size_t i = 0; i < REMEMBERED; i++) {
        const struct adapter_look *known = &files->list[i];
        if (known->path && strcmp(known->path, path) == 0 && file_is_same(&known->st, st) &&
            strcmp(known->model_path, model->path) == 0 &&
            known->model_modified == model->modified)
            return known;
    }
    return NULL;
}

void adapter_look_read(struct adapter_look *look) {
    struct adapter_facts facts;
    struct error fault;
    if (!gguf_file_read_adapter(look->path, look->model_path, look->model_architecture, &facts,
                                &fault))
        look->fault = fault;
    memcpy(look->architecture, facts.architecture, sizeof look->architecture);
    adapter_facts_clear(&facts);
}

size_t adapter_files_unknown(const struct adapter_files *files, const struct model *model,
                             const struct load_adapters *adapters,
                             struct adapter_look ret_looks[LOAD_MAX_ADAPTERS]) {
    size_t count = 0;
    for (int64_t i = 0; i < adapters->count; i++) {
        struct stat st;
        char *path = adapter_path(model, adapters->list[i].path);
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
            find_look(files, path, &st, model)) {
            free(path);
            continue;
        }
        ret_looks[count++] =
            (struct adapter_look){ .path = path,
                                   .st = st,
                                   .model_path = xstrdup(model->path),
                                   .model_architecture = xstrdup(model->architecture),
                                   .model_modified = model->modified };
    }
    return count;
}

void adapter_files_remember(struct adapter_files *files, struct adapter_look *look) {
    struct adapter_look *oldest = &files->list[files->next];
    files->next = (files->next + 1) % REMEMBERED;
    adapter_look_clear(oldest);
    *oldest = *look;
    *look = (struct adapter_look){ 0 };
}

static bool refuse_missing(const char *name, struct error *err) {
    if (errno == ENOENT || errno == ENOTDIR) {
        return error_set_param(
            err, ERR_INVALID_REQUEST, "adapters",
            "There is no adapter '%.120s'; give the path of a file, absolute "
            "or from the folder of the model.",
            name);
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                           "The adapter '%.120s' cannot be used: %s.", name,
                           strerrordesc_np(errno));
}

/* file: NULL if it was not read; then the load will show what is wrong with it. */
static bool fits_model(const char *name, const struct adapter_look *file,
                       const struct model *model, struct error *err) {
    if (!file) return true;
    if (file->fault.code != ERR_NONE) {
        return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                               "The adapter '%.80s' cannot be used: %s", name,
                               file->fault.text);
    }
    if (strcmp(file->architecture, model->architecture) == 0) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                           "The adapter '%.80s' is for models of the architecture '%s', but "
                           "'%.80s' is '%s'; choose one that was made for this model.",
                           name, file->architecture, model->key, model->architecture);
}

/* A device or a FIFO is not even opened. */
static bool is_file(const char *name, const struct stat *st, struct error *err) {
    return S_ISREG(st->st_mode) ||
           error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                           "The adapter '%.120s' cannot be used: It is not a regular file.",
                           name);
}

static void add_to_sum(struct adapter_sum *sum, const struct stat *st) {
    sum->size += (nbytes)st->st_size;
    sum->stamp = hash_add(sum->stamp, &st->st_size, sizeof st->st_size);
    sum->stamp = hash_add(sum->stamp, &st->st_mtim.tv_sec, sizeof st->st_mtim.tv_sec);
    sum->stamp = hash_add(sum->stamp, &st->st_mtim.tv_nsec, sizeof st->st_mtim.tv_nsec);
}

static bool check(const struct adapter_files *files, const struct model *model,
                  const char *name, struct adapter_sum *sum, struct error *err) {
    char *path = adapter_path(model, name);
    struct stat st;
    bool ok = stat(path, &st) == 0 || refuse_missing(name, err);
    ok = ok && is_file(name, &st, err) &&
         fits_model(name, find_look(files, path, &st, model), model, err);
    if (ok) add_to_sum(sum, &st);
    free(path);
    return ok;
}

bool adapter_files_check(const struct adapter_files *files, const struct model *model,
                         const struct load_adapters *adapters, struct adapter_sum *ret_sum,
                         struct error *err) {
    struct adapter_sum sum = { .stamp = HASH_BEGIN };
    for (int64_t i = 0; i < adapters->count; i++) {
        if (!check(files, model, adapters->list[i].path, &sum, err)) return false;
    }
    *ret_sum = sum;
    return true;
}
