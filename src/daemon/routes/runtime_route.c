/* SPDX-License-Identifier: MIT */
/* runtime_route.c - GET /api/v1/runtime: the engine and the machine it runs on. */
#include "base/json.h"
#include "base/memory.h"
#include "daemon/routes/reply.h"
#include "daemon/routes/route.h"
#include "daemon/ws_host.h"

void route_runtime(void *ctx, struct exchange *x) {
    const struct routes *r = ctx;
    const struct lmws_engine *engine = &ws_host_face(r->ws_host)->engine;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "name", engine->name);
    yyjson_mut_obj_add_str(doc, root, "version", engine->version);
    yyjson_mut_arr_add_str(doc, yyjson_mut_obj_add_arr(doc, root, "formats"), "GGUF");
    yyjson_mut_val *cpu = yyjson_mut_obj_add_obj(doc, root, "cpu");
    yyjson_mut_obj_add_str(doc, cpu, "architecture", engine->architecture);
    yyjson_mut_val *extensions = yyjson_mut_obj_add_arr(doc, cpu, "extensions");
    for (size_t i = 0; engine->extensions[i]; i++) {
        yyjson_mut_arr_add_str(doc, extensions, engine->extensions[i]);
    }
    yyjson_mut_val *memory = yyjson_mut_obj_add_obj(doc, root, "memory");
    yyjson_mut_obj_add_uint(doc, memory, "total_bytes", memory_total());
    yyjson_mut_obj_add_uint(doc, memory, "available_bytes", memory_available());
    reply_doc(x, doc);
}
