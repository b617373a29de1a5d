/* SPDX-License-Identifier: MIT */
/* Uploaded files: base64 of anything. What counts as a text must be one that JSON can carry. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "daemon/uploads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text) {
    struct buf json = BUF_INIT(1 << 20);
    struct error err;
    assert(json_write_str(&json, text, strlen(text)));
    yyjson_doc *doc = json_parse(json.data, json.len, &err);
    assert(doc);
    yyjson_doc_free(doc);
    buf_clear(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lmws_file file;
    struct error err;
    if (size > 1 << 16) return 0;
    char *base64 = xcalloc(size + 1, 1);
    if (size > 0) memcpy(base64, data, size);
    struct uploads *uploads = uploads_new(NULL);
    struct upload *upload = uploads_begin(uploads, "x.txt", base64, 0, &err);
    assert(upload); /* there is no budget, and it is short */
    upload_read(upload);
    if (uploads_put(uploads, upload, &file, &err)) {
        assert(file.size <= strlen(base64) / 4 * 3);
        if (file.text) {
            assert(strlen(file.text) == file.size);
            check_text(file.text);
        }
    } else {
        assert(err.code == ERR_INVALID_REQUEST);
    }
    uploads_free(uploads);
    free(base64);
    return 0;
}
