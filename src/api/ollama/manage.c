/* SPDX-License-Identifier: MIT */
/* manage.c - bodies that are about one model, and the progress of getting one. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/ollama/ollama.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

bool ollama_parse_named(const char *body, size_t len, struct ollama_named *ret,
                        struct error *err) {
    const char *name = NULL;
    bool stream = true;
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = json_read_str(root, "name", &name, err) &&
              json_read_str(root, "model", &name, err) &&
              json_read_bool(root, "stream", &stream, err);
    if (ok && (!name || !*name)) {
        ok = error_set_param(err, ERR_INVALID_REQUEST, "model",
                             "'model' is missing; send a name that GET /api/tags lists.");
    }
    if (ok) *ret = (struct ollama_named){ xstrdup(name), stream };
    yyjson_doc_free(doc);
    return ok;
}

bool ollama_is_name_of(const char *name, const char *key) {
    size_t len = strlen(key);
    if (strcasecmp(name, key) == 0) return true;
    if (strncasecmp(name, key, len) == 0 && strcasecmp(name + len, ":latest") == 0) return true;
    const char *at = strchr(key, '@');
    if (!at || strlen(name) != len || name[at - key] != ':') return false;
    return strncasecmp(name, key, (size_t)(at - key)) == 0 &&
           strcasecmp(name + (at - key) + 1, at + 1) == 0;
}

void ollama_format_progress(const struct ollama_progress *progress, struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "status", progress->status);
    if (progress->sha256) {
        char *digest = xasprintf("sha256:%s", progress->sha256);
        yyjson_mut_obj_add_strcpy(doc, root, "digest", digest);
        yyjson_mut_obj_add_uint(doc, root, "total", progress->total);
        yyjson_mut_obj_add_uint(doc, root, "completed", progress->completed);
        free(digest);
    }
    json_write_end(doc, out);
}
