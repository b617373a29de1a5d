/* SPDX-License-Identifier: MIT */
/*
 * fuzz_past.c - a body of /v1/responses and the rows that the store found for it: read, joined,
 * stored and listed, or refused with a sentence. The lines of the input are the body, what was
 * found, and the limit, order and after of a page.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/responses/past.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20, PAGE_ITEMS_MAX = 100 };

/* The next line without its end; NULL: no more. */
static char *line_take(const char **at, const char *end, size_t *ret_len) {
    if (*at >= end) return NULL;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    size_t len = (size_t)((stop ? stop : end) - *at);
    char *line = malloc(len + 1); /* of its own, so that reads past its end are seen */
    assert(line);
    memcpy(line, *at, len);
    line[len] = '\0';
    *at += len + 1;
    *ret_len = len;
    return line;
}

static yyjson_doc *written(const struct buf *out) {
    struct error err = { 0 };
    yyjson_doc *doc = json_parse(out->data, out->len, &err);
    assert(doc);
    return doc;
}

static void try_read(const char *body, size_t len) {
    struct past_wanted wanted;
    struct error err = { 0 };
    if (!past_read(body, len, &wanted, &err)) {
        assert(err.text[0]);
        return;
    }
    for (size_t i = 0; i < wanted.item_count; i++) {
        assert(wanted.items[i].id && strncmp(wanted.items[i].response, "resp_", 5) == 0);
    }
    past_wanted_clear(&wanted);
}

static void try_join(const char *body, size_t len, const struct buf *found) {
    struct buf out = BUF_INIT(OUT_MAX);
    struct error err = { 0 };
    if (past_join(body, len, found, &out, &err)) {
        yyjson_doc *doc = written(&out);
        assert(yyjson_is_arr(yyjson_obj_get(yyjson_doc_get_root(doc), "input")));
        yyjson_doc_free(doc);
    } else {
        assert(err.text[0]);
    }
    buf_clear(&out);
}

static void try_page(const struct buf *items, const struct past_page *page) {
    struct buf out = BUF_INIT(OUT_MAX);
    struct error err = { 0 };
    if (past_format_page(items, page, &out, &err)) {
        yyjson_doc *doc = written(&out);
        yyjson_val *data = yyjson_obj_get(yyjson_doc_get_root(doc), "data");
        assert(yyjson_is_arr(data) && yyjson_arr_size(data) <= PAGE_ITEMS_MAX);
        yyjson_doc_free(doc);
    } else {
        assert(err.text[0]);
    }
    buf_clear(&out);
}

/* What is stored has a type and an id, so that it can be listed and named. */
static void check_stored(const struct buf *stored) {
    yyjson_doc *doc = written(stored);
    yyjson_val *item;
    size_t i, count;
    assert(yyjson_is_arr(yyjson_doc_get_root(doc)));
    yyjson_arr_foreach(yyjson_doc_get_root(doc), i, count, item) {
        if (!yyjson_is_obj(item)) continue;
        assert(yyjson_obj_get(item, "type") && yyjson_is_str(yyjson_obj_get(item, "id")));
    }
    yyjson_doc_free(doc);
}

static void try_store(const char *body, size_t len, const struct buf *found,
                      const struct past_page *page) {
    struct buf stored = BUF_INIT(OUT_MAX);
    struct error err = { 0 };
    if (past_format_input(body, len, found, "x", &stored, &err)) {
        check_stored(&stored);
        try_page(&stored, page);
    } else {
        assert(err.text[0]);
    }
    buf_clear(&stored);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *at = (const char *)data, *end = at + size;
    size_t len = 0, found_len = 0, unused;
    char *body = line_take(&at, end, &len), *rows = line_take(&at, end, &found_len);
    char *limit = line_take(&at, end, &unused), *order = line_take(&at, end, &unused),
         *after = line_take(&at, end, &unused);
    struct past_page page = { limit, order, after };
    struct buf found = BUF_INIT(OUT_MAX);
    if (rows) (void)buf_add(&found, rows, found_len);
    if (body) {
        try_read(body, len);
        try_join(body, len, rows ? &found : NULL);
        try_store(body, len, rows ? &found : NULL, &page);
    }
    if (rows) try_page(&found, &page);
    buf_clear(&found);
    free(body);
    free(rows);
    free(limit);
    free(order);
    free(after);
    return 0;
}
