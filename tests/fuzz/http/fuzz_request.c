/* SPDX-License-Identifier: MIT */
/*
 * Requests as a stream of foreign bytes. The first byte chooses how the rest is cut; the same
 * bytes cut in two ways must give the same requests.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 256, REQUESTS_MAX = 8 };

static const struct http_limits limits = {
    .request_line = 200,
    .header_bytes = 400,
    .header_fields = 8,
    .chunk_extensions = 16,
    .trailer_bytes = 32,
};

/* What was read, as text: the two ways are compared by it. Not the status of a bad one: of
 * several faults in one line, the parser finds another one first if the line comes in parts. */
static void note(struct buf *log, const struct request *r, enum request_step step) {
    (void)buf_addf(log, "step %d\n", (int)step);
    if (step == REQUEST_MORE) (void)buf_addf(log, "received %zu\n", r->body_received);
    if (step != REQUEST_DONE) return;
    assert(r->target.path[0] == '/' || strcmp(r->target.path, "*") == 0);
    assert(r->body.len <= BODY_MAX && r->field_count <= limits.header_fields);
    (void)buf_addf(log, "%s %s %d%d%d\n", r->method, r->target.path, r->http10, r->keep_alive,
                   r->has_body);
    for (size_t i = 0; i < r->field_count; i++) {
        const char *value = r->text.data + r->fields[i].value;
        (void)buf_addf(log, "%s: %s\n", r->text.data + r->fields[i].name, value);
    }
    (void)buf_add(log, r->target.query.data, r->target.query.len);
    (void)buf_add(log, r->body.data, r->body.len);
}

/* One request; false if nothing can follow it. */
static bool read_one(const char *bytes, size_t len, size_t *at, size_t part, struct buf *log) {
    struct request r;
    enum request_step step;
    http_request_init(&r, &limits);
    do {
        size_t next = len - *at < part ? len - *at : part;
        size_t used;
        step = request_feed(&r, bytes + *at, next, &used);
        assert(used <= next);
        assert(step != REQUEST_MORE || used == next);
        *at += used;
        if (step == REQUEST_HEAD && !request_allow_body(&r, BODY_MAX)) step = REQUEST_BAD;
    } while (step == REQUEST_HEAD || (step == REQUEST_MORE && *at < len));
    assert((step == REQUEST_BAD) == (r.status != 0));
    note(log, &r, step);
    http_request_clear(&r);
    return step == REQUEST_DONE && *at < len;
}

static void read_all(const char *bytes, size_t len, size_t part, struct buf *log) {
    size_t at = 0;
    for (int i = 0; i < REQUESTS_MAX && read_one(bytes, len, &at, part, log);) i++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    struct buf whole = BUF_INIT(1 << 20), parts = BUF_INIT(1 << 20);
    char *bytes = malloc(size - 1); /* of its own, so that reads past its end are seen */
    if (!bytes) abort();
    memcpy(bytes, data + 1, size - 1);
    read_all(bytes, size - 1, size, &whole);
    read_all(bytes, size - 1, 1u + data[0] % 16u, &parts);
    assert(whole.len == parts.len);
    assert(whole.len == 0 || memcmp(whole.data, parts.data, whole.len) == 0);
    free(bytes);
    buf_clear(&whole);
    buf_clear(&parts);
    return 0;
}
