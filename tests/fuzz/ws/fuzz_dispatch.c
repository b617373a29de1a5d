/* SPDX-License-Identifier: MIT */
/* Scripts of LM Studio's clients (golden/ws_fake.h): whatever they say, every call is answered
 * once and nothing is said that is no JSON. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "ws_fake.h"

enum { SCRIPT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the session said must be JSON objects. The tester's own lines may hold anything. */
static void check_line(const char *line, size_t len) {
    struct error err;
    if (len < 2 || memcmp(line, "< ", 2) != 0) return;
    yyjson_doc *doc = json_parse_object(line + 2, len - 2, &err);
    assert(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert(yyjson_obj_get(root, "type") || yyjson_obj_get(root, "success"));
    yyjson_val *result = yyjson_obj_get(root, "result");
    assert(!result || !yyjson_is_null(result));
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf out = BUF_INIT(8 << 20);
    if (size > SCRIPT_MAX) return 0;
    char *script = xcalloc(size + 1, 1);
    if (size > 0) memcpy(script, data, size);
    ws_fake_run(script, &out);
    for (const char *line = buf_str(&out); !out.overflowed && *line;) {
        size_t len = strcspn(line, "\n");
        check_line(line, len);
        line += len + (line[len] == '\n');
    }
    free(script);
    buf_clear(&out);
    return 0;
}
