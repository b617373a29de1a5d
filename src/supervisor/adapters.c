/* SPDX-License-Identifier: MIT */
#include "supervisor/adapters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "catalog/gguf_file.h"

enum { REMEMBERED = 32 };

/* What a file said when it was as `st` says. */
struct looked_at {
    char *path; /* NULL: nothing is here */
    struct stat st;
    struct adapter_facts facts;
    struct error fault; /* ERR_NONE: it is an adapter */
};

struct adapter_files {
    struct looked_at list[REMEMBERED];
    size_t next; /* is replaced */
};

struct adapter_files *adapter_files_new(void) {
    return xcalloc(1, sizeof(struct adapter_files));
}

void adapter_files_free(struct adapter_files *files) {
    if (!files) return;
    for (size_t i = 0; i < REMEMBERED; i++) free(files->list[i].path);
    free(files);
}

char *adapter_path(const struct model *model, const char *name) {
    const char *slash = strrchr(model->path, '/');
    if (*name == '/' || !slash) return xstrdup(name);
    return xasprintf("%.*s%s", (int)(slash + 1 - model->path), model->path, name);
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static const struct looked_at *look_at(struct adapter_files *files, const char *path,
                                       const struct stat *st) {
    for (size_t i = 0; i < REMEMBERED; i++) {
        const struct looked_at *known = &files->list[i];
        if (known->path && strcmp(known->path, path) == 0 && is_same(&known->st, st))
            return known;
    }
    struct looked_at *fresh = &files->list[files->next];
    files->next = (files->next + 1) % REMEMBERED;
    free(fresh->path);
    *fresh = (struct looked_at){ .path = xstrdup(path), .st = *st };
    struct error fault;
    if (!gguf_file_read_adapter(path, &fresh->facts, &fault)) fresh->fault = fault;
    return fresh;
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

static bool fits_model(const char *name, const struct looked_at *file,
                       const struct model *model, struct error *err) {
    if (file->fault.code != ERR_NONE) {
        return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                               "The adapter '%.80s' cannot be used: %s", name,
                               file->fault.text);
    }
    if (strcmp(file->facts.architecture, model->architecture) == 0) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                           "The adapter '%.80s' is for models of the architecture '%s', but "
                           "'%.80s' is '%s'; choose one that was made for this model.",
                           name, file->facts.architecture, model->key, model->architecture);
}

static void add_to_sum(struct adapter_sum *sum, const struct stat *st) {
    sum->size += (nbytes)st->st_size;
    sum->stamp = hash_add(sum->stamp, &st->st_size, sizeof st->st_size);
    sum->stamp = hash_add(sum->stamp, &st->st_mtim.tv_sec, sizeof st->st_mtim.tv_sec);
    sum->stamp = hash_add(sum->stamp, &st->st_mtim.tv_nsec, sizeof st->st_mtim.tv_nsec);
}

static bool check(struct adapter_files *files, const struct model *model, const char *name,
                  struct adapter_sum *sum, struct error *err) {
    char *path = adapter_path(model, name);
    struct stat st;
    bool ok = stat(path, &st) == 0 || refuse_missing(name, err);
    ok = ok && fits_model(name, look_at(files, path, &st), model, err);
    if (ok) add_to_sum(sum, &st);
    free(path);
    return ok;
}

bool adapter_files_check(struct adapter_files *files, const struct model *model,
                         const struct load_adapters *adapters, struct adapter_sum *ret_sum,
                         struct error *err) {
    struct adapter_sum sum = { .stamp = HASH_BEGIN };
    for (int64_t i = 0; i < adapters->count; i++) {
        if (!check(files, model, adapters->list[i].path, &sum, err)) return false;
    }
    *ret_sum = sum;
    return true;
}
