/* SPDX-License-Identifier: MIT */
#include "api/ollama/ollama.h"
#include "api/write.h"
#include "base/json.h"

void ollama_format_error(const struct error *err, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "error", err->text);
    json_write_end(doc, out);
}
