/* SPDX-License-Identifier: MIT */
/* load_order.c - the message that has a worker load a model. */
#include <stdlib.h>
#include <string.h>

#include "ipc/load_message.h"
#include "load/load_plan.h"
#include "prompts/folder.h"
#include "supervisor/internal.h"

static int64_t clamped(nbytes bytes) {
    return bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
}

/* Bytes that the load is admitted with; the worker has to ask for more. 0: no limit. */
static int64_t memory_admitted(const struct supervisor *sup, int slot) {
    if (sup->config.settings->memory_limit == 0) return 0;
    nbytes left = supervisor_memory_left(sup, slot);
    if (slot >= 0 && sup->lc.slots[slot].bytes < left) left = sup->lc.slots[slot].bytes;
    return clamped(left);
}

/* The same of device memory; 1: nothing is left of it. */
static int64_t device_left(const struct supervisor *sup, int slot) {
    nbytes budget = supervisor_device_budget(sup), others = 0;
    if (budget == 0) return 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (i != slot && sup->instances[i].identifier) others += sup->lc.slots[i].device;
    }
    return clamped(budget > others ? budget - others : 1);
}

/* In English texts. A lower figure would reserve too much room, which takes time to clear. */
enum { BYTES_PER_TOKEN = 4 };

/* Of the longest request that waits for this load. */
static size_t longest_text(const struct supervisor *sup, int slot) {
    size_t longest = 0;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        const struct call *call = request->slot == slot ? call_find(sup->calls, request->id)
                                                        : NULL;
        if (!call || call->kind != CALL_REQUEST || call->request.dispatched) continue;
        size_t bytes = call->request.asked.sealed.text_bytes;
        if (bytes > longest) longest = bytes;
    }
    return longest;
}

/* Replace names by paths, because workers do not know the model's folder. The caller frees the
 * paths. */
static void name_files(const struct model *model, struct load_adapters *adapters,
                       char *ret_paths[LOAD_MAX_ADAPTERS]) {
    for (int64_t i = 0; i < adapters->count; i++) {
        ret_paths[i] = adapter_path(model, adapters->list[i].path);
        adapters->list[i].path = ret_paths[i];
    }
}

/* NULL: it has none. */
static const char *draft_path(const struct supervisor *sup,
                              const struct load_settings *effective) {
    const struct model *draft = *effective->draft_model
                                    ? catalog_find(*sup->config.catalog, effective->draft_model)
                                    : NULL;
    return draft ? draft->path : NULL;
}

static void set_bytes(const struct supervisor *sup, const struct model *model, int slot,
                      struct load_message *message) {
    const struct load_settings *effective = &message->settings;
    struct model_shape shape = supervisor_shape(sup, model, &effective->adapters);
    message->whole_bytes = clamped(load_plan_whole(&shape, effective));
    message->memory_bytes = memory_admitted(sup, slot);
    message->device_bytes = device_left(sup, slot);
}

/* What only the load of an instance has, not a measurement. */
static void set_instance(const struct supervisor *sup, int slot, struct load_message *message) {
    const struct instance *in = &sup->instances[slot];
    message->identifier = in->identifier;
    if (in->lent.bytes) {
        message->lent_bytes = (int64_t)in->lent.part;
        message->settings.repack = LOAD_REPACK_NEVER; /* a second copy would be whole */
    }
    /* the load makes room for the first request */
    message->prompt_tokens = (int64_t)(longest_text(sup, slot) / BYTES_PER_TOKEN);
    message->prefetched = sup->prefetch_slot == slot && prefetch_done(sup->prefetch);
}

void supervisor_format_load(const struct supervisor *sup, const struct model *model, int slot,
                            const struct load_settings *effective, struct buf *out) {
    struct load_message message = LOAD_MESSAGE_DEFAULTS;
    struct buf dir = BUF_INIT(1 << 16);
    char *adapters[LOAD_MAX_ADAPTERS] = { NULL };
    buf_addf(&dir, "%s/", sup->config.prompts_dir);
    folder_from_key(model->key, &dir);
    message.settings = *effective;
    set_bytes(sup, model, slot, &message);
    name_files(model, &message.settings.adapters, adapters);
    message.path = model->path;
    message.projector = model_has_vision(model) ? model->projector : NULL;
    message.draft = draft_path(sup, effective);
    message.identifier = model->key;
    message.cells = LOAD_FIRST_CELLS;
    message.prompts.mode = sup->config.settings->prompt_store;
    message.prompts.dir = buf_str(&dir);
    if (slot >= 0) set_instance(sup, slot, &message);
    load_message_format(&message, out);
    for (size_t i = 0; i < LOAD_MAX_ADAPTERS; i++) free(adapters[i]);
    buf_clear(&dir);
}
