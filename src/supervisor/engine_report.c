/* SPDX-License-Identifier: MIT */
#include "supervisor/engine_report.h"

#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"

static void copy_text(yyjson_val *obj, const char *name, char *out, size_t size) {
    const char *text = json_find_str(obj, name);
    snprintf(out, size, "%s", text ? text : "");
    utf8_mend_line(out);
}

bool engine_report_parse(const char *text, size_t len, struct engine_report *ret,
                         struct error *err) {
    struct error why;
    size_t i, max;
    yyjson_val *item;
    *ret = (struct engine_report){ 0 };
    yyjson_doc *doc = json_parse_object(text, len, &why);
    yyjson_val *devices = yyjson_obj_get(yyjson_doc_get_root(doc), "devices");
    bool ok = yyjson_is_arr(devices);
    if (ok) {
        yyjson_arr_foreach(devices, i, max, item) {
            if (ret->count == ENGINE_DEVICES_MAX) break;
            struct engine_device *device = &ret->devices[ret->count++];
            copy_text(item, "name", device->name, sizeof device->name);
            copy_text(item, "description", device->description, sizeof device->description);
            device->total = yyjson_get_uint(yyjson_obj_get(item, "total_bytes"));
            device->free = yyjson_get_uint(yyjson_obj_get(item, "free_bytes"));
        }
    }
    copy_text(yyjson_doc_get_root(doc), "problem", ret->problem, sizeof ret->problem);
    yyjson_doc_free(doc);
    return ok || error_set(err, ERR_INVALID_REQUEST, "The list of devices cannot be read.");
}
