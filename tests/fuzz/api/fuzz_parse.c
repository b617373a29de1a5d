/* SPDX-License-Identifier: MIT */
/* Inference bodies of every endpoint: whatever comes, each is refused with a sentence or
 * becomes neutral requests that are JSON themselves. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/openai/openai.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const struct service_request *request) {
    struct buf text = BUF_INIT(64 << 20);
    struct error err = { 0 };
    assert(!request->model || *request->model);
    assert(request->ttl.value >= 0);
    assert(json_write(request->body, &text));
    yyjson_doc *doc = json_parse_object(text.data, text.len, &err);
    assert(doc && yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(doc), "op")));
    yyjson_doc_free(doc);
    buf_clear(&text);
}

static void check_refusal(const struct error *err) {
    struct buf body = BUF_INIT(1 << 16);
    struct error problem = { 0 };
    assert(err->code == ERR_INVALID_REQUEST && err->text[0]);
    dialect_openai.format_error(err, &body);
    yyjson_doc *doc = json_parse_object(body.data, body.len, &problem);
    assert(doc);
    yyjson_doc_free(doc);
    buf_clear(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const enum service_op ops[] = { OP_CHAT, OP_COMPLETION, OP_EMBEDDING };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct parsed parsed = { 0 };
        struct error err = { 0 };
        if (!dialect_openai.parse(ops[i], (const char *)data, size, &parsed, &err)) {
            check_refusal(&err);
            continue;
        }
        assert(parsed.count >= 1 && parsed.count <= PARSED_MAX_REQUESTS);
        assert(parsed.options.model && parsed.options.op == ops[i]);
        for (int k = 0; k < parsed.count; k++) check_request(&parsed.requests[k]);
        parsed_clear(&parsed);
    }
    return 0;
}
