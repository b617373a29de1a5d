/* SPDX-License-Identifier: MIT */
#include "api/openai/openai.h"
#include "api/write.h"
#include "base/json.h"

struct error_kind {
    int status;
    const char *type;
};

/* By status; the rest is "server_error" from 500 on and "invalid_request_error" below. */
static const struct error_kind kinds[] = {
    { 401, "authentication_error" },
    { 403, "permission_error" },
    { 404, "not_found_error" },
    { 429, "rate_limit_error" },
};

static const char *error_type(int status) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].status == status) return kinds[i].type;
    }
    return status >= 500 ? "server_error" : "invalid_request_error";
}

void openai_add_error(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct error *err) {
    yyjson_mut_val *error = yyjson_mut_obj_add_obj(doc, out, "error");
    yyjson_mut_obj_add_str(doc, error, "message", err->text);
    yyjson_mut_obj_add_str(doc, error, "type", error_type(error_status(err->code)));
    add_text_or_null(doc, error, "param", err->param[0] ? err->param : NULL);
    /* OpenAI's plain refusals carry no code of their own. */
    bool plain = err->code == ERR_INVALID_REQUEST;
    add_text_or_null(doc, error, "code", plain ? NULL : error_name(err->code));
}

void openai_format_error(const struct error *err, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    openai_add_error(doc, yyjson_mut_doc_get_root(doc), err);
    json_write_end(doc, out);
}
