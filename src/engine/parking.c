/* SPDX-License-Identifier: MIT */
#include "engine/parking.h"

#include <malloc.h>

#include "base/json.h"
#include "engine/backends.h"
#include "engine/preparation.h"
#include "engine/prompt_cache.h"

/* A driver may keep memory of a device for as long as the process lives. */
static bool may_park(const struct engine *e) {
    return !engine_has_work(e) && e->repack.state != REPACK_RUNNING &&
           !e->drafter.model.weights && !backends_have_gpu();
}

static void say_parked(struct engine *e) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "memory_bytes", model_memory_bytes(&e->model));
    link_send_doc(&e->link, MSG_PARKED, doc);
}

bool parking_begin(struct engine *engine) {
    if (!may_park(engine)) return false;
    prompt_cache_save_all(engine);
    prompt_cache_rest(engine);
    engine_drop_work(engine);
    llama_free(engine->context.llama);
    engine->context.llama = NULL;
    engine->context.memory = NULL;
    (void)malloc_trim(0);
    say_parked(engine);
    return true;
}

/* Whether flash attention can be used is known, and threads are there if there were any. */
bool parking_end(struct engine *engine, const struct load_message *request, struct error *err) {
    struct context before = engine->context;
    struct load_message again = *request;
    again.settings.flash_attention = before.flash_attention;
    if (!context_open(&engine->context, &engine->model, &again, CONTEXT_NARROW, err))
        return false;
    context_share_pool(&engine->context, &before);
    engine->growth = (struct growth){ .patience = (int64_t)(request->growth_seconds * 1e6) };
    engine->served = false;
    engine->model.loading = 0;
    engine_init(engine);
    return true;
}
