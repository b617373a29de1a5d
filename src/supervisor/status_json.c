/* SPDX-License-Identifier: MIT */
/* status_json.c - all instances and the machine's memory in one message, for who watches live.
 */
#include "api/lmstudio_rest/v1.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "supervisor/internal.h"

/* Tokens in the context of the longest request that runs; else after the last answer. */
static int64_t context_used(struct supervisor *sup, int slot) {
    int64_t longest = -1;
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->slot != slot || request->state != LC_RUNNING) continue;
        const struct call *call = call_find(sup->calls, request->id);
        if (call && call->context_tokens > longest) longest = call->context_tokens;
    }
    return longest >= 0 ? longest : sup->instances[slot].activity.context;
}

static yyjson_mut_val *entry(struct supervisor *sup, int slot, yyjson_mut_doc *doc) {
    static const char *const works[] = { [WORK_NONE] = "none",
                                         [WORK_EMBEDDING] = "embedding",
                                         [WORK_PROMPT] = "prompt",
                                         [WORK_GENERATING] = "generating" };
    struct instance_view view = supervisor_view(sup, slot);
    struct activity *activity = &sup->instances[slot].activity;
    if (view.running > 0) activity_sample(activity, supervisor_now());
    yyjson_mut_val *obj = yyjson_mut_obj(doc);
    lmstudio_v1_fill_instance(doc, obj, &view);
    yyjson_mut_obj_add_str(doc, obj, "work", works[view.work]);
    yyjson_mut_obj_add_int(doc, obj, "context_used", context_used(sup, slot));
    yyjson_mut_obj_add_real(doc, obj, "tokens_per_second", activity->rate);
    return obj;
}

/* Mapped weights count as available, so what others take is what is neither available nor
 * private to an instance. */
static void add_memory(struct supervisor *sup, yyjson_mut_doc *doc, yyjson_mut_val *root) {
    nbytes total = memory_total(), available = memory_available();
    if (available > total) available = total;
    nbytes used = total - available, ours = supervisor_private_bytes(sup);
    nbytes limit = sup->config.settings->memory_limit;
    yyjson_mut_val *memory = yyjson_mut_obj_add_obj(doc, root, "memory");
    yyjson_mut_obj_add_uint(doc, memory, "total_bytes", total);
    yyjson_mut_obj_add_uint(doc, memory, "available_bytes", available);
    yyjson_mut_obj_add_uint(doc, memory, "other_bytes", used > ours ? used - ours : 0);
    if (limit)
        yyjson_mut_obj_add_uint(doc, memory, "limit_bytes", limit);
    else
        yyjson_mut_obj_add_null(doc, memory, "limit_bytes");
}

void supervisor_format_status(struct supervisor *sup, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "at", clock_unix());
    add_memory(sup, doc, root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "instances");
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (supervisor_shows(sup, slot)) yyjson_mut_arr_append(list, entry(sup, slot, doc));
    }
    json_write(doc, out);
    yyjson_mut_doc_free(doc);
}

bool supervisor_is_working(const struct supervisor *sup) {
    for (int slot = 0; slot < LC_MAX_SLOTS; slot++) {
        if (lifecycle_view(&sup->lc, slot).running > 0) return true;
    }
    return false;
}
