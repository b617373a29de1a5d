/* SPDX-License-Identifier: MIT */
/* system_route.c - GET /api/v1/system: engines, the devices that they find, and memory. */
#include "base/json.h"
#include "base/memory.h"
#include "daemon/engines.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/settings_store.h"

static void add_devices(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                        const struct engine_report *report) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, "devices");
    for (size_t i = 0; i < report->count; i++) {
        const struct engine_device *device = &report->devices[i];
        yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, item, "name", device->name);
        yyjson_mut_obj_add_str(doc, item, "description", device->description);
        yyjson_mut_obj_add_uint(doc, item, "total_bytes", device->total);
        yyjson_mut_obj_add_uint(doc, item, "free_bytes", device->free);
    }
}

static void add_engine(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct engines *engines,
                       enum engine_kind kind) {
    const struct engine_state *state = engines_state(engines, kind);
    bool installed = kind == ENGINE_CPU || state->installed;
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_str(doc, item, "name", engine_words[kind]);
    yyjson_mut_obj_add_bool(doc, item, "installed", installed);
    yyjson_mut_obj_add_bool(doc, item, "chosen", engines_choice(engines)->kind == kind);
    if (state->problem[0])
        yyjson_mut_obj_add_str(doc, item, "problem", state->problem);
    else
        yyjson_mut_obj_add_null(doc, item, "problem");
    add_devices(doc, item, &state->report);
}

void route_system(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    yyjson_mut_val *root;
    engines_look(r->engines);
    const struct engine_choice *choice = engines_choice(r->engines);
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "engine",
                           engine_words[settings_store_get(r->settings)->engine]);
    yyjson_mut_obj_add_str(doc, root, "chosen", engine_words[choice->kind]);
    yyjson_mut_obj_add_str(doc, root, "why", choice->why);
    yyjson_mut_obj_add_str(doc, root, "version", engines_version());
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "engines");
    for (int kind = ENGINE_CPU; kind < ENGINE_KINDS; kind++)
        add_engine(doc, list, r->engines, (enum engine_kind)kind);
    yyjson_mut_val *memory = yyjson_mut_obj_add_obj(doc, root, "memory");
    yyjson_mut_obj_add_uint(doc, memory, "total_bytes", memory_total());
    yyjson_mut_obj_add_uint(doc, memory, "available_bytes", memory_available());
    reply_doc(x, doc);
}
