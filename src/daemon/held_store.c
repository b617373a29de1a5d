/* SPDX-License-Identifier: MIT */
#include "daemon/held_store.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/prompt_gc.h"
#include "daemon/saver.h"
#include "daemon/state_file.h"
#include "fleet/held_file.h"
#include "fleet/prefix_text.h"
#include "prompts/folder.h"

enum { SAVE_MS = 30000 };

struct held_store {
    char *path;
    struct prompts *prompts;
    struct saver *saver;
    msec saved; /* 0: it was not yet */
    struct held_prompts read;
    struct held_sink sink;
};

static void store_on_saved(void *ctx, const struct error *error) {
    const struct held_store *store = ctx;
    if (error) log_debug("fleet: %s is not written: %s", store->path, error->text);
}

struct held_store *held_store_new(uv_loop_t *loop, const char *state_dir,
                                  struct prompts *prompts) {
    struct held_store *store = xcalloc(1, sizeof *store);
    store->path = xasprintf("%s/fleet-prompts.json", state_dir);
    store->prompts = prompts;
    store->saver = saver_new(loop, store->path, store_on_saved, store);
    return store;
}

void held_store_free(struct held_store *store) {
    if (!store) return;
    saver_free(store->saver);
    free(store->path);
    free(store);
}

/* ---- the start ---- */

static uint64_t model_of_folder(const char *folder) {
    struct buf key = BUF_INIT(1024);
    folder_to_key(folder, &key);
    uint64_t model = prefix_model(buf_str(&key), key.len);
    buf_clear(&key);
    return model;
}

/* Each folder's files lie together in the list. */
static void store_on_listed(void *ctx, const struct prompts_result *result) {
    struct held_store *store = ctx;
    const struct prompt_files *files = result->files;
    uint64_t *models = xcalloc(files->count + 1, sizeof *models);
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++) {
        bool again = i > 0 && files->list[i].folder == files->list[i - 1].folder;
        if (!again) models[count++] = model_of_folder(files->list[i].folder);
    }
    held_prompts_keep(&store->read, models, count);
    free(models);
    if (store->read.count > 0) store->sink.on_read(store->sink.ctx, &store->read);
}

void held_store_read(struct held_store *store, const char *secret, struct held_sink sink) {
    yyjson_doc *doc = state_file_read(store->path);
    held_file_read(yyjson_doc_get_root(doc), secret, &store->read);
    yyjson_doc_free(doc);
    store->sink = sink;
    if (store->read.count > 0) prompts_list(store->prompts, store_on_listed, store);
}

/* ---- the file ---- */

bool held_store_save(struct held_store *store, const char *secret,
                     const struct held_prompts *held, msec now, bool last) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    if (store->saved && now - store->saved < SAVE_MS && !last) return false;
    held_file_format(held, secret, &text);
    saver_put(store->saver, &text);
    store->saved = now;
    return true;
}
