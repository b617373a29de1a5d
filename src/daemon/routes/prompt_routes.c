/* SPDX-License-Identifier: MIT */
/* prompt_routes.c - GET and DELETE /api/v1/prompts: list and clear the prompt store. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/prompt_gc.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"
#include "prompts/folder.h"

/* A request that waits for the store. */
struct asking {
    const struct routes *r;
    struct exchange *x; /* NULL: it has left */
    char *model;        /* the key of the model that is cleared; NULL: all are */
    bool known;         /* it is on disk */
};

static void asking_on_gone(void *ctx) {
    struct asking *a = ctx;
    a->x = NULL;
}

static struct asking *asking_new(const struct routes *r, struct exchange *x) {
    struct asking *a = xcalloc(1, sizeof *a);
    *a = (struct asking){ .r = r, .x = x };
    exchange_on_gone(x, asking_on_gone, a);
    return a;
}

static void asking_free(struct asking *a) {
    free(a->model);
    free(a);
}

static void asking_reply(struct asking *a, yyjson_mut_doc *doc) {
    if (a->x)
        reply_doc(a->x, doc);
    else
        yyjson_mut_doc_free(doc);
    asking_free(a);
}

static void asking_refuse(struct asking *a) {
    struct error err;
    error_set_param(&err, ERR_MODEL_NOT_FOUND, "model",
                    "There is no model '%.80s' and no processed prompt of it; "
                    "`doze prompts ls` lists those that are kept.",
                    a->model);
    if (a->x) exchange_fail(a->x, &err);
    asking_free(a);
}

/* Add one model's files, which are contiguous from `from` on. Returns the index after them. */
static size_t add_model(yyjson_mut_doc *doc, yyjson_mut_val *models,
                        const struct prompt_files *files, size_t from) {
    const char *folder = files->list[from].folder;
    uint64_t tokens = 0, bytes = 0;
    int64_t newest = 0;
    size_t i = from;
    for (; i < files->count && files->list[i].folder == folder; i++) {
        const struct prompt_file *file = &files->list[i];
        tokens += file->tokens;
        bytes += file->bytes;
        if (file->used > newest) newest = file->used;
    }
    struct buf key = BUF_INIT(1024);
    folder_to_key(folder, &key);
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, models);
    yyjson_mut_obj_add_strncpy(doc, obj, "model", buf_str(&key), key.len);
    yyjson_mut_obj_add_uint(doc, obj, "entries", i - from);
    yyjson_mut_obj_add_uint(doc, obj, "tokens", tokens);
    yyjson_mut_obj_add_uint(doc, obj, "bytes", bytes);
    yyjson_mut_obj_add_int(doc, obj, "newest_at", newest);
    buf_clear(&key);
    return i;
}

static void asking_on_listed(void *ctx, const struct prompts_result *result) {
    struct asking *a = ctx;
    const struct prompt_files *files = result->files;
    const struct settings *settings = settings_store_get(a->r->settings);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "prompt_store",
                           prompt_store_modes[settings->prompt_store]);
    yyjson_mut_obj_add_uint(doc, root, "limit_bytes", settings->prompt_store_bytes);
    yyjson_mut_obj_add_uint(doc, root, "entries", files->count);
    yyjson_mut_obj_add_uint(doc, root, "bytes", prompt_files_bytes(files));
    yyjson_mut_val *models = yyjson_mut_obj_add_arr(doc, root, "models");
    for (size_t i = 0; i < files->count;) i = add_model(doc, models, files, i);
    asking_reply(a, doc);
}

void route_prompts_list(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    prompts_list(r->prompts, asking_on_listed, asking_new(r, x));
}

static void asking_on_cleared(void *ctx, const struct prompts_result *result) {
    struct asking *a = ctx;
    yyjson_mut_val *root;
    if (a->model && !a->known && result->deleted == 0) {
        asking_refuse(a);
        return;
    }
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "deleted", result->deleted);
    yyjson_mut_obj_add_uint(doc, root, "bytes", result->freed);
    asking_reply(a, doc);
}

/* The key of a model on disk; for one that is gone, the name as given. */
void route_prompts_clear(void *ctx, struct exchange *x) {
    struct routes *r = ctx;
    struct model_view model;
    const char *name = exchange_param(x, "id");
    struct asking *a = asking_new(r, x);
    a->known = name && r->service->find_model(r->service->self, name, &model);
    if (name) a->model = xstrdup(a->known ? model.key : name);
    /* First: workers delete what they save until they read it. */
    r->service->forget_prompts(r->service->self, a->model);
    fleet_node_forget_prompts(r->fleet, a->model);
    prompts_empty(r->prompts, a->model, asking_on_cleared, a);
}
