/* SPDX-License-Identifier: MIT */
/* web_page.c - the web page: GET / and its assets, embedded in the program. */
#include <string.h>

#include "daemon/routes/page_files.h"
#include "daemon/routes/route.h"
#include "http/server.h"

/* Nothing from other origins, no inline scripts, no frames. Scripts may still set single
 * styles, and show the images that the user has chosen. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                             "img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'";

static const struct page_file *page_file_find(const char *path) {
    for (size_t i = 0; i < page_file_count; i++) {
        if (strcmp(page_files[i].path, path) == 0) return &page_files[i];
    }
    return NULL;
}

static void add_headers(struct exchange *x, const struct page_file *file, bool forever) {
    exchange_add_header(x, "Content-Security-Policy", policy);
    exchange_add_header(x, "X-Frame-Options", "DENY");
    exchange_add_header(x, "X-Content-Type-Options", "nosniff");
    exchange_add_header(x, "Referrer-Policy", "no-referrer");
    exchange_add_header(x, "ETag", file->etag);
    exchange_add_header(x, "Vary", "Accept-Encoding");
    exchange_add_header(x, "Cache-Control",
                        forever ? "public, max-age=31536000, immutable" : "no-cache");
}

static bool takes_gzip(const struct exchange *x) {
    const char *encodings = exchange_header(x, "Accept-Encoding");
    return encodings && strstr(encodings, "gzip");
}

static bool knows(const struct exchange *x, const struct page_file *file) {
    const char *etags = exchange_header(x, "If-None-Match");
    return etags && strstr(etags, file->etag);
}

static void reply_file(struct exchange *x, const struct page_file *file, bool forever) {
    if (file->gzipped && !takes_gzip(x)) {
        static const char text[] = "This file is kept compressed: ask for it with "
                                   "\"Accept-Encoding: gzip\" (curl --compressed).\n";
        exchange_reply(x, 406, "text/plain; charset=utf-8", text, sizeof text - 1);
        return;
    }
    add_headers(x, file, forever);
    if (knows(x, file)) {
        exchange_reply(x, 304, NULL, NULL, 0);
        return;
    }
    if (file->gzipped) exchange_add_header(x, "Content-Encoding", "gzip");
    exchange_reply(x, 200, file->content_type, file->bytes, file->len);
}

static bool accepts(const struct exchange *x, const char *type) {
    const char *types = exchange_header(x, "Accept");
    return types && strstr(types, type);
}

/* Ollama's clients ask here whether the server is up, and some look for its sentence. */
static bool wants_sentence(const struct exchange *x) {
    const char *agent = exchange_header(x, "User-Agent");
    if (accepts(x, "text/html")) return false;
    return accepts(x, "text/plain") || (agent && strncmp(agent, "ollama", 6) == 0);
}

void route_page(void *ctx, struct exchange *x) {
    static const char sentence[] = "Ollama is running";
    (void)ctx;
    if (wants_sentence(x)) {
        exchange_reply(x, 200, "text/plain; charset=utf-8", sentence, sizeof sentence - 1);
        return;
    }
    reply_file(x, page_file_find("/"), false);
}

/* Their names change with their contents, so clients may cache them for ever. */
void route_asset(void *ctx, struct exchange *x) {
    (void)ctx;
    const struct page_file *file = page_file_find(exchange_path(x));
    if (file) {
        reply_file(x, file, true);
        return;
    }
    struct error err;
    error_set(&err, ERR_NOT_FOUND, "There is no %.200s; reload the page at /.",
              exchange_path(x));
    exchange_fail(x, &err);
}
