/* SPDX-License-Identifier: MIT */
#include "api/ollama/ollama.h"
#include "api/write.h"
#include "base/json.h"
#include "base/no_model.h"

void ollama_format_error(const struct error *err, struct buf *out) {
    struct error own;
    error_list_by(err, "GET /api/tags", &own);
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "error", own.text);
    json_write_end(doc, out);
}
