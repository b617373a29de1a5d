/* SPDX-License-Identifier: MIT */
#include "hub/hub_listing.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/json.h"
#include "base/xalloc.h"

enum { FILES_MAX = 10000 };

static bool is_hex(const char *text, size_t len) {
    return strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static yyjson_doc *parse_array(const char *json, size_t len, struct error *err) {
    struct error ignored;
    yyjson_doc *doc = json_parse(json, len, &ignored);
    if (doc && yyjson_is_arr(yyjson_doc_get_root(doc))) return doc;
    yyjson_doc_free(doc);
    error_set(err, ERR_IO, "The hub's answer is not a list; is the address of the hub right?");
    return NULL;
}

/* ---- the files of a repository ---- */

/* False: no GGUF file, or one that cannot be used. */
static bool read_file(yyjson_val *entry, struct hub_file *ret) {
    yyjson_val *lfs = yyjson_obj_get(entry, "lfs");
    const char *type = json_find_str(entry, "type"), *path = json_find_str(entry, "path");
    const char *sha256 = json_find_str(lfs, "oid");
    yyjson_val *size = yyjson_obj_get(lfs ? lfs : entry, "size");
    if (!type || strcmp(type, "file") != 0 || !path) return false;
    if (!ascii_ends_with(path, strlen(path), ".gguf")) return false;
    if (!hub_path_is_safe(path) || !yyjson_is_uint(size)) return false;
    *ret = (struct hub_file){ .size = yyjson_get_uint(size) };
    (void)snprintf(ret->path, sizeof ret->path, "%s", path);
    if (sha256 && is_hex(sha256, HUB_SHA256_SIZE - 1))
        (void)snprintf(ret->sha256, sizeof ret->sha256, "%s", sha256);
    return ret->size <= INT64_MAX / 2;
}

bool hub_read_tree(const char *json, size_t len, struct hub_files *files, struct error *err) {
    yyjson_doc *doc = parse_array(json, len, err);
    if (!doc) return false;
    yyjson_val *root = yyjson_doc_get_root(doc), *entry;
    size_t i, max;
    files->list = xrealloc(files->list,
                           (files->count + yyjson_arr_size(root) + 1) * sizeof *files->list);
    yyjson_arr_foreach(root, i, max, entry) {
        if (files->count >= FILES_MAX) break;
        if (read_file(entry, &files->list[files->count])) files->count++;
    }
    yyjson_doc_free(doc);
    return true;
}

void hub_files_clear(struct hub_files *files) {
    free(files->list);
    *files = (struct hub_files){ 0 };
}

/* ---- revisions ---- */

static bool find_ref(yyjson_val *refs, const char *revision, char ret_commit[HUB_COMMIT_SIZE]) {
    yyjson_val *ref;
    size_t i, max;
    yyjson_arr_foreach(refs, i, max, ref) {
        const char *name = json_find_str(ref, "name");
        const char *commit = json_find_str(ref, "targetCommit");
        if (!name || strcmp(name, revision) != 0) continue;
        if (!commit || !is_hex(commit, HUB_COMMIT_SIZE - 1)) return false;
        (void)snprintf(ret_commit, HUB_COMMIT_SIZE, "%s", commit);
        return true;
    }
    return false;
}

bool hub_read_commit(const char *json, size_t len, const char *revision,
                     char ret_commit[HUB_COMMIT_SIZE], struct error *err) {
    struct error ignored;
    if (is_hex(revision, HUB_COMMIT_SIZE - 1)) {
        (void)snprintf(ret_commit, HUB_COMMIT_SIZE, "%s", revision);
        return true;
    }
    yyjson_doc *doc = json_parse_object(json, len, &ignored);
    if (!doc)
        return error_set(err, ERR_IO,
                         "The hub's list of revisions cannot be read; is the "
                         "address of the hub right?");
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool found = find_ref(yyjson_obj_get(root, "branches"), revision, ret_commit) ||
                 find_ref(yyjson_obj_get(root, "tags"), revision, ret_commit);
    yyjson_doc_free(doc);
    if (found) return true;
    return error_set(err, ERR_NOT_FOUND, "The repository has no revision '%.60s'.", revision);
}

/* ---- search ---- */

static bool read_found(yyjson_val *entry, struct hub_found *ret) {
    struct hub_name name;
    const char *id = json_find_str(entry, "id");
    if (!id || !hub_name_parse(id, &name) || name.file[0] || name.quantization[0]) return false;
    *ret = (struct hub_found){
        .downloads = yyjson_get_uint(yyjson_obj_get(entry, "downloads")),
        .likes = yyjson_get_uint(yyjson_obj_get(entry, "likes")),
    };
    (void)snprintf(ret->name, sizeof ret->name, "%s/%s", name.owner, name.repo);
    return true;
}

size_t hub_read_search(const char *json, size_t len, struct hub_found *ret, size_t max,
                       struct error *err) {
    yyjson_doc *doc = parse_array(json, len, err);
    yyjson_val *entry;
    size_t i, n, count = 0;
    yyjson_arr_foreach(yyjson_doc_get_root(doc), i, n, entry) {
        if (count < max && read_found(entry, &ret[count])) count++;
    }
    yyjson_doc_free(doc);
    return count;
}

/* ---- pages ---- */

/* Do the parameters of a link, up to the comma before the next one, say that it is next? */
static bool is_next(const char *parameters, size_t len) {
    static const char *const forms[] = { "rel=\"next\"", "rel=next" };
    for (size_t i = 0; i + 8 <= len; i++) {
        for (size_t j = 0; j < sizeof forms / sizeof forms[0]; j++) {
            size_t n = strlen(forms[j]);
            if (i + n <= len && strncasecmp(parameters + i, forms[j], n) == 0) return true;
        }
    }
    return false;
}

const char *hub_next_page(const char *link, size_t *ret_len) {
    for (const char *open = strchr(link, '<'); open; open = strchr(open + 1, '<')) {
        const char *close = strchr(open, '>');
        if (!close) return NULL;
        size_t len = strcspn(close, ",");
        *ret_len = (size_t)(close - open - 1);
        if (is_next(close, len)) return open + 1;
        open = close;
    }
    return NULL;
}
