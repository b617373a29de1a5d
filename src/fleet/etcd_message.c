/* SPDX-License-Identifier: MIT */
#include "fleet/etcd_message.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"

enum { GRPC_NOT_FOUND = 5 };

static const char *const paths[] = {
    [ETCD_GRANT] = "/v3/lease/grant",   [ETCD_KEEPALIVE] = "/v3/lease/keepalive",
    [ETCD_REVOKE] = "/v3/lease/revoke", [ETCD_PUT] = "/v3/kv/put",
    [ETCD_CREATE] = "/v3/kv/txn",       [ETCD_REMOVE] = "/v3/kv/txn",
    [ETCD_RANGE] = "/v3/kv/range",      [ETCD_WATCH] = "/v3/watch",
};
_Static_assert(sizeof paths / sizeof paths[0] == ETCD_CALLS, "a path for each call");

const char *etcd_path(enum etcd_call call) {
    return paths[call];
}

/* ---- requests ---- */

static void add_bytes(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                      const char *bytes, size_t len) {
    size_t size = BASE64_ENCODE_RAW_LENGTH(len);
    char *text = xcalloc(1, size + 1);
    base64_encode_raw(text, len, (const uint8_t *)bytes);
    yyjson_mut_obj_add_strncpy(doc, obj, name, text, size);
    free(text);
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                     const char *text) {
    add_bytes(doc, obj, name, text, strlen(text));
}

/* Past 2^53 a number of JSON is not the same everywhere. */
static void add_int(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, int64_t value) {
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%lld", (long long)value);
    yyjson_mut_obj_add_strcpy(doc, obj, name, digits);
}

/* From the prefix to the key behind all that begin with it: its last byte plus one. */
static void add_prefix(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *prefix) {
    char *end = xstrdup(prefix);
    size_t len = strlen(end);
    add_text(doc, obj, "key", prefix);
    end[len - 1]++;
    add_text(doc, obj, "range_end", end);
    free(end);
}

static void add_put(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct etcd_request *r) {
    add_text(doc, obj, "key", r->key);
    add_text(doc, obj, "value", r->value);
    add_int(doc, obj, "lease", r->lease);
}

/* A condition on the key; returns it, for what is compared. */
static yyjson_mut_val *add_compare(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                                   const char *target) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, "compare");
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    add_text(doc, item, "key", key);
    yyjson_mut_obj_add_str(doc, item, "target", target);
    yyjson_mut_obj_add_str(doc, item, "result", "EQUAL");
    return item;
}

/* when: "success", "failure" */
static yyjson_mut_val *add_operation(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *when,
                                     const char *name) {
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, when);
    return yyjson_mut_obj_add_obj(doc, yyjson_mut_arr_add_obj(doc, list), name);
}

static void add_create(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct etcd_request *r) {
    add_int(doc, add_compare(doc, obj, r->key, "CREATE"), "create_revision", 0);
    add_put(doc, add_operation(doc, obj, "success", "request_put"), r);
    add_text(doc, add_operation(doc, obj, "failure", "request_range"), "key", r->key);
}

static void add_remove(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct etcd_request *r) {
    if (r->value) add_text(doc, add_compare(doc, obj, r->key, "VALUE"), "value", r->value);
    add_text(doc, add_operation(doc, obj, "success", "request_delete_range"), "key", r->key);
}

static void add_watch(yyjson_mut_doc *doc, yyjson_mut_val *obj, const struct etcd_request *r) {
    yyjson_mut_val *create = yyjson_mut_obj_add_obj(doc, obj, "create_request");
    add_prefix(doc, create, r->key);
    add_int(doc, create, "start_revision", r->revision);
}

bool etcd_request_format(const struct etcd_request *r, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    switch (r->call) {
    case ETCD_GRANT:
        add_int(doc, root, "TTL", r->ttl);
        break;
    case ETCD_KEEPALIVE:
    case ETCD_REVOKE:
        add_int(doc, root, "ID", r->lease);
        break;
    case ETCD_PUT:
        add_put(doc, root, r);
        break;
    case ETCD_CREATE:
        add_create(doc, root, r);
        break;
    case ETCD_REMOVE:
        add_remove(doc, root, r);
        break;
    case ETCD_RANGE:
        add_prefix(doc, root, r->key);
        break;
    case ETCD_WATCH:
        add_watch(doc, root, r);
        break;
    }
    bool ok = json_write(doc, out);
    yyjson_mut_doc_free(doc);
    return ok;
}

/* ---- answers ---- */

/* Numbers with 64 bits are strings there; 0 for anything else. */
static int64_t read_int(yyjson_val *obj, const char *name) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    const char *text = yyjson_get_str(val);
    if (!text) return yyjson_is_int(val) ? yyjson_get_sint(val) : 0;
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || end == text || *end ? 0 : value;
}

static uint64_t read_id(yyjson_val *obj, const char *name) {
    const char *text = json_find_str(obj, name);
    return text ? strtoull(text, NULL, 10) : yyjson_get_uint(yyjson_obj_get(obj, name));
}

/* The text behind base64; NULL if it is none, or longer than max. The caller frees. */
static char *read_text(yyjson_val *obj, const char *name, size_t max) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    size_t len = yyjson_get_len(val), decoded = 0;
    if (!yyjson_is_str(val) || len > BASE64_ENCODE_RAW_LENGTH(max)) return NULL;
    struct base64_decode_ctx base64;
    char *text = xcalloc(1, BASE64_DECODE_LENGTH(len) + 1);
    base64_decode_init(&base64);
    bool ok = base64_decode_update(&base64, &decoded, (uint8_t *)text, len,
                                   yyjson_get_str(val)) &&
              base64_decode_final(&base64);
    text[ok ? decoded : 0] = '\0';
    if (ok && decoded > 0 && decoded <= max && !memchr(text, '\0', decoded) &&
        utf8_is_valid(text, decoded))
        return text;
    free(text);
    return NULL;
}

/* removed: the pair has a key only. A change to a value that is none of ours counts as that. */
static void add_pair(struct etcd_answer *answer, yyjson_val *kv, bool is_change, bool removed) {
    char *key = read_text(kv, "key", ETCD_KEY_MAX);
    char *value = key && !removed ? read_text(kv, "value", ETCD_VALUE_MAX) : NULL;
    if (!key || (!is_change && !value)) {
        free(key);
        return;
    }
    answer->pairs[answer->count++] = (struct etcd_pair){ key, value };
}

static void read_pairs(struct etcd_answer *answer, yyjson_val *kvs) {
    size_t i, max;
    yyjson_val *kv;
    if (yyjson_arr_size(kvs) == 0) return;
    answer->pairs = xcalloc(yyjson_arr_size(kvs), sizeof *answer->pairs);
    yyjson_arr_foreach(kvs, i, max, kv) add_pair(answer, kv, false, false);
}

/* The type PUT is not written, as it is the first of its enum. */
static void read_events(struct etcd_answer *answer, yyjson_val *events) {
    size_t i, max;
    yyjson_val *event;
    if (yyjson_arr_size(events) == 0) return;
    answer->pairs = xcalloc(yyjson_arr_size(events), sizeof *answer->pairs);
    yyjson_arr_foreach(events, i, max, event) {
        bool removed = yyjson_equals_str(yyjson_obj_get(event, "type"), "DELETE");
        add_pair(answer, yyjson_obj_get(event, "kv"), true, removed);
    }
}

static void read_header(struct etcd_answer *answer, yyjson_val *obj) {
    yyjson_val *header = yyjson_obj_get(obj, "header");
    answer->cluster = read_id(header, "cluster_id");
    answer->revision = read_int(header, "revision");
}

static void read_transaction(struct etcd_answer *answer, yyjson_val *obj) {
    yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(obj, "responses"));
    answer->created = yyjson_get_bool(yyjson_obj_get(obj, "succeeded"));
    read_pairs(answer, yyjson_obj_get(yyjson_obj_get(first, "response_range"), "kvs"));
}

static void read_body(enum etcd_call call, yyjson_val *obj, struct etcd_answer *answer) {
    read_header(answer, obj);
    switch (call) {
    case ETCD_GRANT:
    case ETCD_KEEPALIVE: /* without a TTL if the lease is gone */
        answer->lease = read_int(obj, "ID");
        answer->ttl = read_int(obj, "TTL");
        break;
    case ETCD_CREATE:
        read_transaction(answer, obj);
        break;
    case ETCD_RANGE:
        read_pairs(answer, yyjson_obj_get(obj, "kvs"));
        break;
    case ETCD_WATCH:
        answer->created = yyjson_get_bool(yyjson_obj_get(obj, "created"));
        answer->canceled = yyjson_get_bool(yyjson_obj_get(obj, "canceled"));
        read_events(answer, yyjson_obj_get(obj, "events"));
        break;
    case ETCD_REVOKE:
    case ETCD_PUT:
    case ETCD_REMOVE:
        break;
    }
}

/* {"error":"...","code":5} and, in a stream, {"error":{"message":"...","grpc_code":5}}. */
static bool read_error(long status, yyjson_val *root, struct error *err) {
    yyjson_val *error = yyjson_obj_get(root, "error");
    const char *words = yyjson_is_obj(error) ? json_find_str(error, "message")
                                             : yyjson_get_str(error);
    int64_t code = yyjson_is_obj(error) ? read_int(error, "grpc_code") : read_int(root, "code");
    if (!words) words = "it gives no reason";
    if (code == GRPC_NOT_FOUND)
        return error_set(err, ERR_NOT_FOUND, "etcd has no such lease: %.150s", words);
    bool ours = status >= 400 && status < 500 && status != 408 && status != 429;
    return error_set(err, ours ? ERR_INVALID_REQUEST : ERR_IO, "etcd answers %ld: %.150s",
                     status, words);
}

/* Any server may answer an object; a lease has a number and a time. */
static bool is_whole(enum etcd_call call, const struct etcd_answer *answer) {
    return call != ETCD_GRANT || (answer->lease != 0 && answer->ttl > 0);
}

bool etcd_answer_parse(enum etcd_call call, long status, const char *text, size_t len,
                       struct etcd_answer *ret, struct error *err) {
    struct error fault;
    struct etcd_answer answer = { 0 };
    yyjson_doc *doc = json_parse_object(text, len, &fault);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool streamed = call == ETCD_KEEPALIVE || call == ETCD_WATCH;
    yyjson_val *body = streamed ? yyjson_obj_get(root, "result") : root;
    bool answered = status == 200 && yyjson_is_obj(body) && !yyjson_obj_get(root, "error");
    if (answered) read_body(call, body, &answer);
    bool ok = answered && is_whole(call, &answer);
    if (ok)
        *ret = answer;
    else if (doc && !answered)
        read_error(status, root, err);
    else
        error_set(err, ERR_IO, "What answers is not etcd's gateway (status %ld).", status);
    yyjson_doc_free(doc);
    return ok;
}

void etcd_answer_clear(struct etcd_answer *answer) {
    for (size_t i = 0; i < answer->count; i++) {
        free(answer->pairs[i].key);
        free(answer->pairs[i].value);
    }
    free(answer->pairs);
    *answer = (struct etcd_answer){ 0 };
}
