/* SPDX-License-Identifier: MIT */
#include "api/anthropic/anthropic.h"
#include "api/write.h"
#include "base/json.h"

struct error_kind {
    int status;
    const char *type;
};

/* By status; the rest is "api_error" from 500 on and "invalid_request_error" below. */
static const struct error_kind kinds[] = {
    { 401, "authentication_error" }, { 403, "permission_error" }, { 404, "not_found_error" },
    { 413, "request_too_large" },    { 429, "rate_limit_error" }, { 503, "overloaded_error" },
};

static const char *error_type(int status) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].status == status) return kinds[i].type;
    }
    return status >= 500 ? "api_error" : "invalid_request_error";
}

void anthropic_format_error(const struct error *err, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "type", "error");
    yyjson_mut_val *error = yyjson_mut_obj_add_obj(doc, root, "error");
    yyjson_mut_obj_add_str(doc, error, "type", error_type(error_status(err->code)));
    yyjson_mut_obj_add_str(doc, error, "message", err->text);
    json_write_end(doc, out);
}
