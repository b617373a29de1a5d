/* SPDX-License-Identifier: MIT */
#include "api/parsed.h"

#include <assert.h>

#include "api/ttl.h"
#include "base/json.h"
#include "base/xalloc.h"

static bool read_common(struct parsed *parsed, struct translation *t) {
    const char *model = "";
    if (!json_read_str(t->in, "model", &model, t->err)) return false;
    parsed->requests[0].model = *model ? xstrdup(model) : NULL;
    parsed->options.model = xstrdup(model);
    return json_read_bool(t->in, "stream", &parsed->options.stream, t->err) &&
           api_read_ttl(t->in, &parsed->requests[0].ttl, t->err);
}

bool parsed_read_one(enum service_op op, const char *body, size_t len,
                     bool (*read)(struct parsed *parsed, struct translation *t),
                     struct parsed *ret_parsed, struct error *err) {
    static const char *const words[] = {
        [OP_CHAT] = "chat", [OP_RERANK] = "rerank", [OP_TEMPLATE] = "template"
    };
    assert((size_t)op < sizeof words / sizeof words[0] && words[op]);
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    struct buf skipped = BUF_INIT(SKIPPED_TOOLS_SIZE - 1);
    struct translation t = { .in = yyjson_doc_get_root(doc),
                             .err = err,
                             .skipped_tools = &skipped };
    t.doc = json_object_new(&t.out);
    yyjson_mut_obj_add_str(t.doc, t.out, "op", words[op]);
    struct parsed parsed = { .options.op = op, .count = 1 };
    parsed.requests[0] = (struct service_request){ .op = op, .body = t.doc };
    bool ok = read_common(&parsed, &t) && read(&parsed, &t);
    yyjson_doc_free(doc);
    if (skipped.len > 0) parsed.skipped_tools = buf_take(&skipped);
    if (ok) {
        *ret_parsed = parsed;
    } else {
        parsed_clear(&parsed);
    }
    return ok;
}
