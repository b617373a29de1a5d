/* SPDX-License-Identifier: MIT */
#include "hub/peer_transfer.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dirs.h"
#include "base/file_sum.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "hub/partial_file.h"

enum {
    ROUNDS_MAX = 3 /* tries of each source without a byte coming */,
    READ_AT_ONCE = 1 << 18
};

static char *place_of(const struct peer_transfer *t, size_t index) {
    return xasprintf("%s/%s", t->models_dir, t->model->files[index].path);
}

/* What it is called on its way, before ".part": a download from a hub has files of its own, and
 * so has another model of the folder with the same projector. */
static char *way_of(const struct peer_transfer *t, size_t index) {
    const struct peer_file *files = t->model->files;
    if (index == 0) return xasprintf("%s/%s.peer", t->models_dir, files[0].path);
    return xasprintf("%s/%s.%.8s.peer", t->models_dir, files[index].path, files[0].sha256);
}

/* ---- what is there ---- */

static bool read_sum(const char *path, char ret[FILE_SUM_SIZE]) {
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE], *bytes = xcalloc(1, READ_AT_ONCE);
    FILE *in = fopen(path, "rbe");
    size_t count;
    sha256_init(&hash);
    while (in && (count = fread(bytes, 1, READ_AT_ONCE, in)) > 0)
        sha256_update(&hash, count, bytes);
    bool ok = in && !ferror(in);
    if (in) (void)fclose(in);
    free(bytes);
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
    return ok;
}

static bool is_file(const char *path, const struct stat *st, const struct peer_file *file) {
    char sum[FILE_SUM_SIZE];
    if (!S_ISREG(st->st_mode) || (nbytes)st->st_size != file->size) return false;
    if (!file_sum_find(path, sum) && !read_sum(path, sum)) return false;
    return strcmp(sum, file->sha256) == 0;
}

enum place { PLACE_FREE, PLACE_HAS_IT, PLACE_TAKEN };

static enum place look(const struct peer_transfer *t, size_t index, struct error *err) {
    struct stat st;
    char *path = place_of(t, index);
    enum place place = PLACE_FREE;
    if (stat(path, &st) == 0)
        place = is_file(path, &st, &t->model->files[index]) ? PLACE_HAS_IT : PLACE_TAKEN;
    if (place == PLACE_TAKEN)
        error_set(err, ERR_IO, "there is another file at %.150s; move it away", path);
    free(path);
    return place;
}

/* ---- one file ---- */

static void transfer_on_bytes(void *ctx, nbytes done) {
    struct peer_transfer *t = ctx;
    if (done <= t->reached) return;
    t->reached = done;
    t->tries = 0;
}

const char *peer_transfer_source(const struct peer_transfer *t) {
    size_t count = t->model->source_count;
    return t->model->sources[(t->turn + count - 1) % count].name;
}

static void transfer_on_retry(void *ctx, const struct error *err) {
    const struct peer_transfer *t = ctx;
    log_debug("fleet: %s from '%s': %s", t->model->files[t->file].path, peer_transfer_source(t),
              err->text);
}

static bool transfer_is_watched(void *ctx) {
    (void)ctx;
    return false;
}

/* The machines in turn. */
static bool transfer_next_source(void *ctx, char **ret_url, char **ret_header) {
    struct peer_transfer *t = ctx;
    const struct peer_model *model = t->model;
    const struct peer_source *source = &model->sources[t->turn % model->source_count];
    const char *sum = model->files[t->file].sha256;
    if (t->tries++ >= ROUNDS_MAX * model->source_count) return false;
    t->turn++;
    *ret_url = xasprintf("%s/%s", source->url, sum);
    *ret_header = model->signer.sign(model->signer.ctx, source->name, sum);
    return true;
}

static enum fetch_end get_file(struct peer_transfer *t, size_t index, struct error *err) {
    const struct peer_file *wanted = &t->model->files[index];
    struct hub_environment env = { .plain = true };
    struct hub_file file = { .size = wanted->size };
    struct hub_name name = { 0 };
    char *way = way_of(t, index);
    struct fetch fetch = { .env = &env,
                           .name = &name,
                           .commit = "",
                           .file = &file,
                           .path = way,
                           .connections = 1,
                           .task = t->task,
                           .on_bytes = transfer_on_bytes,
                           .on_retry = transfer_on_retry,
                           .is_watched = transfer_is_watched,
                           .next_source = transfer_next_source,
                           .ctx = t };
    (void)snprintf(file.path, sizeof file.path, "%s", wanted->path);
    memcpy(file.sha256, wanted->sha256, sizeof file.sha256);
    t->file = index;
    t->reached = t->tries = 0;
    enum fetch_end end = hub_fetch(&fetch, err);
    free(way);
    return end;
}

/* ---- all files ---- */

static bool name_file(const struct peer_transfer *t, size_t index, struct error *err) {
    enum place place = look(t, index, err);
    char *way = way_of(t, index), *path = place_of(t, index);
    bool ok = place == PLACE_HAS_IT ||
              (place == PLACE_FREE && partial_rename_to(way, path, err));
    if (place == PLACE_HAS_IT) partial_remove(way);
    free(way);
    free(path);
    return ok;
}

static bool name_files(const struct peer_transfer *t, struct error *err) {
    for (size_t i = t->model->file_count; i-- > 0;) {
        if (!name_file(t, i, err)) return false;
    }
    return true;
}

static bool make_folder(const struct peer_transfer *t, struct error *err) {
    char *path = place_of(t, 0);
    bool ok = dirs_make_parent(path, 0755, err);
    free(path);
    return ok;
}

/* Before a byte is asked for. */
static bool has_places(const struct peer_transfer *t, struct error *err) {
    for (size_t i = 0; i < t->model->file_count; i++) {
        if (look(t, i, err) == PLACE_TAKEN) return false;
    }
    return true;
}

enum fetch_end peer_transfer_run(struct peer_transfer *t, struct hub_task *task,
                                 struct error *err) {
    t->task = task;
    if (!make_folder(t, err) || !has_places(t, err)) return FETCH_FAILED;
    for (size_t i = 0; i < t->model->file_count; i++) {
        if (look(t, i, err) == PLACE_HAS_IT) continue;
        enum fetch_end end = get_file(t, i, err);
        if (end != FETCH_DONE) return end;
    }
    return name_files(t, err) ? FETCH_DONE : FETCH_FAILED;
}
