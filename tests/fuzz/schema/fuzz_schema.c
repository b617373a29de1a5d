/* SPDX-License-Identifier: MIT */
/* A schema as both libraries are told of it: whatever is in it, what comes out is a schema. */
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "engine/guidance_schema.h"
#include "engine/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_guidance(yyjson_val *schema, enum schema_care care) {
    struct buf out = BUF_INIT(SCHEMA_MAX), dropped = BUF_INIT(1024);
    struct error err = { 0 };
    if (guidance_schema_write(schema, care, &out, &dropped, &err)) {
        yyjson_doc *written = yyjson_read(buf_str(&out), out.len, 0);
        assert(yyjson_is_obj(yyjson_doc_get_root(written)));
        yyjson_doc_free(written);
    } else {
        assert(*err.text);
    }
    buf_clear(&out);
    buf_clear(&dropped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct error err;
    yyjson_doc *doc = json_parse_object((const char *)data, size, &err);
    if (!doc) return 0;
    yyjson_val *schema = yyjson_doc_get_root(doc);
    for (enum schema_care care = SCHEMA_STRICT; care <= SCHEMA_LETTER; care++)
        check_guidance(schema, care);
    for (int loosen = 0; loosen < 2; loosen++) {
        yyjson_doc *written = schema_write(schema, loosen);
        assert(yyjson_is_obj(yyjson_doc_get_root(written)));
        yyjson_doc_free(written);
    }
    yyjson_doc_free(doc);
    return 0;
}
